"""From logits to probabilities: each kind of head gets its own treatment. Nothing here can cause a forward pass."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Head = Literal["softmax", "sigmoid", "regression"]
"""What the numbers of a classification head mean; the same choice as transformers' text-classification pipeline."""

HEAD_MEANING: dict[Head, str] = {
    "softmax": "softmax: exactly one label is right, the probabilities add up to 1",
    "sigmoid": "sigmoid: every label is a yes-or-no question of its own, the probabilities do not add up to 1",
    "regression": "regression: the output is a value, not a probability",
}


def probabilities(logits: NDArray[np.floating], head: Head, temperature: float = 1.0) -> NDArray[np.float64]:
    """Probabilities of logits divided by a temperature.

    Args:
        logits: `[..., n_labels]`.
        head: softmax over the labels, a sigmoid for each label, or (regression) the values as they are.
        temperature: greater than 0; 1 is the model's own (Guo et al., arXiv 1706.04599). Regression ignores it.

    Returns:
        `[..., n_labels]` in float64, so that the arithmetic of measures adds no rounding of its own.
    """
    scores = np.asarray(logits, dtype=np.float64)
    if head == "regression":
        return scores
    scores = scores / temperature
    if head == "sigmoid":
        # exp of a non-positive number only: no overflow for any logit.
        small = np.exp(-np.abs(scores))
        answers: NDArray[np.float64] = np.where(scores >= 0, 1.0, small) / (1.0 + small)
        return answers
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares: NDArray[np.float64] = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return shares
