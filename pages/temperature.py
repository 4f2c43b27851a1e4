"""What only looks random: temperature cannot move the argmax, and four ways in which it changes decisions all the same."""

from functools import partial
from html import escape

import pages.parts.engine  # noqa: F401 - before all else

import plotly.graph_objects as go
import streamlit as st

from core.data.labelled import EMBEDDED
from core.factors.case import Reference
from core.models.classifier import Classifier
from core.studies import temperatures
from core.studies.study import Study, arranged
from core.studies.temperatures import read
from core.studies.verdict import edit_counts
from core.views import charts, documents, scripts, tables
from core.views.html import visible_html
from core.views.style import label_colors
from pages import controls, state
from pages.parts import labelled_data, markup, opened, pinned, plots, results, subject, take_away, tempering, work

PAGE = {
    "title": "Temperature",
    "icon": ":material/thermostat:",
    "question": "What does temperature change, and why never the label?",
    "factors": ("temperature",),
}

# Variants beside the sentence: those that move it most.
BESIDE = 9
# What a link may ask for.
TAKEN = {"threshold": "a threshold from 0.5 to 0.99"}
# What the page offers to try while the model's own temperature is set, where there is nothing to see.
TRY = 2.0


@st.fragment
def at_temperature(model: Classifier, study: Study, temperature: float) -> None:
    """Everything that follows the sidebar's temperature and the threshold: arithmetic on logits that are already there.

    Args:
        study: at T = 1.
    """
    reference, head, at = study.reference, study.head, read(temperature)
    st.html(
        f"<p class='w-verdict'>{escape(finding(reference, temperature))}</p>"
        f"<p class='w-line'><span class='w-text'>{visible_html(reference.text, 300)}</span></p>"
        f"{markup.truncated_html(reference.encoding)}"
    )
    if temperature == 1:
        state.button(f"Try T = {TRY:g}", "try a temperature", "Sets the temperature of all pages", temperature=TRY)
    pinned.bars([model])
    beside = "at" if temperature == 1 else "at T = 1 and at"
    counted = arranged(study, study.counted)
    rows = tables.tempered_rows(counted, temperature, BESIDE)

    def figure(marked: str = "") -> go.Figure:
        return charts.tempered_strip(
            rows, colors=label_colors(study.labels), reference_label=reference.label, at=at, dark=plots.dark(),
            title="Temperature stretches margins; no dot can cross the line", marked=marked,
        )  # fmt: skip

    def draw(marked: str) -> None:
        alt = f"Margins {beside} T = {at}: no dot crosses the line"
        plots.show(figure(marked), "tempered", "wobble-temperature", alt, opens=True)

    # Nothing runs: the logits are there.
    here = study if temperature == 1 else results.compared(model, reference.text, (), temperature)
    opened.section([here], draw, opened.scripts_of(model), charts=["tempered"], opens="at_T")
    curves = temperatures.curves(reference, temperature)
    never = f"{'The curves never cross' if head.exclusive else 'No curve crosses 1/2'}; hotter is less sure"
    plots.show(
        charts.temperature_curves(
            curves.temperatures, curves.probabilities, curves.entropy, documents.unique(study.labels),
            at=temperature, most=curves.guess, title=never, dark=plots.dark(),
        ),
        "curves", "wobble-temperature-curves", f"Probability of each label and entropy over the temperature: {never}",
    )  # fmt: skip
    st.html(tempering.tempered_table(rows, head, study.labels, temperature))
    explained(counted, len(rows) - 1, [temperature, *map(float, curves.temperatures[::10])])
    if not head.exclusive:
        st.subheader("A way in which temperature does change decisions")
        tempering.threshold_for_each(reference, temperature)
    elif len(study.labels) > 1:
        st.subheader("Four ways in which temperature does change decisions")
        tempering.four_ways(model, reference, temperature)
    documented = sorted({1.0, temperature, *temperatures.DOCUMENTED})
    take_away.downloads(
        ("CSV", "wobble-temperature.csv", lambda: tables.tempered_frame(study, temperature)),
        ("Parquet", "wobble-temperature.parquet", lambda: tables.tempered_frame(study, temperature)),
        ("JSON", "wobble-temperature.json", lambda: documents.tempered_document(study, temperature, documented)),
        ("Chart (HTML)", "wobble-temperature.html", figure),
    )
    st.caption(f"All {beside} T = {at}. PNG: the camera at the top right of each chart.")
    script = partial(scripts.predict_script, model, list(rows["text"]), *dict.fromkeys((1.0, temperature)))
    take_away.code(script, "the probabilities of the table")
    state.address("of the temperature")


def finding(reference: Reference, temperature: float) -> str:
    """What becomes of a prediction at a temperature."""
    if temperature == 1:
        return f"At T = 1, the model's own, it says {reference.label}. Set another temperature: the label will stay."
    tempered = temperatures.at(reference, temperature)
    said = f"At T = {read(temperature)} it still says {tempered.label}"
    if not reference.head.exclusive:
        return f"{said}."
    return f"{said}: {tempered.probabilities.max():.3f} instead of {reference.probabilities.max():.3f}."


def explained(study: Study, shown: int, tried: list[float]) -> None:
    """Which variants are shown and what became of the others; why no label moves, checked on the logits of the page."""
    st.caption(
        f"{edit_counts(study)} The {shown} that move most are shown; an absorbed one has exactly your sentence's numbers. The "
        "downloads hold all of them."
    )
    reason = (
        "$z_i > z_j$ gives $z_i / T > z_j / T$ for every $T > 0$, and softmax keeps the order."
        if study.head.exclusive
        else "$z > 0$ gives $z / T > 0$ for every $T > 0$, so each label's probability keeps its side of 1/2."
    )
    st.markdown(
        f"**Why:** {reason} Checked on the logits of this page: {len(study.cases) + 1} texts at {len(tried)} temperatures, "
        f"**{temperatures.moved_labels(study, tried)} labels moved**."
    )


sentence = subject.sentence()
head = work.header("Running the edits")
model = subject.one_model()
if not model.head.has_labels:
    st.info(
        "A regression head gives a value, not a probability: temperature does not apply to it.", icon=":material/info:"
    )
    work.end()
study = work.needed(lambda: results.compared(model, sentence, (), 1.0))
refused = st.container()
with work.headed(head):
    at_temperature(model, study, state.current().temperature)
with refused:
    subject.say_refused(TAKEN)
st.subheader("Calibration: the temperature at which the probabilities mean what they say")
if not model.head.exclusive:
    st.info(
        "Temperature scaling is defined for softmax heads; this one has a sigmoid for every label.",
        icon=":material/info:",
    )
    work.end()
st.caption(
    "Choose labelled texts. A temperature is fitted on one part and tested on another: on the validation and the test split "
    "where the data have both, otherwise on random halves."
)
embedded = tuple(EMBEDDED) if set(model.labels) == {"negative", "positive"} else ()
chosen = labelled_data.labelled_data("calibration", embedded)
if chosen and controls.switch(
    "Fit the temperature", "fit", help="Runs every labelled text through the model, once."
):  # fmt: skip
    _, data = chosen
    tempering.calibration(model, data, work.needed(lambda: results.calibrated(model, data)))
