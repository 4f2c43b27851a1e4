"""Intervals: they contain their value, solve their equation, and are reproduced by their seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.base.statistics import bootstrap_mean, estimate, wilson


@given(st.integers(1, 1000), st.data())
def test_wilsons_interval_holds_the_share_and_equals_the_root_of_its_equation(total: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, total))
    low, high = wilson(count, total)
    assert 0 <= low <= count / total <= high <= 1
    for bound in (low, high):
        if 0 < bound < 1:
            distance = abs(count / total - bound)
            assert distance == pytest.approx(1.959964 * np.sqrt(bound * (1 - bound) / total), abs=1e-9)


def test_a_share_of_nothing_has_no_interval_and_none_and_all_reach_the_ends() -> None:
    with pytest.raises(ValueError, match="nothing"):
        wilson(0, 0)
    assert wilson(0, 7)[0] == 0.0 < wilson(0, 7)[1] < 1
    assert 0 < wilson(7, 7)[0] < 1.0 == wilson(7, 7)[1]


def test_an_estimate_is_the_middle_95_percent() -> None:
    found = estimate(3.0, np.arange(1001) / 1000)
    assert (found.value, found.low, found.high) == (3.0, 0.025, 0.975)


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
