"""Figures are pure functions: what is drawn is what the frame says, and no text becomes markup."""

import numpy as np
import pytest

from core.models.catalog import load
from core.studies.compare import Comparison, compare
from core.text.perturb import custom, variants
from core.views import figures, tables

TEXT = "This is a test . "


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return compare(load(), TEXT, [*variants(TEXT), custom(TEXT, "<b>bold</b> $x$")])


def strip(comparison: Comparison, **options: object) -> object:
    return figures.margin_strip(
        tables.strip_frame(comparison),
        reference=tables.strip_value(comparison.reference),
        reference_label=comparison.reference.label,
        noise_floor=comparison.noise_floor,
        rows=("whitespace", "casing", "punctuation", "unicode", "typo", "custom"),
        colors=figures.label_colors(comparison.labels),
        **options,  # type: ignore[arg-type]
    )


def test_every_variant_is_one_dot_and_flips_lie_across_the_line(comparison: Comparison) -> None:
    figure = strip(comparison)
    dots = {trace.name: np.asarray(trace.x) for trace in figure.data}  # type: ignore[attr-defined]
    assert sum(map(len, dots.values())) == len(comparison.rows)
    assert len(dots["flips the label"]) == comparison.flips > 0
    assert (dots["flips the label"] <= 0).all()
    assert (dots["reaches the model"] >= 0).all()
    assert set(dots["absorbed by the tokenizer"]) == {comparison.reference.margin}


def test_dots_of_a_row_keep_apart(comparison: Comparison) -> None:
    figure = strip(comparison)
    for trace in figure.data:  # type: ignore[attr-defined]
        points = list(zip(np.round(trace.x, 6), np.round(trace.y, 6), strict=True))
        assert len(points) == len(set(points))


def test_no_text_becomes_markup(comparison: Comparison) -> None:
    drawn = strip(comparison, title="<script>alert(1)</script> $x$").to_json()  # type: ignore[attr-defined]
    for raw in ("<script", "\\u003cscript", "$x$", "bold</b>", "bold\\u003c"):
        assert raw not in drawn


def test_an_empty_comparison_still_draws() -> None:
    assert strip(compare(load(), "?", [])).data == ()  # type: ignore[attr-defined]


def test_labels_keep_their_colour_whatever_stands_beside_them() -> None:
    two, three = figures.label_colors(["negative", "positive"]), figures.label_colors(["Positive", "other", "negative"])
    assert two["positive"] == three["Positive"]
    assert two["negative"] == three["negative"]
    assert len(set(three.values())) == 3


def test_long_text_is_cut() -> None:
    assert len(figures.plain("x" * 1000)) == 90
