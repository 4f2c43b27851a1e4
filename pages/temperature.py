"""What only looks random: temperature cannot move the argmax, and four ways in which it changes decisions all the same."""

import json
from html import escape

import numpy as np
import pandas as pd
import streamlit as st

from core import figures, tables
from core.calibration import SEARCHED, Calibration, Estimate
from core.classifier import Classifier
from core.compare import Comparison
from core.documents import temperature_document
from core.dropout import Dropout
from core.errors import WobbleError
from core.metrics import entropy, label_name, margin
from core.scripts import temperature_script
from core.temperature import (
    COLDEST,
    HOTTEST,
    averaged,
    check_temperature,
    crossing,
    first_tie,
    probabilities,
    sampled_flips,
)
from pages import _widgets

# Evenly spaced on a log scale, with T = 1 exactly in the middle of its neighbours.
STEPS = [float(f"{t:.3g}") for t in np.geomspace(*SEARCHED, 121)]
STEPS[int(np.abs(np.log(STEPS)).argmin())] = 1.0
GRID = np.geomspace(*SEARCHED, 200)
HALF = np.geomspace(1.0, HOTTEST, 600)
DRAWS = 1000


def chosen_temperature() -> float:
    """The slider's temperature, or the typed one where there is one."""
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    left.select_slider(
        "Temperature T", STEPS, value=1.0, key="T", bind="query-params", format_func=lambda t: f"{t:g}",
        help="Logits are divided by T before the softmax. T = 1 is the model's own.",
    )  # fmt: skip
    typed = right.text_input(
        "or type one", key="T_typed", bind="query-params", placeholder=f"{COLDEST:g} to {HOTTEST:,.0f}"
    )
    if not typed.strip():
        return float(st.session_state.T)
    try:
        number = float(typed)
    except ValueError as error:
        raise WobbleError(f"{typed!r} is no number.") from error
    return check_temperature(number)


@st.fragment
def at_temperature(model: Classifier, comparison: Comparison) -> None:
    """Everything that follows the slider: arithmetic on logits that are already there."""
    temperature = _widgets.attempt(chosen_temperature)
    if temperature is None:
        return
    logits = comparison.reference.logits
    head, labels = model.head, model.labels
    p, q = probabilities(logits, head), probabilities(logits, head, temperature)
    label = label_name(q, head, labels)
    if temperature == 1:
        said = f"At T = 1, the model's own, it says {label}. Move T: the label will stay."
    elif head == "softmax":
        said = f"At T = {temperature:g} it still says {label}: {q.max():.3f} instead of {p.max():.3f}."
    else:
        said = f"At T = {temperature:g} it still says {label}."
    st.html(
        f"<p class='w-verdict'>{escape(said)}</p>"
        f"<p class='w-line'><span class='w-text'>{_widgets.visible_html(comparison.reference.text, 300)}</span></p>"
    )
    rows = [("your sentence", comparison.reference.text, logits)]
    rows += [(key, row.variant.text, row.logits) for key, row in tables.keys(comparison).items() if not row.absorbed][
        :9
    ]
    stacked = np.stack([row for _, _, row in rows])
    before, after = probabilities(stacked, head), probabilities(stacked, head, temperature)
    frame = pd.DataFrame(
        {
            "name": [name for name, _, _ in rows],
            "visible": [tables.visible(text) for _, text, _ in rows],
            "before": margin(before, p, head),
            "after": margin(after, p, head),
            "label": [label_name(row, head, labels) for row in after],
        }
    )
    st.plotly_chart(
        figures.tempered_strip(
            frame,
            colors=figures.label_colors(labels),
            title="Temperature stretches margins; no dot can cross the line",
            dark=_widgets.dark(),
        ),
        key="tempered",
        config=_widgets.chart("wobble-temperature"),
        alt="Margins at T = 1 and at the chosen temperature",
    )
    curves = probabilities(logits[None] / GRID[:, None], head)
    left, right = st.columns(2)
    left.plotly_chart(
        figures.temperature_curves(
            GRID, curves, tables.unique(labels), at=temperature, title="The curves never cross", dark=_widgets.dark()
        ),
        key="curves",
        config=_widgets.chart("wobble-temperature-curves"),
        alt="Probability of each label over the temperature",
    )
    h = entropy(curves, head)
    right.plotly_chart(
        figures.entropy_curve(
            GRID, h, at=temperature, most=float(np.log(len(labels))) if head == "softmax" else float(h.max()) + 1e-9,
            title="Hotter is less sure", dark=_widgets.dark(),
        ),
        key="entropy",
        config=_widgets.chart("wobble-temperature-entropy"),
        alt="Entropy over the temperature",
    )  # fmt: skip
    every = np.stack([logits, *(row.logits for row in comparison.rows)])
    moved = sum(
        int((probabilities(every, head, t).argmax(-1) != every.argmax(-1)).sum()) for t in (temperature, *GRID[::10])
    )
    st.markdown(
        f"**Why:** $z_i > z_j$ gives $z_i / T > z_j / T$ for every $T > 0$, and softmax keeps the order. Checked on the logits of "
        f"this page: {len(every)} texts at {len(GRID[::10]) + 1} temperatures, **{moved} labels moved**."
        if head == "softmax"
        else "A sigmoid head divides each logit by T: each probability keeps its side of 1/2, so no label moves."
    )
    if head == "softmax" and len(labels) > 1:
        st.subheader("Four ways in which temperature does change decisions")
        four_ways(model, comparison, temperature)


def four_ways(model: Classifier, comparison: Comparison, temperature: float) -> None:
    """Threshold, sampling, averaging, rounding; each on the current sentence."""
    logits, labels = comparison.reference.logits, model.labels
    p, q = probabilities(logits, "softmax"), probabilities(logits, "softmax", temperature)
    top = int(logits.argmax())
    one, two = st.columns(2, border=True)
    with one:
        st.markdown("**1. A decision threshold other than 1/2**")
        threshold = st.slider("Act only above", 0.5, 0.99, 0.8, 0.01, key="threshold", bind="query-params")
        where = crossing(logits, threshold) if len(labels) == 2 else None
        acts = [("acts" if row[top] > threshold else "does not act") for row in (p, q)]
        said = "" if where is None else f" The probability passes {threshold:g} at T = {where:.3g}."
        st.html(
            f"<p>At T = 1 it {acts[0]} ({p[top]:.3f}), at T = {temperature:g} it <b>{acts[1]}</b> ({q[top]:.3f}).{said}</p>"
        )
    with two:
        st.markdown("**2. Sampling a label instead of taking the largest**")
        flips = sampled_flips(q, DRAWS, seed=0)
        st.html(
            f"<p>Flip probability 1 − p of the top label: <b>{1 - q[top]:.3f}</b> at T = {temperature:g} "
            f"({1 - p[top]:.3f} at T = 1).</p><p>Simulated: {flips} of {DRAWS:,} seeded draws gave another label "
            f"({flips / DRAWS:.3f}).</p>"
        )
    three, four = st.columns(2, border=True)
    with three:
        st.markdown("**3. Averaging passes before or after tempering**")
        passes = _widgets.passes_of(model, comparison.reference.text, 30, Dropout())
        first, last = averaged(passes.logits[:, 0], temperature)
        names = [label_name(row, "softmax", labels) for row in (first, last)]
        st.html(
            f"<p>Mean of softmax(z / T) over 30 dropout passes: {escape(names[0])} {first.max():.3f}. The mean at T = 1, "
            f"tempered afterwards: {escape(names[1])} {last.max():.3f}. "
            + ("They <b>disagree</b>." if names[0] != names[1] else "They agree here; near the line they need not.")
            + "</p>"
        )
    with four:
        st.markdown("**4. Rounding in half precision**")
        lines = []
        for dtype in ("float32", "bfloat16", "float16"):
            tie = first_tie(logits, dtype, HALF)
            lines.append(
                f"{dtype}: "
                + ("no tie up to T = 1,000,000" if tie is None else f"a tie or another label from T = {tie:,.0f}")
            )
        st.html(
            f"<p>{'<br>'.join(lines)}</p><p class='w-faint'>Computed on this sentence's logits, rounded to each type.</p>"
        )


def estimate(found: Estimate) -> str:
    """A number with its interval."""
    return f"{found.value:.4f} ({found.low:.4f} to {found.high:.4f})"


def calibration(model: Classifier, found: Calibration) -> None:
    """The fitted temperature and what it changes."""
    before, after = found.before, found.after
    ways = "less" if found.temperature > 1 else "more"
    st.html(
        f"<p class='w-verdict small'>T = {found.temperature:.3f} fits best: the model should be {ways} sure of itself.</p>"
        f"<p class='w-line w-faint'>Fitted by NLL on {found.fitted_on:,} labelled texts, tested on {found.tested_on:,} others; "
        "accuracy stays at "
        f"{before.accuracy:.2%}. In brackets 95 % bootstrap intervals.</p>"
    )
    st.button(
        f"Use T = {found.temperature:.3f} on every page",
        icon=":material/check:",
        on_click=st.session_state.update,
        args=({"temperature": round(found.temperature, 3)},),
    )
    st.dataframe(
        [
            {
                "": "T = 1",
                "ECE (15 bins)": estimate(before.ece),
                "NLL": estimate(before.nll),
                "Brier": estimate(before.brier),
            },
            {
                "": f"T = {found.temperature:.3f}",
                "ECE (15 bins)": estimate(after.ece),
                "NLL": estimate(after.nll),
                "Brier": estimate(after.brier),
            },
        ],
        hide_index=True,
    )
    for column, scores, name in zip(
        st.columns(2), (before, after), ("T = 1", f"T = {found.temperature:.3f}"), strict=True
    ):
        bins = scores.reliability
        column.plotly_chart(
            figures.reliability_diagram(
                bins.confidence,
                bins.accuracy,
                bins.count,
                title=f"{name}: ECE {scores.ece.value:.3f}",
                dark=_widgets.dark(),
            ),
            key=f"reliability {name}",
            config=_widgets.chart("wobble-reliability"),
            alt=f"Reliability diagram at {name}",
        )


text = _widgets.sentence()
model = _widgets.chosen_models()[0]
if model.head == "regression":
    st.info(
        "A regression head gives a value, not a probability: temperature does not apply to it.", icon=":material/info:"
    )
    st.stop()
comparison = _widgets.attempt(lambda: _widgets.compared(model, text, (), 0, 1.0))
if comparison is None:
    st.stop()
at_temperature(model, comparison)

st.subheader("Calibration: the temperature at which the probabilities mean what they say")
if model.head != "softmax":
    st.info(
        "Temperature scaling is defined for softmax heads; this one has a sigmoid for every label.",
        icon=":material/info:",
    )
else:
    file = st.file_uploader(
        "Labelled data (CSV with columns text and label; half of it is fitted on, half tested on)",
        type="csv",
        key="labelled",
    )
    if file is not None or set(model.labels) == {"negative", "positive"}:
        if file is None:
            st.caption(
                "Without a file: the embedded movie snippets, fitted on the validation split, tested on the test split."
            )
        if st.button("Fit the temperature", icon=":material/tune:") or st.session_state.get("fitted"):
            st.session_state.fitted = True
            fitted = _widgets.attempt(lambda: _widgets.calibrated(model, None if file is None else file.getvalue()))
            if fitted is not None:
                calibration(model, fitted)
    else:
        st.caption("The embedded data are labelled negative and positive; for this model's labels give a file.")
with st.container(horizontal=True):
    _widgets.download(
        "JSON",
        "wobble-temperature.json",
        lambda: json.dumps(temperature_document(model, text, comparison.reference.logits, [*GRID[::10], 1.0])).encode(),
    )
_widgets.code(temperature_script(model, text, [0.5, 1.0, 2.0]))
