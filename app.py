"""The router: page configuration, navigation, and the sidebar that all pages share."""

from pathlib import Path

import streamlit as st

from pages import _shell

st.set_page_config(page_title="Wobble", page_icon=str(Path(__file__).parent / "assets" / "icon.svg"), layout="wide")
PAGES = {
    st.Page("pages/overview.py", title="Overview", icon=":material/bolt:", default=True): (
        "Can I trust this prediction? Every factor on one scale, the culprit named."
    ),
    st.Page("pages/perturb.py", title="Perturb", icon=":material/edit_note:"): (
        "Which edits of white space, casing and punctuation does the tokenizer erase, which reach the model, which flip it?"
    ),
    st.Page("pages/dropout.py", title="Dropout", icon=":material/casino:"): (
        "What if dropout is left on? Every pass as a dot."
    ),
    st.Page("pages/temperature.py", title="Temperature", icon=":material/thermostat:"): (
        "What does temperature change, and why never the label?"
    ),
    st.Page("pages/seeds.py", title="Seeds", icon=":material/psychology_alt:"): (
        "Would the same recipe, trained with another seed, say the same?"
    ),
    st.Page("pages/numerics.py", title="Numerics", icon=":material/functions:"): (
        "Do padding, the other texts of the batch or half precision move it?"
    ),
    st.Page("pages/train.py", title="Train", icon=":material/model_training:"): (
        "Fine-tune seeds of your own, on your data, and watch."
    ),
    st.Page("pages/tokens.py", title="Tokens", icon=":material/toll:"): (
        "How do up to four tokenizers split the sentence, stage by stage?"
    ),
}
page = st.navigation(list(PAGES), position="hidden")
_shell.style()
menu = st.sidebar.empty()
if not _shell.is_imported():
    _shell.links(menu, PAGES, {})
with _shell.welcome({other.title: question for other, question in PAGES.items()}):
    # Takes seconds the first time, so the page shows something before it.
    from core.base.settings import settings
    from pages import _widgets, state
if _widgets.attempt(settings) is None:
    st.stop()
shared = _widgets.begin(page.url_path)
# The links hold what all pages share, so that the entries of the history do, and a second tab opens the same.
_shell.links(menu, PAGES, shared)
place = _widgets.sidebar()
try:
    page.run()
finally:
    # Also of a page that stopped early.
    state.address("of the page", place)
