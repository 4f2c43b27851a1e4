"""Dropout: stochastic passes, the same text again and again with dropout on, as a property of the call; and what they amount to.

The shared model stays in eval mode; see `core.models.sites` for how a call drops. Pass i of seed s draws from a generator of
its own, so it is the same whatever else is computed with it.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from core.base.cache import Kept
from core.base.errors import WobbleError
from core.base.words import plural, verb
from core.factors.ask import Ask, Progress
from core.factors.case import Case, Reference, Row, Trial, measured
from core.factors.registry import Range, factor, factors
from core.models.classifier import Classifier
from core.models.heads import Head, Logits, Probabilities
from core.models.predict import TOKEN_BUDGET
from core.models.site import KINDS, Site
from core.text.tokens import Encoding

PASSES = 100
MOST_PASSES = 1000


@dataclass(frozen=True)
class Dropout:
    """How passes drop."""

    seed: int = 0
    rate: float | None = None
    """One rate for all sites that act, in [0, 1); None: each site its own, from the checkpoint."""
    sites: tuple[str, ...] | None = None
    """Kinds of sites, or names of single ones; None: all."""


def one_pass(number: int) -> Trial:
    """What makes a case of one stochastic pass; they are numbered from 1."""
    return Trial(f"pass {number}", f"dropout pass {number}", {"pass": number})


def check(classifier: Classifier, dropout: Dropout, passes: int) -> None:
    """Refuse what cannot be run.

    Raises:
        WobbleError: with one sentence that says why.
    """
    if not 1 <= passes <= MOST_PASSES:
        raise WobbleError(f"{passes:,} passes cannot be run: choose from 1 to {MOST_PASSES:,}.")
    if dropout.rate is not None and not 0 <= dropout.rate < 1:
        raise WobbleError(f"A dropout rate of {dropout.rate:g} is not in the range from 0 up to, but not including, 1.")
    known = {*KINDS, *(site.name for site in classifier.sites)}
    if unknown := [site for site in dropout.sites or () if site not in known]:
        raise WobbleError(f"{classifier.id} has no dropout site {unknown[0]!r}: choose from {', '.join(KINDS)}.")


def rate_at(site: Site, dropout: Dropout) -> float:
    """The rate with which a site acts in these passes; 0 where it is switched off."""
    if dropout.sites is not None and not {site.kind, site.name} & set(dropout.sites):
        return 0.0
    return site.rate if dropout.rate is None else dropout.rate


def acting(sites: Collection[Site], dropout: Dropout) -> tuple[Site, ...]:
    """The sites that drop anything at all in these passes."""
    return tuple(site for site in sites if rate_at(site, dropout) > 0)


_passes: Kept[Logits] = Kept(limit=256, results=True)
"""Passes that were run, by token sequence and dropout: the first n of them, in order."""


def run_passes(
    classifier: Classifier,
    encoding: Encoding,
    passes: int,
    dropout: Dropout,
    *,
    chunk: int | None = None,
    progress: Progress | None = None,
) -> tuple[Logits, int]:
    """Stochastic passes over one text, `[n_passes, n_labels]`, many in a batch; and the rows that went through the whole model
    (those that only the head saw are not counted). Passes that are remembered do not run again.

    Args:
        passes: how many, from 1 to 1,000.
        chunk: passes in a batch; by default as many as fill the device's token budget.
        progress: called with the passes that are done and those asked for; what it raises cancels.

    Raises:
        WobbleError: there are no such passes, rates or sites, or nothing drops at any site.
    """
    from core.models.passes import behind_the_encoder, together

    check(classifier, dropout, passes)
    active = acting(classifier.sites, dropout)
    if not active:
        raise WobbleError(
            f"Nothing drops in {classifier.id} at these sites and rates, so every pass would be the same."
        )
    key = (encoding.key, dropout)
    known = _passes.get(classifier, key, lambda: np.empty((0, len(classifier.labels)), np.float32))
    if len(known) >= passes:
        return known[:passes], 0
    head_only = all(site.kind == "head" for site in active)
    model = behind_the_encoder(classifier, encoding) if head_only else classifier.model
    fitting = max(1, TOKEN_BUDGET[classifier.device.type] // (1 if head_only else len(encoding.ids)))
    size = 1 if any(site.shared for site in active) else chunk or fitting
    rates = {(site.name, site.kind): rate_at(site, dropout) for site in classifier.sites}
    found = [known]
    for first in range(len(known), passes, size):
        rows = range(first, min(passes, first + size))
        found.append(together(classifier, model, encoding, rows, dropout.seed, rates))
        if progress is not None:
            progress(rows.stop, passes)
    logits = np.concatenate(found)
    _passes.put(classifier, key, logits)
    return logits, 1 if head_only else passes - len(known)


def _none_drops(why: str) -> str:
    return f"This model has no dropout: {why}, so a pass cannot differ. That says nothing about stability."


@factor(
    "dropout",
    one="dropout pass",
    many="dropout passes",
    moved="dropout moves it by up to {shift} in {count} passes",
    effort=2,
    missing=lambda classifier: None if classifier.sites else _none_drops("it drops nothing anywhere"),
)
def dropout(
    ask: Ask,
    *,
    passes: Annotated[int, Range("how often the sentence is run", 1, MOST_PASSES)] = PASSES,
    seed: Annotated[int, Range("pass i of a seed is always the same", 0, 2**63 - 1)] = 0,
    p: Annotated[float | None, Range("one rate for all sites that act; by default each site's own", 0, 0.99)] = None,
    sites: Annotated[tuple[str, ...] | None, Range("kinds of sites, or names of single ones; by default all")] = None,
) -> Iterator[Case]:
    """The same text again and again with dropout on."""
    how = Dropout(seed, p, sites)
    check(ask.classifier, how, passes)
    if not acting(ask.classifier.sites, how):
        own = any(site.rate > 0 for site in ask.classifier.sites)
        said = "Nothing drops at these sites, so a pass cannot differ." if own else _none_drops("every rate is zero")
        ask.notes.append(said)
        return
    logits, ran = run_passes(ask.classifier, ask.reference.encoding, passes, how, progress=ask.progress)
    ask.count(passes, ran)
    yield from ask.measured([one_pass(number) for number in range(1, passes + 1)], logits)


# --- what passes amount to ----------------------------------------------------------------------------------------------


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
    """Wilson's 95% interval of a share."""


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
        "how much of that comes from passes that disagree (BALD); the rest is what each pass is unsure of by itself",
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
    """What the passes of a text amount to, in a sentence."""
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
    reading = "how often someone who left dropout on sees another label"
    return (
        Measure("Flip rate", row.flip_rate, 0.0, "flips / passes", reading, row.flip_interval),
        *(
            Measure(name, over[key] or 0.0, off[key] or 0.0, formula, reading)
            for key, (name, _, formula, reading) in OVER_PASSES.items()
        ),
    )


def flips(row: Row) -> NDArray[np.bool_]:
    """Which passes flip, in their order: `[n_passes]`."""
    counted = {id(case) for case in row.flipping}
    return np.array([id(case) in counted for case in row.cases], dtype=bool)
