"""Dropout looked at closely: the passes of a variant beside those of its original, and what the passes of one text come to."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.base.words import plural, verb
from core.factors.ask import Progress
from core.factors.case import Case, Reference, Row, measured
from core.factors.dropout import Dropout, one_pass, run_passes
from core.factors.registry import factors
from core.models.classifier import Classifier
from core.models.heads import Head, Probabilities


@dataclass(frozen=True)
class Measure:
    """One number over the passes of a text."""

    name: str
    value: float
    off: float
    """The same measure of the prediction with dropout off."""
    formula: str
    reading: str
    interval: tuple[float, float] | None = None
    """Wilson's 95 % interval of a share."""


OVER_PASSES: dict[str, tuple[str, Callable[[Head, Probabilities], float], str, str]] = {
    "entropy": (
        "Predictive entropy",
        lambda head, p: float(head.entropy(p.mean(axis=0))),
        "H[mean p] = \u2212\u03a3 p log p of the mean, in nats",
        "how unsure the passes are taken together",
    ),
    "mutual_information": (
        "Mutual information",
        lambda head, p: head.mutual_information(p),
        "H[mean p] \u2212 mean H[p], in nats",
        "how much of that comes from passes that disagree (BALD); the rest every pass is unsure of by itself",
    ),
    "variation_ratio": (
        "Variation ratio",
        lambda head, p: head.variation_ratio(p),
        "1 \u2212 votes of the modal label / passes",
        "share of passes that leave the majority",
    ),
}
"""By their keys in documents: name, measure of samples `[n_passes, n_labels]`, formula and plain reading."""


def over_passes(samples: Probabilities, head: Head) -> dict[str, float | None]:
    """What stochastic passes `[n_passes, n_labels]` say together, by the keys of `OVER_PASSES`; None for regression."""
    return {key: measure(head, samples) if head.has_labels else None for key, (_, measure, *_) in OVER_PASSES.items()}


def passes_of(
    classifier: Classifier,
    reference: Reference,
    variant: Case,
    title: str,
    passes: int,
    dropout: Dropout,
    *,
    noise_floor: float,
    progress: Progress | None = None,
) -> Row:
    """A variant's passes in a row of their own, measured against the original with dropout off.

    Args:
        title: of the row.
        progress: called with the passes that are done and those asked for; what it raises cancels.

    Raises:
        WobbleError: as `run_passes` does.
    """
    logits, _ = run_passes(classifier, variant.encoding, passes, dropout, progress=progress)
    made = [one_pass(number) for number in range(1, passes + 1)]
    cases = measured(reference, made, logits, [variant.encoding] * passes)
    # A pass has no text of its own.
    edited = tuple(replace(case, text=variant.text) for case in cases)
    return Row(factors(["dropout"])[0], edited, noise_floor, title=title)


def said(row: Row) -> str:
    """What the passes of a text come to, in a sentence."""
    passes = plural(row.tried, "pass", "passes")
    if row.flips is None or row.flip_interval is None:
        return f"Over {passes} the output scatters by {row.probabilities.std(axis=0).max():.3f} (standard deviation)."
    low, high = row.flip_interval
    if not row.flips:
        return f"None of {passes} flips it: the flip rate is at most {high:.1%} (95% interval)."
    return (
        f"{row.flips:,} of {passes} {verb(row.flips, 'flips', 'flip')} it: {row.flip_rate:.0%} "
        f"(95% interval {low:.0%} to {high:.0%})."
    )


def measures(row: Row, reference: Reference) -> tuple[Measure, ...]:
    """The measures over the passes of a text beside those of its prediction with dropout off; none for regression."""
    if row.flip_rate is None:
        return ()
    over, off = (over_passes(p, reference.head) for p in (row.probabilities, reference.probabilities[None]))
    rate = Measure(
        "Flip rate",
        row.flip_rate,
        0.0,
        "flips / passes",
        "how often someone who left dropout on sees another label",
        row.flip_interval,
    )
    others = [
        Measure(name, over[key] or 0.0, off[key] or 0.0, formula, reading)
        for key, (name, _, formula, reading) in OVER_PASSES.items()
    ]
    return (rate, *others)


def flips(row: Row) -> NDArray[np.bool_]:
    """Which passes flip, in their order: `[n_passes]`."""
    counted = {id(case) for case in row.flipping}
    return np.array([id(case) in counted for case in row.cases], dtype=bool)
