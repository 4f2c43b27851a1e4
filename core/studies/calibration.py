"""How well probabilities match accuracy, and the one temperature that makes them match best."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.base.errors import WobbleError
from core.base.statistics import RESAMPLES, Estimate, bootstrap_mean, estimate
from core.data.labelled import Labelled
from core.models.classifier import Classifier
from core.models.heads import SOFTMAX, Probabilities
from core.models.predict import predict

BINS = 15
SEARCHED = (0.05, 20.0)
"""The range of temperatures that the fit searches."""


@dataclass(frozen=True, eq=False)
class Reliability:
    """Texts in 15 bins of equal widths by confidence: its mean, the share of right labels (NaN in empty bins), and how many."""

    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    count: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Scores:
    """How good probabilities are on labelled texts."""

    accuracy: float
    nll: Estimate
    brier: Estimate
    ece: Estimate
    reliability: Reliability


@dataclass(frozen=True, eq=False)
class Calibration:
    """A fitted temperature and what it changes, on texts that the fit did not see."""

    temperature: float
    fitted_on: int
    tested_on: int
    before: Scores
    after: Scores


def nll(p: Probabilities, labels: NDArray[np.integer]) -> NDArray[np.float64]:
    """Negative log likelihood of each text in nats: `[n]`."""
    return np.asarray(-np.log(np.maximum(p[np.arange(len(labels)), labels], 1e-300)))


def brier(p: Probabilities, labels: NDArray[np.integer]) -> NDArray[np.float64]:
    """Brier score of each text, `sum((p - onehot) ** 2)`, in [0, 2] (Brier 1950): `[n]`."""
    onehot = np.arange(p.shape[-1]) == np.asarray(labels)[:, None]
    return np.asarray(((p - onehot) ** 2).sum(axis=-1))


def reliability(p: Probabilities, labels: NDArray[np.integer]) -> Reliability:
    """Bin texts by the probability of their predicted label."""
    confidence, right, which = _binned(p, labels)
    count = np.bincount(which, minlength=BINS)
    with np.errstate(invalid="ignore"):
        sure, accuracy = (np.bincount(which, values, minlength=BINS) / count for values in (confidence, right))
    return Reliability(sure, accuracy, count)


def _binned(
    p: Probabilities, labels: NDArray[np.integer]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]]:
    confidence = p.max(axis=-1)
    right = (p.argmax(axis=-1) == labels).astype(np.float64)
    # Bins are open on the left and closed on the right, as in Guo et al.
    which = np.clip(np.ceil(confidence * BINS).astype(np.intp) - 1, 0, BINS - 1)
    return confidence, right, which


def ece(p: Probabilities, labels: NDArray[np.integer]) -> float:
    """Expected calibration error: `sum(bin size / n * abs(accuracy - confidence))` (Guo et al., arXiv 1706.04599)."""
    confidence, right, which = _binned(p, labels)
    return _gap(right - confidence, which)


def _gap(gaps: NDArray[np.float64], which: NDArray[np.intp]) -> float:
    return float(np.abs(np.bincount(which, gaps, minlength=BINS)).sum() / len(gaps))


def scores(p: Probabilities, labels: NDArray[np.integer], seed: int = 0) -> Scores:
    """Scores of probabilities `[n, n_labels]` on labels `[n]`, with bootstrap intervals from a seeded generator."""
    drawn = np.random.default_rng(seed).integers(0, len(labels), size=(RESAMPLES, len(labels)))
    confidence, right, which = _binned(p, labels)
    gaps = right - confidence
    return Scores(
        accuracy=float(right.mean()),
        nll=bootstrap_mean(nll(p, labels), seed),
        brier=bootstrap_mean(brier(p, labels), seed),
        ece=estimate(ece(p, labels), np.array([_gap(gaps[i], which[i]) for i in drawn])),
        reliability=reliability(p, labels),
    )


def fit_temperature(logits: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """The temperature that minimises the mean NLL of softmax(z / T): convex in 1 / T, so there is one.

    Args:
        logits: `[n, n_labels]`.
        labels: `[n]`.
    """
    from scipy.optimize import minimize_scalar  # heavy, and needed only here

    def loss(log_temperature: float) -> float:
        return float(nll(SOFTMAX.probabilities(logits, float(np.exp(log_temperature))), labels).mean())

    low, high = np.log(SEARCHED)
    return float(np.exp(minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-6}).x))


def calibrate_on(
    classifier: Classifier, data: Labelled, progress: Callable[[int, int], None] | None = None
) -> Calibration:
    """Calibrate a classifier on labelled texts: each text runs once.

    Where the data have a validation and a test split of their own, the temperature is fitted on the one and tested on the
    other; otherwise a random half of the validation split serves for each (of all texts, where the data have no splits).

    Args:
        progress: called with the distinct texts that are done and those asked for; what it raises cancels.

    Raises:
        WobbleError: the head is not a softmax, or the data are unusable; the sentence says why.
    """
    if not classifier.head.exclusive:
        raise WobbleError(
            f"{classifier.id} has a {classifier.head} head, but temperature scaling is defined for softmax."
        )
    data.numbered_as(classifier.labels)  # refuses other labels before anything runs
    fit, test = fit_and_test(data)
    logits = predict(classifier, classifier.encoder([*fit.texts, *test.texts]), progress=progress).logits
    count = len(fit.texts)
    return calibrate(
        logits[:count], fit.numbered_as(classifier.labels), logits[count:], test.numbered_as(classifier.labels)
    )


def fit_and_test(data: Labelled) -> tuple[Labelled, Labelled]:
    """The texts that a temperature is fitted on, and those that it is tested on: see `calibrate_on`."""
    if data.own_split and {"validation", "test"} <= set(data.split.tolist()):
        return data.part("validation"), data.part("test")
    whole = data.part("validation") if data.own_split else data
    # Drawn, because data may be sorted.
    fit, test = np.array_split(np.random.default_rng(0).permutation(len(whole.texts)), 2)
    return whole.rows(fit), whole.rows(test)


def calibrate(
    fit_logits: NDArray[np.floating],
    fit_labels: NDArray[np.integer],
    test_logits: NDArray[np.floating],
    test_labels: NDArray[np.integer],
) -> Calibration:
    """Fit a temperature on some labelled texts and score others before and after.

    Raises:
        WobbleError: there are too few texts, or only one label among them.
    """
    for name, labels in (("fit", fit_labels), ("test", test_labels)):
        if len(labels) < 20:
            raise WobbleError(
                f"The {name} data hold {len(labels)} labelled texts: at least 20 are needed to calibrate."
            )
        if len(set(np.asarray(labels).tolist())) < 2:
            raise WobbleError(f"The {name} data hold one label only, to which no temperature can be fitted.")
    temperature = fit_temperature(fit_logits, fit_labels)
    return Calibration(
        temperature=temperature,
        fitted_on=len(fit_labels),
        tested_on=len(test_labels),
        before=scores(SOFTMAX.probabilities(test_logits), test_labels),
        after=scores(SOFTMAX.probabilities(test_logits, temperature), test_labels),
    )
