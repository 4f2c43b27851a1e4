"""Cases of a sentence side by side: filters, the one that is opened, and the table."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

import streamlit as st

from core.factors.case import Case, Reference
from core.studies.study import Study
from core.views import tables
from core.views.html import visible_html
from core.views.strip import FATES
from pages import controls, state
from pages._shell import STYLE
from pages.parts import markup

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
def section(studies: Sequence[Study], charts: Sequence[str], opens: str, one: str, factors: Sequence[str] = ()) -> None:
    """Everything below the finding: filtering and opening a variant rerun only this, and never the model.

    Args:
        studies: of one text under several models; what is not a case of all is left out.
        charts: keys of the strips whose dots open a variant.
        opens: the value that holds the variant that is opened; the filters' are `factor` and `fate`, or begin with its name.
        one: what a variant is called.
        factors: by which one filters; none: there is no such filter.
    """
    for chart in charts:
        state.pointed(chart, opens)
    state.picked(TABLE, opens)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = controls.several("Factor", "factor", factors, st.pills, selection_mode="multi") if factors else []
        fates = controls.several(
            "Fate", "fate" if factors else f"{opens}_fate", SHOWN, st.pills, selection_mode="multi"
        )
        keyed = [study.keyed() for study in studies]
        names = [key for key in keyed[0] if all(key in cases for cases in keyed)]
        opened = controls.choice(
            f"Open a {one}", opens, names, nothing="none", width=420,
            words=lambda key: keyed[0][key][1].called(key) if key in keyed[0] else key,
        )  # fmt: skip
    if opened:
        with st.container(border=True):
            for study, cases in zip(studies, keyed, strict=True):
                row, case = cases[opened]
                said, done = tables.explanation(case, study), tables.described(case)
                st.html(
                    f"<p class='w-line'><b>{escape(study.model)}</b> {markup.badge_html(row.fate(case))} "
                    f"{escape(said)}</p><p class='w-line w-faint'>{escape(done)}</p>"
                )
                beside(study.reference, case, f"The {one}")
    rows = tables.side_by_side(studies, chosen, fates)
    table(
        key=TABLE,
        data={"models": [study.model for study in studies], "one": one, "rows": rows, "chosen": opened},
        on_chosen_change=lambda: None,
    )
    state.address(f"of the {one}s")
    st.caption(
        f"{len(rows)} of {len(names)} {one}s, largest shift first. Shift: total variation distance to your sentence's "
        "probabilities, ½ Σ |p − q|, from 0 to 1. The thin tick on a bar is your sentence. "
        "Click a row, or use the arrow keys and Enter."
    )


def beside(reference: Reference, case: Case, title: str) -> None:
    """Text, tokens and probabilities: the sentence's left, an edit's right.

    Args:
        title: over the edit.
    """
    edited = markup.changed_html(case.text, reference.text, 2000, case.variant)
    texts = ("Your sentence", visible_html(reference.text)), (title, edited)
    left, right = (f"<p class='w-line'><b>{said}</b></p><p class='w-text'>{text}</p>" for said, text in texts)
    sides(reference, case, left, right)


def sides(reference: Reference, case: Case, left: str, right: str, limit: int = 400) -> None:
    """Tokens and probabilities of two predictions beside each other.

    Args:
        left: HTML over the reference's.
        right: over the case's.
        limit: tokens that are shown.
    """
    shown: tuple[tuple[str, Reference | Case], ...] = ((left, reference), (right, case))
    changed = tables.changed_positions(reference.encoding, case.encoding)
    for column, (head, one), marked in zip(st.columns(2), shown, changed, strict=True):
        column.html(
            f"{head}{markup.tokens_html(one.encoding, marked, limit)}<div style='height:.6rem'></div>"
            f"{markup.bars_html(reference.labels, one.probabilities, reference.head, top=8)}"
        )
