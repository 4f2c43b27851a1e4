"""Plotly figures: pure functions from frames. What a figure shows is decided by its arguments alone."""

import textwrap
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

ABSORBED = "#8A8F98"
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#8A8F98")
"""Okabe and Ito's colours, which colour-blind people can tell apart."""
BY_NAME = {"positive": "#0072B2", "negative": "#D55E00", "neutral": "#8A8F98"}

ROW_PIXELS = 40
SMOOTHED = 8
"""Losses that a smoothed one is the mean of."""


def label_colors(labels: Sequence[str]) -> dict[str, str]:
    """A colour for each label, the same on every page: by name where the name says it, else by position."""
    free = [
        color for color in PALETTE if color not in {BY_NAME[name.lower()] for name in labels if name.lower() in BY_NAME}
    ]
    colors = {}
    for position, label in enumerate(labels):
        colors[label] = BY_NAME.get(label.lower(), free[position % len(free)])
    return colors


def plain(text: str, limit: int = 90) -> str:
    """Text that Plotly shows as it is: its own markup (a subset of HTML) and MathJax's `$` have no effect."""
    short = text if len(text) <= limit else text[: limit - 1] + "\u2026"
    return short.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("$", "&#36;")


def margin_strip(
    frame: pd.DataFrame,
    *,
    reference: float,
    reference_label: str,
    noise_floor: float,
    rows: Sequence[str],
    colors: Mapping[str, str],
    title: str = "",
    title_width: int = 52,
    unit: str = "edits",
    dark: bool = False,
    has_labels: bool = True,
    axis: str | None = None,
    row_pixels: int = ROW_PIXELS,
) -> go.Figure:
    """Wobble's picture: the signed margin of every variant on one axis, one row a factor; what crosses zero has flipped.

    Args:
        frame: columns `row`, `variant` (its name, for clicks), `visible`, `tokens`, `probabilities` (both as a line to
            read), `fate` ("absorbed", "reaches the model", "flips"), `value` (margin; for regression the output),
            `shift`, `label`.
        reference: the reference's margin (or output).
        noise_floor: half width of the band around the reference, in units of shift.
        rows: the rows from top to bottom; those without a variant are left out.
        colors: of each label; a dot has the colour of the label that it predicts.
        title: the finding, in words.
        title_width: characters in a line of the title.
        unit: what a dot is, in the plural.
        has_labels: False for regression: no line where the label changes.
        axis: what the axis measures, where it is not the margin of the reference's label (or the output).
        row_pixels: height of a row.
    """
    ink, grid = _shades(dark)
    color = colors.get(reference_label, ABSORBED)
    shown = [row for row in rows if (frame["row"] == row).any()] if len(frame) else []
    height = {row: len(shown) - 1 - i for i, row in enumerate(shown)}
    quantity = "margin" if has_labels else "output"
    lines = textwrap.wrap(title, title_width)
    head = 8 + 22 * len(lines) if lines else 0
    figure = go.Figure()
    if has_labels:
        figure.add_vrect(x0=-1.04, x1=0, fillcolor=ABSORBED, opacity=0.13, line_width=0, layer="below")
        figure.add_vline(x=0, line={"color": ink, "width": 3})
    # The margin of two labels moves by twice the shift; the band never gets thinner than it can be seen.
    figure.add_vrect(
        x0=reference - 2 * noise_floor, x1=reference + 2 * noise_floor, fillcolor=color, opacity=0.35, line_width=0
    )
    figure.add_vline(x=reference, line={"color": color, "width": 4, "dash": "dot"})
    styles = {
        "absorbed": {"symbol": "circle-open", "color": ABSORBED, "size": 9, "line": {"width": 1.5}},
        "reaches the model": {"symbol": "circle", "size": 10, "opacity": 0.75},
        "flips": {"symbol": "diamond", "size": 15, "line": {"width": 1.5, "color": ink}},
    }
    names = {
        "absorbed": "absorbed by the tokenizer",
        "reaches the model": "reaches the model",
        "flips": "flips the label",
    }
    for fate, style in styles.items():
        part = frame[(frame["fate"] == fate) & frame["row"].isin(shown)] if len(frame) else frame
        if part.empty:
            continue
        order = part.groupby("row").cumcount().to_numpy()
        y = part["row"].map(height).to_numpy(dtype=float) + _scatter(order)
        figure.add_scatter(
            x=part["value"],
            y=y,
            mode="markers",
            name=names[fate],
            marker={"color": [colors.get(label, ABSORBED) for label in part["label"]], **style},
            customdata=np.stack(
                [
                    part["variant"],
                    [plain(text) for text in part["visible"]],
                    part["shift"],
                    [plain(str(label), 30) for label in part["label"]],
                    [plain(tokens, 110) for tokens in part["tokens"]],
                    [plain(row, 110) for row in part["probabilities"]],
                ],
                axis=-1,
            ),
            hovertemplate="<b>%{customdata[0]}</b>: %{customdata[3]}<br>%{customdata[1]}<br>%{customdata[4]}<br>"
            f"%{{customdata[5]}}<br>{quantity} %{{x:.3f}}, shift %{{customdata[2]:.3f}}<extra></extra>",
        )
    for row in shown:
        fates = frame.loc[frame["row"] == row, "fate"]
        flips, erased = int((fates == "flips").sum()), int((fates == "absorbed").sum())
        said = [f"<b>{flips}</b> of {len(fates)} flip" if has_labels else f"{len(fates)} {unit}"] + (
            [f"{erased} erased"] if erased else []
        )
        figure.add_annotation(
            x=1.01, xref="paper", y=height[row], text="<br>".join(said), showarrow=False, xanchor="left", align="left",
            font={"size": 13, "color": ink if flips else ABSORBED},
        )  # fmt: skip
    if has_labels:
        figure.add_annotation(
            x=0, y=1, yref="paper", yanchor="bottom", text="the label changes here", showarrow=False,
            font={"size": 13, "color": ink},
            xanchor="right" if reference < 0.45 else "center", xshift=-4 if reference < 0.45 else 0,
        )  # fmt: skip
    figure.add_annotation(
        x=reference, y=1, yref="paper", yanchor="bottom", text=f"your sentence {reference:+.3f}", showarrow=False,
        font={"size": 13, "color": ink}, xanchor="left" if reference < 0.45 else "center",
        xshift=4 if reference < 0.45 else 0,
    )  # fmt: skip
    low, high = (-1.04, 1.04) if has_labels else _range([reference, *(frame["value"] if len(frame) else [])])
    axis = axis or (
        f"margin of {plain(chr(8220) + reference_label + chr(8221), 40)}: its probability minus the next one's"
        if has_labels
        else "output of the model"
    )
    figure.update_layout(
        height=96 + head + row_pixels * max(1, len(shown)),
        margin={"l": 8, "r": 110, "t": 28 + head, "b": 8},
        title={
            "text": "<br>".join(plain(line, 160) for line in lines),
            "font": {"size": 16},
            "x": 0,
            "xref": "container",
            "y": 1,
            "yref": "paper",
            "yanchor": "bottom",
            "pad": {"b": 4 + 22 * len(lines), "l": 4},
        },
        xaxis={
            "range": [low, high],
            "title": {"text": axis, "font": {"size": 14}},
            "gridcolor": grid,
            "zeroline": False,
            "fixedrange": True,
            "tickfont": {"size": 13, "color": ink},
        },
        yaxis={
            "tickvals": [height[row] for row in shown],
            "ticktext": [f"<b>{plain(row, 60)}</b>" for row in shown],
            "range": [-0.6, max(0.4, len(shown) - 0.4)],
            "gridcolor": grid,
            "zeroline": False,
            "fixedrange": True,
            "tickfont": {"size": 14, "color": ink},
            "automargin": True,
        },
        showlegend=False,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": ink},
        hoverlabel={"font": {"family": "monospace", "size": 13}},
        dragmode=False,
        clickmode="event+select",
    )  # fmt: skip
    return figure


def _scatter(order: np.ndarray) -> np.ndarray:
    """Heights within a row, in [-0.28, 0.28], that keep neighbours apart: van der Corput's sequence, no randomness."""
    heights = np.zeros(len(order))
    for bit in range(8):
        heights += ((order >> bit) & 1) / 2 ** (bit + 1)
    return (heights - 0.5) * 0.56 + 0.28 / 2**7


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = float(np.min(values)), float(np.max(values))
    room = 0.08 * (high - low) or 0.5
    return low - room, high + room


def _shades(dark: bool) -> tuple[str, str]:
    """Colours of ink and of the grid."""
    return ("#E8EAED", "#3A4048") if dark else ("#1F2430", "#E3E6EA")


def _axis(dark: bool) -> dict[str, object]:
    """What all axes but the strip's share."""
    ink, grid = _shades(dark)
    return {"gridcolor": grid, "zeroline": False, "fixedrange": True, "tickfont": {"color": ink}}


def _layout(title: str, dark: bool, height: int, x: dict[str, object], y: dict[str, object]) -> dict[str, object]:
    """What all charts but the strip share."""
    ink, axis = _shades(dark)[0], _axis(dark)
    return {
        "height": height,
        "margin": {"l": 8, "r": 16, "t": 40, "b": 8},
        "title": {"text": plain(title, 160), "font": {"size": 16}, "x": 0, "xref": "container", "pad": {"l": 4}},
        "xaxis": {**axis, "automargin": True, **x},
        "yaxis": {**axis, "automargin": True, **y},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": ink, "size": 13},
        "hoverlabel": {"font": {"family": "monospace", "size": 13}},
        "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 1, "xanchor": "right"},
        "dragmode": False,
    }


def _interval(frame: pd.DataFrame, column: str, dark: bool) -> dict[str, object]:
    """The intervals of bars, from the columns `low` and `high`, in a colour that is seen on the bar and beside it."""
    value = frame[column]
    color = _shades(dark)[0]
    return {"array": frame["high"] - value, "arrayminus": value - frame["low"], "color": color, "thickness": 2}


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
    ink = _shades(dark)[0]
    rest = f" (the {len(shown)} largest of {len(labels)} labels)" if len(labels) > len(shown) else ""
    axis: dict[str, object] = {"range": [-0.02, 1.02], "title": {"text": f"probability; bold tick: dropout off{rest}"}}
    if not has_labels:
        axis = {"title": {"text": f"output of the model; bold tick: dropout off{rest}"}}
    figure = go.Figure()
    for i in reversed(shown):
        name = plain(labels[i], 28)
        figure.add_violin(
            x=samples[:, i],
            y=[name] * len(samples),
            name=name,
            orientation="h",
            side="positive",
            points="all",
            pointpos=-0.35,
            jitter=0.5,
            width=0.9,
            spanmode="hard",
            line={"color": colors[labels[i]], "width": 1.5},
            marker={"color": colors[labels[i]], "size": 5, "opacity": 0.6},
            hoveron="points",
            hovertemplate="%{x:.4f}<extra>" + name + "</extra>",
            showlegend=False,
        )
        figure.add_scatter(
            x=[reference[i]],
            y=[name],
            mode="markers",
            marker={"symbol": "line-ns", "size": 34, "line": {"color": ink, "width": 4}},
            hovertemplate="dropout off: %{x:.4f}<extra>" + name + "</extra>",
            showlegend=False,
        )
    figure.update_layout(
        # One label alone needs no less room than two: its dots and its density lie above one another.
        **_layout(title, dark, 110 + max(140, 70 * len(shown)), axis, {}),
        violingap=0,
    )
    return figure


def settling(
    flips: np.ndarray, interval: Callable[[int, int], tuple[float, float]], *, title: str, dark: bool = False
) -> go.Figure:
    """How the estimated flip rate settles as passes grow, with its 95 % interval.

    Args:
        flips: `[n_passes]`, whether each pass flipped.
        interval: from flips and passes to the interval of the share.
    """
    counts = np.cumsum(flips)
    passes = np.arange(1, len(flips) + 1)
    bounds = np.array([interval(int(count), int(n)) for count, n in zip(counts, passes, strict=True)])
    figure = go.Figure()
    for column, fill in ((0, None), (1, "tonexty")):
        figure.add_scatter(
            x=passes, y=bounds[:, column], mode="lines", line={"width": 0}, fill=fill,
            fillcolor="rgba(0,114,178,0.25)", hoverinfo="skip", showlegend=False,
        )  # fmt: skip
    figure.add_scatter(
        x=passes, y=counts / passes, mode="lines", line={"color": PALETTE[0], "width": 2}, showlegend=False,
        hovertemplate="after %{x} passes: %{y:.3f}<extra></extra>",
    )  # fmt: skip
    figure.update_layout(
        **_layout(
            title, dark, 260, {"title": {"text": "passes"}}, {"range": [-0.02, 1.02], "title": {"text": "flip rate"}}
        )
    )
    return figure


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

    One chart, because each of them is redrawn whenever the slider moves (`benchmarks.browser`).

    Args:
        temperatures: `[n]`, ascending.
        p: `[n, n_labels]`.
        entropy: `[n]`, nats.
        at: the current temperature.
        most: the entropy of a guess.
        top: labels shown, those with the largest probability at T = 1.
    """
    ink = _shades(dark)[0]
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
    y: dict[str, object] = {
        "automargin": False, "range": [-0.02, 1.02], "domain": [0.44, 1], "title": {"text": f"probability{rest}"},
    }  # fmt: skip
    layout = _layout(title, dark, 440 + 20 * names, _log_axis(temperatures) | {"anchor": "y2"}, y)
    marks = [(1.0, ABSORBED, "T = 1", "right" if at > 1 else "left")]
    if at != 1:
        # Away from the name of T = 1, but never over the edge of the chart.
        marks.append((at, ink, f"T = {at:,.7g}", "left" if at <= 0.2 or 1 < at < 5 else "right"))
    layout |= {
        "yaxis2": {
            **_axis(dark), "domain": [0, 0.34],
            "range": [-0.02 * most, 1.2 * most], "nticks": 4, "title": {"text": "entropy (nats)"},
        },
        "margin": {"l": 62, "r": 16, "t": 76 + 20 * names, "b": 52},
        "legend": {"orientation": "h", "y": 1.065, "yanchor": "bottom", "x": 0, "xanchor": "left"},
        "showlegend": True,
        "shapes": [
            _upright(1.0, {"color": ABSORBED, "width": 2, "dash": "dot"}),
            _upright(at, {"color": ink, "width": 3}),
            {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": "y2", "y0": most, "y1": most, "layer": "below",
             "line": {"color": ABSORBED, "width": 1.5, "dash": "dash"}},
        ],
        "annotations": [
            # On a logarithmic axis annotations are placed by the exponent, and lines by the value itself.
            {"x": float(np.log10(t)), "y": 1, "yref": "paper", "yanchor": "bottom", "xanchor": side, "text": text,
             "showarrow": False, "font": {"size": 13, "color": color}}
            for t, color, text, side in marks
        ]
        + [{"x": 0, "xref": "paper", "xanchor": "left", "y": most, "yref": "y2", "yanchor": "bottom",
            "text": f"a guess: {most:.3f}", "showarrow": False, "font": {"size": 13, "color": ABSORBED}}],
    }  # fmt: skip
    return go.Figure(lines, layout)


def _log_axis(temperatures: np.ndarray) -> dict[str, object]:
    """The axis of temperatures; beyond the slider's range only the powers of ten are named, or the names would touch.

    Its margin is given, as that of the other axis: measuring the names draws the chart twice at each move of the slider.
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


def _upright(x: float, line: dict[str, object]) -> dict[str, object]:
    """A vertical line through the whole chart."""
    return {"type": "line", "x0": x, "x1": x, "yref": "paper", "y0": 0, "y1": 1, "line": line}


def tempered_strip(
    frame: pd.DataFrame, *, colors: Mapping[str, str], reference_label: str, at: str, title: str, dark: bool = False
) -> go.Figure:
    """Margins at T = 1 and at another T: an open and a full dot for each text, joined; none can cross zero.

    Args:
        frame: columns `name`, `visible`, `tokens`, `before`, `after` (margins), `label`, `said_before`, `said_after`
            (probabilities as a line to read); one row a text, the first on top.
        colors: of each label.
        at: the other T, as it is read.
    """
    ink = _shades(dark)[0]
    names = [plain(name, 30) for name in frame["name"]]
    color = [colors.get(label, ABSORBED) for label in frame["label"]]
    traces = [
        go.Scatter(
            x=[x for pair in zip(frame["before"], frame["after"], strict=True) for x in (*pair, None)],
            y=[y for name in names for y in (name, name, None)],
            mode="lines", line={"color": ABSORBED, "width": 2}, hoverinfo="skip", showlegend=False,
        )
    ]  # fmt: skip
    for values, said, t, marker in (
        ("before", "said_before", "1", {"symbol": "circle-open", "line": {"width": 2}}),
        ("after", "said_after", at, {"symbol": "circle"}),
    ):
        traces.append(
            go.Scatter(
                x=frame[values], y=names, mode="markers", marker={"size": 13, "color": color, **marker}, showlegend=False,
                customdata=[
                    [plain(label, 30), plain(text), plain(tokens, 110), plain(p, 110)]
                    for label, text, tokens, p in zip(
                        frame["label"], frame["visible"], frame["tokens"], frame[said], strict=True
                    )
                ],
                hovertemplate=f"<b>%{{y}}</b> at T = {t}: %{{customdata[0]}}<br>%{{customdata[1]}}<br>%{{customdata[2]}}<br>"
                "%{customdata[3]}<br>margin %{x:.3f}<extra></extra>",
            )
        )  # fmt: skip
    axis = f"margin of {plain(chr(8220) + reference_label + chr(8221), 40)}: open dot at T = 1, full dot at T = {at}"
    # The margins are given: measuring the names draws the chart twice at each move of the slider.
    x: dict[str, object] = {"range": [-1.04, 1.04], "title": {"text": axis}, "automargin": False}
    y: dict[str, object] = {"autorange": "reversed", "automargin": False}
    layout = _layout(title, dark, 130 + 26 * len(names), x, y)
    layout |= {
        "margin": {"l": 16 + 6.6 * max(map(len, names)), "r": 16, "t": 62, "b": 52},
        "shapes": [
            {"type": "rect", "x0": -1.04, "x1": 0, "yref": "paper", "y0": 0, "y1": 1, "fillcolor": ABSORBED,
             "opacity": 0.13, "line": {"width": 0}, "layer": "below"},
            _upright(0, {"color": ink, "width": 3}),
        ],
        "annotations": [
            {"x": 0, "y": 1, "yref": "paper", "yanchor": "bottom", "text": "the label changes here", "showarrow": False,
             "font": {"size": 13, "color": ink}}
        ],
    }  # fmt: skip
    return go.Figure(traces, layout)


def reliability_diagram(
    confidence: np.ndarray, accuracy: np.ndarray, count: np.ndarray, *, title: str, dark: bool = False
) -> go.Figure:
    """Accuracy over confidence, bin by bin; on the diagonal the probabilities mean what they say.

    Args:
        confidence: `[bins]`; NaN where a bin is empty.
        accuracy: `[bins]`; NaN where a bin is empty.
        count: `[bins]`
    """
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"color": ABSORBED, "dash": "dot"}, hoverinfo="skip", showlegend=False
    )
    filled = count > 0
    # Two labels cannot have less than 1/2; many can, and every bin stays in sight.
    lowest = min(0.45, float(confidence[filled].min()) - 0.05)
    figure.add_scatter(
        x=confidence[filled], y=accuracy[filled], mode="lines+markers", showlegend=False, line={"color": PALETTE[0], "width": 2},
        marker={"size": 6 + 22 * np.sqrt(count[filled] / count.max()), "color": PALETTE[0], "opacity": 0.75},
        customdata=count[filled],
        hovertemplate="%{customdata} texts: confidence %{x:.3f}, accuracy %{y:.3f}<extra></extra>",
    )  # fmt: skip
    figure.update_layout(
        **_layout(
            title, dark, 340,
            {"range": [lowest, 1.02], "title": {"text": "confidence: probability of the predicted label"}},
            {"range": [-0.02, 1.04], "title": {"text": "accuracy: share of right labels"}},
        )
    )  # fmt: skip
    return figure


def seed_grid(
    margins: np.ndarray,
    seeds: Sequence[str],
    names: Sequence[str],
    *,
    sides: tuple[str, str],
    title: str,
    dark: bool = False,
) -> go.Figure:
    """Seeds by variants: the colour is the side of the line and how far from it; what left the reference's label has a cross.

    Args:
        margins: `[n_seeds, n_variants]`, of the reference's label.
        seeds: the columns.
        names: of the variants; the rows from top to bottom.
        sides: colours below and above zero.
    """
    figure = go.Figure()
    figure.add_heatmap(
        z=margins.T,
        x=[plain(seed, 24) for seed in seeds],
        y=[plain(name, 30) for name in names],
        text=np.where(margins.T < 0, "\u2715", ""),
        texttemplate="%{text}",
        textfont={"size": 17, "color": _shades(dark)[0]},
        zmin=-1,
        zmax=1,
        colorscale=[[0, sides[0]], [0.5, "#14171C" if dark else "#FFFFFF"], [1, sides[1]]],
        xgap=2,
        ygap=2,
        colorbar={"title": {"text": "margin"}},
        hovertemplate="seed %{x}<br>%{y}<br>margin %{z:.3f}<extra></extra>",
    )
    figure.update_layout(
        **_layout(
            title,
            dark,
            110 + 24 * len(names),
            {"title": {"text": "training seed"}, "type": "category"},
            {"autorange": "reversed"},
        )
    )
    return figure


def level_bars(frame: pd.DataFrame, *, disagreement: float, title: str, dark: bool = False) -> go.Figure:
    """Accuracy of each seed with its interval, and beside them how often two seeds disagree.

    Args:
        frame: columns `seed`, `accuracy`, `low`, `high`.
        disagreement: mean pairwise disagreement.
    """
    figure = go.Figure()
    figure.add_bar(
        x=[str(seed) for seed in frame["seed"]],
        y=frame["accuracy"],
        error_y=_interval(frame, "accuracy", dark),
        marker={"color": PALETTE[0]},
        text=[f"{value:.1%}" for value in frame["accuracy"]],
        textposition="inside",
        hovertemplate="seed %{x}: %{y:.2%}<extra>accuracy</extra>",
        showlegend=False,
    )
    figure.add_bar(
        x=["two seeds<br>disagree"], y=[disagreement], marker={"color": PALETTE[1]}, text=[f"{disagreement:.1%}"],
        hovertemplate="mean over all pairs: %{y:.2%}<extra>disagreement</extra>", showlegend=False,
    )  # fmt: skip
    figure.update_layout(
        **_layout(title, dark, 320, {"type": "category"}, {"range": [0, 1], "title": {"text": "share of texts"}})
    )
    return figure


def interpolation(
    shares: np.ndarray, loss: np.ndarray, accuracy: np.ndarray, sentence: np.ndarray, label: str, *, ends: tuple[str, str],
    title: str, dark: bool = False,
) -> go.Figure:  # fmt: skip
    """What happens on the straight line from one seed's weights to another's.

    Args:
        shares: `[points]`, 0 to 1.
        loss: `[points]`, nats.
        accuracy: `[points]`.
        sentence: `[points]`, probability of `label` for the current sentence.
        ends: names of the two seeds.
    """
    figure = go.Figure()
    for name, values, color, dash in (
        ("loss (nats)", loss, PALETTE[1], "solid"),
        ("accuracy", accuracy, PALETTE[0], "solid"),
        (f"your sentence: probability of {plain(label, 20)}", sentence, PALETTE[2], "dot"),
    ):
        figure.add_scatter(
            x=shares,
            y=values,
            mode="lines+markers",
            name=name,
            line={"color": color, "width": 3, "dash": dash},
            hovertemplate="%{y:.4f}<extra>" + name + "</extra>",
        )
    figure.add_hline(y=0.5, line={"color": ABSORBED, "width": 1.5, "dash": "dash"})
    figure.update_layout(
        **_layout(
            title,
            dark,
            380,
            {"tickvals": [0, 0.25, 0.5, 0.75, 1], "ticktext": [ends[0], "1/4", "half way", "3/4", ends[1]]},
            {"range": [0, 1.05]},
        ),
        showlegend=True,
    )
    figure.update_layout(margin={"t": 70}, legend={"y": 1.02, "x": 0, "xanchor": "left"})
    return figure


def loss_curves(frame: pd.DataFrame, evaluated: pd.DataFrame, *, title: str, dark: bool = False) -> go.Figure:
    """Training loss over steps, a line a member (thin as it was, thick the mean of the last few), and the held-out loss after
    each epoch as a diamond of the same colour.

    Args:
        frame: columns `member`, `step`, `loss`.
        evaluated: columns `member`, `step`, `loss`, `accuracy`.
    """
    figure = go.Figure()
    members = list(dict.fromkeys(frame["member"])) if len(frame) else []
    for position, member in enumerate(members):
        color, part = PALETTE[position % len(PALETTE)], frame[frame["member"] == member]
        figure.add_scatter(
            x=part["step"], y=part["loss"], mode="lines", line={"color": color, "width": 1}, opacity=0.35, showlegend=False,
            hovertemplate="step %{x}: loss %{y:.4f}<extra>" + plain(member, 24) + "</extra>",
        )  # fmt: skip
        figure.add_scatter(
            x=part["step"], y=part["loss"].rolling(SMOOTHED, min_periods=1).mean(), mode="lines", name=plain(member, 24),
            line={"color": color, "width": 3}, hoverinfo="skip",
        )  # fmt: skip
        held_out = evaluated[evaluated["member"] == member] if len(evaluated) else evaluated
        if len(held_out):
            figure.add_scatter(
                x=held_out["step"], y=held_out["loss"], mode="markers", showlegend=False, customdata=held_out["accuracy"],
                marker={"symbol": "diamond", "size": 12, "color": color, "line": {"width": 1.5, "color": ABSORBED}},
                hovertemplate="held out: loss %{y:.4f}, accuracy %{customdata:.1%}<extra>" + plain(member, 24) + "</extra>",
            )  # fmt: skip
    figure.update_layout(
        **_layout(
            title, dark, 300, {"title": {"text": "step"}, "rangemode": "tozero"}, {"title": {"text": "loss (nats)"}}
        ),
        showlegend=True,
    )
    figure.update_layout(margin={"t": 64}, legend={"y": 1.0, "x": 0, "xanchor": "left"})
    return figure


def share_bars(frame: pd.DataFrame, *, title: str, x: str, y: str, dark: bool = False) -> go.Figure:
    """A share a bar with its interval.

    Args:
        frame: columns `name`, `value`, `low`, `high`, `said` (for the hover).
        x: what the bars are.
        y: what the share is of.
    """
    figure = go.Figure()
    figure.add_bar(
        x=[plain(name, 40) for name in frame["name"]],
        y=frame["value"],
        error_y=_interval(frame, "value", dark),
        marker={"color": PALETTE[1]},
        text=[f"{value:.1%}" for value in frame["value"]],
        textposition="inside",
        insidetextanchor="start",
        customdata=[plain(said, 120) for said in frame["said"]],
        hovertemplate="%{x}: %{y:.2%}<br>%{customdata}<extra></extra>",
        showlegend=False,
    )
    figure.update_layout(
        **_layout(
            title, dark, 300, {"type": "category", "title": {"text": x}},
            {"title": {"text": y}, "rangemode": "tozero", "tickformat": ".0%"},
        )
    )  # fmt: skip
    return figure
