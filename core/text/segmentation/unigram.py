"""Unigram: a segmentation drawn from the lattice of all (Kudo, arXiv 1804.10959)."""

import math
from bisect import bisect
from itertools import accumulate
from random import Random
from typing import Any

from core.text.segmentation.lattice import Cut, Edges, Piece, Sampler

UNKNOWN_PENALTY = 10.0
"""Below the smallest score of the vocabulary; SentencePiece's and the tokenizers library's constant."""


class Unigram:
    """A segmentation x of a word has the probability P(x)^alpha / sum of P(x')^alpha over all segmentations x'.

    alpha 0 draws all alike, a large one the tokenizer's own. The tokenizers library (0.23) smooths each step's sum once
    more when it draws from the whole lattice, so that it agrees only at alpha 1; over its n best it agrees at each.
    """

    def __init__(self, model: dict[str, Any]) -> None:
        self._scores: dict[str, tuple[int, float]] = {
            piece: (id, score) for id, (piece, score) in enumerate(model["vocab"])
        }
        self._unknown: int | None = model.get("unk_id")
        self._bytes = bool(model.get("byte_fallback"))
        self._unknown_score = min((score for _, score in self._scores.values()), default=0.0) - UNKNOWN_PENALTY
        self._longest = max(map(len, self._scores), default=1)

    def edges(self, word: str) -> Edges:
        edges: Edges = {}
        for piece, _ in self._pieces(word):
            if piece.id != self._unknown:
                edges.setdefault(piece.start, []).append((piece,))
            elif len(coded := self._coded(piece)) > 1:
                edges.setdefault(piece.start, []).append(coded)
        return edges

    def sampler(self, word: str, rate: float) -> Sampler:
        """Forward filtering, once; each draw then samples backward."""
        ending: dict[int, list[tuple[Piece, float]]] = {}
        reached = {0: 0.0}
        for piece, score in self._pieces(word):
            # Pieces come in the order of their starts, so all that end where this one starts have been seen.
            if piece.start not in reached:
                if piece.start not in ending:
                    continue
                reached[piece.start] = _log_sum([weight for _, weight in ending[piece.start]])
            ending.setdefault(piece.end, []).append((piece, reached[piece.start] + rate * score))
        choices = {
            end: (
                [piece for piece, _ in into],
                list(accumulate(math.exp(weight - max(w for _, w in into)) for _, weight in into)),
            )
            for end, into in ending.items()
        }
        size = len(word.encode())

        def draw(rng: Random) -> Cut:
            end, cut = size, []
            while end:
                pieces, cumulative = choices[end]
                piece = pieces[min(bisect(cumulative, rng.random() * cumulative[-1]), len(pieces) - 1)]
                cut.append(piece)
                end = piece.start
            return self._fused(word, cut[::-1])

        return draw

    def _pieces(self, word: str) -> list[tuple[Piece, float]]:
        """All pieces of a word with their scores, in the order of their starts; unknown where no character stands alone."""
        at = [0]
        for character in word:
            at.append(at[-1] + len(character.encode()))
        found = []
        for i, start in enumerate(at[:-1]):
            if word[i] not in self._scores and self._unknown is not None:
                found.append((Piece(self._unknown, word[i], start, at[i + 1]), self._unknown_score))
            for j in range(i + 1, min(len(word), i + self._longest) + 1):
                if word[i:j] in self._scores:
                    id, score = self._scores[word[i:j]]
                    found.append((Piece(id, word[i:j], start, at[j]), score))
        return found

    def _fused(self, word: str, cut: list[Piece]) -> Cut:
        """Unknown characters side by side are one unknown piece, or their bytes."""
        fused: list[Piece] = []
        for piece in cut:
            if fused and piece.id == fused[-1].id == self._unknown:
                fused[-1] = fused[-1]._replace(token=fused[-1].token + piece.token, end=piece.end)
            else:
                fused.append(piece)
        return tuple(
            part for piece in fused for part in (self._coded(piece) if piece.id == self._unknown else (piece,))
        )

    def _coded(self, piece: Piece) -> Cut:
        """An unknown piece as bytes, each with the span of the whole, if the vocabulary has them all."""
        codes = [f"<0x{byte:02X}>" for byte in piece.token.encode()] if self._bytes else []
        if not codes or any(code not in self._scores for code in codes):
            return (piece,)
        return tuple(Piece(self._scores[code][0], code, piece.start, piece.end) for code in codes)


def _log_sum(values: list[float]) -> float:
    """`log(sum(exp(values)))`"""
    top = max(values)
    return top + math.log(sum(math.exp(value - top) for value in values))
