"""Calibration: the fit finds the temperature that the data were made with, and the scores are their formulas."""

from collections.abc import Callable

import numpy as np
import pytest

from core.base.cache import forget
from core.base.errors import WobbleError
from core.data.labelled import DataSource, Labelled, read
from core.models.catalog import load
from core.models.classifier import Classifier
from core.models.heads import SOFTMAX
from core.models.predict import predict
from core.studies.calibration import (
    brier,
    calibrate,
    calibrate_on,
    ece,
    fit_and_test,
    fit_temperature,
    nll,
    reliability,
    scores,
)


def made(n: int, temperature: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits whose labels were drawn at another temperature: a model that is too sure by that factor."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 3, size=(n, 3))
    p = SOFTMAX.probabilities(logits, temperature)
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
    for both in (found.before, found.after):
        for estimate in (both.nll, both.brier):
            assert estimate.low <= estimate.value <= estimate.high


def test_the_temperature_is_fitted_on_one_part_and_scored_on_the_other() -> None:
    fit, test = made(3000, 3.0, seed=1), made(2000, 0.5, seed=2)
    found = calibrate(*fit, *test)
    assert found.temperature == fit_temperature(*fit) == pytest.approx(3.0, rel=0.1)
    assert (found.fitted_on, found.tested_on) == (3000, 2000)
    # On a part that is too unsure already, what the fit part wants makes it worse.
    assert found.after.nll.value > found.before.nll.value
    assert found.before.nll.value == pytest.approx(nll(SOFTMAX.probabilities(test[0]), test[1]).mean())
    tempered = SOFTMAX.probabilities(test[0], found.temperature)
    assert found.after.nll.value == pytest.approx(nll(tempered, test[1]).mean())


def test_a_calibration_of_data_fits_on_its_validation_part() -> None:
    classifier, data = load(), some(150, "train train validation validation test")
    parts = fit_and_test(data)
    assert [set(part.split.tolist()) for part in parts] == [{"validation"}, {"test"}]
    fitted = [
        fit_temperature(predict(classifier, classifier.encoder(part.texts)).logits, part.numbered_as(classifier.labels))
        for part in parts
    ]
    found = calibrate_on(classifier, data)
    assert found.temperature == pytest.approx(fitted[0], abs=1e-4) != pytest.approx(fitted[1], abs=1e-4)


def test_halves_are_drawn_and_share_no_text() -> None:
    fit, test = fit_and_test(some(80))
    assert not set(fit.texts) & set(test.texts)
    assert len({*fit.texts, *test.texts}) == 80
    assert list(fit.texts) != list(some(80).texts[:40])


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


def test_bins_hold_the_mean_confidence_and_the_share_that_is_right() -> None:
    p = np.array([[0.95, 0.05], [0.97, 0.03], [0.3, 0.7]])
    bins = reliability(p, np.array([0, 1, 1]))
    full = bins.count > 0
    assert bins.count[full].tolist() == [1, 2]
    np.testing.assert_allclose(bins.confidence[full], [0.7, 0.96])
    np.testing.assert_allclose(bins.accuracy[full], [1.0, 0.5])


def test_intervals_are_the_same_for_the_same_seed() -> None:
    p = np.random.default_rng(0).dirichlet([1, 1], size=60)
    labels = np.random.default_rng(1).integers(0, 2, size=60)
    one, again, other = (scores(p, labels, seed) for seed in (4, 4, 5))
    for name in ("nll", "brier", "ece"):
        assert getattr(one, name) == getattr(again, name) != getattr(other, name)


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


def test_only_softmax_heads_are_calibrated(tiny: Callable[..., Classifier]) -> None:
    for config in ({"num_labels": 1, "problem_type": "regression"}, {"problem_type": "multi_label_classification"}):
        with pytest.raises(WobbleError, match="temperature scaling is defined for softmax"):
            calibrate_on(tiny("bert", **config), some(80))


def test_progress_is_told_and_can_cancel() -> None:
    told: list[tuple[int, int]] = []
    forget(load())
    calibrate_on(load(), some(80), lambda done, asked: told.append((done, asked)))
    done, asked = zip(*told, strict=True)
    assert list(done) == sorted(set(done)) and done[-1] == asked[-1] == 80

    def cancel(_: int, __: int) -> None:
        raise KeyboardInterrupt

    forget(load())
    with pytest.raises(KeyboardInterrupt):
        calibrate_on(load(), some(80), cancel)


def test_the_embedded_model_is_calibrated_on_the_embedded_data() -> None:
    data = read(DataSource("movie"))
    assert [len(part.texts) for part in fit_and_test(data)] == [1033, 1530]
    # Every fifth: the texts are sorted. What is right for these is the sentence that the page says of all.
    found = calibrate_on(load(), data.rows(np.arange(0, len(data.texts), 5)))
    assert 0 < found.fitted_on < 250 and 0 < found.tested_on < 350
    assert found.after.nll.value <= found.before.nll.value + 0.002
