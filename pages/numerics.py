"""The same sentence under conditions that are equal on paper: what rounding alone does, and the noise floor."""

import json
from html import escape

import streamlit as st

from core.base.words import listed
from core.factors.conditions import DTYPES, REFERENCE
from core.factors.numerics import by_dtype, can_flip
from core.models.classifier import Classifier
from core.studies.study import Study, arranged
from core.views import strip, tables
from core.views.documents import numerics_document
from core.views.html import visible_html
from core.views.scripts import numerics_script
from pages import state
from pages.parts import charts, markup, results, subject, take_away, work

TITLE = "Numerics"
ICON = ":material/functions:"
QUESTION = "Do padding, the other texts of the batch or half precision move it?"
FACTORS = ("numerics",)


def said_of(study: Study) -> str:
    """The finding in a sentence."""
    (row,) = study.rows
    risky = [dtype for dtype in DTYPES if can_flip(study.reference, row.cases, dtype)]
    if row.flipping:
        return f"Rounding flips this sentence: {', '.join(case.name for case in row.flipping)}."
    if risky:
        return f"{listed(risky)} can flip this sentence: its logit margin is below twice the largest logit difference."
    return f"Numerics alone move it by at most {study.noise_floor:.1e} in fp32: no shift below that means anything."


def conditions(study: Study) -> None:
    """The conditions as a table, the reference first."""
    (row,) = study.rows
    reference = study.reference
    top = int(reference.probabilities.argmax())
    tried = [(REFERENCE.name, reference.label, reference.probabilities, 0.0, 0.0, False)]
    tried += [
        (case.name, case.label, case.probabilities, case.difference, case.shift, bool(case.flip)) for case in row.cases
    ]
    columns = (
        ("condition", "What differs from the reference: fp32, alone in its batch, without padding"),
        ("label", ""),
        (f"p of {study.labels[top]}", "Probability of the reference's most probable label"),
        ("logit difference", "Largest absolute difference of any logit from the reference's"),
        ("shift", "Total variation distance to the reference's probabilities, ½ Σ |p − q|"),
        ("", ""),
    )
    cells = [
        (escape(name), escape(label), f"{p[top]:.7f}", f"{difference:.1e}", f"{shift:.1e}", "flips" if flip else "")
        for name, label, p, difference, shift, flip in tried
    ]
    st.html(markup.table_html(columns, cells))
    for note in row.notes:
        st.caption(markup.escape_markdown(note))


def page(model: Classifier, text: str) -> None:
    """Everything on the page."""
    study = results.studied(model, text, "numerics", state.current().temperature)
    said, reference = said_of(study), study.reference
    logit_margin = study.head.logit_margin(reference.logits)
    margin = "" if logit_margin is None else f" Logit margin {logit_margin:.3g}."
    st.html(
        f"<p class='w-verdict'>{escape(said)}</p>"
        f"<p class='w-line'><span class='w-text'>{visible_html(text, 300)}</span></p>"
        f"<p class='w-line'>Predicted <b>{escape(reference.label)}</b> by {escape(study.model)} on {escape(study.device)}. "
        f"{markup.noise_floor_html(study.noise_floor)}{margin}</p>"
        f"{markup.truncated_html(reference.encoding)}"
    )
    (row,) = study.rows
    shown = arranged(study, by_dtype(row))
    moved = ", ".join(f"{part.name} {part.largest_shift:.1e}" for part in shown.rows)
    figure = strip.figure(shown, title=f"Largest shift: {moved}", dark=charts.dark())
    st.plotly_chart(figure, key="numerics strip", config=charts.chart("wobble-numerics"), alt=said)
    conditions(study)
    st.caption(
        "Sums of floating-point numbers depend on their order, and the order on the shape of the batch, the padding and the "
        "attention kernel. Differences of about 1e-6 are rounding; larger ones in fp32 would be a bug. With two logits that "
        "differ by less than twice the largest difference, rounding can swap them."
    )
    with st.container(horizontal=True):
        take_away.download("CSV", "wobble-numerics.csv", lambda: tables.strip_frame(shown).to_csv(index=False).encode())
        take_away.download(
            "JSON",
            "wobble-numerics.json",
            lambda: json.dumps(numerics_document(study), ensure_ascii=False).encode(),
        )
        take_away.download("Chart (HTML)", "wobble-numerics.html", lambda: figure.to_html(include_plotlyjs=True))
    take_away.code(lambda: numerics_script(model, study))


text = subject.sentence()
model = subject.one_model()
work.attempt(lambda: page(model, text))
