"""Wobble's picture: the signed margin of every case on one axis, one row per factor; what crosses zero has flipped."""

import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from core.base.words import listed, shortened
from core.factors.case import Row
from core.studies.study import Study
from core.studies.verdict import finding
from core.views.html import words
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
    ring,
    shades,
    two_lines,
    upright,
)
from core.views.tables import strip_records

HOLLOW = {"symbol": "circle-open", "size": 9, "line": {"width": 1.5}}
FATES: dict[str, tuple[str, dict[str, Any]]] = {
    "absorbed": ("absorbed by the tokenizer", HOLLOW),
    "beyond the limit": ("beyond the limit, not tried", HOLLOW),
    "reaches the model": ("reaches the model", {"symbol": "circle", "size": 11, "opacity": 0.9, "line": {"width": 1}}),
    "flips": ("flips the label", {"symbol": "diamond", "size": 16, "line": {"width": 1.5}}),
}
"""What the dots of a fate are called, and how they look; the last are drawn on top."""
TITLE = 84
"""Characters in a line of the title."""


@dataclass(frozen=True)
class Line:
    """One line of the strip: a row of a study, the study's place, what stands before it (Plotly's markup), and its height."""

    study: Study
    place: int
    row: Row
    said: str
    y: float


def figure(
    study: Study,
    *,
    beside: Sequence[Study] = (),
    names: Sequence[str] = (),
    title: str | None = None,
    dark: bool = False,
    marked: str = "",
) -> go.Figure:
    """The margin strip of a study: a row per factor, a dot per case in the colour of the label that it predicts.

    Args:
        beside: studies of other models or texts, all with labels or all without: a factor has a row for each. A click opens no
            case of another text.
        names: of all studies, where it is not their models that tell them apart.
        title: the finding in words; by default the study's own, or how many flip under each model.
        marked: the key of a case that a ring is drawn around, under each model; none where it is not here.
    """
    studies, ink, has_labels = (study, *beside), shades(dark)[0], study.head.has_labels
    names = names or [one.model for one in studies]
    lines = _lines(studies, names)
    colors = {label: color for one in reversed(studies) for label, color in label_colors(one.labels).items()}
    cases = _cases(studies, lines)
    title_lines = textwrap.wrap(_finding(studies, names) if title is None else title, TITLE)
    head, counts = 8 + 22 * len(title_lines) if title_lines else 0, [counted(line.row) for line in lines]
    longest = max((len(said) for count in counts for said in count), default=0)
    low = lines[-1].y if lines else 0
    x = {
        "range": [*MARGINS]
        if has_labels
        else _range([*(one.reference.value for one in studies), *(case["value"] for case in cases)]),
        "title": {"text": _axis(studies), "font": {"size": 14}},
        "tickfont": {"size": 14, "color": ink},
    }
    y = {
        "tickvals": [line.y for line in lines],
        "ticktext": [line.said for line in lines],
        "range": [low - 0.6, 0.6],
        "tickfont": {"size": 15 if len(studies) == 1 else 13, "color": ink},
    }
    shapes, over = _reference(lines, colors, ink) if beside else _own_reference(study, colors, ink)
    dots: list[Any] = _dots(cases, colors, dark, "margin" if has_labels else "output")
    opened = [case for case in cases if marked and case["variant"] == marked]
    return drawn(
        [*dots, ring([one['value'] for one in opened], [one['y'] for one in opened], dark)] if opened else dots,
        "", dark, 96 + head + 36 * (1 - low), x, y,
        margin={"l": 8, "r": max(118, 16 + 7 * longest), "t": 28 + head, "b": 8},
        title={
            "text": "<br>".join(plain(line, 160) for line in title_lines), "font": {"size": 16}, "x": 0, "xref": "container",
            "y": 1, "yref": "paper", "yanchor": "bottom", "pad": {"b": 4 + 22 * len(title_lines), "l": 4},
        },
        shapes=shapes,
        annotations=over + [_beside(line, said, dark) for line, said in zip(lines, counts, strict=True)],
        showlegend=False,
        clickmode="event+select",
    )  # fmt: skip


def _lines(studies: Sequence[Study], names: Sequence[str]) -> list[Line]:
    """The rows that have cases, from top to bottom: as a study wants them; of several studies those of one name together."""
    found: list[Line] = []
    y = 0.0
    for name in dict.fromkeys(name for study in studies for name in study.wanted):
        rows = [(i, study) for i, study in enumerate(studies) if name in study and study[name].cases]
        for number, (i, study) in enumerate(rows):
            # In lines, or long names would leave the dots no room on a phone.
            said = [f"<b>{two_lines(name, 20)}</b>"] * (number == 0) + [plain(names[i], 24)] * (len(studies) > 1)
            found.append(Line(study, i, study[name], "<br>".join(said), y))
            y -= 1
        # Rows of one factor stand closer together than factors.
        y -= 0.5 * (len(studies) > 1 and bool(rows))
    return found


def _cases(studies: Sequence[Study], lines: Sequence[Line]) -> list[dict[str, Any]]:
    """What is shown of the cases on all lines, each with its height `y`."""
    found, order = [], Counter[tuple[int, str]]()
    heights = {(line.place, line.row.name): line.y for line in lines}
    for place, one in enumerate(studies):
        # The key of a case means something else where the text is another.
        closed = {} if one.reference.text == studies[0].reference.text else {"variant": ""}
        for case in strip_records(one):
            key = place, case["row"]
            found.append(case | closed | {"y": heights[key] + _height(order[key])})
            order[key] += 1
    return found


def _finding(studies: Sequence[Study], names: Sequence[str]) -> str:
    if len(studies) == 1:
        return finding(studies[0])
    if not studies[0].head.has_labels:
        return "How far each moves the output of each model"
    counts = (f"{one.flips or 'none'} of {one.tried} under {name}" for one, name in zip(studies, names, strict=True))
    return f"Flips: {listed(list(counts))}"


def _axis(studies: Sequence[Study]) -> str:
    """What the axis measures."""
    if not studies[0].head.has_labels:
        return "output of the model"
    return "margin" if len(studies) > 1 else f"margin of {plain(f'“{studies[0].reference.label}”', 40)}"


def _floor(study: Study, colors: Mapping[str, str]) -> dict[str, Any]:
    """The noise floor around the reference."""
    at, color = study.reference.value, colors.get(study.reference.label, ABSORBED)
    # The margin of two labels moves by twice the shift; the band is never too thin to be seen.
    return band(at - 2 * study.noise_floor, at + 2 * study.noise_floor, color, 0.35, "above")


def _own_reference(
    study: Study, colors: Mapping[str, str], ink: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The reference with the noise floor around it and the line where the label changes: shapes, and the words over them."""
    at, color = study.reference.value, colors.get(study.reference.label, ABSORBED)
    shapes = [_floor(study, colors), upright(at, {"color": color, "width": 4, "dash": "dot"})]
    # To the right of their line, as the other words stand to the left of theirs: they never meet, and stay within the figure.
    right = {"xanchor": "left", "xshift": 4 if at < 0.85 else -14} if study.head.has_labels else {}
    said = above(at, f"your sentence {at:+.3f}", ink, **right)
    return ([*flip_line(ink), *shapes], [_changes(ink), said]) if study.head.has_labels else (shapes, [said])


def _reference(
    lines: Sequence[Line], colors: Mapping[str, str], ink: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Each model's reference in its lines, and the line where the label changes."""
    shapes = []
    for line in lines:
        at, within = line.study.reference.value, {"yref": "y", "y0": line.y - 0.46, "y1": line.y + 0.46}
        tick = upright(at, {"color": colors.get(line.study.reference.label, ABSORBED), "width": 4})
        shapes += [_floor(line.study, colors) | within, tick | within | {"layer": "below"}]
    has_labels = all(line.study.head.has_labels for line in lines)
    return ([*flip_line(ink), *shapes], [_changes(ink)]) if has_labels else (shapes, [])


def _changes(ink: str) -> dict[str, Any]:
    """The words over the line at zero."""
    return above(0, "the label changes here", ink, xanchor="right", xshift=2)


MOST_LABELS = 8
"""Labels that a legend names."""


def legend_html(study: Study, *beside: Study) -> str:
    """What forms and colours mean on the strip of some studies, as far as they occur there, as a line of HTML.

    The forms are classes of the style sheets: no page of Streamlit shows SVG.
    """
    studies = (study, *beside)
    colors = {label: color for one in reversed(studies) for label, color in label_colors(one.labels).items()}
    found = [(row.fate(case), case.label) for one in studies for row in one.rows for case in row.cases]
    fates, has_labels = {fate for fate, _ in found}, study.head.has_labels
    labels = dict.fromkeys([*(one.reference.label for one in studies), *(label for _, label in found)])
    own, one_sentence = colors.get(study.reference.label, ABSORBED), len({one.reference.text for one in studies}) == 1
    shown = [
        *([("dot", colors[label], label) for label in labels if label in colors][:MOST_LABELS] if has_labels else []),
        *([("diamond", "currentColor", FATES["flips"][0])] if "flips" in fates else []),
        *(("ring", ABSORBED, FATES[fate][0]) for fate in ("absorbed", "beyond the limit") if fate in fates),
        ("dotted", own, "your sentence")
        if not beside
        else ("solid", own, "your sentence under each model" if one_sentence else "each sentence as it is"),
        *([("grey", ABSORBED, "a label other than your sentence's")] if has_labels else []),
    ]
    items = (
        f"<span><i class='{mark}' style='color:{color}'></i>{words(shortened(said, 60))}</span>"
        for mark, color, said in shown
    )
    return f"<div class='w-legend'>{''.join(items)}</div>"


def counted(row: Row) -> list[str]:
    """What became of the cases of a row: "3 of 7 flip", "2 absorbed", "1 beyond the limit"; a dash where none can flip."""
    flips = f"{row.flips} of {row.tried} flip" if row.can_flip else "–"
    return [
        f"{row.tried} {plain(row.factor.many)}" if row.flips is None else flips,
        *([f"{row.absorbed} absorbed"] if row.absorbed else []),
        *([f"{row.beyond} beyond the limit"] if row.beyond else []),
    ]


def _beside(line: Line, said: Sequence[str], dark: bool) -> dict[str, Any]:
    """The counts at the end of a line, its flips in bold."""
    number, _, rest = said[0].partition(" ")
    first = said[0] if line.row.flips is None else f"<b>{number}</b> {rest}"
    place = {"xref": "paper", "xanchor": "left", "align": "left", "y": line.y, "yref": "y", "yanchor": "middle"}
    return above(1.01, "<br>".join([first, *said[1:]]), shades(dark)[0] if line.row.flips else faint(dark), **place)


def _dots(
    cases: Sequence[Mapping[str, Any]], colors: Mapping[str, str], dark: bool, quantity: str
) -> list[dict[str, Any]]:
    """A trace per fate: plain values, which Plotly takes as they are."""
    traces: list[dict[str, Any]] = []
    for fate, (name, style) in FATES.items():
        part = [case for case in cases if case["fate"] == fate]
        if not part:
            continue
        marker = style | {"color": ABSORBED if style is HOLLOW else [colors.get(c["label"], ABSORBED) for c in part]}
        if style is not HOLLOW:
            marker |= {"line": style["line"] | {"color": shades(dark)[0] if fate == "flips" else page(dark)}}
        # The key is not shown: a click hands it back as it is.
        said = [
            [row["variant"], plain(row["visible"]), row["shift"], plain(row["label"], 30), plain(row["tokens"], 110),
             plain(row["probabilities"], 110), plain(row["description"], 90)]
            for row in part
        ]  # fmt: skip
        traces.append(
            {
                "type": "scatter", "x": [c["value"] for c in part], "y": [c["y"] for c in part],
                "mode": "markers", "name": name, "customdata": said, "marker": marker,
                # A click opens a case, which gets a ring; the others do not fade.
                "unselected": {"marker": {"opacity": style.get("opacity", 1)}},
                "hovertemplate": "<b>%{customdata[6]}</b>: %{customdata[3]}<br>%{customdata[1]}<br>%{customdata[4]}<br>"
                f"%{{customdata[5]}}<br>{quantity} %{{x:.3f}}, shift %{{customdata[2]:.3f}}<extra></extra>",
            }
        )  # fmt: skip
    return traces


def _height(number: int) -> float:
    """The height of a case within its row, in [-0.28, 0.28], that keeps neighbours apart: van der Corput's sequence, no
    randomness.
    """
    place = sum((number >> bit & 1) * 0.5 ** (bit + 1) for bit in range(8))
    return (place - 0.5) * 0.56 + 0.28 / 2**7


def _range(values: Sequence[float]) -> list[float]:
    low, high = float(np.min(values)), float(np.max(values))
    room = 0.08 * (high - low) or 0.5
    return [low - room, high + room]
