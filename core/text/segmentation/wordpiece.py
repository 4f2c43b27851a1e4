"""WordPiece: MaxMatch-dropout (Hiraoka, arXiv 2209.04126)."""

from random import Random
from typing import Any

from core.text.segmentation.lattice import Cut, Edges, Piece, Sampler


class WordPiece:
    """The longest match first; in a draw each match of more than one character is left out with probability p."""

    def __init__(self, model: dict[str, Any]) -> None:
        self._vocabulary: dict[str, int] = model["vocab"]
        self._prefix: str = model["continuing_subword_prefix"]
        self._unknown: str = model["unk_token"]
        self._most: int = model["max_input_chars_per_word"]
        self._longest = max(map(len, self._vocabulary))

    def edges(self, word: str) -> Edges:
        """Every match; empty for a word that is unknown to the tokenizer itself, which stays so."""
        matches = self._matches(word)
        return matches if self._drawn(word, matches, 0.0, Random(0))[0].token != self._unknown else {}

    def sampler(self, word: str, rate: float) -> Sampler:
        matches = self.edges(word)
        return lambda rng: self._drawn(word, matches, rate, rng)

    def _matches(self, word: str) -> Edges:
        """By start: the matches from the shortest to the longest."""
        if len(word) > self._most:
            return {}
        at = [0]
        for character in word:
            at.append(at[-1] + len(character.encode()))
        matches: Edges = {start: [] for start in at[:-1]}
        for i, start in enumerate(at[:-1]):
            for j in range(i + 1, min(len(word), i + self._longest) + 1):
                text = (self._prefix if i else "") + word[i:j]
                if text in self._vocabulary:
                    matches[start].append((Piece(self._vocabulary[text], text, start, at[j]),))
        return matches

    def _drawn(self, word: str, matches: Edges, rate: float, rng: Random) -> Cut:
        size, cut = len(word.encode()), []
        start = 0
        while start < size:
            for (piece,) in reversed(matches.get(start, ())):
                one = len(piece.token) == 1 + (len(self._prefix) if start else 0)
                if one or rng.random() >= rate:
                    break
            else:
                return (Piece(self._vocabulary[self._unknown], self._unknown, 0, size),)
            cut.append(piece)
            start = piece.end
        return tuple(cut)
