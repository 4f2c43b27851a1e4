"""Cases of a sentence side by side: the one that is opened, filters, and the table."""

from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st

from core.studies.study import Study
from core.views import tables
from core.views.strip import FATES
from pages import controls, state
from pages._shell import STYLE
from pages.parts import opened

SCRIPT = Path(__file__).parent.parent.parent / "assets" / "components" / "variants.js"
TABLE = "variants_table"
SHOWN = tuple(reversed(FATES))
"""The fates by which one filters: the most telling first."""

table = st.components.v2.component(
    "wobble_variants",
    html="<div class='w-variants' role='listbox' aria-label='Variants, largest shift first'></div>\n",
    css=STYLE,
    js=SCRIPT.read_text(encoding="utf-8"),
)


@st.fragment
def section(
    studies: Sequence[Study],
    draw: Callable[[str], None],
    script: opened.Script,
    charts: Sequence[str],
    opens: str,
    one: str,
    factors: Sequence[str] = (),
) -> None:
    """The strip and everything below it: filtering and opening a case rerun only this, and never the model.

    Args:
        studies: of one text under several models; the table leaves out what is not a case of all.
        draw: as for `opened.section`, and so are `script`, `charts` and `opens`.
        opens: the filters' values are `factor` and `fate`, or begin with its name.
        one: what a case is called.
        factors: by which one filters; none: there is no such filter.
    """
    key = opened.section(studies, draw, script, charts=charts, opens=opens, table=TABLE)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = controls.several("Factor", "factor", factors, st.pills, selection_mode="multi") if factors else []
        fates = controls.several(
            "Fate", "fate" if factors else f"{opens}_fate", SHOWN, st.pills, selection_mode="multi"
        )
    rows = tables.side_by_side(studies, chosen, fates)
    table(
        key=TABLE,
        data={"models": [study.model for study in studies], "one": one, "rows": rows, "chosen": key},
        on_chosen_change=lambda: None,
    )
    state.address(f"of the {one}s")
    shared = sum(len(found) == len(studies) for found in opened.answers(studies).values())
    st.caption(
        f"{len(rows)} of {shared} {one}s, largest shift first. Shift: total variation distance to your sentence's "
        "probabilities, ½ Σ |p − q|, from 0 to 1. The thin tick on a bar is your sentence. "
        "Click a row, or use the arrow keys and Enter."
    )
