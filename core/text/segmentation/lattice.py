"""The pieces that a word can be cut into, and the cuts of a text that lie nearest to its reference."""

from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple, Protocol


class Piece(NamedTuple):
    """A token of a word."""

    id: int
    token: str
    start: int
    """In bytes of the normalized word, as the tokenizers library counts."""
    end: int


Cut = tuple[Piece, ...]
"""A word in pieces, from left to right."""

Edges = dict[int, list[Cut]]
"""By the byte where it starts: what may come next in a cut. Nearly always one piece; several where bytes stand for one
character."""

Sampler = Callable[[Random], Cut]
"""Draws a cut of one word. A word that comes to a dead end is unknown, as it is to the tokenizer itself."""


class Algorithm(Protocol):
    """One kind of vocabulary, and how it can be made to cut otherwise."""

    def edges(self, word: str) -> Edges:
        """Every piece that a draw can cut out of a word, but no unknown one; may be empty."""

    def sampler(self, word: str, rate: float) -> Sampler:
        """Draws cuts of one word at a rate (p or alpha)."""


def difference(cut: Cut, reference: Cut) -> int:
    """Pieces that only one of two cuts of a word has: one piece cut in two counts 3 (one is gone, two are new)."""
    return len(set(cut) ^ set(reference))


class _Path(NamedTuple):
    """The rest of a text, cut; a chain from left to right."""

    cost: int
    first: Cut
    rest: "_Path | None"


def nearest_cuts(words: Sequence[Edges], references: Sequence[Cut], count: int) -> list[list[Cut]]:
    """The cuts of a text with the smallest `difference` from its reference, the reference itself left out.

    K shortest paths through all words by dynamic programming from the end: a piece that the reference has saves one, one
    that it has not costs one. Among equals comes first what departs from the reference further left, then what has the
    longer piece there.

    Args:
        words: the edges of each word; those of the reference are added.
        references: the reference's cut of each word.
        count: at most so many.

    Returns:
        Texts in order; each a cut for each word.
    """
    after: Sequence[_Path | None] = [None]
    for edges, reference in zip(reversed(words), reversed(references), strict=True):
        after = _through(edges, reference, after, count + 1)
    return [_words(path, references) for path in after[1:]]


def _through(edges: Edges, reference: Cut, after: Sequence[_Path | None], count: int) -> Sequence[_Path | None]:
    """The best paths from the start of a word, given the best ones from its end."""
    if not reference:
        return after
    kept = _steps(reference)
    best: dict[int, Sequence[_Path | None]] = {reference[-1].end: after}
    for start in sorted({*edges, *(step[0].start for step in kept)}, reverse=True):
        steps = {step[-1].end: step for step in edges.get(start, ())}
        own = next((step for step in kept if step[0].start == start), None)
        if own:
            steps[own[-1].end] = own
        found = []
        for end in sorted(steps, key=lambda end: (steps[end] == own, -end)):
            step = steps[end]
            cost = -len(step) if step == own else len(step)
            found += [_Path(cost + (path.cost if path else 0), step, path) for path in best.get(end, ())]
        # Sorting is stable, so that equals stay in the order in which they were found.
        best[start] = sorted(found, key=lambda path: path.cost)[:count]
    return best[reference[0].start]


def _steps(cut: Cut) -> list[Cut]:
    """A cut as edges: pieces of one span, which are the bytes of one character, belong together."""
    steps: list[Cut] = []
    for piece in cut:
        if steps and (piece.start, piece.end) == (steps[-1][0].start, steps[-1][0].end):
            steps[-1] += (piece,)
        else:
            steps.append((piece,))
    return steps


def _words(path: _Path | None, references: Sequence[Cut]) -> list[Cut]:
    """A path through a text as the cuts of its words; each ends where its reference ends."""
    cuts: list[Cut] = []
    for reference in references:
        cut: Cut = ()
        while path is not None and reference and (not cut or cut[-1].end != reference[-1].end):
            cut, path = cut + path.first, path.rest
        cuts.append(cut)
    return cuts
