"""Byte-pair encoding: BPE-dropout (Provilkov, Emelianenko and Voita, arXiv 1910.13267)."""

import heapq
from itertools import pairwise
from random import Random
from typing import Any

from core.text.segmentation.lattice import Cut, Edges, Piece, Sampler


class BPE:
    """Merges in order of their rank; in a draw each merge that could be made is left out with probability p, at each step.

    A merge that is no longer possible is thrown away before it is drawn for, as in the authors' own program. The
    tokenizers library (0.23) draws for those too, and each one that "survives" brings back what was left out: at one p it
    changes far fewer words (at 0.1 in the embedded byte-level vocabulary " international" 0.5 % of the time, and 30 %
    by the paper's rule). The two agree where no merge stands in another's way.
    """

    def __init__(self, model: dict[str, Any]) -> None:
        self._vocabulary: dict[str, int] = model["vocab"]
        self._tokens = {id: token for token, id in self._vocabulary.items()}
        self._prefix: str = model.get("continuing_subword_prefix") or ""
        self._suffix: str = model.get("end_of_word_suffix") or ""
        self._unknown: str | None = model.get("unk_token")
        self._fuse = bool(model.get("fuse_unk"))
        self._bytes = bool(model.get("byte_fallback"))
        self._whole = bool(model.get("ignore_merges"))
        self._merges: dict[tuple[int, int], tuple[int, int]] = {}
        for rank, pair in enumerate(model["merges"]):
            left, right = pair.split(" ") if isinstance(pair, str) else pair
            merged = self._vocabulary[left + right[len(self._prefix) :]]
            self._merges[self._vocabulary[left], self._vocabulary[right]] = rank, merged
        self._made = self._reachable()
        self._longest = max((len(self._tokens[id]) for id in self._made), default=1)

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
                id = self._vocabulary.get(text)
                if id in self._made:
                    edges[symbol.start].append((Piece(id, text, symbol.start, following.end),))
        return edges

    def sampler(self, word: str, rate: float) -> Sampler:
        symbols = self._symbols(word)
        if self._whole and word in self._vocabulary:
            # `ignore_merges` takes a word as it is if it is in the vocabulary, whether or not merges lead to it.
            whole = (Piece(self._vocabulary[word], word, 0, len(word.encode())),)
            if self._merged(symbols, 0.0, Random(0)) != whole:
                return lambda rng: whole if rng.random() >= rate else self._merged(symbols, rate, rng)
        return lambda rng: self._merged(symbols, rate, rng)

    def _reachable(self) -> set[int]:
        """Ids that merges make out of single characters; a vocabulary may hold others."""
        made: set[int] = set()
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
        last, at = len(word) - 1, 0
        unknown = False
        for i, character in enumerate(word):
            text = (self._prefix if i else "") + character + (self._suffix if i == last else "")
            size = len(character.encode())
            coded = [f"<0x{byte:02X}>" for byte in text.encode()] if self._bytes else []
            if text in self._vocabulary:
                symbols.append(Piece(self._vocabulary[text], text, at, at + size))
            elif coded and all(code in self._vocabulary for code in coded):
                symbols += [Piece(self._vocabulary[code], code, at + n, at + n + 1) for n, code in enumerate(coded)]
                size = len(coded)
            elif self._unknown is None:
                continue  # the library leaves it out, and counts its offsets as if it were not there
            elif unknown and self._fuse:
                symbols[-1] = symbols[-1]._replace(end=at + size)
                at += size
                continue
            else:
                symbols.append(Piece(self._vocabulary[self._unknown], self._unknown, at, at + size))
            unknown = symbols[-1].token == self._unknown
            at += size
        return tuple(symbols)

    def _merged(self, symbols: Cut, rate: float, rng: Random) -> Cut:
        """Merge until every possible merge was left out in one and the same step."""
        ids = [symbol.id for symbol in symbols]
        following = [*range(1, len(ids)), -1]
        preceding = list(range(-1, len(ids) - 1))
        queue = [(self._merges[pair][0], i) for i, pair in enumerate(pairwise(ids)) if pair in self._merges]
        heapq.heapify(queue)
        left_out: list[tuple[int, int]] = []
        while queue:
            rank, at = heapq.heappop(queue)
            right = following[at]
            if ids[at] < 0 or right < 0:
                continue
            known, merged = self._merges.get((ids[at], ids[right]), (-1, -1))
            if known != rank:
                continue  # one of the two has become part of another piece
            if rng.random() < rate:
                left_out.append((rank, at))
                continue
            ids[at], ids[right] = merged, -1
            following[at] = following[right]
            if following[at] >= 0:
                preceding[following[at]] = at
            for i, j in ((preceding[at], at), (at, following[at])):
                if i >= 0 and j >= 0 and (ids[i], ids[j]) in self._merges:
                    left_out.append((self._merges[ids[i], ids[j]][0], i))
            for entry in left_out:
                heapq.heappush(queue, entry)
            left_out.clear()
        starts = [i for i, id in enumerate(ids) if id >= 0]
        ends = [*(i - 1 for i in starts[1:]), len(ids) - 1]
        return tuple(
            symbols[i] if i == j else Piece(ids[i], self._tokens[ids[i]], symbols[i].start, symbols[j].end)
            for i, j in zip(starts, ends, strict=False)
        )
