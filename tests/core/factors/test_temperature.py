"""Logits to probabilities, for each kind of head."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.base.errors import WobbleError
from core.factors.temperature import (
    averaged,
    averaging_matters,
    check_temperature,
    crossing,
    first_tie,
    probabilities,
    rounded,
    sampled_flips,
)

logits = st.lists(st.floats(-1e4, 1e4), min_size=2, max_size=6)


@given(logits, st.floats(0.05, 20.0))
def test_softmax_and_sigmoid_are_those_of_torch(row: list[float], temperature: float) -> None:
    scaled = torch.tensor(row, dtype=torch.float64) / temperature
    np.testing.assert_allclose(probabilities(np.array(row), "softmax", temperature), scaled.softmax(-1), atol=1e-12)
    np.testing.assert_allclose(probabilities(np.array(row), "sigmoid", temperature), scaled.sigmoid(), atol=1e-12)


@given(logits)
def test_a_regression_head_gives_its_values(row: list[float]) -> None:
    np.testing.assert_array_equal(probabilities(np.array(row), "regression", 3.0), row)


@given(logits, st.floats(0.05, 20.0))
def test_temperature_never_turns_the_order_round(row: list[float], temperature: float) -> None:
    p = probabilities(np.array(row), "softmax", temperature)
    assert p[int(np.argmax(row))] == p.max()


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan"), 1e-38, float("inf"), 1e7])
def test_no_temperature_is_refused_in_one_sentence(temperature: float) -> None:
    with pytest.raises(WobbleError, match="is no usable temperature"):
        check_temperature(temperature)
    assert check_temperature(0.05) == 0.05


@given(st.lists(st.floats(-8, 8), min_size=2, max_size=2), st.floats(0.51, 0.99))
def test_the_crossing_is_where_the_top_probability_meets_the_threshold(row: list[float], threshold: float) -> None:
    where = crossing(np.array(row), threshold)
    if where is not None and 1e-3 < where < 1e3:
        assert probabilities(np.array(row), "softmax", where).max() == pytest.approx(threshold, abs=1e-6)
    assert crossing(np.array(row), 0.5) is None


def test_sampling_flips_as_often_as_its_formula_says_and_repeats() -> None:
    row = np.array([0.7, 0.2, 0.1])
    flips = sampled_flips(row, 10_000, seed=3)
    assert flips == sampled_flips(row, 10_000, seed=3)
    assert flips / 10_000 == pytest.approx(0.3, abs=4 * np.sqrt(0.21 / 10_000))


def test_averaging_before_tempering_can_change_the_label_and_after_cannot() -> None:
    # Two passes lean a little to the first label, one is sure of the second.
    passes = np.array([[0.4, 0.0], [0.4, 0.0], [0.0, 3.0]])
    for temperature in (0.05, 0.5, 1.0, 5.0):
        before, after = averaged(passes, temperature)
        assert before.sum() == pytest.approx(1) and after.sum() == pytest.approx(1)
        assert after.argmax() == 1
    assert averaged(passes, 0.05)[0].argmax() == 0
    assert averaged(passes, 1.0)[0].argmax() == 1
    assert averaging_matters(passes, np.array([0.05, 1.0, 5.0])).tolist() == [True, False, False]


def test_rounded_probabilities_are_near_the_exact_ones() -> None:
    row = np.array([1.0, 0.4, -2.0])
    for dtype, error in (("float32", 1e-6), ("float16", 2e-3), ("bfloat16", 1e-2)):
        np.testing.assert_allclose(rounded(row, dtype, 1.7), probabilities(row, "softmax", 1.7), atol=error)


def test_half_precision_ties_first_in_the_coarsest_type() -> None:
    grid = np.geomspace(1, 1e6, 400)
    row = np.array([1.0, 0.4])
    ties = [first_tie(row, dtype, grid) for dtype in ("bfloat16", "float16", "float32")]
    assert ties[0] is not None and ties[1] is not None
    assert ties[0] < ties[1]
    assert ties[2] is None or ties[2] > ties[1]
