"""Charts are pure functions: each draws what it is given, light and dark, and no text becomes markup."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from core.base.statistics import Estimate, wilson
from core.models.catalog import load
from core.studies.study import Study, arranged, study
from core.views import charts, charts_training
from tests.architectures import loaded, save

LABELS = ("<b>good</b>", "$bad$", "other")
RNG = np.random.default_rng(0)
P = RNG.dirichlet(np.ones(3), size=20)
TEMPERATURES = np.geomspace(0.05, 20, 20)
STRIP = pd.DataFrame(
    {
        "key": ["", "upper"],
        "name": ["your sentence", LABELS[0]],
        "visible": ["a·b", LABELS[1]],
        "tokens": ["a b", LABELS[0]],
        "before": [0.4, 0.2],
        "after": [0.1, 0.05],
        "label": LABELS[:2],
        "said_before": ["p", LABELS[0]],
        "said_after": ["p", LABELS[1]],
    }
)
BARS = pd.DataFrame({"name": LABELS, "value": [0.1, 0.2, 0.3], "low": 0.05, "high": 0.4, "said": LABELS})
STEPS = pd.DataFrame({"member": LABELS[0], "step": [1, 2], "loss": [0.7, 0.6], "accuracy": [0.5, 0.6]})

Draw = Callable[[str, bool], go.Figure]
DRAWN: dict[str, Draw] = {
    "pass_distribution": lambda title, dark: charts.pass_distribution(P, P[0], LABELS, title=title, dark=dark),
    "settling": lambda title, dark: charts.settling(P[:, 0] > 0.5, wilson, title=title, dark=dark),
    "temperature_curves": lambda title, dark: charts.temperature_curves(
        TEMPERATURES, P, P[:, 0], LABELS, at=2.0, most=1.1, title=title, dark=dark
    ),
    "tempered_strip": lambda title, dark: charts.tempered_strip(
        STRIP, colors={}, reference_label=LABELS[0], at="2", title=title, dark=dark
    ),
    "reliability_diagram": lambda title, dark: charts.reliability_diagram(
        np.array([0.6, np.nan, 0.9]), np.array([0.5, np.nan, 0.8]), np.array([3, 0, 9]), title=title, dark=dark
    ),
    "seed_grid": lambda title, dark: charts_training.seed_grid(
        P[:2], LABELS[:2], LABELS, sides=("#000", "#fff"), title=title, dark=dark
    ),
    "level_bars": lambda title, dark: charts_training.level_bars(
        BARS.rename(columns={"value": "accuracy"}).assign(seed=[42, 43, 44]),
        disagreement=Estimate(0.1, 0.05, 0.2),
        title=title,
        dark=dark,
    ),
    "interpolation": lambda title, dark: charts_training.interpolation(
        np.linspace(0, 1, 3), P[:3, 0], P[:3, 1], P[:3, 2], LABELS[0], ends=("42", "43"), title=title, dark=dark
    ),
    "loss_curves": lambda title, dark: charts_training.loss_curves(STEPS, STEPS, title=title, dark=dark),
    "share_bars": lambda title, dark: charts_training.share_bars(BARS, title=title, x="what", y="share", dark=dark),
}


@pytest.mark.parametrize("name", DRAWN)
def test_a_chart_says_its_title_and_turns_no_text_into_markup(name: str) -> None:
    drawn = DRAWN[name]("<script>alert(1)</script> $x$", False)
    assert drawn.data and "alert(1)" in drawn.layout.title.text
    for raw in ("<script", "\\u003cscript", "$x$", "$bad$", "good</b>", "good\\u003c"):
        assert raw not in drawn.to_json()


@pytest.mark.parametrize("name", DRAWN)
def test_a_chart_has_light_ink_on_a_dark_page(name: str) -> None:
    light, dark = DRAWN[name]("t", False), DRAWN[name]("t", True)
    assert light.layout.font.color != dark.layout.font.color
    assert light.layout.paper_bgcolor == "rgba(0,0,0,0)"


def test_the_current_temperature_and_one_are_marked_on_the_curves() -> None:
    drawn = DRAWN["temperature_curves"]("t", False)
    assert [shape.x0 for shape in drawn.layout.shapes[:2]] == [1.0, 2.0]
    assert [annotation.text for annotation in drawn.layout.annotations] == ["T = 1", "T = 2", "a guess: 1.100"]


def test_both_dots_of_a_text_lie_on_its_line_before_the_line_where_the_label_changes() -> None:
    drawn = DRAWN["tempered_strip"]("t", False)
    line, before, after = drawn.data
    assert list(line.x)[:2] == [before.x[0], after.x[0]]
    assert drawn.layout.shapes[0].x1 == drawn.layout.shapes[1].x0 == 0


def test_at_the_models_own_temperature_each_text_has_one_dot() -> None:
    drawn = charts.tempered_strip(STRIP, colors={}, reference_label=LABELS[0], at="1", title="t")
    assert len(drawn.data) == 2 and "open dot" not in drawn.layout.xaxis.title.text


@pytest.fixture(scope="module")
def rounded() -> Study:
    return study(load(), "This is a test .", ["numerics"])


def test_each_condition_stands_at_its_shift_and_what_is_exactly_zero_at_the_left_edge(rounded: Study) -> None:
    drawn = charts.condition_shifts(rounded, rounded.rows[0], title="t")
    (dots,), x = drawn.data, drawn.layout.xaxis
    cases = rounded.rows[0].cases
    shifts = [case.shift for case in cases]
    zeros = [at for at, shift in zip(dots.x, shifts, strict=True) if shift == 0]
    assert zeros and set(zeros) == {x.tickvals[0]} and x.ticktext[0] == "0"
    assert x.type == "log" and 10 ** x.range[0] < x.tickvals[0] < charts.SMALLEST == min(x.tickvals[1:])
    assert [at for at in dots.x if at not in zeros] == [shift for shift in shifts if shift > 0]
    assert list(drawn.layout.yaxis.ticktext) == [case.name for case in cases]


def test_the_case_that_is_opened_has_a_ring_around_its_dot(rounded: Study) -> None:
    case = max(rounded.cases, key=lambda case: case.shift)
    dots, ring = charts.condition_shifts(rounded, rounded.rows[0], title="t", marked=case.name).data
    at = [said[0] for said in dots.customdata].index(case.name)
    assert (ring.x[0], ring.y[0]) == (dots.x[at], dots.y[at]) == (case.shift, at)
    *_, after, ring = charts.tempered_strip(
        STRIP, colors={}, reference_label=LABELS[0], at="2", title="t", marked="upper"
    ).data
    assert (ring.x[0], ring.y[0]) == (after.x[1], after.y[1])


def test_noise_floor_and_the_smallest_shift_that_can_flip_are_lines(rounded: Study) -> None:
    margin = rounded.reference.margin
    assert margin is not None
    drawn = charts.condition_shifts(rounded, rounded.rows[0], title="t")
    lines = [shape.x0 for shape in drawn.layout.shapes if shape.type == "line"]
    assert lines == [rounded.noise_floor, margin / 2]
    said = [annotation.text for annotation in drawn.layout.annotations]
    assert said == [f"noise floor {rounded.noise_floor:.1e}", f"no flip below {margin / 2:.2g}"]
    for case in rounded.cases:
        assert case.margin is not None and case.margin >= margin - 2 * case.shift - 1e-12


def test_a_value_has_no_shift_that_flips_and_its_axis_reaches_its_largest_shift(tmp_path: Path) -> None:
    value = study(loaded(save("bert", tmp_path, labels=["score"], problem_type="regression")), "a b", ["numerics"])
    row = value.rows[0]
    far = replace(row, cases=(replace(row.cases[0], shift=250.0), *row.cases[1:]))
    drawn = charts.condition_shifts(arranged(value, [far]), far, title="t")
    assert [shape.type for shape in drawn.layout.shapes].count("line") == 1
    assert 10 ** drawn.layout.xaxis.range[1] > 250
