"""Shift, margin and flip: their formulas, their ranges, and what a thing is against itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.factors.temperature import probabilities
from core.models.heads import (
    bootstrap_mean,
    entropy,
    flip,
    label_name,
    margin,
    mutual_information,
    shift,
    variation_ratio,
    wilson,
)

rows = st.lists(st.lists(st.floats(-20, 20), min_size=3, max_size=3), min_size=1, max_size=5)


def test_worked_example() -> None:
    reference = np.array([0.7, 0.2, 0.1])
    p = np.array([[0.4, 0.5, 0.1], [0.7, 0.2, 0.1]])
    np.testing.assert_allclose(shift(p, reference, "softmax"), [0.3, 0.0])
    found = margin(p, reference, "softmax")
    assert found is not None
    np.testing.assert_allclose(found, [-0.1, 0.5])
    assert flip(p, reference, "softmax").tolist() == [True, False]  # type: ignore[union-attr]


@given(rows)
def test_a_row_against_itself_neither_shifts_nor_flips(logits: list[list[float]]) -> None:
    for head in ("softmax", "sigmoid"):
        p = probabilities(np.array(logits), head)
        for row in p:
            assert shift(row[None], row, head)[0] == 0.0
            assert not flip(row[None], row, head)[0]  # type: ignore[index]


@given(rows)
def test_shift_and_margin_stay_in_range_and_a_negative_margin_is_a_flip(logits: list[list[float]]) -> None:
    p = probabilities(np.array(logits), "softmax")
    moved, margins, flips = (f(p, p[0], "softmax") for f in (shift, margin, flip))
    assert margins is not None and flips is not None
    assert ((moved >= 0) & (moved <= 1 + 1e-12)).all()
    assert (np.abs(margins) <= 1).all()
    assert flips[margins < 0].all()
    assert not flips[margins > 0].any()


def test_a_multi_label_flip_is_another_set_above_the_threshold() -> None:
    reference = np.array([0.9, 0.2])
    p = np.array([[0.8, 0.3], [0.8, 0.6], [0.4, 0.2]])
    assert flip(p, reference, "sigmoid").tolist() == [False, True, True]  # type: ignore[union-attr]
    found = margin(p, reference, "sigmoid")
    assert found is not None
    np.testing.assert_allclose(found, [0.4, -0.2, -0.2])
    np.testing.assert_allclose(shift(p, reference, "sigmoid"), [0.1, 0.4, 0.5])


def test_regression_has_no_flip_and_no_margin() -> None:
    values = np.array([[2.0], [2.5]])
    assert flip(values, values[0], "regression") is None
    assert margin(values, values[0], "regression") is None
    np.testing.assert_allclose(shift(values, values[0], "regression"), [0.0, 0.5])


@pytest.mark.parametrize(
    ("row", "head", "said"),
    [
        ([0.2, 0.8], "softmax", "b"),
        ([0.6, 0.8], "sigmoid", "a + b"),
        ([0.1, 0.2], "sigmoid", "none"),
        ([1.25], "regression", "1.250"),
    ],
)
def test_a_prediction_in_words(row: list[float], head: str, said: str) -> None:
    assert label_name(np.array(row), head, ("a", "b")) == said  # type: ignore[arg-type]


def test_entropy_of_certainty_is_none_and_of_a_coin_is_log_two() -> None:
    assert entropy(np.array([1.0, 0.0]), "softmax") == pytest.approx(0)
    assert entropy(np.array([0.5, 0.5]), "softmax") == pytest.approx(np.log(2))
    assert entropy(np.array([0.5, 1.0]), "sigmoid") == pytest.approx(np.log(2))


def test_mutual_information_is_none_where_passes_agree_and_log_two_where_they_contradict() -> None:
    assert mutual_information(np.array([[0.6, 0.4]] * 5), "softmax") == pytest.approx(0)
    assert mutual_information(np.array([[1.0, 0.0], [0.0, 1.0]]), "softmax") == pytest.approx(np.log(2))


def test_variation_ratio_counts_those_who_left_the_majority() -> None:
    assert variation_ratio(np.array([[0.9, 0.1]] * 3 + [[0.2, 0.8]]), "softmax") == pytest.approx(0.25)


@given(st.integers(1, 1000), st.data())
def test_wilsons_interval_holds_the_share_and_equals_the_root_of_its_equation(total: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, total))
    low, high = wilson(count, total)
    assert 0 <= low <= count / total <= high <= 1
    for bound in (low, high):
        if 0 < bound < 1:
            distance = abs(count / total - bound)
            assert distance == pytest.approx(1.959964 * np.sqrt(bound * (1 - bound) / total), abs=1e-9)


def test_a_bootstrapped_mean_holds_its_value_and_is_as_wide_as_its_standard_error() -> None:
    values = np.random.default_rng(1).normal(3.0, 2.0, size=400)
    found = bootstrap_mean(values)
    assert found.value == pytest.approx(values.mean())
    assert found.low < found.value < found.high
    assert found.high - found.low == pytest.approx(2 * 1.96 * values.std() / np.sqrt(400), rel=0.15)


def test_a_bootstrap_is_replayed_from_its_seed_and_draws_from_its_own_generator() -> None:
    values = np.arange(50) / 50
    before = np.random.get_state()[1].tolist()  # noqa: NPY002 - the point is that nobody touched it
    assert bootstrap_mean(values) == bootstrap_mean(values) != bootstrap_mean(values, seed=1)
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002
    one = bootstrap_mean(np.array([0.3]))
    assert (one.value, one.low, one.high) == (0.3, 0.3, 0.3)
    with pytest.raises(ValueError, match="no text"):
        bootstrap_mean(np.array([]))
