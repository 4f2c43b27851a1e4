"""A tokenizer whose model step is replaced: everything before and after the cutting stays the library's own."""

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import tokenizers
from tokenizers import PreTokenizedString, Token, Tokenizer, pre_tokenizers

from core.text.segmentation.algorithms import ALGORITHMS, Cut, Piece
from core.text.tokens import TextEncoder


class _Step:
    """The last pre-tokenizer. It also cuts, so that nothing is left for the model; added tokens are cut before it."""

    cut: Callable[[str], Sequence[Token]]

    def pre_tokenize(self, text: PreTokenizedString) -> None:
        text.tokenize(lambda word: self.cut(word) if word else [])


@dataclass(frozen=True)
class Words:
    """The words of a text (what the pre-tokenizer gives, without added tokens) and the tokenizer's own cut of each."""

    words: tuple[str, ...]
    cuts: tuple[Cut, ...]
    read: frozenset[int]
    """The words of which truncation leaves at least a piece."""


class Recutter:
    """Encodes texts whose words have been cut already. Safe for threads; holds nothing of the encoder but its vocabulary."""

    def __init__(self, encoder: TextEncoder) -> None:
        backend = encoder.backend
        assert backend is not None
        model = encoder.settings["model"]
        self.algorithm = ALGORITHMS[model["type"]](model)
        self._own = backend.model
        added = [entry["content"] for entry in encoder.settings.get("added_tokens", ())]
        empty = {"type": "WordLevel", "vocab": {token: backend.token_to_id(token) for token in added}, "unk_token": ""}
        serialized = json.dumps({**encoder.settings, "model": empty, "truncation": None, "padding": None})
        self._step, self._lock = _Step(), threading.Lock()
        last = pre_tokenizers.PreTokenizer.custom(self._step)
        self._full, self._truncating = Tokenizer.from_str(serialized), Tokenizer.from_str(serialized)
        self._truncating.enable_truncation(max_length=encoder.limit, direction=encoder.truncation_side)
        for tokenizer in (self._full, self._truncating):
            first = tokenizer.pre_tokenizer
            tokenizer.pre_tokenizer = pre_tokenizers.Sequence([first, last]) if first else last
            tokenizer.encode_special_tokens = backend.encode_special_tokens

    def words(self, text: str) -> Words:
        """The words of a text and how the tokenizer itself cuts them."""
        words: list[str] = []
        cuts: list[Cut] = []

        def own(word: str) -> list[Token]:
            found = self._own.tokenize(word)
            words.append(word)
            cuts.append(tuple(Piece(token.id, token.value, *token.offsets) for token in found))
            # Named by the word's number: an added token that looks like one only makes a word count as read.
            return [Token(token.id, str(len(words) - 1), token.offsets) for token in found]

        found = self._encode(text, own, truncated=True)
        read = frozenset(range(len(words))) & {int(token) for token in found.tokens if token.isdecimal()}
        return Words(tuple(words), tuple(cuts), read)

    def encode(self, text: str, cuts: Sequence[Cut], *, truncated: bool) -> tokenizers.Encoding:
        """The encoding of a text with its words cut like this."""
        remaining = iter(cuts)
        return self._encode(
            text,
            lambda word: [Token(piece.id, piece.token, (piece.start, piece.end)) for piece in next(remaining)],
            truncated,
        )

    def _encode(self, text: str, cut: Callable[[str], Sequence[Token]], truncated: bool) -> tokenizers.Encoding:
        with self._lock:
            self._step.cut = cut
            return (self._truncating if truncated else self._full).encode(text)
