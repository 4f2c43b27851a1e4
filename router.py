"""The router: page configuration, navigation, and the sidebar that all pages share."""

from pathlib import Path

import streamlit as st

from pages import _shell
from pages.parts import menu

st.set_page_config(page_title="Wobble", page_icon=str(Path(__file__).parent / "assets" / "icon.svg"), layout="wide")
PAGES = {
    st.Page(entry.file, title=entry.title, icon=entry.icon, default=number == 0): entry.question
    for number, entry in enumerate(menu.ENTRIES)
}
page = st.navigation(list(PAGES), position="hidden")
_shell.enter()
early = None if _shell.is_imported() else st.sidebar.empty()
if early is not None:
    _shell.links(early.container(), PAGES, {}, "menu early")
with _shell.welcome({other.title: question for other, question in PAGES.items()}):
    # Takes seconds the first time, so the page shows something before it.
    from core.base.settings import settings
    from pages import state
    from pages.parts import pinned, presenter, sidebar, sight, work
if work.attempt(settings) is None:
    st.stop()
shared = sidebar.begin(page.url_path)
sight.follow("sentence", state.current().sentence, top=True)
presenter.bar()
# The links hold what all pages share, so that the entries of the history do, and a second tab opens the same.
# Never through an empty place that was not needed: a link that goes and comes again takes a click with it.
_shell.links(st.sidebar.container() if early is None else early.container(), PAGES, shared)
place = sidebar.sidebar()
try:
    pinned.line()
    page.run()
    work.put_away()
finally:
    # Also of a page that stopped early.
    state.address("of the page", place)
