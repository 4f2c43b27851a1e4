"""One sentence, every formatting edit: which the tokenizer erases, which reach the model, which flip it."""

import json
from collections.abc import Sequence
from html import escape

import pandas as pd
import streamlit as st

from core.studies.compare import Comparison
from core.text.perturb import USUAL
from core.views import tables
from core.views.documents import comparison_document
from core.views.html import breakable, visible_html
from core.views.report import figure
from core.views.scripts import predict_script
from pages import controls, state
from pages.parts import charts, markup, results, subject, take_away, variants_table, work

TITLE = "Perturb"
ICON = ":material/edit_note:"
QUESTION = (
    "Which edits of white space, casing and punctuation does the tokenizer erase, which reach the model, which flip it?"
)
FACTORS = ("whitespace", "casing", "punctuation", "unicode", "typo")

FATES = ("flips", "reaches the model", "absorbed")
OWN_HELP = (
    "One edit a line. Write \\n for a newline, \\t for a tab, \\u00a0 for a no-break space, \\\\ for a backslash."
)


def reference(comparison: Comparison, among: int) -> None:
    """The finding first, then the reference that everything is compared with; one of several models is named first."""
    found = comparison.reference
    margin = "" if found.margin is None else f", margin {found.margin:+.3f}"
    if comparison.temperature != 1:
        margin += f" at T = {comparison.temperature:g}"
    cut = (
        f"<p class='w-line'>⚠ Truncated: the model reads {len(found.encoding.ids):,} of {found.encoding.full_length:,} tokens.</p>"
        if found.encoding.truncated
        else ""
    )
    if among > 1:
        st.html(f"<p class='w-line'><b>{escape(comparison.model)}</b></p>")
        left = right = st.container()
    else:
        left, right = st.columns([3, 1.2], vertical_alignment="center")
    left.html(
        f"<p class='w-verdict{' small' if among > 1 else ''}'>{escape(comparison.summary)}</p>"
        f"<p class='w-line'><span class='w-text'>{visible_html(found.text, 300)}</span></p>"
        f"<p class='w-line'>Predicted <b>{escape(found.label)}</b>{margin} by {escape(comparison.model)} on "
        f"{escape(comparison.device)}. {markup.noise_floor_html(comparison.noise_floor)}</p>{cut}"
    )
    right.html(markup.bars_html(comparison.labels, found.probabilities, comparison.head))


def strip(comparison: Comparison, key: str, among: int) -> None:
    """The margin strip on the page; a click on a dot opens the variant."""
    st.plotly_chart(
        figure(comparison, title_width=84 // among, dark=charts.dark()),
        key=key,
        on_select="rerun",
        selection_mode="points",
        config=charts.chart("wobble-perturb"),
        alt=f"Margin strip of {comparison.model}: {comparison.summary}",
    )


def opened(comparison: Comparison, key: str) -> None:
    """One variant at large: original left, variant right."""
    row = tables.keys(comparison)[key]
    found = comparison.reference
    changed_before, changed_after = tables.changed_positions(found.encoding, row.encoding)
    st.html(
        f"<p class='w-line'><b>{escape(comparison.model)}</b> "
        f"<span class='w-badge {row.badge.split()[0]}'>{row.badge}</span> {escape(tables.explanation(row))}</p>"
    )
    left, right = st.columns(2)
    edited = "".join(
        f"<mark>{breakable(piece)}</mark>" if is_edit else breakable(piece)
        for piece, is_edit in tables.marked_text(row, 2000)
    )
    for side, title, text, encoding, marked, p in (
        (left, "Your sentence", visible_html(found.text), found.encoding, changed_before, found.probabilities),
        (right, "The variant", edited, row.encoding, changed_after, row.probabilities),
    ):
        side.html(
            f"<p class='w-line'><b>{title}</b></p><p class='w-text'>{text}</p>{markup.tokens_html(encoding, marked)}"
            f"<div style='height:.6rem'></div>{markup.bars_html(comparison.labels, p, comparison.head, top=8)}"
        )


@st.fragment
def variants_section(comparisons: Sequence[Comparison]) -> None:
    """Everything below the finding: filtering and opening a variant rerun only this, and never the model."""
    for place in range(len(comparisons)):
        state.pointed(f"strip {place}", "variant")
    state.picked("variants_table", "variant")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        factors = controls.several("Factor", "factor", [*USUAL, "custom"], st.pills, selection_mode="multi")
        fates = controls.several("Fate", "fate", FATES, st.pills, selection_mode="multi")
        names = list(tables.keys(comparisons[0]))
        variant = controls.choice("Open a variant", "variant", names, nothing="none", width=260)
    if variant:
        with st.container(border=True):
            for comparison in comparisons:
                opened(comparison, variant)
    rows = tables.side_by_side(comparisons, factors, fates)
    variants_table.variants_table(
        key="variants_table",
        data={"models": [c.model for c in comparisons], "rows": rows, "chosen": variant},
        on_chosen_change=lambda: None,
    )
    state.address("of the variants")
    st.caption(
        f"{len(rows)} of {len(names)} variants, largest shift first. Shift: total variation distance to your sentence's "
        "probabilities, ½ Σ |p − q|, from 0 to 1. The thin tick on a bar is your sentence. "
        "Click a row, or use the arrow keys and Enter."
    )


def downloads(comparisons: Sequence[Comparison]) -> None:
    """Everything on the page to take away; made when it is asked for."""

    def frame() -> pd.DataFrame:
        return tables.stacked(comparisons)

    def run() -> bytes:
        return json.dumps([comparison_document(c) for c in comparisons], ensure_ascii=False).encode()

    with st.container(horizontal=True):
        take_away.download("CSV", "wobble-perturb.csv", lambda: frame().to_csv(index=False).encode())
        take_away.download("Parquet", "wobble-perturb.parquet", lambda: frame().to_parquet(index=False))
        take_away.download("JSON of the run", "wobble-perturb.json", run)
        for comparison in comparisons:
            # Self-contained, so that it opens where there is no network.
            take_away.download(
                f"Chart of {comparison.model} (HTML)",
                "wobble-perturb.html",
                lambda comparison=comparison: figure(comparison).to_html(include_plotlyjs=True),
            )
    st.caption("PNG: the camera at the top right of each chart.")


text, temperature = subject.sentence(), state.current().temperature
models = subject.chosen_models()
with st.sidebar:
    lines = controls.text("Your own edits", "own", area=True, height=80, placeholder="One edit a line", help=OWN_HELP)
own = tables.own_edits(lines)
with st.spinner("Running the variants …"):
    found = [
        c
        for model in models
        if (c := work.attempt(lambda model=model: results.compared(model, text, own, 0, temperature))) is not None
    ]
if not found:
    st.stop()
columns = st.columns(len(found))
for place, (column, comparison) in enumerate(zip(columns, found, strict=True)):
    with column:
        reference(comparison, len(found))
        strip(comparison, f"strip {place}", len(found))
variants_section(found)
downloads(found)
shown = [text, *dict.fromkeys(row.variant.text for row in found[0].rows)]
for model in models:
    take_away.code(
        lambda model=model: predict_script(model, shown, temperature),
        name="" if len(models) == 1 else model.id,
    )
