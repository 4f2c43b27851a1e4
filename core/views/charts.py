"""Charts of one sentence beside the strip: numerics, dropout, temperature, calibration. Pure functions of what they are given."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.factors.case import Row
from core.studies.study import Study
from core.views.strip import FATES
from core.views.style import (
    ABSORBED,
    LEGEND,
    MARGINS,
    PALETTE,
    above,
    axis,
    band,
    drawn,
    faint,
    flip_line,
    label_colors,
    plain,
    ring,
    shades,
    two_lines,
    upright,
)

SMALLEST = 1e-9
"""The smallest shift for which the axis of shifts has room; below it stands what is exactly 0."""


def condition_shifts(study: Study, row: Row, *, title: str, dark: bool = False, marked: str = "") -> go.Figure:
    """The shift of each condition on a logarithmic axis, a line per condition in their order; exactly 0 stands at the left edge.

    Lines mark the noise floor and half the margin: the margin falls by at most twice a shift, so a flip needs at least that.

    Args:
        study: whose reference, noise floor and labels these are.
        row: the cases of numerics.
        marked: the name of a condition that a ring is drawn around.
    """
    ink, colors, cases = shades(dark)[0], label_colors(study.labels), row.cases
    positive = [value for value in (study.noise_floor, *(case.shift for case in cases)) if value > 0]
    low = min(SMALLEST, 10.0 ** np.floor(np.log10(min(positive, default=SMALLEST))))
    high = max(1.0, 10.0 ** np.ceil(np.log10(max(positive, default=1.0))))
    nothing, names = low / 10, [plain(case.name, 40) for case in cases]
    at = [max(case.shift, nothing) for case in cases]
    opened = [number for number, case in enumerate(cases) if case.name == marked]
    dots = go.Scatter(
        x=at, y=list(range(len(cases))), mode="markers", showlegend=False, unselected={"marker": {"opacity": 1}},
        marker={
            "color": [colors.get(case.label, ABSORBED) for case in cases], "line": {"width": 1.5, "color": ink}, "opacity": 1,
            **{key: [FATES[row.fate(case)][1][key] for case in cases] for key in ("symbol", "size")},
        },
        # The key is not shown: a click hands it back as it is.
        customdata=[[c.name, name, plain(c.label, 30), c.shift] for name, c in zip(names, cases, strict=True)],
        hovertemplate="<b>%{customdata[1]}</b>: %{customdata[2]}<br>shift %{customdata[3]:.2e}<extra></extra>",
    )  # fmt: skip
    named = [10.0**k for k in range(round(np.log10(high)), round(np.log10(low)) - 1, -3)]
    x = {
        "type": "log",
        "range": [np.log10(nothing) - 0.3, np.log10(high) + 0.1],
        "tickvals": [nothing, *named],
        "ticktext": ["0", *(f"{value:g}".replace("e-0", "e-") for value in named)],
        "title": {"text": "shift, log scale (0 at the left edge)"},
    }
    y = {"tickvals": list(range(len(cases))), "ticktext": names, "range": [len(cases) - 0.4, -0.6]}
    y["tickfont"] = {"size": 13, "color": ink}
    return drawn(
        [dots, *([ring([at[i] for i in opened], opened, dark)] if opened else [])],
        title, dark, 166 + 28 * len(cases), x, y,
        margin={"l": 8, "r": 16, "t": 80, "b": 8},
        clickmode="event+select",
        **_shift_marks(study, nothing, high, ink),
    )  # fmt: skip


def _shift_marks(study: Study, nothing: float, high: float, ink: str) -> dict[str, Any]:
    """The noise floor, what lies below it, and the smallest shift that can flip, on an axis from `nothing` to `high`."""
    floor, margin = max(study.noise_floor, nothing), study.reference.margin
    lines = [(floor, f"noise floor {study.noise_floor:.1e}", {"color": ink, "width": 2, "dash": "dot"})]
    if margin is not None:
        half = margin / 2
        lines.append((max(half, nothing), f"no flip below {half:.2g}", {"color": ink, "width": 3}))
    lines.sort(key=lambda line: line[0])
    middle = np.sqrt(nothing * high)
    # The first one's words end at its line, the other's begin at theirs, unless they would leave the chart.
    sides = ["right", *("left" if value < middle else "right" for value, _, _ in lines[1:])]
    return {
        "shapes": [
            band(nothing / 10, floor, ABSORBED, 0.13, "below"),
            *(upright(value, line) | {"layer": "below"} for value, _, line in lines),
        ],
        "annotations": [
            # On a logarithmic axis annotations are placed by the exponent, and lines by the value itself.
            # One above the other: on a phone both do not fit beside each other.
            above(float(np.log10(value)), said, ink, xanchor=side, yshift=17 * number)
            for number, ((value, said, _), side) in enumerate(zip(lines, sides, strict=True))
        ],
    }


def pass_distribution(
    samples: np.ndarray,
    reference: np.ndarray,
    labels: Sequence[str],
    *,
    title: str,
    top: int = 8,
    dark: bool = False,
    has_labels: bool = True,
) -> go.Figure:
    """The probabilities of stochastic passes: for each label every pass a dot, their density, and the reference as a tick.

    Args:
        samples: `[n_passes, n_labels]`.
        reference: `[n_labels]`.
        top: labels shown, those with the largest probability anywhere.
        has_labels: False for regression, whose outputs are no probabilities.
    """
    colors = label_colors(labels)
    shown = sorted(range(len(labels)), key=lambda i: -max(samples[:, i].max(), reference[i]))[:top]
    ink = shades(dark)[0]
    rest = f" (the {len(shown)} largest of {len(labels)} labels)" if len(labels) > len(shown) else ""
    quantity, limits = ("probability", {"range": [-0.02, 1.02]}) if has_labels else ("output of the model", {})
    x = {**limits, "title": {"text": f"{quantity}; bold tick: dropout off{rest}"}}
    traces = []
    for i in reversed(shown):
        name, color = plain(labels[i], 28), colors[labels[i]]
        traces += [
            go.Violin(
                x=samples[:, i], y=[name] * len(samples), name=name, orientation="h", side="positive", points="all",
                pointpos=-0.35, jitter=0.5, width=0.9, spanmode="hard", line={"color": color, "width": 1.5},
                marker={"color": color, "size": 5, "opacity": 0.6}, hoveron="points", showlegend=False,
                hovertemplate="%{x:.4f}<extra>" + name + "</extra>",
            ),
            go.Scatter(
                x=[reference[i]], y=[name], mode="markers", showlegend=False,
                marker={"symbol": "line-ns", "size": 34, "line": {"color": ink, "width": 4}},
                hovertemplate="dropout off: %{x:.4f}<extra>" + name + "</extra>",
            ),
        ]  # fmt: skip
    # One label alone needs no less room than two: its dots and its density lie above one another.
    return drawn(traces, title, dark, 110 + max(140, 70 * len(shown)), x, {}, violingap=0)


def settling(
    flips: np.ndarray, interval: Callable[[int, int], tuple[float, float]], *, title: str, dark: bool = False
) -> go.Figure:
    """How the estimated flip rate settles as passes grow, with its 95% interval.

    Args:
        flips: `[n_passes]`, whether each pass flipped.
        interval: from flips and passes to the interval of the share.
    """
    counts = np.cumsum(flips)
    passes = np.arange(1, len(flips) + 1)
    bounds = np.array([interval(int(count), int(n)) for count, n in zip(counts, passes, strict=True)])
    edges = [
        go.Scatter(
            x=passes, y=bounds[:, column], mode="lines", line={"width": 0}, fill=fill,
            fillcolor="rgba(0,114,178,0.25)", hoverinfo="skip", showlegend=False,
        )
        for column, fill in ((0, None), (1, "tonexty"))
    ]  # fmt: skip
    rate = go.Scatter(
        x=passes, y=counts / passes, mode="lines", line={"color": PALETTE[0], "width": 2}, showlegend=False,
        hovertemplate="after %{x} passes: %{y:.3f}<extra></extra>",
    )  # fmt: skip
    y = {"range": [-0.02, 1.02], "title": {"text": "flip rate"}}
    return drawn([*edges, rate], title, dark, 260, {"title": {"text": "passes"}}, y)


def temperature_curves(
    temperatures: np.ndarray,
    p: np.ndarray,
    entropy: np.ndarray,
    labels: Sequence[str],
    *,
    at: float,
    most: float,
    title: str,
    top: int = 6,
    dark: bool = False,
) -> go.Figure:
    """Every label's probability over the temperature, and below it the entropy; T = 1 and the current one are marked in both.

    One chart, because each of them is redrawn whenever the temperature changes (`benchmarks.browser`).

    Args:
        temperatures: `[n]`, ascending.
        p: `[n, n_labels]`.
        entropy: `[n]`, nats.
        at: the current temperature.
        most: the entropy of a guess.
        top: labels shown, those with the largest probability at T = 1.
    """
    colors = label_colors(labels)
    nearest = int(np.abs(np.log(temperatures)).argmin())
    shown = sorted(range(len(labels)), key=lambda i: -p[nearest, i])[:top]
    lines = [
        go.Scatter(
            x=temperatures, y=p[:, i], mode="lines", name=plain(labels[i], 28), line={"color": colors[labels[i]], "width": 3},
            hovertemplate="T = %{x:.3g}: %{y:.4f}<extra>" + plain(labels[i], 28) + "</extra>",
        )
        for i in shown
    ]  # fmt: skip
    lines.append(
        go.Scatter(
            x=temperatures, y=entropy, yaxis="y2", mode="lines", line={"color": PALETTE[2], "width": 3}, showlegend=False,
            hovertemplate="T = %{x:.3g}: %{y:.4f} nats<extra>entropy</extra>",
        )
    )  # fmt: skip
    rest = f" (the {len(shown)} largest of {len(labels)})" if len(labels) > len(shown) else ""
    # The names of many labels need lines of their own.
    names = -(-sum(9 + min(len(labels[i]), 28) for i in shown) // 100)
    y = {"automargin": False, "range": [-0.02, 1.02], "domain": [0.44, 1], "title": {"text": f"probability{rest}"}}
    return drawn(
        lines, title, dark, 440 + 20 * names, _log_axis(temperatures) | {"anchor": "y2"}, y,
        yaxis2={
            **axis(dark), "domain": [0, 0.34],
            "range": [-0.02 * most, 1.2 * most], "nticks": 4, "title": {"text": "entropy (nats)"},
        },
        margin={"l": 62, "r": 16, "t": 76 + 20 * names, "b": 52},
        legend={**LEGEND, "y": 1.065, "x": 0, "xanchor": "left"},
        showlegend=True,
        **_curve_marks(at, most, dark),
    )  # fmt: skip


def _curve_marks(at: float, most: float, dark: bool) -> dict[str, Any]:
    """Where T = 1, the current temperature and the entropy of a guess lie on the curves."""
    ink, quiet = shades(dark)[0], faint(dark)
    marks = [(1.0, quiet, "T = 1", "right" if at > 1 else "left")]
    if at != 1:
        # Away from the name of T = 1, but never over the edge of the chart.
        marks.append((at, ink, f"T = {at:,.7g}", "left" if at <= 0.2 or 1 < at < 5 else "right"))
    guess = upright(0, {"color": ABSORBED, "width": 1.5, "dash": "dash"}) | {"xref": "paper", "x1": 1, "yref": "y2"}
    return {
        "shapes": [
            upright(1.0, {"color": ABSORBED, "width": 2, "dash": "dot"}),
            upright(at, {"color": ink, "width": 3}),
            guess | {"y0": most, "y1": most, "layer": "below"},
        ],
        "annotations": [
            # On a logarithmic axis annotations are placed by the exponent, and lines by the value itself.
            *(above(float(np.log10(t)), text, color, xanchor=side) for t, color, text, side in marks),
            above(0, f"a guess: {most:.3f}", quiet, xref="paper", xanchor="left", y=most, yref="y2"),
        ],
    }


def _log_axis(temperatures: np.ndarray) -> dict[str, Any]:
    """The axis of temperatures; beyond the range of a fit only the powers of ten are named, or the names would touch.

    Its margin is given, as that of the other axis: measuring the names draws the chart twice at each change of the temperature.
    """
    low, high = float(temperatures[0]), float(temperatures[-1])
    named = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20] if low >= 0.04 and high <= 25 else [10.0**k for k in range(-3, 7)]
    return {
        "type": "log",
        "automargin": False,
        "title": {"text": "temperature T (log scale)"},
        "range": [np.log10(low), np.log10(high)],
        "tickvals": named,
        "ticktext": [f"{t:,.7g}" for t in named],
    }


def tempered_strip(
    frame: pd.DataFrame,
    *,
    colors: Mapping[str, str],
    reference_label: str,
    at: str,
    title: str,
    dark: bool = False,
    marked: str = "",
) -> go.Figure:
    """Margins at T = 1 and at another T: an open and a full dot for each text, joined; none can cross zero. One full dot
    where the other T is 1 as well.

    Args:
        frame: columns `key`, `name`, `visible`, `tokens`, `before`, `after` (margins), `label`, `said_before`, `said_after`
            (probabilities as a line to read); one row per text, the first on top.
        colors: of each label.
        at: the other T, as it is read.
        marked: the key of a text whose full dot a ring is drawn around.
    """
    ink = shades(dark)[0]
    names = [two_lines(name) for name in frame["name"]]
    longest = max(len(line) for name in names for line in name.split("<br>"))
    color = [colors.get(label, ABSORBED) for label in frame["label"]]
    traces = [
        go.Scatter(
            x=[x for pair in zip(frame["before"], frame["after"], strict=True) for x in (*pair, None)],
            y=[y for name in names for y in (name, name, None)],
            mode="lines", line={"color": ABSORBED, "width": 2}, hoverinfo="skip", showlegend=False,
        )
    ]  # fmt: skip
    own, other = (
        ("before", "said_before", "1", {"symbol": "circle-open", "line": {"width": 2}}),
        ("after", "said_after", at, {"symbol": "circle"}),
    )
    for values, said, t, marker in (other,) if at == "1" else (own, other):
        traces.append(_tempered_dots(frame, names, values, said, t, {"size": 13, "color": color, **marker}))
    opened = zip(frame["key"], frame["after"], names, strict=True)
    traces += [ring([x], [y], dark) for key, x, y in opened if marked and key == marked]
    dots = " at T = 1" if at == "1" else f": open dot at T = 1, full dot at T = {at}"
    text = f"margin of {plain(chr(8220) + reference_label + chr(8221), 40)}{dots}"
    # The margins are given: measuring the names draws the chart twice at each change of the temperature.
    x = {"range": [*MARGINS], "title": {"text": text}, "automargin": False}
    return drawn(
        traces, title, dark, 130 + 32 * len(names), x, {"autorange": "reversed", "automargin": False},
        margin={"l": 16 + 6.6 * longest, "r": 16, "t": 62, "b": 52},
        shapes=flip_line(ink), annotations=[above(0, "the label changes here", ink)], clickmode="event+select",
    )  # fmt: skip


def _tempered_dots(
    frame: pd.DataFrame, names: Sequence[str], values: str, said: str, t: str, marker: Mapping[str, Any]
) -> go.Scatter:
    """The margins at one T: the column that holds them, and the one with the probabilities to read."""
    columns = (frame[name] for name in ("key", "label", "visible", "tokens", said))
    return go.Scatter(
        x=frame[values], y=names, mode="markers", marker=marker, showlegend=False, unselected={"marker": {"opacity": 1}},
        # The key is not shown: a click hands it back as it is.
        customdata=[
            [key, plain(label, 30), plain(text), plain(tokens, 110), plain(p, 110)]
            for key, label, text, tokens, p in zip(*columns, strict=True)
        ],
        hovertemplate=f"<b>%{{y}}</b> at T = {t}: %{{customdata[1]}}<br>%{{customdata[2]}}<br>%{{customdata[3]}}<br>"
        "%{customdata[4]}<br>margin %{x:.3f}<extra></extra>",
    )  # fmt: skip


def reliability_diagram(
    confidence: np.ndarray, accuracy: np.ndarray, count: np.ndarray, *, title: str, dark: bool = False
) -> go.Figure:
    """Accuracy over confidence, bin by bin; on the diagonal the probabilities mean what they say.

    Args:
        confidence: `[bins]`; NaN where a bin is empty.
        accuracy: `[bins]`; NaN where a bin is empty.
        count: `[bins]`
    """
    right = go.Scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"color": ABSORBED, "dash": "dot"}, hoverinfo="skip", showlegend=False
    )
    filled = count > 0
    # Two labels cannot have less than 1/2; many can, and every bin stays in sight.
    lowest = min(0.45, float(confidence[filled].min()) - 0.05)
    bins = go.Scatter(
        x=confidence[filled], y=accuracy[filled], mode="lines+markers", showlegend=False, line={"color": PALETTE[0], "width": 2},
        marker={"size": 6 + 22 * np.sqrt(count[filled] / count.max()), "color": PALETTE[0], "opacity": 0.75},
        customdata=count[filled],
        hovertemplate="%{customdata} texts: confidence %{x:.3f}, accuracy %{y:.3f}<extra></extra>",
    )  # fmt: skip
    return drawn(
        [right, bins], title, dark, 340,
        {"range": [lowest, 1.02], "title": {"text": "confidence: probability of the predicted label"}},
        {"range": [-0.02, 1.04], "title": {"text": "accuracy: share of right labels"}},
    )  # fmt: skip
