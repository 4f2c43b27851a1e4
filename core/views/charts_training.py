"""Charts of trainings and of their seeds: pure functions from frames and arrays."""

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.base.statistics import Estimate
from core.views.style import ABSORBED, LEGEND, PALETTE, drawn, interval_bars, plain, shades, two_lines

SMOOTHED = 8
"""Losses that a smoothed one is the mean of."""


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
    cells = go.Heatmap(
        z=margins.T, x=[plain(seed, 24) for seed in seeds], y=[two_lines(name) for name in names], zmin=-1, zmax=1,
        text=np.where(margins.T < 0, "\u2715", ""), texttemplate="%{text}",
        textfont={"size": 17, "color": shades(dark)[0]},
        colorscale=[[0, sides[0]], [0.5, "#14171C" if dark else "#FFFFFF"], [1, sides[1]]], xgap=2, ygap=2,
        colorbar={"title": {"text": "margin"}}, hovertemplate="seed %{x}<br>%{y}<br>margin %{z:.3f}<extra></extra>",
    )  # fmt: skip
    x = {"title": {"text": "training seed"}, "type": "category"}
    return drawn([cells], title, dark, 110 + 30 * len(names), x, {"autorange": "reversed"})


def level_bars(frame: pd.DataFrame, *, disagreement: Estimate, title: str, dark: bool = False) -> go.Figure:
    """Accuracy of each seed with its interval, and beside them how often two seeds disagree.

    Args:
        frame: columns `seed`, `accuracy`, `low`, `high`.
        disagreement: mean pairwise disagreement, with its interval.
    """
    each = go.Bar(
        x=[str(seed) for seed in frame["seed"]], y=frame["accuracy"], error_y=interval_bars(frame, "accuracy", dark),
        marker={"color": PALETTE[0]}, text=[f"{value:.1%}" for value in frame["accuracy"]], textposition="inside",
        insidetextanchor="start", hovertemplate="seed %{x}: %{y:.2%}<extra>accuracy</extra>", showlegend=False,
    )  # fmt: skip
    apart = pd.DataFrame([asdict(disagreement)])
    pairs = go.Bar(
        x=[f"two seeds<br>disagree: {disagreement.value:.1%}"], y=apart["value"], error_y=interval_bars(apart, "value", dark),
        marker={"color": PALETTE[1]},
        hovertemplate="mean over all pairs: %{y:.2%}<extra>disagreement</extra>", showlegend=False,
    )  # fmt: skip
    y = {"range": [0, 1], "title": {"text": "share of texts"}}
    return drawn([each, pairs], title, dark, 320, {"type": "category"}, y)


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
    lines = [
        go.Scatter(
            x=shares, y=values, mode="lines+markers", name=name, line={"color": color, "width": 3, "dash": dash},
            hovertemplate="%{y:.4f}<extra>" + name + "</extra>",
        )
        for name, values, color, dash in (
            ("loss (nats)", loss, PALETTE[1], "solid"),
            ("accuracy", accuracy, PALETTE[0], "solid"),
            (f"your sentence: probability of {plain(label, 20)}", sentence, PALETTE[2], "dot"),
        )
    ]  # fmt: skip
    half = {"type": "line", "x0": 0, "x1": 1, "xref": "x domain", "y0": 0.5, "y1": 0.5, "yref": "y"}
    return drawn(
        lines, title, dark, 380,
        {"tickvals": [0, 0.25, 0.5, 0.75, 1], "ticktext": [ends[0], "1/4", "half way", "3/4", ends[1]]},
        {"range": [0, 1.05]},
        shapes=[half | {"line": {"color": ABSORBED, "width": 1.5, "dash": "dash"}}],
        showlegend=True,
        margin={"l": 8, "r": 16, "t": 70, "b": 8},
        legend={**LEGEND, "y": 1.02, "x": 0, "xanchor": "left"},
    )  # fmt: skip


def loss_curves(frame: pd.DataFrame, evaluated: pd.DataFrame, *, title: str, dark: bool = False) -> go.Figure:
    """Training loss over steps, a line per member (thin as it was, thick the mean of the last few), and the held-out loss after
    each epoch as a diamond of the same colour.

    Args:
        frame: columns `member`, `step`, `loss`.
        evaluated: columns `member`, `step`, `loss`, `accuracy`.
    """
    traces = []
    for position, member in enumerate(dict.fromkeys(frame["member"]) if len(frame) else ()):
        color, name = PALETTE[position % len(PALETTE)], plain(member, 24)
        part, held_out = (steps[steps["member"] == member] if len(steps) else steps for steps in (frame, evaluated))
        traces += [
            go.Scatter(
                x=part["step"], y=part["loss"], mode="lines", line={"color": color, "width": 1}, opacity=0.35,
                showlegend=False, hovertemplate="step %{x}: loss %{y:.4f}<extra>" + name + "</extra>",
            ),
            go.Scatter(
                x=part["step"], y=part["loss"].rolling(SMOOTHED, min_periods=1).mean(), mode="lines", name=name,
                line={"color": color, "width": 3}, hoverinfo="skip",
            ),
        ]  # fmt: skip
        if len(held_out):
            marks = go.Scatter(
                x=held_out["step"], y=held_out["loss"], mode="markers", showlegend=False, customdata=held_out["accuracy"],
                marker={"symbol": "diamond", "size": 12, "color": color, "line": {"width": 1.5, "color": ABSORBED}},
                hovertemplate="held out: loss %{y:.4f}, accuracy %{customdata:.1%}<extra>" + name + "</extra>",
            )  # fmt: skip
            traces.append(marks)
    return drawn(
        traces, title, dark, 300, {"title": {"text": "step"}, "rangemode": "tozero"}, {"title": {"text": "loss (nats)"}},
        showlegend=True,
        margin={"l": 8, "r": 16, "t": 64, "b": 8},
        legend={**LEGEND, "x": 0, "xanchor": "left"},
    )  # fmt: skip


def share_bars(frame: pd.DataFrame, *, title: str, x: str, y: str, dark: bool = False) -> go.Figure:
    """A share a bar with its interval.

    Args:
        frame: columns `name`, `value`, `low`, `high`, `said` (for the hover).
        x: what the bars are.
        y: what the share is of.
    """
    bars = go.Bar(
        x=[plain(name, 40) for name in frame["name"]], y=frame["value"], error_y=interval_bars(frame, "value", dark),
        marker={"color": PALETTE[1]}, text=[f"{value:.1%}" for value in frame["value"]], textposition="inside",
        insidetextanchor="start", customdata=[plain(said, 120) for said in frame["said"]], showlegend=False,
        hovertemplate="%{x}: %{y:.2%}<br>%{customdata}<extra></extra>",
    )  # fmt: skip
    share = {"title": {"text": y}, "rangemode": "tozero", "tickformat": ".0%"}
    return drawn([bars], title, dark, 300, {"type": "category", "title": {"text": x}}, share)
