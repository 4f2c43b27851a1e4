"""Heads: one contract that all keep, the formulas of each, and a prediction compared with itself."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.models.heads import REGRESSION, SIGMOID, SOFTMAX, THRESHOLD, Head

rows = st.lists(st.lists(st.floats(-20, 20), min_size=3, max_size=3), min_size=1, max_size=5)
logits = st.lists(st.floats(-1e4, 1e4), min_size=2, max_size=6)
temperatures = st.floats(0.05, 20.0)
HEADS = {head.name: head for head in (SOFTMAX, SIGMOID, REGRESSION)}
heads = pytest.mark.parametrize("head", HEADS.values(), ids=str)
LABELS = ("a", "b", "c")


# --- the contract of all heads ---------------------------------------------------------------------------------------


@heads
@given(rows)
def test_a_row_against_itself_neither_shifts_nor_flips(head: Head, logits: list[list[float]]) -> None:
    p = head.probabilities(np.array(logits))
    for row in p:
        assert head.shifts(row[None], row)[0] == 0.0
        flips, margins = head.flips(row[None], row), head.margins(row[None], row)
        assert (flips is None) == (margins is None) == (not head.has_labels)
        if flips is not None and margins is not None:
            assert not flips[0]
            assert 0 <= margins[0] <= 1


@heads
def test_measures_are_taken_in_double_precision_and_predictions_are_yes_or_no(head: Head) -> None:
    z = np.array([[1.0, 2.0, 3.0]], np.float32)
    p = head.probabilities(z, 0.7)
    assert p.dtype == np.float64 and head.predicted(p).dtype == bool
    assert np.array_equal(p, head.probabilities(z.astype(np.float64), 0.7))


@heads
@given(rows)
def test_measures_stay_in_range_and_a_negative_margin_is_a_flip(head: Head, logits: list[list[float]]) -> None:
    p = head.probabilities(np.array(logits))
    moved, margins, flips = head.shifts(p, p[0]), head.margins(p, p[0]), head.flips(p, p[0])
    assert (moved >= 0).all()
    if margins is None or flips is None:
        return
    assert (moved <= 1 + 1e-12).all()
    assert (np.abs(margins) <= 1 + 1e-12).all()
    assert flips[margins < 0].all()
    assert not flips[margins > 0].any()


@heads
@given(rows, temperatures)
def test_measures_of_many_rows_are_those_of_each(head: Head, logits: list[list[float]], temperature: float) -> None:
    z = np.array(logits)
    p = head.probabilities(z, temperature)
    assert p.shape == z.shape and p.dtype == np.float64
    for i, row in enumerate(z):
        np.testing.assert_array_equal(head.probabilities(row, temperature), p[i])
        np.testing.assert_array_equal(head.predicted(p[i]), head.predicted(p)[i])
        assert head.shifts(p, p[0])[i] == head.shifts(p[i : i + 1], p[0])[0]
        if head.has_labels:
            assert head.entropy(p)[i] == head.entropy(p[i])


@heads
@given(logits, temperatures)
def test_no_temperature_changes_what_is_predicted(head: Head, row: list[float], temperature: float) -> None:
    plain, tempered = head.probabilities(np.array(row)), head.probabilities(np.array(row), temperature)
    # Probabilities that differ by less than floating point can say are one and the same.
    apart = np.abs(plain - plain.max()) if head.exclusive else np.abs(plain - THRESHOLD)
    sure = apart.size < 2 or np.sort(apart)[1 if head.exclusive else 0] > 1e-9
    if sure:
        np.testing.assert_array_equal(head.predicted(tempered), head.predicted(plain))


@heads
@given(rows)
def test_labels_are_those_that_are_predicted(head: Head, logits: list[list[float]]) -> None:
    for row in head.probabilities(np.array(logits)):
        said = head.label(row, LABELS)
        chosen = [name for name, yes in zip(LABELS, head.predicted(row), strict=True) if yes]
        if head.has_labels:
            assert said == (" + ".join(chosen) or "none")
            assert len(chosen) == 1 or not head.exclusive
        else:
            assert chosen == []
            assert said == ", ".join(f"{value:.3f}" for value in row)


@heads
def test_a_head_is_one_object_however_it_is_copied(head: Head) -> None:
    assert HEADS[head.name] is head
    assert copy.copy(head) is copy.deepcopy(head) is pickle.loads(pickle.dumps(head)) is head
    assert str(head) == head.name
    assert head.meaning.startswith(head.name)


@heads
@given(rows)
def test_uncertainty_is_never_negative_and_none_where_passes_agree(head: Head, logits: list[list[float]]) -> None:
    p = head.probabilities(np.array(logits))
    assert 0 <= head.variation_ratio(p) < 1
    assert head.variation_ratio(p[:1].repeat(3, axis=0)) == 0
    if head.has_labels:
        assert (head.entropy(p) >= 0).all()
        assert 0 <= head.mutual_information(p) <= head.entropy(p.mean(axis=0)) + 1e-12
        assert head.mutual_information(p[:1].repeat(3, axis=0)) == pytest.approx(0, abs=1e-12)


@heads
@given(rows)
def test_the_probability_of_drawing_another_label(head: Head, logits: list[list[float]]) -> None:
    p = head.probabilities(np.array(logits))[0]
    drawn = head.sampled(p)
    if not head.has_labels:
        assert drawn is None
    else:
        kept = np.where(head.predicted(p), p, 1.0 if head.exclusive else 1 - p).prod()
        assert drawn == pytest.approx(1 - kept, abs=1e-12)


# --- the formulas of each --------------------------------------------------------------------------------------------


@given(logits, temperatures)
def test_softmax_and_sigmoid_are_those_of_torch(row: list[float], temperature: float) -> None:
    scaled = torch.tensor(row, dtype=torch.float64) / temperature
    np.testing.assert_allclose(SOFTMAX.probabilities(np.array(row), temperature), scaled.softmax(-1), atol=1e-12)
    np.testing.assert_allclose(SIGMOID.probabilities(np.array(row), temperature), scaled.sigmoid(), atol=1e-12)


@given(logits)
def test_a_regression_head_gives_its_values(row: list[float]) -> None:
    np.testing.assert_array_equal(REGRESSION.probabilities(np.array(row), 3.0), row)


@given(logits, temperatures)
def test_temperature_never_turns_the_order_round(row: list[float], temperature: float) -> None:
    p = SOFTMAX.probabilities(np.array(row), temperature)
    assert p[int(np.argmax(row))] == p.max()


def test_worked_example() -> None:
    reference = np.array([0.7, 0.2, 0.1])
    p = np.array([[0.4, 0.5, 0.1], [0.7, 0.2, 0.1]])
    np.testing.assert_allclose(SOFTMAX.shifts(p, reference), [0.3, 0.0])
    found = SOFTMAX.margins(p, reference)
    assert found is not None
    np.testing.assert_allclose(found, [-0.1, 0.5])
    assert SOFTMAX.flips(p, reference).tolist() == [True, False]  # type: ignore[union-attr]


def test_of_equal_probabilities_the_first_is_predicted() -> None:
    p = np.array([0.25, 0.375, 0.375])
    assert SOFTMAX.label(p, LABELS) == "b"
    assert SOFTMAX.flips(np.array([[0.2, 0.4, 0.4]]), p).tolist() == [False]  # type: ignore[union-attr]
    assert SOFTMAX.margins(p[None], p).tolist() == [0.0]  # type: ignore[union-attr]


def test_a_label_at_the_threshold_is_not_predicted() -> None:
    assert SIGMOID.predicted(np.array([THRESHOLD, np.nextafter(THRESHOLD, 1)])).tolist() == [False, True]


def test_a_multi_label_flip_is_another_set_above_the_threshold() -> None:
    reference = np.array([0.9, 0.2])
    p = np.array([[0.8, 0.3], [0.8, 0.6], [0.4, 0.2]])
    assert SIGMOID.flips(p, reference).tolist() == [False, True, True]  # type: ignore[union-attr]
    found = SIGMOID.margins(p, reference)
    assert found is not None
    np.testing.assert_allclose(found, [0.4, -0.2, -0.2])
    np.testing.assert_allclose(SIGMOID.shifts(p, reference), [0.1, 0.4, 0.5])


def test_regression_has_no_flip_no_margin_and_no_entropy() -> None:
    values = np.array([[2.0, 1.0], [2.5, 0.9]])
    assert REGRESSION.flips(values, values[0]) is None
    assert REGRESSION.margins(values, values[0]) is None
    np.testing.assert_allclose(REGRESSION.shifts(values, values[0]), [0.0, 0.5])
    with pytest.raises(ValueError, match="no entropy"):
        REGRESSION.entropy(values)


@pytest.mark.parametrize(
    ("row", "head", "said"),
    [
        ([0.2, 0.8], SOFTMAX, "b"),
        ([0.6, 0.8], SIGMOID, "a + b"),
        ([0.1, 0.2], SIGMOID, "none"),
        ([1.25], REGRESSION, "1.250"),
    ],
)
def test_a_prediction_in_words(row: list[float], head: Head, said: str) -> None:
    assert head.label(np.array(row), ("a", "b")[: len(row)]) == said


def test_the_logit_margin_of_each_head() -> None:
    assert SOFTMAX.logit_margin(np.array([1.0, 3.0, 2.5], np.float32)) == 0.5
    assert SIGMOID.logit_margin(np.array([1.0, -0.25], np.float32)) == 0.5
    assert REGRESSION.logit_margin(np.array([1.0], np.float32)) is None


def test_drawing_from_a_row() -> None:
    assert SOFTMAX.sampled(np.array([0.7, 0.2, 0.1])) == pytest.approx(0.3)
    assert SIGMOID.sampled(np.array([0.9, 0.2])) == pytest.approx(1 - 0.9 * 0.8)
    assert REGRESSION.sampled(np.array([3.0])) is None


def test_entropy_of_certainty_is_none_and_of_a_coin_is_log_two() -> None:
    assert SOFTMAX.entropy(np.array([1.0, 0.0])) == pytest.approx(0)
    assert SOFTMAX.entropy(np.array([0.5, 0.5])) == pytest.approx(np.log(2))
    assert SIGMOID.entropy(np.array([0.5, 1.0])) == pytest.approx(np.log(2))


def test_mutual_information_is_none_where_passes_agree_and_log_two_where_they_contradict() -> None:
    assert SOFTMAX.mutual_information(np.array([[0.6, 0.4]] * 5)) == pytest.approx(0)
    assert SOFTMAX.mutual_information(np.array([[1.0, 0.0], [0.0, 1.0]])) == pytest.approx(np.log(2))


def test_variation_ratio_counts_those_who_left_the_majority() -> None:
    assert SOFTMAX.variation_ratio(np.array([[0.9, 0.1]] * 3 + [[0.2, 0.8]])) == pytest.approx(0.25)
    # Multi-label: another set is another prediction.
    assert SIGMOID.variation_ratio(np.array([[0.9, 0.1]] * 3 + [[0.9, 0.8]])) == pytest.approx(0.25)


@pytest.mark.parametrize("head", [SOFTMAX, SIGMOID], ids=str)
def test_probabilities_that_are_not_one_a_label_have_no_words(head: Head) -> None:
    with pytest.raises(ValueError, match="zip"):
        head.label(np.array([0.2, 0.8]), ("a",))


def test_the_logit_margin_is_not_rounded_to_fp32() -> None:
    assert SOFTMAX.logit_margin(np.array([16777218, 1], np.float32)) == 16777217
    assert SIGMOID.logit_margin(np.array([0.1], np.float32)) == 2 * float(np.float32(0.1))


def test_what_is_measured_is_told_by_name() -> None:
    """What downloads and the report call the columns."""
    assert {head.name: tuple(head.measures) for head in HEADS.values()} == {
        "softmax": ("shift", "margin", "flip"),
        "sigmoid": ("shift", "margin", "flip"),
        "regression": ("shift",),
    }
    for head in HEADS.values():
        assert all(words and formula for words, formula in head.measures.values())
        assert head.meaning.startswith(head.name) and head.formula.startswith(("z", head.name))
        assert (head.has_labels, head.exclusive) == (head is not REGRESSION, head is SOFTMAX)


@heads
def test_what_a_script_calculates_are_the_head_s_own_measures(head: Head) -> None:
    logits = np.array([[2.0, -1.0, 0.5], [-1.0, 0.3, 0.2], [2.0, 0.4, -3.0]])
    names = {"torch": torch, "logits": torch.tensor(logits), "temperature": 1.7}
    ours = head.probabilities(logits, 1.7)

    def said(name: str, **values: object) -> Any:
        return eval(code, names | values) if (code := head.code[name]) else None

    np.testing.assert_allclose(said("answer"), ours, atol=1e-12)
    rows = [{"p": row, "q": ours[0].tolist()} for row in ours.tolist()]
    np.testing.assert_allclose([said("shift", **row) for row in rows], head.shifts(ours, ours[0]), atol=1e-12)
    for name in ("margin", "label", "entropy"):
        assert (head.code[name] is not None) == head.has_labels
    if head.has_labels:
        np.testing.assert_allclose([said("margin", **row) for row in rows], head.margins(ours, ours[0]), atol=1e-12)  # type: ignore[arg-type]
        np.testing.assert_array_equal(said("label", p=torch.tensor(ours)).bool(), head.predicted(ours))
        np.testing.assert_allclose(said("entropy", p=torch.tensor(ours)).sum(-1), head.entropy(ours), atol=1e-12)


def test_logits_of_probabilities_give_them_back_and_stay_finite_at_the_ends() -> None:
    p = np.array([[0.0, 0.25, 0.75], [1.0, 0.0, 0.0]])
    for head in (SOFTMAX, SIGMOID):
        logits = head.logits(p)
        assert logits.dtype == np.float32 and np.isfinite(logits).all()
        np.testing.assert_allclose(head.probabilities(logits), p, atol=1e-6)
    values = np.array([[0.5, -3.0]])
    np.testing.assert_array_equal(REGRESSION.logits(values), values)
    assert REGRESSION.logits(values).dtype == np.float32
