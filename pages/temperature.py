"""What only looks random: temperature cannot move the argmax, and four ways in which it changes decisions all the same."""

import json
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.base.errors import WobbleError
from core.data.labelled import EMBEDDED, Labelled
from core.factors.dropout import Dropout, acting
from core.factors.temperature import (
    COLDEST,
    HOTTEST,
    averaged,
    averaging_matters,
    check_temperature,
    crossing,
    first_tie,
    probabilities,
    rounded,
    sampled_flips,
)
from core.models.classifier import Classifier
from core.models.heads import Probabilities, entropy, label_name, margin, predicted
from core.studies.calibration import BINS, SEARCHED, Calibration, Estimate
from core.studies.compare import Comparison, Row
from core.views import figures, tables
from core.views.documents import calibration_document, tempered_document
from core.views.html import visible_html
from core.views.scripts import temperature_script
from core.views.scripts.data import CALIBRATION_FILE, calibration_script
from pages import controls, state
from pages.parts import charts, labelled_data, markup, results, subject, take_away, work

TITLE = "Temperature"
ICON = ":material/thermostat:"
QUESTION = "What does temperature change, and why never the label?"
FACTORS = ("temperature",)

# Evenly spaced on a log scale, except that the nearest step to a round number is that number.
STEPS = [float(f"{t:.3g}") for t in np.geomspace(*SEARCHED, 121)]
ROUND = (*(n / 10 for n in range(1, 11)), 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 15.0)
for number in ROUND:
    STEPS[int(np.abs(np.log(np.array(STEPS) / number)).argmin())] = number
MARKED = (0.05, 0.2, 0.5, 1.0, 2.0, 5.0, 20.0)
HALF = np.geomspace(1.0, HOTTEST, 600)
DTYPES = ("float32", "bfloat16", "float16")
DRAWS = 1000
PASSES = 30
# Variants beside the sentence: those that move it most.
BESIDE = 9
ENTROPY = "\u2212\u03a3 p log p in nats: 0 is sure, the log of the number of labels is a guess"
# What a link may ask for.
TAKEN = {
    "T": f"a step of the slider ({SEARCHED[0]:g} to {SEARCHED[1]:g}; type any other T in the field beside it)",
    "threshold": "a threshold from 0.5 to 0.99",
}


def read(temperature: float) -> str:
    """A temperature as it is read: 0.05, 1, 1,000,000."""
    return f"{temperature:,.7g}"


def typed_temperature(typed: str) -> float:
    """The temperature that a person typed.

    Raises:
        WobbleError: it is none; the sentence says why.
    """
    try:
        number = float(typed)
    except ValueError as error:
        raise WobbleError(
            f"{typed[:40]!r} is no number: type one from {COLDEST:g} to {HOTTEST:,.0f}, such as 1.5."
        ) from error
    return check_temperature(number)


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
        low, high = np.log(SEARCHED)
        marks = "".join(
            f"<span{' class=own' if t == 1 else ''} style='left:{100 * (np.log(t) - low) / (high - low):.1f}%'>"
            f"{'T = 1' if t == 1 else f'{t:g}'}</span>"
            for t in MARKED
        )
        st.html(f"<div class='w-scale'>{marks}</div>")
    return float(slid) if found is None else float(found)


def said_of(model: Classifier, p: Probabilities, q: Probabilities, temperature: float) -> str:
    """The finding in a sentence.

    Args:
        p: probabilities at T = 1.
        q: probabilities at `temperature`.
    """
    label = label_name(q, model.head, model.labels)
    if temperature == 1:
        return f"At T = 1, the model's own, it says {label}. Move T: the label will stay."
    said = f"At T = {read(temperature)} it still says {label}"
    return f"{said}: {q.max():.3f} instead of {p.max():.3f}." if model.head == "softmax" else f"{said}."


def ranked(p: Probabilities, labels: tuple[str, ...], top: int = 3) -> list[int]:
    """The labels to show of a row: of two softmax labels the first says it all."""
    return sorted(range(len(labels)), key=lambda i: -p[i])[: 1 if len(labels) == 2 else top]


def side_by_side(
    model: Classifier, rows: Sequence[tuple[str, str]], before: Probabilities, after: Probabilities, temperature: float
) -> str:
    """The probabilities of the sentence and its variants at T beside T = 1, as a table.

    Args:
        rows: name and text of each.
        before: `[n, n_labels]` at T = 1.
        after: `[n, n_labels]` at T.
    """
    head, names, colors = model.head, tables.unique(model.labels), figures.label_colors(model.labels)
    h = entropy(before, head), entropy(after, head)
    body = []
    for i, (name, text) in enumerate(rows):
        shown = ranked(before[i], names) if head == "softmax" else sorted(ranked(before[i], names, 3))
        bars = "".join(
            f"<span class='name' title='{escape(names[k])}'>{escape(names[k])}</span><span class='track'>"
            f"<span class='fill' style='width:{100 * after[i, k]:.2f}%;background:{colors[model.labels[k]]}'></span>"
            f"<span class='tick' style='left:{100 * before[i, k]:.2f}%'></span></span>"
            f"<span class='p w-faint'>{before[i, k]:.3f}</span><span class='p'><b>{after[i, k]:.3f}</b></span>"
            for k in shown
        )
        body.append(
            (
                f"<b>{escape(name)}</b><br><span class='w-text w-small'>{visible_html(text, 90)}</span>",
                f"<span class='w-nobreak'>{escape(label_name(after[i], head, model.labels)[:40])}</span>",
                f"<div class='w-bars w-tempered'>{bars}</div>",
                f"<span class='w-faint'>{h[0][i]:.3f}</span>",
                f"<b>{h[1][i]:.3f}</b>",
            )
        )
    at = read(temperature)
    shown_labels = f"the {len(ranked(before[0], names))} largest of {len(names)}" if len(names) > 3 else ""
    return markup.table_html(
        (
            ("text", "Your sentence, and the variants that reach the model"),
            ("label", f"Predicted at T = {at}; the same as at T = 1"),
            (
                f"probability at T = 1, and at T = {at}" + (f" ({shown_labels})" if shown_labels else ""),
                f"Bar and bold number: at T = {at}. Thin tick and faint number: at T = 1, the reference",
            ),
            ("entropy at T = 1", ENTROPY),
            (f"at T = {at}", ENTROPY),
        ),
        body,
    )


@st.fragment
def at_temperature(model: Classifier, comparison: Comparison) -> None:
    """Everything that follows the slider: arithmetic on logits that are already there."""
    temperature = chosen_temperature()
    logits = comparison.reference.logits
    head, labels = model.head, model.labels
    p, q = probabilities(logits, head), probabilities(logits, head, temperature)
    reaching = {key: row for key, row in tables.keys(comparison).items() if not row.absorbed}
    beside = dict(list(reaching.items())[:BESIDE])
    stacked = np.stack([logits, *(row.logits for row in beside.values())])
    before, after = probabilities(stacked, head), probabilities(stacked, head, temperature)
    rows = [("your sentence", comparison.reference.text), *((key, row.variant.text) for key, row in beside.items())]
    grid = np.geomspace(min(SEARCHED[0], temperature), max(SEARCHED[1], temperature), 200)
    curves = probabilities(logits[None] / grid[:, None], head)
    never = f"{'The curves never cross' if head == 'softmax' else 'No curve crosses 1/2'}; hotter is less sure"
    guess = float(entropy(probabilities(np.zeros(len(labels)), head), head))
    dark = charts.dark()
    figure = strip_figure(comparison, beside, before, after, temperature, dark)
    curves_figure = figures.temperature_curves(
        grid, curves, entropy(curves, head), tables.unique(labels), at=temperature, most=guess, title=never, dark=dark
    )
    table = side_by_side(model, rows, before, after, temperature)
    st.html(
        f"<p class='w-verdict'>{escape(said_of(model, p, q, temperature))}</p>"
        f"<p class='w-line'><span class='w-text'>{visible_html(comparison.reference.text, 300)}</span></p>"
        f"{markup.truncated_html(comparison.reference.encoding)}"
    )
    st.plotly_chart(
        figure,
        key="tempered",
        config=charts.chart("wobble-temperature"),
        alt=f"Margins at T = 1 and at T = {read(temperature)}: no dot crosses the line",
    )
    st.plotly_chart(
        curves_figure,
        key="curves",
        config=charts.chart("wobble-temperature-curves"),
        alt=f"Probability of each label and entropy over the temperature: {never}",
    )
    st.html(table)
    erased = len(comparison.rows) - len(reaching)
    st.caption(
        f"The {len(beside)} variants that move most of the {len(reaching)} that reach the model; {erased} others are "
        "absorbed by the tokenizer and have your sentence's numbers exactly. The downloads hold all of them."
    )
    tried = (temperature, *grid[::10])
    every = np.stack([logits, *(row.logits for row in comparison.rows)])
    own = predicted(probabilities(every, head), head)
    moved = sum(int((predicted(probabilities(every, head, t), head) != own).any(axis=-1).sum()) for t in tried)
    why = (
        "$z_i > z_j$ gives $z_i / T > z_j / T$ for every $T > 0$, and softmax keeps the order."
        if head == "softmax"
        else "$z > 0$ gives $z / T > 0$ for every $T > 0$, so each label's probability keeps its side of 1/2."
    )
    st.markdown(
        f"**Why:** {why} Checked on the logits of this page: {len(every)} texts at {len(tried)} temperatures, "
        f"**{moved} labels moved**."
    )
    if head == "softmax" and len(labels) > 1:
        st.subheader("Four ways in which temperature does change decisions")
        four_ways(model, comparison, temperature)
    elif head == "sigmoid":
        st.subheader("A way in which temperature does change decisions")
        threshold_for_each(model, p, q, temperature)
    downloads(model, comparison, temperature, figure)
    take_away.code(
        lambda: temperature_script(model, [text for _, text in rows], list(dict.fromkeys((1.0, temperature))))
    )
    state.address("of the temperature")


def strip_figure(
    comparison: Comparison, beside: Mapping[str, Row], before: Probabilities, after: Probabilities, temperature: float,
    dark: bool,
) -> go.Figure:  # fmt: skip
    """The strip of margins at T = 1 and at T: the sentence first, then its variants."""
    head, labels = comparison.head, comparison.labels
    texts = [comparison.reference.text, *(row.variant.text for row in beside.values())]
    encodings = [comparison.reference.encoding, *(row.encoding for row in beside.values())]
    frame = pd.DataFrame(
        {
            "name": ["your sentence", *beside],
            "visible": [tables.visible(text[:200]) for text in texts],
            "tokens": [tables.tokens_line(encoding) for encoding in encodings],
            "before": margin(before, before[0], head),
            "after": margin(after, before[0], head),
            "label": [label_name(row, head, labels) for row in after],
            "said_before": [tables.ranked(row, labels) for row in before],
            "said_after": [tables.ranked(row, labels) for row in after],
        }
    )
    return figures.tempered_strip(
        frame,
        colors=figures.label_colors(labels),
        reference_label=comparison.reference.label,
        at=read(temperature),
        title="Temperature stretches margins; no dot can cross the line",
        dark=dark,
    )


def threshold_slider() -> float:
    """The threshold above which someone acts."""
    return controls.slider(
        "Act only above", "threshold", 0.5, 0.99, 0.8, 0.01,
        help="Many systems act only when the probability is high enough, and that probability depends on T.",
    )  # fmt: skip


def threshold_for_each(model: Classifier, p: Probabilities, q: Probabilities, temperature: float) -> None:
    """What a threshold other than 1/2 does to a sigmoid head."""
    with st.container(border=True):
        st.markdown("**A decision threshold other than 1/2**")
        threshold = threshold_slider()
        names = tables.unique(model.labels)

        def above(row: Probabilities) -> str:
            found = [names[i] for i in np.argsort(-row) if row[i] > threshold]
            rest = f" and {len(found) - 6} more" if len(found) > 6 else ""
            return escape(", ".join(found[:6])) + rest if found else "none"

        st.html(f"<p>Above it at T = 1: <b>{above(p)}</b>; at T = {read(temperature)}: <b>{above(q)}</b>.</p>")
        st.caption(
            "Sampling one label, averaging before or after tempering, and ties are about a softmax, whose labels compete; "
            "here each label is a yes-or-no question of its own."
        )


def four_ways(model: Classifier, comparison: Comparison, temperature: float) -> None:
    """Threshold, sampling, averaging, rounding; each on the current sentence."""
    logits, labels = comparison.reference.logits, model.labels
    p, q = probabilities(logits, "softmax"), probabilities(logits, "softmax", temperature)
    top, at = int(logits.argmax()), read(temperature)
    one, two = st.columns(2, border=True)
    with one:
        st.markdown("**1. A decision threshold other than 1/2**")
        threshold = threshold_slider()
        where = crossing(logits, threshold) if len(labels) == 2 else None
        acts = [("acts" if row[top] > threshold else "does not act") for row in (p, q)]
        said = "" if where is None else f" The probability passes {threshold:g} at T = {where:.3g}."
        st.html(f"<p>At T = 1 it {acts[0]} ({p[top]:.3f}), at T = {at} it <b>{acts[1]}</b> ({q[top]:.3f}).{said}</p>")
    with two:
        st.markdown("**2. Sampling a label instead of taking the largest**")
        flips = sampled_flips(q, DRAWS, seed=0)
        st.html(
            f"<p>Flip probability 1 \u2212 p of the top label: <b>{1 - q[top]:.3f}</b> at T = {at} "
            f"({1 - p[top]:.3f} at T = 1).</p><p>Simulated: {flips} of {DRAWS:,} draws (seed 0) gave another label: "
            f"{flips / DRAWS:.3f}.</p>"
        )
    three, four = st.columns(2, border=True)
    with three:
        st.markdown("**3. Averaging passes before or after tempering**")
        averaging(model, comparison.reference.text, temperature)
    with four:
        st.markdown("**4. Rounding in half precision**")
        lines = [
            f"{dtype}: {row[top]:.3f} at T = {at}; "
            + ("no tie up to T = 1,000,000" if tie is None else f"a tie or another label from T = {tie:,.0f}")
            for dtype, tie in zip(DTYPES, ties(tuple(map(float, logits))), strict=True)
            for row in [rounded(logits, dtype, temperature)]
        ]
        st.html(
            f"<p>{'<br>'.join(lines)}.</p><p class='w-faint'>Probability of {escape(labels[top])}, computed from this "
            "sentence's logits in each type.</p>"
        )


@st.cache_data(max_entries=256, show_spinner=False)
def ties(logits: tuple[float, ...]) -> list[float | None]:
    """The first temperature of a tie in each type; the same whatever T the page stands at."""
    return [first_tie(np.array(logits), dtype, HALF) for dtype in DTYPES]


def averaging(model: Classifier, text: str, temperature: float) -> None:
    """The mean of dropout passes, tempered before and after averaging."""
    if not acting(model.sites, Dropout()):
        st.html("<p>This model has no dropout, so its passes are all alike and the order does not matter.</p>")
        return
    samples = results.passes_of(model, text, PASSES, Dropout()).logits[:, 0]
    first, last = averaged(samples, temperature)
    names = [label_name(row, "softmax", model.labels) for row in (first, last)]
    tried = np.geomspace(*SEARCHED, 50)
    differs = tried[averaging_matters(samples, tried)]
    st.html(
        f"<p>Mean of softmax(z / T) over {PASSES} dropout passes (seed 0): <b>{escape(names[0])} {first.max():.3f}</b>. The mean "
        f"at T = 1, tempered afterwards: <b>{escape(names[1])} {last.max():.3f}</b>.</p><p>"
        + (f"They name different labels at T = {read(temperature)}. " if names[0] != names[1] else "")
        + (
            f"From T = {SEARCHED[0]:g} to {SEARCHED[1]:g} they part at {len(differs)} of {len(tried)} temperatures, between "
            f"{differs[0]:.3g} and {differs[-1]:.3g}."
            if len(differs)
            else f"They name the same label at all of {len(tried)} temperatures from {SEARCHED[0]:g} to {SEARCHED[1]:g}; "
            "nearer to the line they need not."
        )
        + "</p>"
    )


def downloads(model: Classifier, comparison: Comparison, temperature: float, figure: go.Figure) -> None:
    """What stands at this T to take away; made when it is asked for."""

    def frame() -> pd.DataFrame:
        return tables.tempered_frame(comparison, temperature)

    def run() -> bytes:
        at = sorted({1.0, temperature, *map(float, np.geomspace(*SEARCHED, 21))})
        return json.dumps(
            tempered_document(model, comparison, temperature, at), ensure_ascii=False, allow_nan=False
        ).encode()

    with st.container(horizontal=True):
        take_away.download("CSV", "wobble-temperature.csv", lambda: frame().to_csv(index=False).encode())
        take_away.download("Parquet", "wobble-temperature.parquet", lambda: frame().to_parquet(index=False))
        take_away.download("JSON", "wobble-temperature.json", run)
        take_away.download("Chart (HTML)", "wobble-temperature.html", lambda: figure.to_html(include_plotlyjs=True))
    beside = "" if temperature == 1 else " beside T = 1"
    st.caption(f"All at T = {read(temperature)}{beside}. PNG: the camera at the top right of each chart.")


def estimate(found: Estimate) -> str:
    """A number with its interval."""
    return f"{found.value:.4f} ({found.low:.4f} to {found.high:.4f})"


def calibration(model: Classifier, data: Labelled, found: Calibration) -> None:
    """The fitted temperature and what it changes."""
    before, after = found.before, found.after
    ways = "less" if found.temperature > 1 else "more"
    st.html(
        f"<p class='w-verdict small'>T = {found.temperature:.3f} fits best: the model should be {ways} sure of itself.</p>"
        f"<p class='w-line w-faint'>Fitted by NLL on {found.fitted_on:,} labelled texts, tested on {found.tested_on:,} others; "
        "accuracy stays at "
        f"{before.accuracy:.2%}. In brackets 95% bootstrap intervals.</p>"
    )
    state.button(
        f"Use T = {found.temperature:.3f} on every page", "use temperature", temperature=round(found.temperature, 3)
    )
    st.html(
        markup.table_html(
            (
                ("", ""),
                (
                    f"ECE ({BINS} bins)",
                    "Expected calibration error: \u03a3 (bin size / n) \u00b7 |accuracy \u2212 confidence| (Guo et al., 2017)",
                ),
                (
                    "NLL",
                    "Negative log likelihood: mean of \u2212log p of the right label, in nats; this is what the fit minimises",
                ),
                ("Brier", "Mean of \u03a3 (p \u2212 1[right label])\u00b2, from 0 to 2 (Brier 1950)"),
                ("accuracy", "Share of right labels; no temperature changes it"),
            ),
            [
                (f"<b>{name}</b>", estimate(part.ece), estimate(part.nll), estimate(part.brier), f"{part.accuracy:.2%}")
                for name, part in (("T = 1", before), (f"T = {found.temperature:.3f}", after))
            ],
        )
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
                dark=charts.dark(),
            ),
            key=f"reliability {name}",
            config=charts.chart("wobble-reliability"),
            alt=f"Reliability diagram at {name}: ECE {scores.ece.value:.3f}",
        )
    st.caption(
        "Each dot is a bin of texts, larger where it holds more. On the diagonal the probabilities mean what they say; below it "
        "the model is surer than it is right."
    )
    with st.container(horizontal=True):
        take_away.download(
            "JSON of the calibration",
            "wobble-calibration.json",
            lambda: json.dumps(calibration_document(model, found)).encode(),
        )
        take_away.download(
            "Labelled texts (Parquet)",
            CALIBRATION_FILE,
            lambda: tables.calibration_frame(model, data).to_parquet(index=False),
        )
    take_away.code(lambda: calibration_script(model), CALIBRATION_FILE, name="calibration")


text = subject.sentence()
model = subject.one_model()
if model.head == "regression":
    st.info(
        "A regression head gives a value, not a probability: temperature does not apply to it.", icon=":material/info:"
    )
    st.stop()
comparison = work.attempt(lambda: results.compared(model, text, (), 0, 1.0))
if comparison is None:
    st.stop()
refused = st.container()
at_temperature(model, comparison)
with refused:
    subject.say_refused(TAKEN)

st.subheader("Calibration: the temperature at which the probabilities mean what they say")
if model.head != "softmax":
    st.info(
        "Temperature scaling is defined for softmax heads; this one has a sigmoid for every label.",
        icon=":material/info:",
    )
else:
    st.caption(
        "Choose labelled texts. A temperature is fitted on one part and tested on another: on the validation and the test split "
        "where the data have both, else on drawn halves."
    )
    embedded = tuple(EMBEDDED) if set(model.labels) == {"negative", "positive"} else ()
    chosen = labelled_data.labelled_data("calibration", embedded)
    if chosen is not None and controls.switch(
        "Fit the temperature", "fit", help="Runs every labelled text through the model, once."
    ):
        fitted = work.attempt(lambda: results.calibrated(model, chosen[1]))
        if fitted is not None:
            calibration(model, chosen[1], fitted)
