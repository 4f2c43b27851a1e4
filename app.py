"""The router: page configuration, navigation, and the sidebar that all pages share."""

from pathlib import Path

import streamlit as st

from pages import _widgets

st.set_page_config(page_title="Wobble", page_icon=str(Path(__file__).parent / "assets" / "icon.svg"), layout="wide")
PAGES = [
    st.Page("pages/overview.py", title="Overview", icon=":material/bolt:", default=True),
    st.Page("pages/perturb.py", title="Perturb", icon=":material/edit_note:"),
    st.Page("pages/dropout.py", title="Dropout", icon=":material/casino:"),
    st.Page("pages/temperature.py", title="Temperature", icon=":material/thermostat:"),
    st.Page("pages/seeds.py", title="Seeds", icon=":material/psychology_alt:"),
    st.Page("pages/numerics.py", title="Numerics", icon=":material/functions:"),
    st.Page("pages/train.py", title="Train", icon=":material/model_training:"),
    st.Page("pages/tokens.py", title="Tokens", icon=":material/toll:"),
]
page = st.navigation(PAGES, position="hidden")
_widgets.style()
with st.sidebar:
    for other in PAGES:
        st.page_link(other)
_widgets.sidebar()
page.run()
