"""Calibration: the fit finds the temperature that the data were made with, and the scores are their formulas."""

import numpy as np
import pytest

from core.base.errors import WobbleError
from core.data.labelled import DataSource, Labelled, read
from core.factors.temperature import probabilities
from core.models.catalog import load
from core.studies.calibration import brier, calibrate, calibrate_on, ece, fit_temperature, nll, reliability


def made(n: int, temperature: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits whose labels were drawn at another temperature: a model that is too sure by that factor."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 3, size=(n, 3))
    p = probabilities(logits, "softmax", temperature)
    return logits, np.array([rng.choice(3, p=row) for row in p])


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_fit_finds_the_temperature_of_the_data(temperature: float) -> None:
    logits, labels = made(20_000, temperature, seed=1)
    assert fit_temperature(logits, labels) == pytest.approx(temperature, rel=0.05)


def test_calibrating_helps_where_the_model_is_too_sure_and_keeps_accuracy() -> None:
    found = calibrate(*made(3000, 3.0, seed=1), *made(3000, 3.0, seed=2))
    assert found.after.ece.value < found.before.ece.value / 2
    assert found.after.nll.value < found.before.nll.value
    assert found.after.accuracy == found.before.accuracy
    for scores in (found.before, found.after):
        for estimate in (scores.nll, scores.brier):
            assert estimate.low <= estimate.value <= estimate.high


def test_scores_of_a_worked_example() -> None:
    p = np.array([[0.8, 0.2], [0.6, 0.4], [0.3, 0.7]])
    labels = np.array([0, 1, 1])
    np.testing.assert_allclose(nll(p, labels), -np.log([0.8, 0.4, 0.7]))
    np.testing.assert_allclose(brier(p, labels), [0.08, 0.72, 0.18])
    # Each text has a bin of its own: gaps 0.2, 0.6 and 0.3, a third each.
    assert ece(p, labels) == pytest.approx((0.2 + 0.6 + 0.3) / 3)
    bins = reliability(p, labels)
    assert bins.count.sum() == 3
    assert np.isnan(bins.accuracy[bins.count == 0]).all()


def test_too_few_texts_or_one_label_are_refused() -> None:
    logits, labels = made(100, 1.0, seed=1)
    with pytest.raises(WobbleError, match="at least 20"):
        calibrate(logits[:5], labels[:5], logits, labels)
    with pytest.raises(WobbleError, match="one label only"):
        calibrate(logits, np.zeros_like(labels), logits, labels)


def some(n: int, split: str | None = None, labels: tuple[str, ...] = ("positive", "negative")) -> Labelled:
    words = {"positive": "good", "negative": "bad"}
    rows = [f"A {words.get(labels[i % 2], 'plain')} film {i}.,{labels[i % 2]}" for i in range(n)]
    head = "text,label"
    if split is not None:
        head, rows = f"{head},split", [f"{row},{split.split()[i % len(split.split())]}" for i, row in enumerate(rows)]
    return read(DataSource("mine.csv"), "\n".join([head, *rows]).encode())


def test_a_file_is_halved_where_nobody_split_it() -> None:
    found = calibrate_on(load(), some(80))
    assert found.fitted_on == found.tested_on == 40


def test_splits_of_its_own_are_used_and_training_texts_never() -> None:
    found = calibrate_on(load(), some(150, "train train validation validation test"))
    assert (found.fitted_on, found.tested_on) == (60, 30)
    found = calibrate_on(load(), some(200, "train train validation validation"))
    assert (found.fitted_on, found.tested_on) == (50, 50)


def test_labels_that_the_model_does_not_have_and_too_few_texts_are_refused() -> None:
    with pytest.raises(WobbleError, match="'maybe', which the model does not have"):
        calibrate_on(load(), some(80, labels=("maybe", "perhaps")))
    with pytest.raises(WobbleError, match="at least 20"):
        calibrate_on(load(), some(20))


def test_progress_is_told_and_can_cancel() -> None:
    told: list[tuple[int, int]] = []
    calibrate_on(load(), some(80), lambda done, asked: told.append((done, asked)))
    done, asked = zip(*told, strict=True)
    assert list(done) == sorted(set(done)) and done[-1] == asked[-1] == 80

    def cancel(_: int, __: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        calibrate_on(load(), some(80), cancel)


@pytest.mark.slow
def test_the_embedded_model_is_calibrated_on_the_embedded_data() -> None:
    found = calibrate_on(load(), read(DataSource("movie")))
    assert (found.fitted_on, found.tested_on) == (1033, 1530)
    assert found.after.nll.value <= found.before.nll.value + 0.002
