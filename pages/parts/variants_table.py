"""The table of variants side by side."""

from pathlib import Path

import streamlit as st

from pages._shell import STYLE

ASSETS = Path(__file__).parent.parent.parent / "assets"

variants_table = st.components.v2.component(
    "wobble_variants",
    html="<div class='w-variants' role='listbox' aria-label='Variants, largest shift first'></div>\n",
    css=STYLE,
    js=(ASSETS / "components" / "variants.js").read_text(encoding="utf-8"),
)
