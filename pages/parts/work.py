"""Work of the engine within a page: its errors in a sentence, its progress, and results that are kept."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.base.errors import WobbleError
from pages import state
from pages.parts import markup

T = TypeVar("T")


def attempt(call: Callable[[], Any]) -> Any:
    """The result of a call, or None and its one sentence on the page."""
    try:
        return call()
    except WobbleError as error:
        st.error(markup.escape_markdown(str(error)), icon=":material/error:")
        return None


class _Kept:
    """Results of long work, at most `limit`, least recently used first out; unlike Streamlit's caches it shows progress."""

    def __init__(self, limit: int) -> None:
        self._limit, self._lock = limit, threading.Lock()
        self._results: OrderedDict[Any, Any] = OrderedDict()

    def get(self, key: Any) -> Any:
        """The result of a key, or None."""
        with self._lock:
            if key in self._results:
                self._results.move_to_end(key)
            return self._results.get(key)

    def put(self, key: Any, result: Any) -> None:
        """Keep a result."""
        with self._lock:
            self._results[key] = result
            while len(self._results) > self._limit:
                self._results.popitem(last=False)


@st.cache_resource(show_spinner=False)
def kept() -> _Kept:
    """The results of long work, of all sessions."""
    return _Kept(limit=256)


def long_work(key: Any, unit: str, run: Callable[[Callable[[int, int], None]], T]) -> T:
    """The result of long work, computed once; shows what is left, and stops when the person presses Stop.

    Args:
        key: what the result depends on.
        unit: what is counted, in the plural.
        run: does the work, telling what is done and what was asked for.
    """
    store = kept()
    if (known := store.get(key)) is not None:
        found: T = known
        return found
    if state.store().values.get("stopped") == key:
        st.info("Stopped.", icon=":material/stop_circle:")
        st.button("Run it", key=f"run {hash(key)}", on_click=state.changing(stopped=None))
        st.stop()
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
                st.button("Stop", key=f"stop {hash(key)}", on_click=state.changing(stopped=key))
        bars[0].progress(done / total, f"{done:,} of {total:,} {unit}, {seconds * (total - done) / done:.0f} s left")

    found = run(progress)
    place.empty()
    store.put(key, found)
    return found
