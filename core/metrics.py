"""Measures of how far one prediction is from another. All are functions of probabilities (or of a regression's value)."""

import numpy as np
from numpy.typing import NDArray

from core.temperature import Head

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
