"""Work of the engine within a page: its errors in a sentence, its progress, and results that are kept."""

import time
from collections.abc import Callable, Hashable
from typing import Any, NoReturn, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner import StopException

from core.base.errors import WobbleError
from core.base.words import duration
from pages import state
from pages.parts import markup

T = TypeVar("T")


def attempt(call: Callable[[], T]) -> T | None:
    """The result of a call, or None and its one sentence on the page."""
    try:
        return call()
    except WobbleError as error:
        st.error(markup.escape_markdown(str(error)), icon=":material/error:")
        return None


def end() -> NoReturn:
    """End the page here. `st.stop` would end the router with it, before that has put the state into the address."""
    raise StopException


def needed(call: Callable[[], T]) -> T:
    """The result of a call without which the page has nothing more to show: where it fails, its one sentence is the last."""
    found = attempt(call)
    return end() if found is None else found


@st.cache_resource(max_entries=256, show_spinner=False)
def kept(key: Hashable) -> list[Any]:
    """Holds the result of long work once there is one, for all sessions; unlike what Streamlit caches, that shows progress."""
    return []


def long_work(
    key: Hashable,
    unit: str,
    run: Callable[[Callable[[int, int], None]], T],
    said: Callable[[int], str] = "{:,}".format,
    again: str = "Run it",
) -> T:
    """The result of long work, computed once; shows what is left, and stops when the person presses Stop.

    Args:
        key: what the result depends on.
        unit: what is counted, in the plural.
        run: does the work, telling what is done and what was asked for (0 while nobody knows).
        said: a number of units as it is read.
        again: what the button is called that begins anew what was stopped.
    """
    known: list[T] = kept(key)
    if known:
        return known[0]
    if state.unlinked("stopped", None) == key:
        st.info("Stopped.", icon=":material/stop_circle:")
        state.button(again, f"run {hash(key)}", stopped=None)
        end()
    place, begin = st.empty(), time.monotonic()
    bars: list[DeltaGenerator] = []

    def progress(done: int, total: int) -> None:
        state.give_way()
        seconds = time.monotonic() - begin
        if seconds < 1:
            return
        if not bars:
            with place.container(horizontal=True, vertical_alignment="center"):
                bars.append(st.progress(0.0))
                state.button("Stop", f"stop {hash(key)}", stopped=key)
        left = f", about {duration(seconds * (total - done) / done)} left" if done else ""
        bars[0].progress(min(done / total, 1.0) if total else 0.0, f"{said(done)} of {said(total)} {unit}{left}")

    known.append(run(progress))
    place.empty()
    return known[0]
