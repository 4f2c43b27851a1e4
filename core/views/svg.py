"""A strip as SVG: the figure that Plotly would draw, for a page that must not run scripts."""

import re
from collections.abc import Callable
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go

from core.text.visible import visible

LEFT, RIGHT, TOP, BOTTOM = 104, 104, 22, 46
"""Pixels around the plot: names of the rows, their counts, the words above and the axis below."""
ROW, SMALL = 26, 11
"""Pixels of a row, and of letters."""
Place = Callable[[float], float]


def strip_svg(figure: go.Figure, width: int, said: str, tips: bool = True) -> str:
    """A figure that `strip.figure` made with an empty title, as SVG.

    Args:
        width: in pixels.
        said: what the picture shows, in words.
        tips: whether a dot says on hovering what it is.
    """
    layout = figure.layout
    low, high = layout.yaxis.range
    height = round(TOP + BOTTOM + ROW * (high - low))
    x = _scale(layout.xaxis.range, LEFT, width - RIGHT)
    y = _scale((high, low), TOP, height - BOTTOM)
    ends = LEFT, width - RIGHT, TOP, height - BOTTOM
    parts = [
        *(_shape(shape, x, y, ends) for shape in layout.shapes if shape.layer == "below"),
        *(_row(at, name, y, width) for at, name in zip(layout.yaxis.tickvals, layout.yaxis.ticktext, strict=True)),
        *(_shape(shape, x, y, ends) for shape in layout.shapes if shape.layer != "below"),
        *(_dot(*dot, x, y) for trace in figure.data for dot in _dots(trace, tips)),
        *(_words(one, x, y, width) for one in layout.annotations),
        *_axis(layout.xaxis, x, height - BOTTOM),
    ]
    return (
        f"<svg viewBox='0 0 {width} {height}' width='{width}' height='{height}' role='img' aria-label='{escape(said)}' "
        f"font-size='{SMALL}' fill='{layout.font.color}'>{''.join(parts)}</svg>"
    )


def _scale(given: Any, begin: float, end: float) -> Place:
    """From values to pixels."""
    low, high = given
    return lambda value: round(begin + (value - low) / (high - low) * (end - begin), 1)


def _shape(shape: Any, x: Place, y: Place, ends: tuple[float, float, float, float]) -> str:
    """A line or a band; what is thinner than a pixel is drawn one wide."""
    left, right, top, bottom = ends
    begin, end = (min(max(x(value), left), right) for value in (shape.x0, shape.x1))
    if shape.yref != "paper":
        top, bottom = y(shape.y1), y(shape.y0)
    if shape.type == "rect":
        return (
            f"<rect x='{begin}' y='{top}' width='{max(1, end - begin):.1f}' height='{bottom - top:.1f}' "
            f"fill='{shape.fillcolor}' opacity='{shape.opacity}'/>"
        )
    dashes = " stroke-dasharray='4 3'" if shape.line.dash else ""
    return f"<path d='M{begin} {top}V{bottom}' stroke='{shape.line.color}' stroke-width='{shape.line.width}'{dashes}/>"


def _row(at: float, name: str, y: Place, width: int) -> str:
    """The name of a row and its line. Plotly's text is text here too, but for its bold letters."""
    bold, plain = " font-weight='600'" * ("<b>" in name), _seen(re.sub("</?b>", "", name).replace("<br>", " "))
    return (
        f"<path d='M{LEFT} {y(at)}H{width - RIGHT}' stroke='currentColor' opacity='.12'/>"
        f"<text x='{LEFT - 8}' y='{y(at) + 4}' text-anchor='end' font-size='{SMALL + 1}'{bold}>{plain}</text>"
    )


def _dots(trace: Any, tips: bool) -> list[tuple[float, float, Any, str, str]]:
    """Of each dot of a trace: where it lies, its marker, its colour and what it says."""
    marker, count = trace.marker, len(trace.x)
    colors = [marker.color] * count if isinstance(marker.color, str) else marker.color
    tip = "<title>{6}: {3}\n{1}\n{5}\nshift {2:.3f}</title>" if tips else ""
    read = [tip.format(*(one if isinstance(one, float) else _seen(one) for one in said)) for said in trace.customdata]
    return list(zip(trace.x, trace.y, [marker] * count, colors, read, strict=True))


def _dot(at: float, height: float, marker: Any, color: str, said: str, x: Place, y: Place) -> str:
    left, top, form = x(at), y(height), f"fill='{color}' stroke='{marker.line.color}'"
    if marker.symbol == "diamond":
        return f"<path d='M{left} {top - 6.5}l6.5 6.5-6.5 6.5-6.5-6.5z' {form} stroke-width='1.5'>{said}</path>"
    if marker.symbol == "circle-open":
        form = f"fill='none' stroke='{color}'"
    return f"<circle cx='{left}' cy='{top}' r='4' {form}>{said}</circle>"


def _words(one: Any, x: Place, y: Place, width: int) -> str:
    """Words over the plot, or the counts at the end of a row."""
    if one.yref != "y":
        anchor = {"left": "start", "right": "end"}.get(one.xanchor, "middle")
        return f"<text x='{x(one.x) + (one.xshift or 0)}' y='{TOP - 6}' text-anchor='{anchor}'>{_seen(one.text)}</text>"
    lines = _seen(one.text).replace("<b>", "<tspan font-weight='600'>").replace("</b>", "</tspan>").split("<br>")
    begin = y(one.y) + 4 - 6 * (len(lines) - 1)
    return "".join(
        f"<text x='{width - RIGHT + 8}' y='{begin + 12 * i}' fill='{one.font.color}'>{line}</text>"
        for i, line in enumerate(lines)
    )


def _axis(axis: Any, x: Place, bottom: float) -> list[str]:
    """The numbers below the plot, and what they measure."""
    low, high = axis.range
    step = 0.5 if high - low < 3 else 10.0 ** np.floor(np.log10((high - low) / 2))
    ticks = step * np.arange(np.ceil(low / step), np.floor(high / step) + 1)
    middle, larger = x((low + high) / 2), SMALL + 1
    return [
        *(f"<text x='{x(tick)}' y='{bottom + 15}' text-anchor='middle'>{tick:g}</text>" for tick in ticks),
        f"<text x='{middle}' y='{bottom + 34}' text-anchor='middle' font-size='{larger}'>{_seen(axis.title.text)}</text>",
    ]


def _seen(text: str) -> str:
    """What Plotly shows as text, which is escaped already, with marks for what would not be seen, or would reverse the line."""
    return " ".join(visible(word) for word in text.split(" "))
