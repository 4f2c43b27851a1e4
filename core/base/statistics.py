"""Intervals: of a share, and of a mean over texts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
"""Resamples of a bootstrap."""


def wilson(count: int, total: int, z: float = 1.959964) -> tuple[float, float]:
    """Wilson's score interval of a share, 95% by default (Wilson 1927): sound near 0 and 1, where p ± 2 s is not.

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
    """A number with its 95% percentile bootstrap interval over the texts."""

    value: float
    low: float
    high: float


def estimate(value: float, resampled: NDArray[np.float64]) -> Estimate:
    """A number and the middle 95% of its resampled values `[n_resamples]` (Efron 1979)."""
    low, high = np.percentile(resampled, [2.5, 97.5])
    return Estimate(value, float(low), float(high))


def bootstrap_mean(values: NDArray[np.floating], seed: int = 0) -> Estimate:
    """The mean of one value per text `[n_texts]`, with its interval over texts drawn again and again from a seeded generator.

    Raises:
        ValueError: there is no text.
    """
    if len(values) == 0:
        raise ValueError("the mean of no texts is undefined")
    rng = np.random.default_rng(seed)
    means = np.array([values[rng.integers(0, len(values), size=len(values))].mean() for _ in range(RESAMPLES)])
    return estimate(float(values.mean()), means)
