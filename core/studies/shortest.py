"""The shortest flip: the smallest set of formatting edits that keep the sentence and change its label.

Typos are not among them: a slip can happen to make another word. Single edits first, then pairs and triples, best first: by how
far the parts moved the margin towards the line. Supersets of a known flip are skipped, as in LIT (PAIR-code/lit): they are not
the smallest set.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, islice

from core.base.errors import WobbleError
from core.base.words import listed, plural
from core.factors.ask import Ask, Progress
from core.factors.case import Case, Reference, Row, Trial
from core.factors.formatting import CUSTOM
from core.models.classifier import Classifier
from core.text.perturb import FORMATTING, Variant

MOST_EDITS = 3
BUDGET = 400
"""The most token sequences that are run."""
BATCH = 32
"""Sequences that are run before checking whether one flips."""


@dataclass(frozen=True)
class Combined(Trial):
    """Some edits made at once."""

    edits: tuple[Variant, ...]
    """The single edits, in the order of the perturbations."""
    text: str


def composed(edits: tuple[Variant, ...], text: str) -> Combined:
    """Edits, and the text that they make together."""
    made = [{"perturbation": edit.perturbation, "seed": edit.seed, "text": edit.text} for edit in edits]
    said = listed([edit.said for edit in edits])
    return Combined(" + ".join(edit.name for edit in edits), said, {"edits": made, "text": text}, edits, text)


@dataclass(frozen=True, eq=False)
class Search:
    """What a search found, and how far it looked."""

    reference: Reference
    row: Row
    """Every set that was tried, in the order of the search."""
    flips: tuple[Case, ...]
    """The smallest sets that flip, those that go furthest first; empty if none was found."""
    size: int | None
    """How many edits each of them has; None if none was found."""
    nearest: Case | None
    """The set that came nearest to the line, or went furthest beyond it; None where no edit reaches the model."""
    edits: int
    """Sets of up to this many edits were tried."""
    complete: bool
    """Whether the search ended because a set flipped or none was left; False: the budget ran out first."""
    sequences: int
    """Distinct token sequences that were run or known."""
    rows_run: int
    """Those of them that went through the model in this call."""
    budget: int

    @property
    def finding(self) -> str:
        """The finding in a sentence."""
        if self.flips:
            found = f"it to {self.flips[0].label}: {self.flips[0].made.said}"
            if self.size == 1:
                return f"One edit flips {found}."
            # All smaller sets were run before this one.
            return f"{self.size} edits at once flip {found}; no smaller set of the edits that reach the model does."
        spent = "" if self.complete else ", where the budget ran out"
        return f"None found within {plural(self.edits, 'edit')} and {plural(self.sequences, 'token sequence')}{spent}."


def check_search(most_edits: int, budget: int) -> None:
    """Refuse a search that no classifier allows.

    Raises:
        WobbleError: with one sentence that says why.
    """
    if not 1 <= most_edits <= MOST_EDITS or budget < 1:
        raise WobbleError(f"The search takes 1 to {MOST_EDITS} edits at once and a budget of at least one sequence.")


def shortest_flip(
    classifier: Classifier,
    text: str,
    *,
    most_edits: int = MOST_EDITS,
    budget: int = BUDGET,
    seed: int = 0,
    temperature: float = 1.0,
    progress: Progress | None = None,
) -> Search:
    """Search for the smallest set of edits that flips a text.

    Pairs and triples are made of single edits that reached the model and whose spans do not overlap; each distinct token
    sequence runs once.

    Args:
        most_edits: edits at once, from 1 to 3.
        budget: the most token sequences to run.
        seed: of the perturbations that draw at random.
        temperature: what all logits are divided by.
        progress: called after each batch with the sequences that are done and the budget; what it raises cancels.

    Raises:
        WobbleError: the text cannot be predicted, the head has no labels, or there is no such number of edits.
    """
    if not classifier.head.has_labels:
        raise WobbleError(f"{classifier.id} has a regression head: a value has no label to flip.")
    check_search(most_edits, budget)
    search = _Search(Ask(classifier, text, temperature, progress), budget, seed)
    complete, edits = True, 1
    for edits in range(1, most_edits + 1):
        complete = search.try_all(search.promising(edits))
        found = [case for key, case in search.tried.items() if len(key) == edits]
        # Where nothing reaches the model, or no edits can be combined, no larger set does.
        if not complete or not found or any(map(search.row.flip, found)):
            break
    flipping = {key: case for key, case in search.tried.items() if search.row.flip(case)}
    size = min(map(len, flipping), default=None)
    return Search(
        reference=search.ask.reference,
        row=replace(search.row, cases=tuple(search.tried.values())),
        flips=tuple(sorted((case for key, case in flipping.items() if len(key) == size), key=_margin)),
        size=size,
        nearest=min(search.tried.values(), key=_margin, default=None),
        edits=edits,
        complete=complete,
        sequences=len(search.tried),
        rows_run=search.ask.rows_run,
        budget=budget,
    )


def _margin(case: Case) -> float:
    assert case.margin is not None  # a search refuses heads without labels
    return case.margin


Key = tuple[int, ...]
"""Numbers of single edits."""


class _Search:
    """The sets of one text's edits: each token sequence is run once, and counted."""

    def __init__(self, ask: Ask, budget: int, seed: int) -> None:
        self.ask, self.budget = ask, budget
        self.row = Row(CUSTOM, (), ask.noise_floor)
        self.single = [v for v in ask.variants(seed) if v.factor in FORMATTING and v.same_sentence]
        self.tried: dict[Key, Case] = {}
        self._seen = {ask.reference.encoding.key}

    def promising(self, size: int) -> Iterator[Key]:
        """Single edits as they come. Sets of `size` edits whose spans do not overlap, best first (of equals those that change
        fewer characters), without the supersets of known flips.

        The promise of a set is how far it moves towards the line if one of its edits adds to what the others do together: the
        largest such sum of which the others were tried, or the sum over its edits.
        """
        if size == 1:
            return ((i,) for i in range(len(self.single)))
        start = self.ask.reference.margin or 0.0
        moves = {key: start - _margin(case) for key, case in self.tried.items()}
        flips = [set(key) for key, case in self.tried.items() if self.row.flip(case)]
        edits = sorted(key[0] for key in moves if len(key) == 1)
        apart = {pair for pair in combinations(edits, 2) if not overlap(self.single[pair[0]], self.single[pair[1]])}

        def rank(key: Key) -> tuple[float, int, Key]:
            splits = [(tuple(j for j in key if j != i), (i,)) for i in key]
            sums = (moves[others] + moves[one] for others, one in splits if others in moves)
            promise = max(sums, default=sum(moves[(i,)] for i in key))
            return -promise, sum(changed(self.single[i]) for i in key), key

        sets = (key for key in combinations(edits, size) if all(pair in apart for pair in combinations(key, 2)))
        return iter(sorted((key for key in sets if not any(flip <= set(key) for flip in flips)), key=rank))

    def try_all(self, sets: Iterator[Key]) -> bool:
        """Run sets in batches until one flips (all single edits, to know their moves); whether all were tried."""
        new = self._new(sets)
        while batch := dict(islice(new, min(BATCH, self.budget - len(self.tried)))):
            encodings = self.ask.encode([made.text for made in batch.values()])
            cases = self.ask.measured(list(batch.values()), self.ask.predict(encodings), encodings=encodings)
            self.tried |= dict(zip(batch, cases, strict=True))
            if self.ask.progress is not None:
                self.ask.progress(len(self.tried), self.budget)
            if len(batch) == BATCH and any(len(key) > 1 and self.row.flip(self.tried[key]) for key in batch):
                return True
        return next(new, None) is None

    def _new(self, sets: Iterator[Key]) -> Iterator[tuple[Key, Combined]]:
        """The sets that make token sequences which the model has not seen yet."""
        for key in sets:
            edits = tuple(self.single[i] for i in key)
            text = combined(self.ask.text, edits)
            read = None if text is None else self.ask.encode([text])[0]
            if text is not None and read is not None and read.ids and read.key not in self._seen:
                self._seen.add(read.key)
                yield key, composed(edits, text)


def overlap(one: Variant, other: Variant) -> bool:
    """Whether two variants of a text edit the same place, so that making both at once has no meaning.

    Two insertions at one place overlap, and so do an insertion and a change that begins there: their order is undefined.
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
    """How many characters an edit removes or inserts; a replaced character counts once."""
    return sum(max(edit.original[1] - edit.original[0], edit.variant[1] - edit.variant[0]) for edit in variant.edits)
