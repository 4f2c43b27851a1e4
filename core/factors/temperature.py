"""Temperature: what a division of the logits can change, and what it cannot. Nothing here can cause a forward pass."""

from collections.abc import Iterator, Sequence
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray

from core.base.errors import WobbleError
from core.factors.ask import Ask
from core.factors.case import Case, Trial
from core.factors.registry import Range, factor
from core.models.classifier import Classifier
from core.models.heads import SOFTMAX

TEMPERATURES = (0.25, 0.5, 2.0, 4.0)


def _missing(classifier: Classifier) -> str | None:
    return None if classifier.head.has_labels else "A value has no temperature."


@factor("temperature", one="temperature", many="temperatures", flips_count=False, missing=_missing)
def temperature(
    ask: Ask, *, at: Annotated[Sequence[float], Range("temperatures", 1e-3, 1e6)] = TEMPERATURES
) -> Iterator[Case]:
    """The reference's logits at other temperatures."""
    drawn = ask.reference.head.sampled(ask.reference.head.probabilities(ask.reference.logits))
    ask.facts["sampled"] = drawn
    ask.notes.append(
        "Dividing the logits by a temperature keeps their order, so no temperature changes the predicted label; a label "
        f"drawn from the probabilities is another one with probability {drawn:.2f}."
    )
    for t in at:
        made = Trial(f"T = {t:g}", f"T = {t:g}", {"temperature": check_temperature(t)})
        yield from ask.measured([made], ask.reference.logits[None], temperature=t)


COLDEST, HOTTEST = 1e-3, 1e6
"""The range of temperatures: below it fp32 arithmetic overflows, above it rounding is all that is left."""


def check_temperature(temperature: float) -> float:
    """The temperature itself, if it is one.

    Raises:
        WobbleError: it is not a number between 0.001 and 1,000,000.
    """
    if not COLDEST <= temperature <= HOTTEST:  # also False for NaN
        raise WobbleError(
            f"{temperature:g} is not a usable temperature: it must be a number from {COLDEST:g} to {HOTTEST:,.0f} "
            "(dividing by zero or less would turn the order of the labels round or leave no probabilities)."
        )
    return temperature


def typed_temperature(typed: str) -> float:
    """The temperature that a person typed.

    Raises:
        WobbleError: it is not one; the sentence says why.
    """
    try:
        number = float(typed)
    except ValueError as error:
        raise WobbleError(
            f"{typed[:40]!r} is not a number: type one from {COLDEST:g} to {HOTTEST:,.0f}, such as 1.5."
        ) from error
    return check_temperature(number)


def crossing(logits: NDArray[np.floating], threshold: float) -> float | None:
    """The temperature at which the probability of the top label passes a decision threshold, for two labels.

    `sigmoid(d / T) = threshold` at `T = d / log(threshold / (1 - threshold))`, d the difference of the two logits; None
    where no T > 0 does (a threshold of at most 1/2 is passed at every T), and where labels are not two.

    Args:
        logits: `[n_labels]`.
        threshold: in (0, 1).
    """
    odds, difference = float(np.log(threshold / (1 - threshold))), float(np.abs(logits[0] - logits[-1]))
    return difference / odds if len(logits) == 2 and odds > 0 and difference > 0 else None


def sampled_flips(row: NDArray[np.float64], draws: int, seed: int) -> int:
    """How many of some labels drawn from a row of probabilities `[n_labels]` are not the most probable one."""
    drawn = np.random.default_rng(seed).choice(len(row), size=draws, p=row / row.sum())
    return int((drawn != row.argmax()).sum())


def averaged(
    samples: NDArray[np.floating], temperatures: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The mean of softmax over passes or seeds, tempered before and after averaging: each `[n_temperatures, n_labels]`.

    Before: mean of softmax(z / T). After: softmax of log(mean of softmax(z)) / T. The first can change the label as T
    moves, the second cannot.

    Args:
        samples: logits `[n_passes, n_labels]`.
        temperatures: `[n_temperatures]`.
    """
    mean = SOFTMAX.probabilities(samples).mean(axis=0)
    before = SOFTMAX.probabilities(samples / temperatures[:, None, None]).mean(axis=1)
    return before, SOFTMAX.probabilities(np.log(np.maximum(mean, 1e-300)) / temperatures[:, None])


def rounded(logits: NDArray[np.floating], dtype: str, temperature: float) -> NDArray[np.float64]:
    """softmax(z / T) of one row `[n_labels]`, all of it computed in a torch floating point type."""
    row = torch.as_tensor(np.asarray(logits, dtype=np.float64)).to(getattr(torch, dtype))
    return np.asarray((row / temperature).softmax(-1).double())


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
