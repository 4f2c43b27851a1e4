"""Wobble's picture: the signed margin of every case on one axis, one row a factor; what crosses zero has flipped."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.factors.case import Row
from core.studies.study import Study
from core.studies.verdict import finding
from core.views.style import (
    ABSORBED,
    MARGINS,
    above,
    band,
    drawn,
    faint,
    flip_line,
    label_colors,
    page,
    plain,
    shades,
    upright,
)
from core.views.tables import strip_frame

HOLLOW = {"symbol": "circle-open", "size": 9, "line": {"width": 1.5}}
FATES: dict[str, tuple[str, dict[str, Any]]] = {
    "absorbed": ("absorbed by the tokenizer", HOLLOW),
    "beyond the limit": ("beyond the limit, not tried", HOLLOW),
    "reaches the model": ("reaches the model", {"symbol": "circle", "size": 10, "opacity": 0.9, "line": {"width": 1}}),
    "flips": ("flips the label", {"symbol": "diamond", "size": 15, "line": {"width": 1.5}}),
}
"""What the dots of a fate are called, and how they look; the last lie on top."""


def figure(
    study: Study,
    *,
    beside: Study | None = None,
    title: str | None = None,
    title_width: int = 84,
    dark: bool = False,
) -> go.Figure:
    """The margin strip of a study: a row a factor, a dot a case in the colour of the label that it predicts.

    Args:
        beside: another model's study of the same text, drawn row by row below the first's.
        title: the finding in words; by default the study's own.
        title_width: characters in a line of the title.
    """
    frame, rows = strip_frame(study), {row.name: row for row in study.shown}
    colors, axis = label_colors(study.labels), f"margin of {plain(f'“{study.reference.label}”', 40)}"
    if beside is not None:
        colors, axis = {**label_colors(beside.labels), **colors}, "margin of each model's own label"
        both = (study, beside)
        frames = zip(map(strip_frame, both), both, strict=True)
        frame = pd.concat([f.assign(row=f["row"] + f", {one.model}") for f, one in frames], ignore_index=True)
        names = dict.fromkeys((*study.wanted, *beside.wanted))
        rows = {f"{name}, {one.model}": one[name] for name in names for one in both if name in one}
    return margin_strip(
        study,
        frame,
        {name: row for name, row in rows.items() if row.cases},
        colors=colors,
        axis=f"{axis}: its probability minus the next one's" if study.head.has_labels else "output of the model",
        lines=textwrap.wrap(finding(study) if title is None else title, title_width),
        dark=dark,
        row_pixels=36 if beside is None else 30,
    )


def margin_strip(
    study: Study,
    frame: pd.DataFrame,
    rows: Mapping[str, Row],
    *,
    colors: Mapping[str, str],
    axis: str,
    lines: Sequence[str],
    dark: bool,
    row_pixels: int,
) -> go.Figure:
    """Dots in rows, beside the reference of a study.

    Args:
        frame: as `tables.strip_frame` makes it.
        rows: by their names in the frame, from top to bottom.
        colors: of each label.
        axis: what it measures.
        lines: of the title.
        row_pixels: height of a row.
    """
    ink, has_labels = shades(dark)[0], study.head.has_labels
    height = {name: len(rows) - 1 - i for i, name in enumerate(rows)}
    counts = {name: counted(row) for name, row in rows.items()}
    longest = max((len(line) for said in counts.values() for line in said), default=0)
    head = 8 + 22 * len(lines) if lines else 0
    shapes, over = _reference(study, colors, ink)
    x = {
        "range": MARGINS if has_labels else _range([study.reference.value, *frame["value"]]),
        "title": {"text": axis, "font": {"size": 14}},
        "tickfont": {"size": 13, "color": ink},
    }
    y = {
        "tickvals": list(height.values()),
        "ticktext": [f"<b>{plain(name, 60)}</b>" for name in rows],
        "range": [-0.6, max(0.4, len(rows) - 0.4)],
        "tickfont": {"size": 14, "color": ink},
    }
    return drawn(
        _dots(frame, height, colors, dark, "margin" if has_labels else "output"),
        "", dark, 96 + head + row_pixels * max(1, len(rows)), x, y,
        margin={"l": 8, "r": max(110, 16 + 7 * longest), "t": 28 + head, "b": 8},
        title={
            "text": "<br>".join(plain(line, 160) for line in lines), "font": {"size": 16}, "x": 0, "xref": "container",
            "y": 1, "yref": "paper", "yanchor": "bottom", "pad": {"b": 4 + 22 * len(lines), "l": 4},
        },
        shapes=shapes,
        annotations=over + [_beside(height[name], rows[name], said, dark) for name, said in counts.items()],
        showlegend=False,
        clickmode="event+select",
    )  # fmt: skip


def _reference(study: Study, colors: Mapping[str, str], ink: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The reference with the noise floor around it and the line where the label changes: shapes, and the words over them."""
    at, color = study.reference.value, colors.get(study.reference.label, ABSORBED)
    # The margin of two labels moves by twice the shift; the band never gets thinner than it can be seen.
    floor = band(at - 2 * study.noise_floor, at + 2 * study.noise_floor, color, 0.35, "above")
    shapes = [floor, upright(at, {"color": color, "width": 4, "dash": "dot"})]
    apart = at < 0.45
    said = above(at, f"your sentence {at:+.3f}", ink, xanchor="left" if apart else "center", xshift=4 if apart else 0)
    if not study.head.has_labels:
        return shapes, [said]
    place = {"xanchor": "right", "xshift": -4} if apart else {"xanchor": "center"}
    return [*flip_line(ink), *shapes], [above(0, "the label changes here", ink, **place), said]


def counted(row: Row) -> list[str]:
    """What became of the cases of a row: "3 of 7 flip", "2 erased", "1 beyond the limit"."""
    return [
        f"{row.tried} {plain(row.factor.many)}" if row.flips is None else f"{row.flips} of {row.tried} flip",
        *([f"{row.absorbed} erased"] if row.absorbed else []),
        *([f"{row.beyond} beyond the limit"] if row.beyond else []),
    ]


def _beside(y: int, row: Row, said: Sequence[str], dark: bool) -> dict[str, Any]:
    """The counts at the end of a row, its flips in bold."""
    number, _, rest = said[0].partition(" ")
    first = said[0] if row.flips is None else f"<b>{number}</b> {rest}"
    place = {"xref": "paper", "xanchor": "left", "align": "left", "y": y, "yref": "y", "yanchor": "middle"}
    return above(1.01, "<br>".join([first, *said[1:]]), shades(dark)[0] if row.flips else faint(dark), **place)


def _dots(
    frame: pd.DataFrame, height: Mapping[str, int], colors: Mapping[str, str], dark: bool, quantity: str
) -> list[go.Scatter]:
    traces = []
    for fate, (name, style) in FATES.items():
        part = frame[(frame["fate"] == fate) & frame["row"].isin(list(height))]
        if part.empty:
            continue
        color = ABSORBED if style is HOLLOW else [colors.get(label, ABSORBED) for label in part["label"]]
        # The key is not shown: a click hands it back as it is.
        said = [
            [row["variant"], plain(row["visible"]), row["shift"], plain(row["label"], 30), plain(row["tokens"], 110),
             plain(row["probabilities"], 110), plain(row["variant"], 60)]
            for row in part.to_dict("records")
        ]  # fmt: skip
        figure = go.Scatter(
            x=part["value"], y=part["row"].map(height) + _heights(part.groupby("row").cumcount().to_numpy()),
            mode="markers", name=name, customdata=said, marker={"color": color, **style},
            hovertemplate="<b>%{customdata[6]}</b>: %{customdata[3]}<br>%{customdata[1]}<br>%{customdata[4]}<br>"
            f"%{{customdata[5]}}<br>{quantity} %{{x:.3f}}, shift %{{customdata[2]:.3f}}<extra></extra>",
        )  # fmt: skip
        if style is not HOLLOW:
            figure.update(marker_line_color=shades(dark)[0] if fate == "flips" else page(dark))
        traces.append(figure)
    return traces


def _heights(order: np.ndarray) -> np.ndarray:
    """Heights within a row, in [-0.28, 0.28], that keep neighbours apart: van der Corput's sequence, no randomness."""
    bits = (order[:, None] >> np.arange(8)) & 1
    return (bits @ 0.5 ** np.arange(1, 9) - 0.5) * 0.56 + 0.28 / 2**7


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = float(np.min(values)), float(np.max(values))
    room = 0.08 * (high - low) or 0.5
    return low - room, high + room
