"""The same sentence under conditions that are equal on paper: what rounding alone does, and the noise floor."""

import json
from html import escape

import streamlit as st

from core.factors.numerics import DTYPES, Numerics
from core.models.classifier import Classifier
from core.views import figures, tables
from core.views.documents import numerics_document
from core.views.html import visible_html
from core.views.scripts import numerics_script
from pages import state
from pages.parts import charts, markup, results, subject, take_away, work

TITLE = "Numerics"
ICON = ":material/functions:"
QUESTION = "Do padding, the other texts of the batch or half precision move it?"
FACTORS = ("numerics",)


def said_of(found: Numerics) -> str:
    """The finding in a sentence."""
    flipping = [run.name for run in found.runs if run.flip]
    risky = [dtype for dtype in DTYPES if found.can_flip(dtype)]
    if flipping:
        return f"Rounding flips this sentence: {', '.join(flipping)}."
    if risky:
        return f"{' and '.join(risky)} can flip this sentence: its logit margin is below twice the largest logit difference."
    return f"Numerics alone move it by at most {found.noise_floor:.1e} in fp32: no shift below that means anything."


def conditions(found: Numerics) -> None:
    """The conditions as a table."""
    top = int(found.reference.probabilities.argmax())
    rows = [
        (
            escape(run.name),
            escape(run.label),
            f"{run.probabilities[top]:.7f}",
            f"{run.difference:.1e}",
            f"{run.shift:.1e}",
            "flips" if run.flip else "",
        )
        for run in (found.reference, *found.runs)
    ]
    st.html(
        markup.table_html(
            (
                ("condition", "What is other than in the reference: fp32, alone in its batch, without padding"),
                ("label", ""),
                (f"p of {found.labels[top]}", "Probability of the reference's most probable label"),
                ("logit difference", "Largest absolute difference of any logit from the reference's"),
                ("shift", "Total variation distance to the reference's probabilities, ½ Σ |p − q|"),
                ("", ""),
            ),
            rows,
        )
    )
    for note in found.left_out:
        st.caption(markup.escape_markdown(note))


def page(model: Classifier, text: str) -> None:
    """Everything on the page."""
    found = results.numerics_of(model, text, state.current().temperature)
    said = said_of(found)
    margin = "" if found.logit_margin is None else f" Logit margin {found.logit_margin:.3g}."
    st.html(
        f"<p class='w-verdict'>{escape(said)}</p>"
        f"<p class='w-line'><span class='w-text'>{visible_html(text, 300)}</span></p>"
        f"<p class='w-line'>Predicted <b>{escape(found.reference.label)}</b> by {escape(model.id)} on {escape(str(model.device))}. "
        f"{markup.noise_floor_html(found.noise_floor)}{margin}</p>"
        f"{markup.truncated_html(found.encoding)}"
    )
    frame = tables.numerics_strip_frame(found)
    reference = found.reference
    figure = figures.margin_strip(
        frame,
        reference=tables.strip_value(reference),
        reference_label=reference.label,
        noise_floor=found.noise_floor,
        rows=["fp32", *DTYPES],
        colors=figures.label_colors(model.labels),
        title="Largest shift: " + ", ".join(f"{kind} {shift:.1e}" for kind, shift in found.largest_shifts.items()),
        title_width=84,
        dark=charts.dark(),
        unit="conditions",
        has_labels=model.head != "regression",
    )
    st.plotly_chart(figure, key="numerics strip", config=charts.chart("wobble-numerics"), alt=said)
    conditions(found)
    st.caption(
        "Sums of floating-point numbers depend on their order, and the order on the shape of the batch, the padding and the "
        "attention kernel. Differences of about 1e-6 are rounding; larger ones in fp32 would be a bug. With two logits that "
        "differ by less than twice the largest difference, rounding can swap them."
    )
    with st.container(horizontal=True):
        take_away.download("CSV", "wobble-numerics.csv", lambda: frame.to_csv(index=False).encode())
        take_away.download(
            "JSON",
            "wobble-numerics.json",
            lambda: json.dumps(numerics_document(model, found), ensure_ascii=False).encode(),
        )
        take_away.download("Chart (HTML)", "wobble-numerics.html", lambda: figure.to_html(include_plotlyjs=True))
    take_away.code(lambda: numerics_script(model, found))


text = subject.sentence()
model = subject.one_model()
work.attempt(lambda: page(model, text))
