"""The ways in which a temperature does change decisions: threshold, sampling, averaging, rounding; each on one sentence."""

from html import escape

import numpy as np
import streamlit as st

from core.factors.case import Reference
from core.factors.dropout import Dropout, acting
from core.models.classifier import Classifier
from core.models.heads import Logits
from core.studies import temperatures
from core.studies.calibration import SEARCHED
from core.studies.temperatures import COMPARED, DTYPES, HALF, Averaging, read
from core.views.documents import unique
from pages import controls
from pages.parts import results, work

DRAWS = 1000
PASSES = 30


def threshold_slider() -> float:
    """The threshold above which someone acts."""
    return controls.slider(
        "Act only above", "threshold", 0.5, 0.99, 0.8, 0.01,
        help="Many systems act only when the probability is high enough, and that probability depends on T.",
    )  # fmt: skip


def threshold_for_each(reference: Reference, temperature: float) -> None:
    """What a threshold other than 1/2 does where each label is a question of its own."""
    names = unique(reference.labels)
    with st.container(border=True):
        st.markdown("**A decision threshold other than 1/2**")
        threshold = threshold_slider()

        def above(at: float) -> str:
            found = temperatures.above(temperatures.at(reference, at).probabilities, names, threshold)
            rest = f" and {len(found) - 6} more" if len(found) > 6 else ""
            return escape(", ".join(found[:6])) + rest if found else "none"

        st.html(
            f"<p>Above it at T = 1: <b>{above(1.0)}</b>; at T = {read(temperature)}: <b>{above(temperature)}</b>.</p>"
        )
        st.caption(
            "Sampling one label, averaging before or after tempering, and ties are about a softmax, whose labels compete; "
            "here each label is a yes-or-no question of its own."
        )


def four_ways(classifier: Classifier, reference: Reference, temperature: float) -> None:
    """All four, where exactly one label is right.

    Args:
        reference: at T = 1.
    """
    one, two = st.columns(2, border=True)
    with one:
        st.markdown("**1. A decision threshold other than 1/2**")
        _threshold(reference, temperature)
    with two:
        st.markdown("**2. Sampling a label instead of taking the largest**")
        _sampling(reference, temperature)
    three, four = st.columns(2, border=True)
    with three:
        st.markdown("**3. Averaging passes before or after tempering**")
        _averaging(classifier, reference, temperature)
    with four:
        st.markdown("**4. Rounding in half precision**")
        _rounding(reference, temperature)


def _threshold(reference: Reference, temperature: float) -> None:
    threshold = threshold_slider()
    where = temperatures.crossing(reference.logits, threshold)
    p, q = (float(temperatures.at(reference, t).probabilities.max()) for t in (1.0, temperature))
    before, after = ("acts" if top > threshold else "does not act" for top in (p, q))
    said = "" if where is None else f" The probability passes {threshold:g} at T = {where:.3g}."
    st.html(f"<p>At T = 1 it {before} ({p:.3f}), at T = {read(temperature)} it <b>{after}</b> ({q:.3f}).{said}</p>")


def _sampling(reference: Reference, temperature: float) -> None:
    p, q = (temperatures.at(reference, t).probabilities for t in (1.0, temperature))
    flips = temperatures.sampled_flips(q, DRAWS, seed=0)
    st.html(
        f"<p>Flip probability 1 \u2212 p of the top label: <b>{reference.head.sampled(q):.3f}</b> at T = {read(temperature)} "
        f"({reference.head.sampled(p):.3f} at T = 1).</p><p>Simulated: {flips} of {DRAWS:,} draws (seed 0) gave another "
        f"label: {flips / DRAWS:.3f}.</p>"
    )


def _averaging(classifier: Classifier, reference: Reference, temperature: float) -> None:
    if not acting(classifier.sites, Dropout()):
        st.html("<p>This model has no dropout, so its passes are all alike and the order does not matter.</p>")
        return
    passes = work.attempt(lambda: results.studied(classifier, reference.text, "dropout", passes=PASSES))
    if passes is not None:
        st.html(_averaged(temperatures.averaging(passes["dropout"], reference, temperature), temperature))


def _averaged(found: Averaging, temperature: float) -> str:
    (first, last), (p, q), parting = found.labels, found.probabilities, found.parting
    low, high = (f"{t:g}" for t in SEARCHED)
    everywhere = (
        f"From T = {low} to {high} they part at {len(parting)} of {len(COMPARED)} temperatures, between {parting[0]:.3g} and "
        f"{parting[-1]:.3g}."
        if len(parting)
        else f"They name the same label at all of {len(COMPARED)} temperatures from {low} to {high}; nearer to the line they "
        "need not."
    )
    here = f"They name different labels at T = {read(temperature)}. " if first != last else ""
    return (
        f"<p>Mean of softmax(z / T) over {PASSES} dropout passes (seed 0): <b>{escape(first)} {p:.3f}</b>. The mean at T = 1, "
        f"tempered afterwards: <b>{escape(last)} {q:.3f}</b>.</p><p>{here}{everywhere}</p>"
    )


def _rounding(reference: Reference, temperature: float) -> None:
    top = reference.logits.argmax()
    lines = [
        f"{dtype}: {temperatures.rounded(reference.logits, dtype, temperature)[top]:.3f} at T = {read(temperature)}; "
        + ("no tie up to T = 1,000,000" if tie is None else f"a tie or another label from T = {tie:,.0f}")
        for dtype, tie in zip(DTYPES, _ties(reference.logits), strict=True)
    ]
    st.html(
        f"<p>{'<br>'.join(lines)}.</p><p class='w-faint'>Probability of {escape(reference.label)}, computed from this "
        "sentence's logits in each type.</p>"
    )


@st.cache_data(max_entries=256, show_spinner=False, hash_funcs={np.ndarray: lambda row: row.tobytes()})
def _ties(logits: Logits) -> list[float | None]:
    """The first temperature of a tie in each type; the same whatever T the page stands at."""
    return [temperatures.first_tie(logits, dtype, HALF) for dtype in DTYPES]
