"""How words can be cut into pieces of a vocabulary: BPE, WordPiece and Unigram.

BPE-dropout: Provilkov, Emelianenko and Voita, arXiv 1910.13267. MaxMatch-dropout: Hiraoka, arXiv 2209.04126. Sampling
from the lattice of a Unigram tokenizer: Kudo, arXiv 1804.10959.
"""

import heapq
import math
from abc import ABC, abstractmethod
from bisect import bisect
from collections.abc import Callable, Iterable
from itertools import accumulate, chain, pairwise
from random import Random
from typing import Any, NamedTuple

UNKNOWN_PENALTY = 10.0
"""Below the smallest score of a Unigram vocabulary; SentencePiece's and the tokenizers library's constant."""


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


class Algorithm(ABC):
    """One kind of vocabulary, and how it can be made to cut differently."""

    def __init__(self, model: dict[str, Any]) -> None:
        vocab = model["vocab"]
        self.vocabulary: dict[str, int] = (
            vocab if isinstance(vocab, dict) else {piece: id for id, (piece, _) in enumerate(vocab)}
        )
        self._model = model
        self._prefix: str = model.get("continuing_subword_prefix") or ""
        self._longest = max(map(len, self.vocabulary), default=1)

    @abstractmethod
    def edges(self, word: str) -> Edges:
        """Every piece that a draw can cut out of a word, except unknown ones; may be empty."""

    @abstractmethod
    def sampler(self, word: str, rate: float) -> Sampler:
        """Draws cuts of one word at a rate (p or alpha)."""

    def _matches(self, word: str) -> dict[int, list[Piece]]:
        """By start: the pieces that stand there, from the shortest to the longest."""
        at = _offsets(word)
        return {
            start: [
                Piece(self.vocabulary[text], text, start, at[j])
                for j in range(i + 1, min(len(word), i + self._longest) + 1)
                if (text := (self._prefix if i else "") + word[i:j]) in self.vocabulary
            ]
            for i, start in enumerate(at[:-1])
        }

    def _coded(self, text: str) -> list[str]:
        """A text as tokens of its bytes; empty if the vocabulary lacks one."""
        codes = [f"<0x{byte:02X}>" for byte in text.encode()] if self._model.get("byte_fallback") else []
        return codes if all(code in self.vocabulary for code in codes) else []


class BPE(Algorithm):
    """Merges in order of their rank; in a draw each merge that could be made is left out with probability p, at each step.

    A merge that is no longer possible is thrown away before it is drawn for, as in the authors' own program. The
    tokenizers library (0.23) draws for those too, and each one that "survives" brings back what was left out: at one p it
    changes far fewer words (at 0.1 in the embedded byte-level vocabulary " international" 0.5% of the time, and 30%
    by the paper's rule). The two agree where no merge stands in another's way.
    """

    def __init__(self, model: dict[str, Any]) -> None:
        super().__init__(model)
        self._merges: dict[tuple[str, str], tuple[int, str]] = {}
        for rank, pair in enumerate(model["merges"]):
            left, right = pair.split(" ") if isinstance(pair, str) else pair
            self._merges[left, right] = rank, left + right[len(self._prefix) :]
        self._made = self._reachable()

    def edges(self, word: str) -> Edges:
        symbols = self._symbols(word)
        edges: Edges = {}
        for i, symbol in enumerate(symbols):
            edges[symbol.start] = [(symbol,)]
            text = symbol.token
            for following in symbols[i + 1 :]:
                text += following.token[len(self._prefix) :]
                if len(text) > self._longest:
                    break
                if text in self._made:
                    edges[symbol.start].append((Piece(self.vocabulary[text], text, symbol.start, following.end),))
        return edges

    def sampler(self, word: str, rate: float) -> Sampler:
        symbols = self._symbols(word)
        if self._model.get("ignore_merges") and word in self.vocabulary:
            # `ignore_merges` takes a word as it is if it is in the vocabulary, whether or not merges lead to it.
            whole = (Piece(self.vocabulary[word], word, 0, len(word.encode())),)
            if self._merged(symbols, 0.0, Random(0)) != whole:
                return lambda rng: whole if rng.random() >= rate else self._merged(symbols, rate, rng)
        return lambda rng: self._merged(symbols, rate, rng)

    def _reachable(self) -> set[str]:
        """What merges make out of single characters; a vocabulary may hold other pieces."""
        made: set[str] = set()
        products = {merged for _, merged in self._merges.values()}
        before = -1
        while len(made) > before:  # once more where the order of the merges is not that of their making
            before = len(made)
            for parts, (_, merged) in self._merges.items():
                if all(part in made or part not in products for part in parts):
                    made.add(merged)
        return made

    def _symbols(self, word: str) -> Cut:
        """What merging starts from: characters, their bytes where the vocabulary lacks them, or the unknown token."""
        symbols: list[Piece] = []
        unknown: str | None = self._model.get("unk_token")
        at = 0
        for i, character in enumerate(word):
            suffix = (self._model.get("end_of_word_suffix") or "") if i == len(word) - 1 else ""
            text = (self._prefix if i else "") + character + suffix
            end = at + len(character.encode())
            if text in self.vocabulary:
                symbols.append(Piece(self.vocabulary[text], text, at, end))
            elif coded := self._coded(text):
                symbols += [Piece(self.vocabulary[code], code, at + n, at + n + 1) for n, code in enumerate(coded)]
                end = at + len(coded)
            elif unknown is None:
                continue  # the library leaves it out, and counts its offsets as if it were not there
            elif symbols and symbols[-1].token == unknown and self._model.get("fuse_unk"):
                symbols[-1] = symbols[-1]._replace(end=end)
            else:
                symbols.append(Piece(self.vocabulary[unknown], unknown, at, end))
            at = end
        return tuple(symbols)

    def _merged(self, symbols: Cut, rate: float, rng: Random) -> Cut:
        """Merge until every possible merge was left out in one and the same step."""

        def possible(pairs: Iterable[tuple[Piece | None, Piece | None]]) -> list[tuple[int, Piece, Piece]]:
            merges, found = self._merges, [(a, b) for a, b in pairs if a and b]
            return [(merges[a.token, b.token][0], a, b) for a, b in found if (a.token, b.token) in merges]

        starting = {piece.start: piece for piece in symbols}
        ending = {piece.end: piece for piece in symbols}
        queue = sorted(possible(pairwise(symbols)))
        left_out: list[tuple[int, Piece, Piece]] = []
        while queue:
            merge = heapq.heappop(queue)
            _, left, right = merge
            if starting.get(left.start) is not left or starting.get(right.start) is not right:
                continue  # one of the two has become part of another piece
            if rng.random() < rate:
                left_out.append(merge)
                continue
            token = self._merges[left.token, right.token][1]
            merged = Piece(self.vocabulary[token], token, left.start, right.end)
            starting[left.start] = merged
            ending[right.end] = merged
            del starting[right.start]
            left_out += possible([(ending.get(left.start), merged), (merged, starting.get(right.end))])
            for entry in left_out:
                heapq.heappush(queue, entry)
            left_out.clear()
        return tuple(starting[start] for start in sorted(starting))


class WordPiece(Algorithm):
    """The longest match first; in a draw each match of more than one character is left out with probability p."""

    def edges(self, word: str) -> Edges:
        """Every match; empty for a word that is unknown to the tokenizer itself, which stays so."""
        found = self._matches(word) if len(word) <= self._model["max_input_chars_per_word"] else {}
        matches: Edges = {start: [(piece,) for piece in pieces] for start, pieces in found.items()}
        known = self._drawn(word, matches, 0.0, Random(0))[0].token != self._model["unk_token"]
        return matches if known else {}

    def sampler(self, word: str, rate: float) -> Sampler:
        matches = self.edges(word)
        return lambda rng: self._drawn(word, matches, rate, rng)

    def _drawn(self, word: str, matches: Edges, rate: float, rng: Random) -> Cut:
        size, cut = len(word.encode()), []
        start = 0
        while start < size:
            for (piece,) in reversed(matches.get(start, ())):
                one = len(piece.token) == 1 + (len(self._prefix) if start else 0)
                if one or rng.random() >= rate:
                    break
            else:
                unknown: str = self._model["unk_token"]
                return (Piece(self.vocabulary[unknown], unknown, 0, size),)
            cut.append(piece)
            start = piece.end
        return tuple(cut)


class Unigram(Algorithm):
    """A segmentation x of a word has the probability P(x)^alpha / sum of P(x')^alpha over all segmentations x'.

    alpha 0 draws all alike, a large one the tokenizer's own. The tokenizers library (0.23) smooths each step's sum once
    more when it draws from the whole lattice, so that it agrees only at alpha 1; over its n best it agrees at each.
    """

    def __init__(self, model: dict[str, Any]) -> None:
        super().__init__(model)
        self._unknown: int | None = model.get("unk_id")
        self._scores: dict[str, float] = dict(model["vocab"])
        self._unknown_score = min(self._scores.values(), default=0.0) - UNKNOWN_PENALTY

    def edges(self, word: str) -> Edges:
        cuts = ((piece, self._known(piece)) for pieces in self._pieces(word).values() for piece in pieces)
        edges: Edges = {}
        for piece, cut in cuts:
            if piece.id != self._unknown or len(cut) > 1:
                edges.setdefault(piece.start, []).append(cut)
        return edges

    def sampler(self, word: str, rate: float) -> Sampler:
        """Forward filtering, once; each draw then samples backward."""
        pieces, reached = self._pieces(word), 0.0
        ending: dict[int, list[tuple[Piece, float]]] = {}
        choices: dict[int, tuple[list[Piece], list[float]]] = {}
        for at in _offsets(word):
            # Starts come in order, so all that end here have been seen.
            if at in ending:
                top = max(weight for _, weight in ending[at])
                cumulative = list(accumulate(math.exp(weight - top) for _, weight in ending[at]))
                choices[at] = [piece for piece, _ in ending[at]], cumulative
                reached = top + math.log(cumulative[-1])
            for piece in pieces.get(at, ()) if at in ending or not at else ():
                weight = reached + rate * self._scores.get(piece.token, self._unknown_score)
                ending.setdefault(piece.end, []).append((piece, weight))

        def draw(rng: Random) -> Cut:
            cut: list[Piece] = []
            end = len(word.encode())
            while end:
                into, cumulative = choices[end]
                piece = into[min(bisect(cumulative, rng.random() * cumulative[-1]), len(into) - 1)]
                end = piece.start
                # Unknown characters side by side are one unknown piece.
                if cut and piece.id == cut[-1].id == self._unknown:
                    cut[-1] = cut[-1]._replace(token=piece.token + cut[-1].token, start=piece.start)
                else:
                    cut.append(piece)
            return tuple(chain.from_iterable(map(self._known, reversed(cut))))

        return draw

    def _pieces(self, word: str) -> dict[int, list[Piece]]:
        """All pieces of a word by their starts, in order; unknown where no character stands alone."""
        found = self._matches(word)
        for character, (start, end) in zip(word, pairwise(_offsets(word)), strict=True):
            if character not in self.vocabulary and self._unknown is not None:
                found[start].insert(0, Piece(self._unknown, character, start, end))
        return found

    def _known(self, piece: Piece) -> Cut:
        """The piece; an unknown one as bytes, each with the span of the whole, if the vocabulary has them all."""
        codes = self._coded(piece.token) if piece.id == self._unknown else []
        return tuple(piece._replace(id=self.vocabulary[code], token=code) for code in codes) or (piece,)


def _offsets(word: str) -> list[int]:
    """Where the characters of a word start, in bytes, and where it ends."""
    return [0, *accumulate(len(character.encode()) for character in word)]


ALGORITHMS: dict[str, type[Algorithm]] = {"BPE": BPE, "Unigram": Unigram, "WordPiece": WordPiece}
