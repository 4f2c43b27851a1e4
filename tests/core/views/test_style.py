"""Colours are seen on a white and on a dark page (WCAG 2.2, criteria 1.4.3 and 1.4.11), and figures in a room."""

import plotly.graph_objects as go
import pytest

from core.views import style
from core.views.strip import FATES

OPACITY = FATES["reaches the model"][1]["opacity"]


def luminance(channels: list[float]) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(color: str, page: str, opacity: float = 1.0) -> float:
    below = [int(page[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    over = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    mixed = [opacity * a + (1 - opacity) * b for a, b in zip(over, below, strict=True)]
    dim, bright = sorted((luminance(mixed), luminance(below)))
    return (bright + 0.05) / (dim + 0.05)


@pytest.mark.parametrize("dark", [False, True])
def test_dots_and_words_are_seen_on_both_pages(dark: bool) -> None:
    page = style.page(dark)
    assert all(contrast(color, page, OPACITY) >= 3 for color in style.PALETTE)
    assert contrast(style.ABSORBED, page) >= 3
    assert all(contrast(color, page) >= 4.5 for color in (style.shades(dark)[0], style.faint(dark)))


def test_an_enlarged_figure_has_larger_letters_and_the_room_for_them_and_the_same_marks() -> None:
    dots = go.Scatter(x=[0.1, 0.2], y=[0, 0], mode="markers", marker={"size": 9})
    figure = style.drawn(
        [dots], "A finding", False, 200, {}, {}, annotations=[style.above(0.1, "here", "#000", xshift=4)]
    )
    larger = style.enlarged(figure, 1.5)
    assert [larger.layout.font.size, larger.layout.title.font.size] == [1.5 * 13, 1.5 * 16]
    assert [larger.layout.height, larger.layout.margin.t] == [300, 60]
    note = larger.layout.annotations[0]
    assert [note.font.size, note.xshift, note.x, note.text] == [1.5 * 13, 6, 0.1, "here"]
    assert larger.data == figure.data
    assert figure.layout.height == 200
