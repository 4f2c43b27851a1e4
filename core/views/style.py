"""What all figures share: the colours of labels, texts that stay texts, axes and layout."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from core.base.words import shortened

ABSORBED = "#7A7F89"
PALETTE = ("#0A7FC4", "#D55E00", "#00946B", "#BF5F95", "#B27700", "#7F77D6", "#878200", "#7A7F89")
"""Hues of Okabe and Ito, which colour-blind people can tell apart, with a contrast of 3 to 1 on a white and on a dark page."""
LEGEND = {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 1, "xanchor": "right"}
BY_NAME = {"positive": PALETTE[0], "negative": PALETTE[1], "neutral": PALETTE[7]}


def label_colors(labels: Sequence[str]) -> dict[str, str]:
    """A colour for each label, the same on every page: by name where the name says it, else by position."""
    named = {BY_NAME[name.lower()] for name in labels if name.lower() in BY_NAME}
    free = [color for color in PALETTE if color not in named]
    return {label: BY_NAME.get(label.lower(), free[i % len(free)]) for i, label in enumerate(labels)}


def plain(text: str, limit: int = 90) -> str:
    """Text that Plotly shows as it is: its own markup (a subset of HTML) and MathJax's `$` have no effect."""
    return shortened(text, limit).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("$", "&#36;")


def two_lines(name: str, width: int = 34) -> str:
    """A name beside an axis, on at most two lines of `width` characters, as Plotly reads it."""
    return "<br>".join(map(plain, textwrap.wrap(name, width, max_lines=2, placeholder=" …")))


def shades(dark: bool) -> tuple[str, str]:
    """Colours of ink and of the grid."""
    return ("#E8EAED", "#3A4048") if dark else ("#1F2430", "#E3E6EA")


def faint(dark: bool) -> str:
    """The colour of unobtrusive words, with a contrast of 4.5 to 1."""
    return "#A7ADB6" if dark else "#5E636E"


def page(dark: bool) -> str:
    """The colour of the page, which keeps dots apart that lie on one another."""
    return "#14171C" if dark else "#FFFFFF"


def axis(dark: bool) -> dict[str, Any]:
    """What all axes share."""
    ink, grid = shades(dark)
    return {"gridcolor": grid, "zeroline": False, "fixedrange": True, "tickfont": {"color": ink}}


def drawn(
    traces: Sequence[Any], title: str, dark: bool, height: float, x: dict[str, Any], y: dict[str, Any], /, **more: Any
) -> go.Figure:
    """A figure of some traces with the layout that all figures share; what is given besides replaces its parts."""
    shared: dict[str, Any] = {
        "height": height,
        "margin": {"l": 8, "r": 16, "t": 40, "b": 8},
        "title": {"text": plain(title, 160), "font": {"size": 16}, "x": 0, "xref": "container", "pad": {"l": 4}},
        "xaxis": {**axis(dark), "automargin": True, **x},
        "yaxis": {**axis(dark), "automargin": True, **y},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": shades(dark)[0], "size": 13},
        "hoverlabel": {"font": {"family": "monospace", "size": 13}},
        "legend": LEGEND,
        "dragmode": False,
    }
    layout = shared | more
    for name in (name for name in layout if name[1:].startswith("axis")):
        said = layout[name].get("title", {})
        # Streamlit's theme would write them in a grey that is too faint.
        layout[name] = layout[name] | {"title": said | {"font": {"color": shades(dark)[0]} | said.get("font", {})}}
    # Checking each property against Plotly's schema takes longer than all else that a page does for a strip; the tests check it.
    return go.Figure(traces, layout, _validate=False)


IN_PIXELS = ("size", "height", "l", "r", "t", "b", "xshift", "yshift")
"""What a layout measures in pixels: letters, and the room that they need."""


def enlarged(figure: go.Figure, by: float) -> go.Figure:
    """A copy of a figure with letters, height and margins enlarged by a factor; its marks stay as they are."""

    def grown(key: str, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: grown(name, one) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [grown(key, one) for one in value]
        return value * by if key in IN_PIXELS else value

    return go.Figure(figure.data, grown("", figure.layout.to_plotly_json()))


def upright(x: float, line: dict[str, Any]) -> dict[str, Any]:
    """A vertical line through the whole figure."""
    return {"type": "line", "x0": x, "x1": x, "yref": "paper", "y0": 0, "y1": 1, "line": line}


def band(low: float, high: float, color: str, opacity: float, layer: str) -> dict[str, Any]:
    """A stretch of the horizontal axis, through the whole figure."""
    return upright(low, {"width": 0}) | {
        "type": "rect", "x1": high, "fillcolor": color, "opacity": opacity, "layer": layer,
    }  # fmt: skip


def above(x: float, text: str, ink: str, **place: Any) -> dict[str, Any]:
    """Words over the figure, where something stands at x."""
    found = {"x": x, "y": 1, "yref": "paper", "yanchor": "bottom", "text": text, "showarrow": False}
    return found | {"font": {"size": 13, "color": ink}} | place


MARGINS = (-1.04, 1.04)
"""Range of an axis of margins."""


def flip_line(ink: str) -> list[dict[str, Any]]:
    """The line where the label changes, and the grey half beyond it."""
    return [band(MARGINS[0], 0, ABSORBED, 0.13, "below"), upright(0, {"color": ink, "width": 3})]


def ring(x: Sequence[float], y: Sequence[Any], dark: bool) -> go.Scatter:
    """A ring around some dots, which lets clicks through to them."""
    return go.Scatter(
        x=x, y=y, mode="markers", name="opened", hoverinfo="skip", showlegend=False,
        marker={"symbol": "circle-open", "size": 26, "color": shades(dark)[0], "line": {"width": 3}},
    )  # fmt: skip


def interval_bars(frame: pd.DataFrame, column: str, dark: bool) -> dict[str, Any]:
    """The intervals of bars, from the columns `low` and `high`, in a colour that is seen on the bar and beside it."""
    value, color = frame[column], shades(dark)[0]
    return {"array": frame["high"] - value, "arrayminus": value - frame["low"], "color": color, "thickness": 2}
