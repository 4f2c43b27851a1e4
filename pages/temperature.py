"""What only looks random: temperature cannot move the argmax, and four ways in which it changes decisions all the same."""

import json
from collections.abc import Sequence
from html import escape

import plotly.graph_objects as go
import streamlit as st

from core.base.words import plural
from core.data.labelled import EMBEDDED
from core.factors.case import Reference
from core.factors.temperature import COLDEST, HOTTEST, typed_temperature
from core.models.classifier import Classifier
from core.studies import temperatures
from core.studies.calibration import SEARCHED
from core.studies.study import Study
from core.studies.temperatures import STEPS, read
from core.views.charts import temperature_curves, tempered_strip
from core.views.documents import tempered_document, unique
from core.views.html import visible_html
from core.views.scripts import predict_script
from core.views.style import label_colors
from core.views.tables import tempered_frame, tempered_rows
from pages import controls, state
from pages.parts import charts, labelled_data, markup, results, subject, take_away, work
from pages.parts.calibration import calibration
from pages.parts.four_ways import four_ways, threshold_for_each
from pages.parts.tempered_table import tempered_table

TITLE = "Temperature"
ICON = ":material/thermostat:"
QUESTION = "What does temperature change, and why never the label?"
FACTORS = ("temperature",)

MARKED = (0.05, 0.2, 0.5, 1.0, 2.0, 5.0, 20.0)
# Variants beside the sentence: those that move it most.
BESIDE = 9
# What a link may ask for.
TAKEN = {
    "T": f"a step of the slider ({SEARCHED[0]:g} to {SEARCHED[1]:g}; type any other T in the field beside it)",
    "threshold": "a threshold from 0.5 to 0.99",
}


def chosen_temperature() -> float:
    """The typed temperature where there is a usable one, else the slider's."""
    left, right = st.columns([4, 1], vertical_alignment="top")
    with right:
        typed = controls.text(
            "or type one", "T_typed", placeholder=f"{COLDEST:g} to {HOTTEST:,.0f}",
            help="Beyond the slider's range too. While a number stands here the slider waits; empty the field to use it again.",
        )  # fmt: skip
    found = work.attempt(lambda: typed_temperature(typed)) if typed.strip() else None
    with left:
        slid = controls.steps(
            "Temperature T of this page", "T", STEPS, 1.0, lambda t: f"{t:g}",
            disabled=found is not None,
            help="Logits are divided by T before the softmax. T = 1 is the model's own. All other pages use the Temperature "
            "on the left.",
        )  # fmt: skip
        marks = "".join(
            f"<span{' class=own' if t == 1 else ''} style='left:{temperatures.place(t):.1%}'>"
            f"{'T = 1' if t == 1 else f'{t:g}'}</span>"
            for t in MARKED
        )
        st.html(f"<div class='w-scale'>{marks}</div>")
    return slid if found is None else float(found)


def said_of(reference: Reference, tempered: Reference) -> str:
    """The finding in a sentence."""
    if tempered.temperature == 1:
        return f"At T = 1, the model's own, it says {reference.label}. Move T: the label will stay."
    said = f"At T = {read(tempered.temperature)} it still says {tempered.label}"
    p, q = reference.probabilities.max(), tempered.probabilities.max()
    return f"{said}: {q:.3f} instead of {p:.3f}." if reference.head.exclusive else f"{said}."


@st.fragment
def at_temperature(model: Classifier, study: Study) -> None:
    """Everything that follows the slider: arithmetic on logits that are already there."""
    temperature, reference = chosen_temperature(), study.reference
    rows, curves = tempered_rows(study, temperature, BESIDE), temperatures.curves(reference, temperature)
    figure = tempered_strip(
        rows,
        colors=label_colors(study.labels),
        reference_label=reference.label,
        at=read(temperature),
        title="Temperature stretches margins; no dot can cross the line",
        dark=charts.dark(),
    )
    over, never = curves_figure(curves, reference, temperature)
    st.html(
        f"<p class='w-verdict'>{escape(said_of(reference, temperatures.at(reference, temperature)))}</p>"
        f"<p class='w-line'><span class='w-text'>{visible_html(reference.text, 300)}</span></p>"
        f"{markup.truncated_html(reference.encoding)}"
    )
    st.plotly_chart(
        figure,
        key="tempered",
        config=charts.chart("wobble-temperature"),
        alt=f"Margins at T = 1 and at T = {read(temperature)}: no dot crosses the line",
    )
    st.plotly_chart(
        over,
        key="curves",
        config=charts.chart("wobble-temperature-curves"),
        alt=f"Probability of each label and entropy over the temperature: {never}",
    )
    st.html(tempered_table(rows, study.head, study.labels, temperature))
    st.caption(counted(study, len(rows) - 1))
    st.markdown(why(study, [temperature, *map(float, curves.temperatures[::10])]))
    if not study.head.exclusive:
        st.subheader("A way in which temperature does change decisions")
        threshold_for_each(reference, temperature)
    elif len(study.labels) > 1:
        st.subheader("Four ways in which temperature does change decisions")
        four_ways(model, reference, temperature)
    downloads(study, temperature, figure)
    take_away.code(lambda: predict_script(model, list(rows["text"]), *dict.fromkeys((1.0, temperature))))
    state.address("of the temperature")


def curves_figure(curves: temperatures.Curves, reference: Reference, temperature: float) -> tuple[go.Figure, str]:
    """Each label's probability and the entropy over the temperature, and what that shows in words."""
    never = f"{'The curves never cross' if reference.head.exclusive else 'No curve crosses 1/2'}; hotter is less sure"
    figure = temperature_curves(
        curves.temperatures,
        curves.probabilities,
        curves.entropy,
        unique(reference.labels),
        at=temperature,
        most=curves.guess,
        title=never,
        dark=charts.dark(),
    )
    return figure, never


def counted(study: Study, shown: int) -> str:
    """Which variants are shown, and what became of the others."""
    reaching, beyond = study.tried - study.absorbed, sum(row.beyond for row in study.rows)
    lie = plural(beyond, "more lies", "more lie")
    return (
        f"The {shown} variants that move most of the {reaching} that reach the model; {study.absorbed} others are absorbed by "
        f"the tokenizer and have your sentence's numbers exactly."
        f"{f' {lie} beyond the limit and were not tried.' if beyond else ''} The downloads hold all of them."
    )


def why(study: Study, tried: Sequence[float]) -> str:
    """Why no label moves, checked on the logits of the page."""
    reason = (
        "$z_i > z_j$ gives $z_i / T > z_j / T$ for every $T > 0$, and softmax keeps the order."
        if study.head.exclusive
        else "$z > 0$ gives $z / T > 0$ for every $T > 0$, so each label's probability keeps its side of 1/2."
    )
    return (
        f"**Why:** {reason} Checked on the logits of this page: {len(study.cases) + 1} texts at {len(tried)} temperatures, "
        f"**{temperatures.moved_labels(study, tried)} labels moved**."
    )


def downloads(study: Study, temperature: float, figure: go.Figure) -> None:
    """What stands at this T to take away; made when it is asked for."""

    def document() -> bytes:
        at = sorted({1.0, temperature, *temperatures.DOCUMENTED})
        return json.dumps(tempered_document(study, temperature, at), ensure_ascii=False, allow_nan=False).encode()

    with st.container(horizontal=True):
        take_away.download(
            "CSV",
            "wobble-temperature.csv",
            lambda: tempered_frame(study, temperature).to_csv(index=False).encode(),
        )
        take_away.download(
            "Parquet",
            "wobble-temperature.parquet",
            lambda: tempered_frame(study, temperature).to_parquet(index=False),
        )
        take_away.download("JSON", "wobble-temperature.json", document)
        take_away.download("Chart (HTML)", "wobble-temperature.html", lambda: figure.to_html(include_plotlyjs=True))
    beside = "" if temperature == 1 else " beside T = 1"
    st.caption(f"All at T = {read(temperature)}{beside}. PNG: the camera at the top right of each chart.")


def fitting(model: Classifier) -> None:
    """The temperature at which the probabilities mean what they say, on labelled texts of the person's choice."""
    st.subheader("Calibration: the temperature at which the probabilities mean what they say")
    if not model.head.exclusive:
        st.info(
            "Temperature scaling is defined for softmax heads; this one has a sigmoid for every label.",
            icon=":material/info:",
        )
        return
    st.caption(
        "Choose labelled texts. A temperature is fitted on one part and tested on another: on the validation and the test split "
        "where the data have both, else on drawn halves."
    )
    embedded = tuple(EMBEDDED) if set(model.labels) == {"negative", "positive"} else ()
    chosen = labelled_data.labelled_data("calibration", embedded)
    if chosen is None or not controls.switch(
        "Fit the temperature", "fit", help="Runs every labelled text through the model, once."
    ):
        return
    fitted = work.attempt(lambda: results.calibrated(model, chosen[1]))
    if fitted is not None:
        calibration(model, chosen[1], fitted)


def page(model: Classifier, text: str) -> None:
    """Everything on the page."""
    if not model.head.has_labels:
        st.info(
            "A regression head gives a value, not a probability: temperature does not apply to it.",
            icon=":material/info:",
        )
        return
    study = work.attempt(lambda: results.compared(model, text, (), 1.0))
    if study is None:
        return
    refused = st.container()
    at_temperature(model, study)
    with refused:
        subject.say_refused(TAKEN)
    fitting(model)


sentence = subject.sentence()
page(subject.one_model(), sentence)
