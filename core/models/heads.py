"""Measures of how far one prediction is from another. All are functions of probabilities (or of a regression's value)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.factors.temperature import Head

RESAMPLES = 1000
"""Of a bootstrap."""

THRESHOLD = 0.5
"""A sigmoid head's label is predicted above this probability."""

Probabilities = NDArray[np.float64]
"""`[..., n_labels]`"""


def predicted(p: Probabilities, head: Head) -> NDArray[np.bool_]:
    """Which labels are predicted: `[..., n_labels]`; one a row for softmax, any number for sigmoid, none for regression."""
    if head == "regression":
        return np.zeros(p.shape, dtype=bool)
    if head == "sigmoid":
        above: NDArray[np.bool_] = p > THRESHOLD
        return above
    top: NDArray[np.bool_] = np.arange(p.shape[-1]) == p.argmax(axis=-1)[..., None]
    return top


def label_name(row: Probabilities, head: Head, labels: tuple[str, ...]) -> str:
    """The prediction of one row `[n_labels]` in words: its label, the labels above the threshold, or the value."""
    if head == "regression":
        return ", ".join(f"{value:.3f}" for value in row)
    chosen = [label for label, yes in zip(labels, predicted(row, head), strict=True) if yes]
    return " + ".join(chosen) if chosen else "none"


def flip(p: Probabilities, reference: Probabilities, head: Head) -> NDArray[np.bool_] | None:
    """Whether each row of `p` `[n, n_labels]` predicts something else than the reference `[n_labels]`; None for regression."""
    if head == "regression":
        return None
    changed: NDArray[np.bool_] = (predicted(p, head) != predicted(reference, head)).any(axis=-1)
    return changed


def margin(p: Probabilities, reference: Probabilities, head: Head) -> NDArray[np.float64] | None:
    """How far each row of `p` is from leaving the reference's prediction, in [-1, 1]; below 0 it has left it.

    softmax: probability of the reference's label minus the largest other one. sigmoid: twice the distance of the
    label that is nearest to crossing the threshold (or has crossed it furthest). None for regression, which has no
    label to leave.

    Args:
        p: `[n, n_labels]`.
        reference: `[n_labels]`.

    Returns:
        `[n]`
    """
    if head == "regression":
        return None
    kept = predicted(reference, head)
    if head == "sigmoid":
        distance: NDArray[np.float64] = (2.0 * np.where(kept, p - THRESHOLD, THRESHOLD - p)).min(axis=-1)
        return distance
    others = np.where(kept, -np.inf, p).max(axis=-1)
    mine = np.where(kept, p, -np.inf).max(axis=-1)
    difference: NDArray[np.float64] = mine - others
    return difference


def shift(p: Probabilities, reference: Probabilities, head: Head) -> NDArray[np.float64]:
    """How far each row of `p` `[n, n_labels]` lies from the reference `[n_labels]`: `[n]`.

    softmax: total variation distance, `0.5 * sum(abs(p - q))`, in [0, 1]. sigmoid: the largest total variation
    distance of any one label's yes-or-no answer, `max(abs(p - q))`, in [0, 1]. regression: `max(abs(p - q))`, in the
    head's own unit.
    """
    distance = np.abs(p - reference)
    result: NDArray[np.float64] = 0.5 * distance.sum(axis=-1) if head == "softmax" else distance.max(axis=-1)
    return result


def entropy(p: Probabilities, head: Head) -> NDArray[np.float64]:
    """Entropy in nats of each row of `p` `[..., n_labels]`: `-sum(p * log(p))`; for sigmoid heads the sum over the labels
    of each yes-or-no answer's own entropy.

    Raises:
        ValueError: for regression, whose outputs are no probabilities.
    """
    if head == "regression":
        raise ValueError("a regression head has no entropy")
    result: NDArray[np.float64] = _plogp(p).sum(axis=-1)
    return result + _plogp(1.0 - p).sum(axis=-1) if head == "sigmoid" else result


def _plogp(p: Probabilities) -> Probabilities:
    """`-p * log(p)`, and 0 at 0."""
    safe = np.where(p > 0, p, 1.0)
    result: Probabilities = -safe * np.log(safe)
    return result


def mutual_information(p: Probabilities, head: Head) -> float:
    """BALD: `H[mean p] - mean H[p]` over passes, in nats: how much the passes disagree beyond what each is unsure of.

    Houlsby et al., arXiv 1112.5745; Gal, Islam and Ghahramani, arXiv 1703.02910.

    Args:
        p: `[n_passes, n_labels]`.
    """
    return max(0.0, float(entropy(p.mean(axis=0), head) - entropy(p, head).mean()))


def variation_ratio(p: Probabilities, head: Head) -> float:
    """`1 - votes of the modal prediction / passes`, over passes `[n_passes, n_labels]` (Freeman 1965)."""
    _, votes = np.unique(predicted(p, head), axis=0, return_counts=True)
    return 1.0 - float(votes.max()) / len(p)


def wilson(count: int, total: int, z: float = 1.959964) -> tuple[float, float]:
    """Wilson's score interval of a share, 95 % by default (Wilson 1927): sound near 0 and 1, where p ± 2 s is not.

    Raises:
        ValueError: there is nothing to take a share of.
    """
    if total <= 0:
        raise ValueError("a share of nothing has no interval")
    share = count / total
    center = (share + z**2 / (2 * total)) / (1 + z**2 / total)
    half = z / (1 + z**2 / total) * np.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
    # At the ends the formula gives exactly 0 and 1, up to rounding.
    return (
        0.0 if count == 0 else max(0.0, float(center - half)),
        1.0 if count == total else min(1.0, float(center + half)),
    )


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % percentile bootstrap interval over the texts."""

    value: float
    low: float
    high: float


def estimate(value: float, resampled: NDArray[np.float64]) -> Estimate:
    """A number and the middle 95 % of what resampling made of it `[n_resamples]` (Efron 1979)."""
    low, high = np.percentile(resampled, [2.5, 97.5])
    return Estimate(value, float(low), float(high))


def bootstrap_mean(values: NDArray[np.floating], seed: int = 0) -> Estimate:
    """The mean of one value a text `[n_texts]`, with its interval over texts drawn again and again from a seeded generator.

    Raises:
        ValueError: there is no text.
    """
    if len(values) == 0:
        raise ValueError("no text has no mean")
    rng = np.random.default_rng(seed)
    means = np.array([values[rng.integers(0, len(values), size=len(values))].mean() for _ in range(RESAMPLES)])
    return estimate(float(values.mean()), means)
