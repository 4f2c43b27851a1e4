"""The router: page configuration, navigation, and the sidebar that all pages share."""

import streamlit as st

from pages import _widgets

st.set_page_config(page_title="Wobble", page_icon=":material/vibration:", layout="wide")
page = st.navigation(
    [
        st.Page("pages/perturb.py", title="Perturb", icon=":material/edit_note:", default=True),
        st.Page("pages/tokens.py", title="Tokens", icon=":material/toll:"),
    ]
)
_widgets.style()
_widgets.sidebar()
page.run()
