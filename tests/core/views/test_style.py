"""Colours are seen on a white and on a dark page: WCAG 2.2, criteria 1.4.3 (words) and 1.4.11 (graphics)."""

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
