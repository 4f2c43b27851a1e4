"""What a temperature does to a study: curves, labels that stay, decisions that change. Arithmetic on known logits."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from core.factors.case import Reference, Row
from core.factors.temperature import HOTTEST
from core.models.heads import SOFTMAX, Probabilities
from core.studies.calibration import SEARCHED
from core.studies.study import Study

DOCUMENTED = tuple(map(float, np.geomspace(*SEARCHED, 21)))
"""The temperatures of a sentence's curve in a download."""
COMPARED = np.geomspace(*SEARCHED, 50)
"""Temperatures at which averaging before tempering is compared with averaging after it."""
DTYPES = ("float32", "bfloat16", "float16")
HALF = np.geomspace(1.0, HOTTEST, 600)
"""Temperatures at which ties are looked for."""


def read(temperature: float) -> str:
    """A temperature as people read it: 0.05, 1, 1,000,000."""
    return f"{temperature:,.7g}"


@dataclass(frozen=True, eq=False)
class Curves:
    """A sentence's prediction over temperatures `[n]`, ascending: probabilities `[n, n_labels]`, and entropies `[n]` beside that
    of a guess, in nats.
    """

    temperatures: NDArray[np.float64]
    probabilities: Probabilities
    entropy: NDArray[np.float64]
    guess: float


def curves(reference: Reference, temperature: float) -> Curves:
    """The curves over the range that a fit searches, extended to a given temperature."""
    head, logits = reference.head, np.asarray(reference.logits, np.float64)
    grid = np.geomspace(min(SEARCHED[0], temperature), max(SEARCHED[1], temperature), 200)
    p = head.probabilities(logits[None] / grid[:, None])
    return Curves(grid, p, head.entropy(p), float(head.entropy(head.probabilities(np.zeros(len(logits))))))


def moved_labels(study: Study, temperatures: Sequence[float]) -> int:
    """How many predictions of the sentence and its cases change, over all of some temperatures: none ever does."""
    head = study.head
    every = np.stack([study.reference.logits, *(case.logits for case in study.cases)])
    own = head.predicted(head.probabilities(every))
    return sum(int((head.predicted(head.probabilities(every, t)) != own).any(axis=-1).sum()) for t in temperatures)


def at(reference: Reference, temperature: float) -> Reference:
    """The same prediction at another temperature."""
    return replace(reference, temperature=temperature)


def above(p: Probabilities, names: Sequence[str], threshold: float) -> list[str]:
    """The labels of one row `[n_labels]` above a decision threshold, the most probable first."""
    return [names[i] for i in np.argsort(-p) if p[i] > threshold]


def crossing(logits: NDArray[np.floating], threshold: float) -> float | None:
    """The temperature at which the probability of the top label passes a decision threshold, for two labels.

    `sigmoid(d / T) = threshold` at `T = d / log(threshold / (1 - threshold))`, d the difference of the two logits; None
    where no T > 0 does (a threshold of at most 1/2 is passed at every T), and unless there are two labels.

    Args:
        logits: `[n_labels]`.
        threshold: in (0, 1).
    """
    odds, difference = float(np.log(threshold / (1 - threshold))), float(np.abs(logits[0] - logits[-1]))
    return difference / odds if len(logits) == 2 and odds > 0 and difference > 0 else None


def sampled_flips(row: NDArray[np.float64], draws: int, seed: int) -> int:
    """How many labels drawn from a row of probabilities `[n_labels]` are not the most probable one."""
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


@dataclass(frozen=True, eq=False)
class Averaging:
    """The mean of passes, tempered before averaging and after it."""

    labels: tuple[str, str]
    probabilities: tuple[float, float]
    """Of these labels."""
    parting: NDArray[np.float64]
    """The temperatures of `COMPARED` at which the two name different labels."""


def averaging(passes: Row, reference: Reference, temperature: float) -> Averaging:
    """Passes averaged before and after tempering, at a temperature and over those of `COMPARED`."""
    before, after = averaged(np.stack([case.logits for case in passes.cases]), np.array([temperature, *COMPARED]))
    first, last = (reference.head.label(p[0], reference.labels) for p in (before, after))
    parted = before.argmax(axis=-1) != after.argmax(axis=-1)
    return Averaging((first, last), (float(before[0].max()), float(after[0].max())), COMPARED[parted[1:]])


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
