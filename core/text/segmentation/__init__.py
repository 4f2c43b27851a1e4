"""Segmentation: the same characters cut into other pieces, by the model's own kind of tokenizer.

The normalizer, the pre-tokenizer, the added tokens and what is put around a text stay the tokenizer's own; only the step
that cuts a word into pieces of the vocabulary is another. Draw i of a seed has a generator of its own, so it is the same
however many are drawn.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from random import Random
from typing import NamedTuple

from core.base.cache import Kept
from core.base.errors import WobbleError
from core.text.segmentation.algorithms import ALGORITHMS, Cut, Edges
from core.text.segmentation.recut import Recutter, Words
from core.text.tokens import Encoding, TextEncoder

P = 0.1
"""The rate of the papers on BPE-dropout and MaxMatch-dropout."""

ALPHA = 0.3
"""With the embedded Unigram model it changes 22% of the words, as many as BPE-dropout at 0.1 in the embedded BPE model."""

NEAREST = 20


@dataclass(frozen=True)
class Segmentation:
    """A text cut into pieces in another way, or, for a draw that changed nothing, in the same way."""

    encoding: Encoding
    """As a model reads it: truncated, with its special tokens."""
    changed: int
    """Pieces that only one of this segmentation and the reference has, at their place: a piece that is cut in two, or two
    that become one, count 3; a boundary that moves counts 4. 0 for the reference itself."""
    same_text: bool
    """Whether its ids decode to what the reference's ids decode to. False only for a text at the limit: with other pieces
    more or less of it is read."""
    draw: int | None = None
    """Which draw it is; None for one of the nearest."""

    @property
    def ids(self) -> tuple[int, ...]:
        return self.encoding.ids

    @property
    def tokens(self) -> tuple[str, ...]:
        return self.encoding.tokens


@dataclass(frozen=True)
class Drawn:
    """What some draws gave."""

    reference: Encoding
    segmentations: tuple[Segmentation, ...]
    """Every draw that was not rejected, in order, whether or not it equals the reference or an earlier one."""
    rejected: int
    """Draws that would need an unknown token where the reference has none, or that decode to another text."""


_recutters: Kept[Recutter] = Kept(limit=8)
"""By text encoder: a second copy of its vocabulary, in tables."""


def why_not(encoder: TextEncoder) -> str | None:
    """Why a tokenizer has no other segmentations, in one sentence; None where it has."""
    if encoder.backend is None:
        return f"No other segmentation: the tokenizer is {encoder.name}, and cannot be inspected."
    model = encoder.settings["model"]
    if model["type"] not in ALGORITHMS:
        return f"No other segmentation: a {model['type']} tokenizer knows each word as one piece or not at all."
    if model["type"] == "BPE":
        alone = not model["merges"]
    else:
        prefix = model.get("continuing_subword_prefix") or ""
        added = {entry["content"] for entry in encoder.settings.get("added_tokens", ())}
        pieces = dict(model["vocab"])
        alone = all(len(piece.removeprefix(prefix)) <= 1 for piece in pieces if piece not in added)
    return "No other segmentation: each piece of this tokenizer is one character or byte." if alone else None


def uses(encoder: TextEncoder) -> str:
    """The name of the rate at which a tokenizer that is not ruled out by `why_not` is drawn from: "p" or "alpha"."""
    return "alpha" if encoder.settings["model"]["type"] == "Unigram" else "p"


METHODS = {
    "BPE": "BPE-dropout (Provilkov et al., arXiv 1910.13267)",
    "WordPiece": "MaxMatch-dropout (Hiraoka, arXiv 2209.04126)",
    "Unigram": "sampling from the lattice of a Unigram tokenizer (Kudo, arXiv 1804.10959)",
}


def method(encoder: TextEncoder) -> str:
    """How segmentations of a tokenizer that is not ruled out by `why_not` are drawn, in words."""
    return METHODS[encoder.settings["model"]["type"]]


def draws(encoder: TextEncoder, text: str, count: int, *, p: float = P, alpha: float = ALPHA, seed: int = 0) -> Drawn:
    """Draw segmentations of a text: BPE-dropout, MaxMatch-dropout for WordPiece, sampling from the lattice for Unigram.

    The whole text is cut, then truncated as the tokenizer truncates: of a text beyond the limit, a draw of more pieces reads
    less. Words of which the reference reads nothing stay as they are; so does a word that is unknown to the tokenizer.
    Before truncation, all draws decode to the reference's text.

    Args:
        count: draws; those that are rejected are not made up for, since a draw depends on the seed and its number alone.
        p: the rate for BPE and WordPiece, from 0 (the reference) to 1 (characters or bytes).
        alpha: the smoothing for Unigram, from 0 (all segmentations alike); the larger, the nearer to the reference.

    Raises:
        WobbleError: `why_not` says why there are none, a rate is out of range, or the text holds a lone surrogate.
    """
    reference, recutter, words = _prepared(encoder, text)
    if not 0 <= p <= 1:
        raise WobbleError(f"p = {p:g} is not a probability: choose one from 0 to 1.")
    if not 0 <= alpha < math.inf:
        raise WobbleError(f"alpha = {alpha:g} is not a smoothing: choose 0 or more.")
    rate = alpha if uses(encoder) == "alpha" else p
    samplers = {word: recutter.algorithm.sampler(word, rate) for word in {words.words[i] for i in words.read}}

    def drawn(number: int) -> list[Cut]:
        # The text is part of the seed, so that two texts do not get the same draws.
        rng = Random(f"{seed}/{number}/{text}")
        pairs = enumerate(zip(words.words, words.cuts, strict=True))
        return [samplers[word](rng) if i in words.read else own for i, (word, own) in pairs]

    found = [*_segmentations(encoder, recutter, text, words, ((i, drawn(i)) for i in range(count)))]
    return Drawn(reference, tuple(found), rejected=count - len(found))


def repeated(reference: Encoding, found: Sequence[Segmentation]) -> int:
    """How many segmentations have the ids of the reference or of an earlier one."""
    return len(found) - len({one.ids for one in found} - {reference.ids})


def nearest(encoder: TextEncoder, text: str, count: int = NEAREST) -> tuple[Segmentation, ...]:
    """The segmentations that change the fewest pieces (see `Segmentation.changed`), nearest first, without the reference.

    All segmentations that some draw could give are candidates, with the words of which the reference reads nothing as they
    are. Among those that change equally many, the one whose first change lies further left comes first, then the one with
    the longer piece there. Fewer than `count` where there are not as many.

    Raises:
        WobbleError: `why_not` says why there are none, or the text holds a lone surrogate.
    """
    reference, recutter, words = _prepared(encoder, text)
    edges = [recutter.algorithm.edges(word) if i in words.read else {} for i, word in enumerate(words.words)]
    # Some may differ only beyond the limit, or decode to another text.
    cuts = _nearest_cuts(edges, words.cuts, 2 * count)
    found: dict[tuple[int, ...], Segmentation] = {}
    for segmentation in _segmentations(encoder, recutter, text, words, ((None, cut) for cut in cuts)):
        if len(found) == count:
            break
        if segmentation.ids != reference.ids:
            found.setdefault(segmentation.ids, segmentation)
    return tuple(found.values())


def difference(cut: Cut, reference: Cut) -> int:
    """Pieces that only one of two cuts of a word has: one piece cut in two counts 3 (one is gone, two are new)."""
    return len(set(cut) ^ set(reference))


class _Path(NamedTuple):
    """The rest of a text, cut; a chain from left to right."""

    cost: int
    first: Cut
    rest: "_Path | None"


def _nearest_cuts(words: Sequence[Edges], references: Sequence[Cut], count: int) -> list[list[Cut]]:
    """The cuts of a text with the smallest `difference` from its reference, the reference itself left out.

    K shortest paths through all words by dynamic programming from the end: a piece that the reference has saves one, any
    other costs one. Among equals, the path that departs from the reference further left comes first, then the one with the
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


def _prepared(encoder: TextEncoder, text: str) -> tuple[Encoding, Recutter, Words]:
    if reason := why_not(encoder):
        raise WobbleError(reason)
    reference = encoder([text])[0]
    recutter = _recutters.get(encoder, "recutter", lambda: Recutter(encoder))
    return reference, recutter, recutter.words(text)


def _segmentations(
    encoder: TextEncoder, recutter: Recutter, text: str, words: Words, cuts: Iterable[tuple[int | None, list[Cut]]]
) -> Iterator[Segmentation]:
    """Segmentations of cuts, each with its number; those that decode to another text than the reference are left out."""
    said, said_of_read = (
        _said(encoder, recutter.encode(text, words.cuts, truncated=truncated).ids) for truncated in (False, True)
    )
    for number, cut in cuts:
        full = recutter.encode(text, cut, truncated=False)
        if _said(encoder, full.ids) == said:
            changed = sum(difference(mine, other) for mine, other in zip(cut, words.cuts, strict=True) if mine != other)
            fits = len(full.ids) <= encoder.limit
            encoding = encoder.read(full if fits else recutter.encode(text, cut, truncated=True))
            same = said_of_read == (said if fits else _said(encoder, encoding.ids))
            yield Segmentation(encoding, changed, same, number)


def _said(encoder: TextEncoder, ids: Sequence[int]) -> tuple[int, str]:
    """What ids decode to, and how many are unknown."""
    assert encoder.backend is not None
    unknown = encoder.backend.token_to_id(encoder.unknown) if encoder.unknown else None
    # Without a decoder the library puts spaces between the pieces, so that any other cut would decode to another text.
    text = encoder.backend.decode(list(ids), skip_special_tokens=False) if encoder.backend.decoder else ""
    return sum(id == unknown for id in ids), text
