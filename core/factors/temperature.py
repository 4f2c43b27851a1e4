"""From logits to probabilities: each kind of head gets its own treatment. Nothing here can cause a forward pass."""

from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from core.base.errors import WobbleError

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


COLDEST, HOTTEST = 1e-3, 1e6
"""The range of temperatures: below it fp32 arithmetic overflows, above it rounding is all that is left."""


def check_temperature(temperature: float) -> float:
    """The temperature itself, if it is one.

    Raises:
        WobbleError: it is no number between 0.001 and 1,000,000.
    """
    if not COLDEST <= temperature <= HOTTEST:  # also False for NaN
        raise WobbleError(
            f"{temperature:g} is no usable temperature: it must be a number from {COLDEST:g} to {HOTTEST:,.0f} "
            "(dividing by zero or less would turn the order of the labels round or leave no probabilities)."
        )
    return temperature


def crossing(logits: NDArray[np.floating], threshold: float) -> float | None:
    """The temperature at which the probability of the top label passes a decision threshold, for two labels.

    `sigmoid(d / T) = threshold` at `T = d / log(threshold / (1 - threshold))`, d the difference of the two logits; None
    where no T > 0 does: a threshold of at most 1/2 is passed at every T.

    Args:
        logits: `[2]`.
        threshold: in (0, 1).
    """
    odds = np.log(threshold / (1 - threshold))
    difference = float(np.abs(logits[0] - logits[1]))
    return difference / float(odds) if odds > 0 and difference > 0 else None


def sampled_flips(row: NDArray[np.float64], draws: int, seed: int) -> int:
    """How many of some labels drawn from a row of probabilities `[n_labels]` are not the most probable one."""
    drawn = np.random.default_rng(seed).choice(len(row), size=draws, p=row / row.sum())
    return int((drawn != row.argmax()).sum())


def averaged(samples: NDArray[np.floating], temperature: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The mean of softmax over passes or seeds, tempered before and after averaging: two rows `[n_labels]`.

    Before: mean of softmax(z / T). After: softmax of log(mean of softmax(z)) / T. The first can change the label as T
    moves, the second cannot.

    Args:
        samples: logits `[n_passes, n_labels]`.
    """
    before = probabilities(samples, "softmax", temperature).mean(axis=0)
    mean = probabilities(samples, "softmax").mean(axis=0)
    return before, probabilities(np.log(np.maximum(mean, 1e-300)), "softmax", temperature)


def averaging_matters(samples: NDArray[np.floating], temperatures: NDArray[np.float64]) -> NDArray[np.bool_]:
    """At which of some temperatures `[n]` averaging before tempering gives another label than averaging after it: `[n]`.

    Args:
        samples: logits `[n_passes, n_labels]`.
    """
    before = probabilities(samples[None] / temperatures[:, None, None], "softmax").mean(axis=1)
    after = probabilities(samples, "softmax").mean(axis=0)
    differs: NDArray[np.bool_] = before.argmax(axis=-1) != after.argmax()
    return differs


def rounded(logits: NDArray[np.floating], dtype: str, temperature: float) -> NDArray[np.float64]:
    """softmax(z / T) of one row `[n_labels]`, all of it computed in a torch floating point type."""
    row = torch.as_tensor(np.asarray(logits, dtype=np.float64)).to(getattr(torch, dtype))
    p: NDArray[np.float64] = (row / temperature).softmax(-1).double().numpy()
    return p


def first_tie(logits: NDArray[np.floating], dtype: str, temperatures: NDArray[np.float64]) -> float | None:
    """The lowest of some temperatures at which rounding makes the top two labels equal, or changes the top one.

    Args:
        logits: `[n_labels]`.
        dtype: a torch floating point type ("float16", "bfloat16", "float32").
        temperatures: ascending.
    """
    top = int(np.argmax(logits))
    for temperature in temperatures:
        p = rounded(logits, dtype, float(temperature))
        if (p == p.max()).sum() > 1 or int(p.argmax()) != top:
            return float(temperature)
    return None
