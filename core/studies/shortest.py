"""The shortest flip: the smallest set of formatting edits that keep the sentence and change its label.

Typos are no such edits: by chance a slip makes another word. Single edits first, then pairs and triples, best first: by how
far the parts moved the margin towards the line. Supersets of a known flip are skipped, as in LIT (PAIR-code/lit): they are no
smallest set.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from core.base.errors import WobbleError
from core.factors.numerics import noise_floor
from core.factors.temperature import probabilities
from core.models.classifier import Classifier, Condition, Logits, Prediction, predict
from core.models.heads import Probabilities, flip, label_name, margin, shift
from core.studies.compare import Comparison
from core.text.perturb import FORMATTING, Variant, variants
from core.text.tokens import Encoding

MOST_EDITS = 3
BUDGET = 400
"""Token sequences that are run at the most."""
BATCH = 32
"""Sequences that are run before it is looked whether one flips."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """Some edits made at once, and the prediction of the text that they make."""

    edits: tuple[Variant, ...]
    """The single edits, in the order of the perturbations."""
    text: str
    encoding: Encoding
    logits: Logits
    """`[n_labels]`"""
    probabilities: Probabilities
    """`[n_labels]`"""
    label: str
    shift: float
    margin: float
    flip: bool
    """The label is another one, and the shift above the noise floor."""

    @property
    def names(self) -> tuple[str, ...]:
        """The perturbations."""
        return tuple(variant.perturbation for variant in self.edits)


@dataclass(frozen=True, eq=False)
class Search:
    """What a search found, and how far it looked."""

    model: str
    text: str
    label: str
    margin: float
    flips: tuple[Candidate, ...]
    """The smallest sets that flip, those that go furthest first; empty if none was found."""
    nearest: Candidate | None
    """The set that came nearest to the line, or went furthest beyond it; None where no edit reaches the model."""
    edits: int
    """Sets of up to so many edits were looked at."""
    complete: bool
    """Whether the search ended because a set flipped or none was left; False: the budget was spent first."""
    sequences: int
    """Distinct token sequences that were run or known."""
    rows_run: int
    """Those of them that went through the model in this call."""
    budget: int

    @property
    def size(self) -> int | None:
        """How many edits the smallest set has; None if none was found."""
        return len(self.flips[0].edits) if self.flips else None

    @property
    def finding(self) -> str:
        """The finding in a sentence."""
        if self.flips:
            best = self.flips[0]
            if len(best.edits) == 1:
                return f"One edit flips it to {best.label}: {best.names[0]}."
            names = " + ".join(best.names)
            # All smaller sets were run before this one.
            return (
                f"{len(best.edits)} edits at once flip it to {best.label}: {names}; no smaller set of the edits that "
                "reach the model does."
            )
        spent = "" if self.complete else ", where the budget was spent"
        return (
            f"None found within {_counted(self.edits, 'edit')} and {_counted(self.sequences, 'token sequence')}{spent}."
        )


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"


def shortest_flip(
    classifier: Classifier,
    text: str,
    *,
    most_edits: int = MOST_EDITS,
    budget: int = BUDGET,
    seed: int = 0,
    known: Comparison | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Search:
    """Search for the smallest set of edits that flips a text.

    Pairs and triples are made of single edits that reached the model and whose spans do not overlap; each distinct token
    sequence runs once.

    Args:
        most_edits: edits at once, from 1 to 3.
        budget: token sequences to run at the most.
        seed: of the perturbations that draw.
        known: a comparison of this classifier and text, whose token sequences are not run again.
        progress: called after each batch with the sequences that are done and the budget; what it raises cancels.

    Raises:
        WobbleError: the text cannot be predicted, the head has no labels, or there is no such number of edits.
    """
    if classifier.head == "regression":
        raise WobbleError(f"{classifier.id} has a regression head: a value has no label to flip.")
    if not 1 <= most_edits <= MOST_EDITS or budget < 1:
        raise WobbleError(f"The search takes 1 to {MOST_EDITS} edits at once and a budget of at least one sequence.")
    asked = _Runs(classifier, text, budget, known, progress)
    single = [variant for variant in variants(text, only=FORMATTING, seed=seed) if variant.same_sentence]
    tried: dict[tuple[int, ...], Candidate] = {}
    complete, size = True, 1
    for size in range(1, most_edits + 1):
        if size == 1:
            sets: Iterator[tuple[int, ...]] = iter([(i,) for i in range(len(single))])
        else:
            sets = _promising(size, tried, single, asked.margin)
        complete = _try_all(sets, single, tried, asked)
        flipping = [candidate for key, candidate in tried.items() if len(key) == size and candidate.flip]
        if flipping or not complete:
            break
        if size < most_edits and not any(len(key) == size for key in tried):
            break  # nothing reaches the model, or nothing composes, so no larger set does
    flipping = sorted((c for c in tried.values() if c.flip), key=lambda c: (len(c.edits), c.margin))
    return Search(
        model=classifier.id,
        text=text,
        label=asked.label,
        margin=asked.margin,
        flips=tuple(c for c in flipping if len(c.edits) == len(flipping[0].edits)),
        nearest=min(tried.values(), key=lambda candidate: candidate.margin, default=None),
        edits=size,
        complete=complete,
        sequences=asked.sequences,
        rows_run=asked.rows_run,
        budget=budget,
    )


def _promising(
    size: int, tried: dict[tuple[int, ...], Candidate], single: Sequence[Variant], reference: float
) -> Iterator[tuple[int, ...]]:
    """Sets of `size` edits whose spans do not overlap, best first (of equals those that change fewer characters), without the
    supersets of known flips.

    The promise of a set is the sum of its edits' moves towards the line; for triples that of the best split into a pair that
    was tried and a third.
    """
    moves = {key: reference - candidate.margin for key, candidate in tried.items()}
    flips = [set(key) for key, candidate in tried.items() if candidate.flip]
    edits = sorted(key[0] for key in moves if len(key) == 1)
    apart = {pair for pair in combinations(edits, 2) if not overlap(single[pair[0]], single[pair[1]])}
    ranked: list[tuple[float, int, tuple[int, ...]]] = []
    for key in combinations(edits, size):
        if any(flip <= set(key) for flip in flips) or not all(pair in apart for pair in combinations(key, 2)):
            continue
        promise = sum(moves[(i,)] for i in key)
        if size == 3:
            splits = [(tuple(j for j in key if j != i), i) for i in key]
            promise = max((moves[pair] + moves[(third,)] for pair, third in splits if pair in moves), default=promise)
        ranked.append((-promise, sum(changed(single[i]) for i in key), key))
    return (key for _, _, key in sorted(ranked))


def _try_all(
    sets: Iterator[tuple[int, ...]], single: Sequence[Variant], tried: dict[tuple[int, ...], Candidate], asked: "_Runs"
) -> bool:
    """Run sets in batches until one flips (all single edits, to know their moves); whether all were tried."""
    waiting: list[tuple[tuple[int, ...], str]] = []
    for key in sets:
        made = combined(asked.text, [single[i] for i in key])
        if made is None or not asked.is_new(made):
            continue
        if asked.left <= len(waiting):
            asked.run(waiting, single, tried)
            return False
        waiting.append((key, made))
        if len(waiting) == BATCH:
            asked.run(waiting, single, tried)
            waiting = []
            if len(key) > 1 and any(len(done) == len(key) and tried[done].flip for done in tried):
                return True
    asked.run(waiting, single, tried)
    return True


class _Runs:
    """Token sequences of one text's edits: each is run once, and counted."""

    def __init__(
        self,
        classifier: Classifier,
        text: str,
        budget: int,
        known: Comparison | None,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self.classifier, self.text, self.budget, self.progress = classifier, text, budget, progress
        self.known: Prediction | None = known.shared if known else None
        alone = known.alone if known else predict(classifier, [text], Condition(batch="alone"))
        self.rows_run = 0 if known else 1
        self.floor = known.noise_floor if known else noise_floor(classifier, text, reference=alone)
        self.reference = probabilities(alone.logits[0], classifier.head)
        self.label = label_name(self.reference, classifier.head, classifier.labels)
        margins = margin(self.reference[None], self.reference, classifier.head)
        assert margins is not None
        self.margin = float(margins[0])
        self.sequences = 0
        self._seen = {alone.encodings[0].ids}

    @property
    def left(self) -> int:
        return self.budget - self.sequences

    def is_new(self, text: str) -> bool:
        """Whether the model has not been given these tokens yet; from now on it has."""
        ids = self.classifier.encoder([text])[0].ids
        if not ids or ids in self._seen:
            return False
        self._seen.add(ids)
        return True

    def run(
        self,
        waiting: Sequence[tuple[tuple[int, ...], str]],
        single: Sequence[Variant],
        tried: dict[tuple[int, ...], Candidate],
    ) -> None:
        if not waiting:
            return
        head = self.classifier.head
        found = predict(self.classifier, [text for _, text in waiting], known=self.known)
        self.sequences += len(waiting)
        self.rows_run += found.rows_run
        p = probabilities(found.logits, head)
        margins, flips = margin(p, self.reference, head), flip(p, self.reference, head)
        assert margins is not None and flips is not None
        shifts = shift(p, self.reference, head)
        for i, (key, text) in enumerate(waiting):
            tried[key] = Candidate(
                edits=tuple(single[number] for number in key),
                text=text,
                encoding=found.encodings[i],
                logits=found.logits[i],
                probabilities=p[i],
                label=label_name(p[i], head, self.classifier.labels),
                shift=float(shifts[i]),
                margin=float(margins[i]),
                flip=bool(np.logical_and(flips[i], shifts[i] > self.floor)),
            )
        if self.progress is not None:
            self.progress(self.sequences, self.budget)


def overlap(one: Variant, other: Variant) -> bool:
    """Whether two variants of a text edit the same place, so that both at once have no meaning.

    Two insertions at one place overlap, and so do an insertion and a change that begins there: their order is not said.
    """
    return any(
        a.original[0] == b.original[0] or (a.original[0] < b.original[1] and b.original[0] < a.original[1])
        for a in one.edits
        for b in other.edits
    )


def combined(text: str, chosen: Sequence[Variant]) -> str | None:
    """The text with the edits of all variants made at once; None where they overlap."""
    if any(overlap(one, other) for one, other in combinations(chosen, 2)):
        return None
    pieces, at = [], 0
    spans = [(edit.original, variant.text[slice(*edit.variant)]) for variant in chosen for edit in variant.edits]
    for (begin, end), replacement in sorted(spans):
        pieces += [text[at:begin], replacement]
        at = end
    return "".join([*pieces, text[at:]])


def changed(variant: Variant) -> int:
    """How many characters an edit removes or inserts; one that stands in the place of another counts once."""
    return sum(max(edit.original[1] - edit.original[0], edit.variant[1] - edit.variant[0]) for edit in variant.edits)


def sizes(found: Sequence[Search]) -> dict[int, int]:
    """How many texts flip within one, two, … edits."""
    return {
        edits: sum(one.size is not None and one.size <= edits for one in found) for edits in range(1, MOST_EDITS + 1)
    }
