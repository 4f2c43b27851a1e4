"""Work of the engine within a page: its errors in a sentence, its progress, and results that are kept."""

import time
from collections.abc import Callable, Hashable
from html import escape
from typing import Any, NoReturn, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner import StopException

from core.base.errors import WobbleError
from core.base.words import capital, listed, so_far
from core.views.html import visible_html
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


HEADER = "header that says what runs"


def header(running: str) -> DeltaGenerator:
    """The place of what a page says first. While something other than what the page showed last is computed, it says what is asked
    and what runs: what stood there is about something else.

    Args:
        running: what runs, in a few words.
    """
    snapshot = state.current()
    page = state.store().page
    asked = page, running, snapshot
    # Where the answer stands already it is not taken away to be drawn again.
    known = asked == state.unlinked("headed", None)
    # The style sheet keeps room for the answer, so that what follows stays where it is when that comes.
    with st.container(key=f"head {page or 'overview'}"):
        place = st.container() if known else st.empty()
    if not known:
        place.html(
            f"<p class='w-verdict' role='status'>{escape(running)} …</p>"
            f"<p class='w-line'><span class='w-text'>{visible_html(snapshot.sentence, 300)}</span></p>"
            f"<p class='w-line w-faint'>Asking {escape(listed(snapshot.models))}.</p>"
        )
    st.session_state[HEADER] = asked, place
    return place


def headed(place: DeltaGenerator) -> DeltaGenerator:
    """The header when the answer is there: what is drawn in it takes the place of what ran."""
    return place.container() if answered() else place


def answered() -> bool:
    """The answer is there: what the header says no longer holds; whether it said anything."""
    asked, _ = st.session_state.pop(HEADER)
    if asked == state.unlinked("headed", None):
        return False
    state.store().change(headed=asked)
    return True


def put_away() -> None:
    """Take away the header of a page that has no answer: nothing runs any more."""
    if found := st.session_state.pop(HEADER, None):
        # Without this the style sheet would keep the room.
        found[1].html("<span class='w-unanswered'></span>")


def end() -> NoReturn:
    """End the page here. `st.stop` would end the router with it, before that has put the state into the address."""
    put_away()
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
        again: the label of the button that starts stopped work again.
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
            # The style sheet lays it over what is there: nothing moves down for it and up again.
            with place.container(horizontal=True, vertical_alignment="center", key=f"progress {hash(key)}"):
                bars.append(st.progress(0.0))
                state.button("Stop", f"stop {hash(key)}", stopped=key)
        share = min(done / total, 1.0) if total else 0.0
        bars[0].progress(share, capital(so_far(done, total, seconds, unit, said)))

    known.append(run(progress))
    place.empty()
    return known[0]
