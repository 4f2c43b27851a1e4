"""What a temperature does to a study: curves, labels that stay, decisions that change. Arithmetic on logits that are known."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.factors.case import Reference, Row
from core.factors.temperature import HOTTEST, averaged
from core.models.heads import Probabilities
from core.studies.calibration import SEARCHED
from core.studies.study import Study

ROUND = (*(n / 10 for n in range(1, 11)), 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 15.0)


def _steps() -> list[float]:
    steps = [float(f"{t:.3g}") for t in np.geomspace(*SEARCHED, 121)]
    for number in ROUND:
        steps[int(np.abs(np.log(np.array(steps) / number)).argmin())] = number
    return steps


STEPS = _steps()
"""Evenly spaced on a log scale, except that the nearest step to a round number is that number."""
DOCUMENTED = tuple(map(float, np.geomspace(*SEARCHED, 21)))
"""The temperatures of a sentence's curve in a download."""
COMPARED = np.geomspace(*SEARCHED, 50)
"""Temperatures at which averaging before tempering is compared with averaging after it."""
DTYPES = ("float32", "bfloat16", "float16")
HALF = np.geomspace(1.0, HOTTEST, 600)
"""Temperatures at which ties are looked for."""


def place(temperature: float) -> float:
    """Where a temperature stands among the steps: 0 at the first, 1 at the last."""
    low, high = np.log(SEARCHED)
    return float((np.log(temperature) - low) / (high - low))


def read(temperature: float) -> str:
    """A temperature as it is read: 0.05, 1, 1,000,000."""
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
    """The curves over the temperatures that one steps through, and as far as a given one."""
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


@dataclass(frozen=True, eq=False)
class Averaging:
    """The mean of passes, tempered before averaging and after it."""

    labels: tuple[str, str]
    probabilities: tuple[float, float]
    """Of these labels."""
    parting: NDArray[np.float64]
    """The temperatures of `COMPARED` at which the two name different labels."""


def averaging(passes: Row, reference: Reference, temperature: float) -> Averaging:
    """Passes averaged before and after tempering, at a temperature and over all that one steps through."""
    before, after = averaged(np.stack([case.logits for case in passes.cases]), np.array([temperature, *COMPARED]))
    first, last = (reference.head.label(p[0], reference.labels) for p in (before, after))
    parted = before.argmax(axis=-1) != after.argmax(axis=-1)
    return Averaging((first, last), (float(before[0].max()), float(after[0].max())), COMPARED[parted[1:]])
