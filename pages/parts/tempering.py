"""What temperature does to one sentence and to labelled texts: a table, the ways to other decisions, a fitted temperature."""

from functools import partial
from html import escape

import numpy as np
import pandas as pd
import streamlit as st

from core.base.words import shortened
from core.data.labelled import Labelled
from core.factors.case import Reference
from core.factors.dropout import Dropout, acting
from core.models.classifier import Classifier
from core.models.heads import Head, Logits, Probabilities
from core.studies import temperatures
from core.studies.calibration import BINS, SEARCHED, Calibration
from core.studies.temperatures import COMPARED, DTYPES, HALF, read
from core.views import charts, documents, tables_training
from core.views.scripts import CALIBRATION_FILE, calibration_script
from core.views.style import label_colors
from pages import controls, state
from pages.parts import markup, plots, results, take_away, work

DRAWS = 1000
PASSES = 30
SHOWN = 3
"""Labels of a text in the table, at the most."""
ENTROPY = "\u2212\u03a3 p log p in nats: 0 is sure, the log of the number of labels is a guess"
SCORES = (
    ("", ""),
    (
        f"ECE ({BINS} bins)",
        "Expected calibration error: \u03a3 (bin size / n) \u00b7 |accuracy \u2212 confidence| (Guo et al., 2017)",
    ),
    ("NLL", "Negative log likelihood: mean of \u2212log p of the right label, in nats; this is what the fit minimises"),
    ("Brier", "Mean of \u03a3 (p \u2212 1[right label])\u00b2, from 0 to 2 (Brier 1950)"),
    ("accuracy", "Share of right labels; no temperature changes it"),
)


# --- at one temperature ----------------------------------------------------------------------------------------------


def tempered_table(rows: pd.DataFrame, head: Head, labels: tuple[str, ...], temperature: float) -> str:
    """A sentence and its variants at one temperature beside those at T = 1, as HTML; at T = 1 each number stands once.

    Args:
        rows: as `core.views.tables.tempered_rows` makes them.
    """
    at, own = read(temperature), temperature == 1
    some = f" (the {SHOWN} largest of {len(labels)})" if len(labels) > SHOWN else ""
    beside = "" if own else f", and at T = {at}"
    bars = f"Bar and bold number: at T = {at}." + (
        "" if own else " Thin tick and faint number: at T = 1, the reference"
    )
    columns = (
        ("text", "Your sentence, and the variants that reach the model"),
        ("label", f"Predicted at T = {at}; the same as at any other"),
        (f"probability at T = 1{beside}{some}", bars),
        ("entropy at T = 1", ENTROPY),
        *([] if own else [(f"at T = {at}", ENTROPY)]),
    )
    texts = [markup.changed_html(text, rows["text"].iloc[0], 90) for text in rows["text"]]
    return markup.table_html(
        columns,
        [
            (
                f"<b>{escape(row['name'])}</b><br><span class='w-text w-small'>{text}</span>",
                f"<span class='w-nobreak'>{escape(shortened(row['label'], 40))}</span>",
                _bars(None if own else row["p_before"], row["p_after"], head, labels),
                *([] if own else [f"<span class='w-faint'>{row['entropy_before']:.3f}</span>"]),
                f"<b>{row['entropy_after']:.3f}</b>",
            )
            for row, text in zip(rows.to_dict("records"), texts, strict=True)
        ],
    )


def _bars(before: Probabilities | None, after: Probabilities, head: Head, labels: tuple[str, ...]) -> str:
    """Bars at a temperature, with those at T = 1 as ticks; None where that is the temperature."""
    names, colors = documents.unique(labels), label_colors(labels)
    # Of two labels that compete the first says it all, and questions keep their order.
    first = sorted(range(len(labels)), key=lambda i: -after[i])[: 1 if head.exclusive and len(labels) == 2 else SHOWN]
    bars = "".join(
        f"<span class='name' title='{escape(names[k])}'>{escape(names[k])}</span><span class='track'>"
        f"<span class='fill' style='width:{100 * after[k]:.2f}%;background:{colors[labels[k]]}'></span>"
        + (
            "</span><span></span>"
            if before is None
            else f"<span class='tick' style='left:{100 * before[k]:.2f}%'></span></span>"
            f"<span class='p w-faint'>{before[k]:.3f}</span>"
        )
        + f"<span class='p'><b>{after[k]:.3f}</b></span>"
        for k in (first if head.exclusive else sorted(first))
    )
    return f"<div class='w-bars w-tempered'>{bars}</div>"


# --- other decisions -------------------------------------------------------------------------------------------------


def threshold_slider() -> float:
    """The threshold above which someone acts."""
    return controls.slider(
        "Act only above", "threshold", 0.5, 0.99, 0.8, 0.01,
        help="Many systems act only when the probability is high enough, and that probability depends on T.",
    )  # fmt: skip


def threshold_for_each(reference: Reference, temperature: float) -> None:
    """What a threshold other than 1/2 does where each label is a question of its own."""
    with st.container(border=True):
        st.markdown("**A decision threshold other than 1/2**")
        threshold, names = threshold_slider(), documents.unique(reference.labels)

        def above(at: float) -> str:
            found = temperatures.above(temperatures.at(reference, at).probabilities, names, threshold)
            rest = f" and {len(found) - 6} more" if len(found) > 6 else ""
            return escape(", ".join(found[:6])) + rest if found else "none"

        tempered = "" if temperature == 1 else f"; at T = {read(temperature)}: <b>{above(temperature)}</b>"
        st.html(f"<p>Above it at T = 1: <b>{above(1.0)}</b>{tempered}.</p>")
        st.caption(
            "Sampling one label, averaging before or after tempering, and ties are about a softmax, whose labels compete; "
            "here each label is a yes-or-no question of its own."
        )


def four_ways(classifier: Classifier, reference: Reference, temperature: float) -> None:
    """All four, where exactly one label is right.

    Args:
        reference: at T = 1.
    """
    p, q = (temperatures.at(reference, t).probabilities for t in (1.0, temperature))
    own = temperature == 1
    one, two = st.columns(2, border=True)
    with one:
        st.markdown("**1. A decision threshold other than 1/2**")
        threshold = threshold_slider()
        where = temperatures.crossing(reference.logits, threshold)
        before, after = ("acts" if top > threshold else "does not act" for top in (p.max(), q.max()))
        said = "" if where is None else f" The probability passes {threshold:g} at T = {where:.3g}."
        then = "" if own else f", at T = {read(temperature)} it <b>{after}</b> ({q.max():.3f})"
        st.html(f"<p>At T = 1 it {before} ({p.max():.3f}){then}.{said}</p>")
    with two:
        st.markdown("**2. Sampling a label instead of taking the largest**")
        flips = temperatures.sampled_flips(q, DRAWS, seed=0)
        beside = "" if own else f" ({reference.head.sampled(p):.3f} at T = 1)"
        st.html(
            f"<p>Flip probability 1 \u2212 p of the top label: <b>{reference.head.sampled(q):.3f}</b> at T = {read(temperature)}"
            f"{beside}.</p><p>Simulated: {flips} of {DRAWS:,} draws (seed 0) gave another "
            f"label: {flips / DRAWS:.3f}.</p>"
        )
    three, four = st.columns(2, border=True)
    with three:
        st.markdown("**3. Averaging passes before or after tempering**")
        _averaging(classifier, reference, temperature)
    with four:
        st.markdown("**4. Rounding in half precision**")
        lines = [
            f"{dtype}: {temperatures.rounded(reference.logits, dtype, temperature)[p.argmax()]:.3f} at T = {read(temperature)}; "
            + ("no tie up to T = 1,000,000" if tie is None else f"a tie or another label from T = {tie:,.0f}")
            for dtype, tie in zip(DTYPES, _ties(reference.logits), strict=True)
        ]
        st.html(
            f"<p>{'<br>'.join(lines)}.</p><p class='w-faint'>Probability of {escape(reference.label)}, computed from this "
            "sentence's logits in each type.</p>"
        )


@st.cache_data(max_entries=256, show_spinner=False, hash_funcs={np.ndarray: lambda row: row.tobytes()})
def _ties(logits: Logits) -> list[float | None]:
    # The first temperature of a tie in each type; the same whatever T the page stands at.
    return [temperatures.first_tie(logits, dtype, HALF) for dtype in DTYPES]


def _averaging(classifier: Classifier, reference: Reference, temperature: float) -> None:
    if not acting(classifier.sites, Dropout()):
        st.html("<p>This model has no dropout, so its passes are all alike and the order does not matter.</p>")
        return
    passes = work.attempt(lambda: results.studied(classifier, reference.text, "dropout", passes=PASSES))
    if passes is None:
        return
    found = temperatures.averaging(passes["dropout"], reference, temperature)
    (first, last), (p, q), parting = found.labels, found.probabilities, found.parting
    low, high = (f"{t:g}" for t in SEARCHED)
    everywhere = (
        f"From T = {low} to {high} they disagree at {len(parting)} of {len(COMPARED)} temperatures, between {parting[0]:.3g} and "
        f"{parting[-1]:.3g}."
        if len(parting)
        else f"They name the same label at all of {len(COMPARED)} temperatures from {low} to {high}; for a sentence nearer to "
        "the line they can differ."
    )
    here = f"They name different labels at T = {read(temperature)}. " if first != last else ""
    # At T = 1 there is nothing to temper: the two are one number.
    after = "" if temperature == 1 else f" The mean at T = 1, tempered afterwards: <b>{escape(last)} {q:.3f}</b>."
    st.html(
        f"<p>Mean of softmax(z / T) over {PASSES} dropout passes (seed 0): <b>{escape(first)} {p:.3f}</b>.{after}</p>"
        f"<p>{here}{everywhere}</p>"
    )


# --- a fitted temperature --------------------------------------------------------------------------------------------


def calibration(classifier: Classifier, data: Labelled, found: Calibration) -> None:
    """The fitted temperature with the button that uses it everywhere, its scores beside those at T = 1, and downloads."""
    at, ways = f"T = {found.temperature:.3f}", "less" if found.temperature > 1 else "more"
    st.html(
        f"<p class='w-verdict small'>{at} fits best: the model should be {ways} sure of itself.</p>"
        f"<p class='w-line w-faint'>Fitted by NLL on {found.fitted_on:,} labelled texts, tested on {found.tested_on:,} others; "
        f"accuracy stays at {found.before.accuracy:.2%}. In brackets 95% bootstrap intervals.</p>"
    )
    state.button(f"Use {at} on every page", "use temperature", temperature=round(found.temperature, 3))
    scored = {"T = 1": found.before, at: found.after}
    cells = [
        (
            f"<b>{name}</b>",
            *(f"{one.value:.4f} ({one.low:.4f} to {one.high:.4f})" for one in (scores.ece, scores.nll, scores.brier)),
            f"{scores.accuracy:.2%}",
        )
        for name, scores in scored.items()
    ]
    st.html(markup.table_html(SCORES, cells))
    for column, (name, scores) in zip(st.columns(2), scored.items(), strict=True):
        bins, said = scores.reliability, f"ECE {scores.ece.value:.3f}"
        with column:
            plots.show(
                charts.reliability_diagram(
                    bins.confidence, bins.accuracy, bins.count, title=f"{name}: {said}", dark=plots.dark()
                ),
                f"reliability {name}",
                "wobble-reliability",
                f"Reliability diagram at {name}: {said}",
            )
    st.caption(
        "Each dot is a bin of texts, larger where it holds more. On the diagonal the probabilities mean what they say; below it "
        "the model is surer than it is right."
    )
    take_away.downloads(
        (
            "JSON of the calibration",
            "wobble-calibration.json",
            lambda: documents.calibration_document(classifier, found),
        ),
        ("Labelled texts (Parquet)", CALIBRATION_FILE, lambda: tables_training.calibration_frame(classifier, data)),
    )
    script = partial(calibration_script, classifier)
    take_away.code(script, "the fitted temperature and its scores", CALIBRATION_FILE, name="calibration")
