"""A fitted temperature and what it changes on labelled texts."""

import json

import streamlit as st

from core.base.statistics import Estimate
from core.data.labelled import Labelled
from core.models.classifier import Classifier
from core.studies.calibration import BINS, Calibration, Scores
from core.views import tables_training
from core.views.charts import reliability_diagram
from core.views.documents import calibration_document
from core.views.scripts import CALIBRATION_FILE, calibration_script
from pages import state
from pages.parts import charts, markup, take_away

COLUMNS = (
    ("", ""),
    (
        f"ECE ({BINS} bins)",
        "Expected calibration error: \u03a3 (bin size / n) \u00b7 |accuracy \u2212 confidence| (Guo et al., 2017)",
    ),
    ("NLL", "Negative log likelihood: mean of \u2212log p of the right label, in nats; this is what the fit minimises"),
    ("Brier", "Mean of \u03a3 (p \u2212 1[right label])\u00b2, from 0 to 2 (Brier 1950)"),
    ("accuracy", "Share of right labels; no temperature changes it"),
)


def calibration(classifier: Classifier, data: Labelled, found: Calibration) -> None:
    """The fitted temperature with the button that uses it everywhere, its scores beside those at T = 1, and downloads."""
    ways = "less" if found.temperature > 1 else "more"
    st.html(
        f"<p class='w-verdict small'>T = {found.temperature:.3f} fits best: the model should be {ways} sure of itself.</p>"
        f"<p class='w-line w-faint'>Fitted by NLL on {found.fitted_on:,} labelled texts, tested on {found.tested_on:,} others; "
        f"accuracy stays at {found.before.accuracy:.2%}. In brackets 95% bootstrap intervals.</p>"
    )
    state.button(
        f"Use T = {found.temperature:.3f} on every page", "use temperature", temperature=round(found.temperature, 3)
    )
    scored = {"T = 1": found.before, f"T = {found.temperature:.3f}": found.after}
    st.html(markup.table_html(COLUMNS, [_line(name, scores) for name, scores in scored.items()]))
    for column, (name, scores) in zip(st.columns(2), scored.items(), strict=True):
        with column:
            _diagram(name, scores)
    st.caption(
        "Each dot is a bin of texts, larger where it holds more. On the diagonal the probabilities mean what they say; below it "
        "the model is surer than it is right."
    )
    with st.container(horizontal=True):
        take_away.download(
            "JSON of the calibration",
            "wobble-calibration.json",
            lambda: json.dumps(calibration_document(classifier, found)).encode(),
        )
        take_away.download(
            "Labelled texts (Parquet)",
            CALIBRATION_FILE,
            lambda: tables_training.calibration_frame(classifier, data).to_parquet(index=False),
        )
    take_away.code(lambda: calibration_script(classifier), CALIBRATION_FILE, name="calibration")


def _line(name: str, scores: Scores) -> tuple[str, ...]:
    estimates = [_estimate(one) for one in (scores.ece, scores.nll, scores.brier)]
    return (f"<b>{name}</b>", *estimates, f"{scores.accuracy:.2%}")


def _estimate(found: Estimate) -> str:
    """A number with its interval."""
    return f"{found.value:.4f} ({found.low:.4f} to {found.high:.4f})"


def _diagram(name: str, scores: Scores) -> None:
    bins, said = scores.reliability, f"ECE {scores.ece.value:.3f}"
    st.plotly_chart(
        reliability_diagram(bins.confidence, bins.accuracy, bins.count, title=f"{name}: {said}", dark=charts.dark()),
        key=f"reliability {name}",
        config=charts.chart("wobble-reliability"),
        alt=f"Reliability diagram at {name}: {said}",
    )
