"""What a temperature can change, and what it cannot."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.base.errors import WobbleError
from core.factors.case import Row
from core.factors.registry import factors
from core.factors.temperature import check_temperature
from core.models.catalog import load
from core.models.classifier import Classifier
from core.models.heads import SOFTMAX
from core.studies.study import study
from core.studies.temperatures import averaged, crossing, first_tie, rounded, sampled_flips

TEXT = "Few films this year have been as resolute in their emotional nakedness."


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan"), 1e-38, float("inf"), 1e7])
def test_no_temperature_is_refused_in_one_sentence(temperature: float) -> None:
    with pytest.raises(WobbleError, match="is not a usable temperature"):
        check_temperature(temperature)
    for usable in (1e-3, 0.05, 1e6):
        assert check_temperature(usable) == usable


def row(classifier: Classifier, at: tuple[float, ...] | None = None, temperature: float = 1.0) -> Row:
    options = {} if at is None else {"temperature": {"at": at}}
    return study(classifier, TEXT, ["temperature"], options, temperature=temperature)["temperature"]


@pytest.mark.parametrize("outside", [0.0009, 1e6 + 1])
def test_a_temperature_outside_the_range_is_refused_before_anything_runs(outside: float) -> None:
    with pytest.raises(WobbleError, match=r"0\.001"):
        factors(["temperature"])[0].check({"at": (1.0, outside)})


def test_the_row_of_temperature_divides_the_logits_and_moves_no_label() -> None:
    classifier = load()
    found = row(classifier, at=(0.5, 1.0, 3.0))
    reference = study(classifier, TEXT, []).reference
    for case, t in zip(found.cases, (0.5, 1.0, 3.0), strict=True):
        assert (case.name, case.made.document()) == (f"T = {t:g}", {"temperature": t})
        np.testing.assert_array_equal(case.probabilities, SOFTMAX.probabilities(reference.logits, t))
        np.testing.assert_array_equal(case.logits, reference.logits)
        assert case.difference == 0 and case.label == reference.label
    assert [case.shift == 0 for case in found.cases] == [False, True, False]
    assert found.flips == 0 and found.worst is None and not found.factor.flips_count
    assert found.facts["sampled"] == pytest.approx(1 - reference.probabilities.max())
    assert f"with probability {found.facts['sampled']:.2f}" in found.notes[0]


def test_temperatures_are_absolute_whatever_the_study_stands_at() -> None:
    cold, warm = row(load()), row(load(), temperature=2.0)
    # A label is drawn from the probabilities that the study shows.
    shown = study(load(), TEXT, [], temperature=2.0).reference.probabilities
    assert warm.facts["sampled"] == pytest.approx(1 - shown.max()) and warm.facts["sampled"] > cold.facts["sampled"]
    for one, other in zip(cold.cases, warm.cases, strict=True):
        np.testing.assert_array_equal(one.probabilities, other.probabilities)
    assert {case.name: case.shift for case in warm.cases}["T = 2"] == 0


def test_what_is_no_temperature_is_refused_in_a_study_too(tiny: Callable[..., Classifier]) -> None:
    for at in ((0.0,), (1.0, float("nan"))):
        with pytest.raises(WobbleError):
            row(load(), at=at)
    value = tiny("bert", num_labels=1, problem_type="regression")
    assert (row(value).cases, row(value).notes) == ((), ("A value has no temperature.",))


@given(st.lists(st.floats(-8, 8), min_size=2, max_size=2), st.floats(0.51, 0.99))
def test_the_crossing_is_where_the_top_probability_meets_the_threshold(row: list[float], threshold: float) -> None:
    where = crossing(np.array(row), threshold)
    if where is not None and 1e-3 < where < 1e3:
        assert SOFTMAX.probabilities(np.array(row), where).max() == pytest.approx(threshold, abs=1e-6)
    assert crossing(np.array(row), 0.5) is None


def test_sampling_flips_as_often_as_its_formula_says_and_repeats() -> None:
    row = np.array([0.7, 0.2, 0.1])
    flips = sampled_flips(row, 10_000, seed=3)
    assert flips == sampled_flips(row, 10_000, seed=3)
    assert flips / 10_000 == pytest.approx(0.3, abs=4 * np.sqrt(0.21 / 10_000))


def test_averaging_before_tempering_can_change_the_label_and_after_cannot() -> None:
    # Two passes lean a little to the first label, one is sure of the second.
    passes = np.array([[0.4, 0.0], [0.4, 0.0], [0.0, 3.0]])
    before, after = averaged(passes, np.array([0.05, 0.5, 1.0, 5.0]))
    np.testing.assert_allclose([before.sum(axis=-1), after.sum(axis=-1)], 1)
    assert before.argmax(axis=-1).tolist() == [0, 1, 1, 1] and after.argmax(axis=-1).tolist() == [1, 1, 1, 1]


def test_rounded_probabilities_are_near_the_exact_ones() -> None:
    row = np.array([1.0, 0.4, -2.0])
    for dtype, error in (("float32", 1e-6), ("float16", 2e-3), ("bfloat16", 1e-2)):
        np.testing.assert_allclose(rounded(row, dtype, 1.7), SOFTMAX.probabilities(row, 1.7), atol=error)


def test_half_precision_ties_first_in_the_coarsest_type() -> None:
    grid = np.geomspace(1, 1e6, 400)
    row = np.array([1.0, 0.4])
    ties = [first_tie(row, dtype, grid) for dtype in ("bfloat16", "float16", "float32")]
    assert ties[0] is not None and ties[1] is not None
    assert ties[0] < ties[1]
    assert ties[2] is None or ties[2] > ties[1]
