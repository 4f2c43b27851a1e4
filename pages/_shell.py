"""What is shown before the engine is loaded: the style sheet, and what the first visitor reads meanwhile.

Importing torch and transformers takes seconds, once for each start of the app. Nothing here imports `core`.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from html import escape
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.navigation.page import StreamlitPage
from streamlit.runtime.pages_manager import PagesManager

STYLE = (Path(__file__).parent.parent / "assets" / "styles" / "wobble.css").read_text(encoding="utf-8")
ENTERED = "through router.py"
_imported = threading.Event()


def enter() -> None:
    """For router.py alone: from now on the pages of this session run within it."""
    st.session_state[ENTERED] = True


def through_router() -> None:
    """Make sure that a page runs within router.py.

    Until router.py has run once, Streamlit answers a link to a page by running that page's file alone, as it did before
    there was st.navigation. Such a run of one visitor may end after another's has been through router.py, so the session says
    whether it has been there itself.
    """
    if PagesManager.uses_pages_directory or not st.session_state.get(ENTERED):
        PagesManager.uses_pages_directory = False
        st.rerun()


def is_imported() -> bool:
    """Whether the engine is imported."""
    return _imported.is_set()


def links(
    place: DeltaGenerator, pages: Iterable[StreamlitPage], parameters: Mapping[str, list[str]], key: str = "menu"
) -> None:
    """What this is, and the menu: a link to each page.

    Args:
        place: where they stand.
        pages: what is linked.
        parameters: of every link.
        key: tells the menus of one run apart; the style sheet knows them by its beginning.
    """
    with place:
        st.html("<p class='w-name'><b>Wobble</b> shows why a prediction changes</p>")
        with st.container(key=key):
            for page in pages:
                st.page_link(page, query_params=parameters)


@contextmanager
def welcome(questions: Mapping[str, str]) -> Iterator[None]:
    """Shows what Wobble answers while the engine is imported; nothing once that is done.

    Args:
        questions: what each page answers, by its title.
    """
    # Also where nothing is shown: the page below keeps its place in the next run.
    place = st.empty()
    if _imported.is_set():
        yield
        return
    given = st.query_params.get("sentence", "")[:300]
    asked = f"<p class='w-line w-text'>{escape(given)}</p>" if given.strip() else ""
    rows = "".join(f"<tr><td><b>{escape(t)}</b></td><td>{escape(q)}</td></tr>" for t, q in questions.items())
    place.html(
        "<p class='w-verdict'>Why did the prediction change, and can you trust it?</p>"
        f"{asked}<p class='w-line w-faint' role='status'>Starting torch and transformers: a few seconds, once. Then "
        f"every factor runs on the sentence.</p><table class='w-table w-welcome'>{rows}</table>"
    )
    try:
        yield
        _imported.set()
    finally:
        place.empty()
