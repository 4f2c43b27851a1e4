"""The cuts of a text that lie nearest to its reference."""

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from core.text.segmentation.algorithms import Cut, Edges


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
        after = _through(edges, reference, after, count + 1) if reference else after
    return [_words(path, references) for path in after[1:]]


def _through(edges: Edges, reference: Cut, after: Sequence[_Path | None], count: int) -> Sequence[_Path | None]:
    """The best paths from the start of a word, given the best ones from its end."""
    # Pieces of one span, which are the bytes of one character, belong together.
    steps = (tuple(run) for _, run in groupby(reference, key=lambda piece: (piece.start, piece.end)))
    own = {step[0].start: [step] for step in steps}
    best: dict[int, Sequence[_Path | None]] = {reference[-1].end: after}
    for start in sorted({*edges, *own}, reverse=True):
        kept = own.get(start, [])
        ends = {step[-1].end: step for step in (*edges.get(start, ()), *kept)}
        found = [
            _Path((-len(step) if step in kept else len(step)) + (path.cost if path else 0), step, path)
            for end, step in sorted(ends.items(), key=lambda item: (item[1] in kept, -item[0]))
            for path in best.get(end, ())
        ]
        # Sorting is stable, so that equals stay in the order in which they were found.
        best[start] = sorted(found, key=lambda path: path.cost)[:count]
    return best[reference[0].start]


def _words(path: _Path | None, references: Sequence[Cut]) -> list[Cut]:
    """A path through a text as the cuts of its words; each ends where its reference ends."""
    cuts: list[Cut] = []
    for reference in references:
        cut: Cut = ()
        while path is not None and reference and (not cut or cut[-1].end != reference[-1].end):
            cut, path = cut + path.first, path.rest
        cuts.append(cut)
    return cuts
