"""From texts to token ids, and which tokens of a variant differ from the original's."""

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, Literal

import tokenizers
from tokenizers import Tokenizer

from core.base.errors import WobbleError
from core.text.visible import LONE_SURROGATE

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

TokenKey = tuple[tuple[int, ...], tuple[int, ...]]
"""Token ids and type ids: all that a model reads."""


@dataclass(frozen=True)
class Encoding:
    """What the model reads of one text."""

    ids: tuple[int, ...]
    tokens: tuple[str, ...]
    type_ids: tuple[int, ...]
    offsets: tuple[tuple[int, int], ...] | None
    """Character spans in the raw text, empty ones for special tokens; None where the tokenizer has none."""
    special: tuple[bool, ...]
    """Whether the tokenizer put this token around the text (`[CLS]`, `</s>`)."""
    full_length: int
    """Tokens before truncation, special ones included."""
    cut: int = 0
    """Hash of the ids that truncation cut off; 0 where it cut off none."""

    @property
    def key(self) -> "TokenKey":
        """All that a model reads: token ids and type ids."""
        return self.ids, self.type_ids

    @property
    def read(self) -> tuple[int, int] | None:
        """The span of characters that the model reads; None where the tokenizer has no offsets, or reads none."""
        spans = [span for span, special in zip(self.offsets or (), self.special, strict=False) if not special]
        return (min(begin for begin, _ in spans), max(end for _, end in spans)) if spans else None

    @property
    def kept(self) -> tuple[int, int] | None:
        """The span of characters that truncation left; None where nothing was cut off, or nobody knows where."""
        return self.read if self.truncated else None

    @property
    def truncated(self) -> bool:
        """Whether the end (or the beginning) of the text was cut off."""
        return self.full_length > len(self.ids)


@dataclass(frozen=True)
class Aligned:
    """A stretch of two token sequences: token indices on either side."""

    kind: Literal["same", "changed", "removed", "added"]
    original: tuple[int, ...]
    variant: tuple[int, ...]


class TextEncoder:
    """Texts to encodings, with the ids of `tokenizer(text, truncation=True, max_length=limit)`; safe for threads.

    transformers' `__call__` sets truncation on the Rust object that all callers share, so threads interfere with each other.
    Here a private copy gets its truncation once, at construction, and is only read afterwards. A tokenizer that is
    written in Python has no such object and is called under a lock.
    """

    def __init__(self, tokenizer: "PreTrainedTokenizerBase", limit: int) -> None:
        self.limit = limit
        self.uses_type_ids = "token_type_ids" in tokenizer.model_input_names
        self.special_tokens: tuple[str, ...] = tuple(map(str, tokenizer.all_special_tokens))
        self.unknown: str | None = tokenizer.unk_token
        """The token for whatever the vocabulary does not hold; None where it holds everything."""
        self.truncation_side: str = tokenizer.truncation_side
        """At which end the text is cut off where it is too long: "right" or "left"."""
        self.backend: Tokenizer | None = None
        """The private copy, without padding and truncation, for looking at single stages; never to be changed."""
        self.settings: dict[str, Any] = {}
        """Of a fast tokenizer: its tokenizer.json."""
        self._lock = threading.Lock()
        self._tokenizer = tokenizer
        if getattr(tokenizer, "is_fast", False):
            serialized = tokenizer.backend_tokenizer.to_str()
            self.settings = json.loads(serialized)
            self.backend, self._truncating = Tokenizer.from_str(serialized), Tokenizer.from_str(serialized)
            for copy in (self.backend, self._truncating):
                copy.no_padding()
                copy.no_truncation()
                copy.encode_special_tokens = bool(getattr(tokenizer, "split_special_tokens", False))
            self._truncating.enable_truncation(max_length=limit, direction=tokenizer.truncation_side)

    @property
    def name(self) -> str:
        """The tokenizer's algorithm, in the field's words."""
        return algorithm(self.settings) or f"{type(self._tokenizer).__name__} (written in Python)"

    def __call__(self, texts: Sequence[str]) -> list[Encoding]:
        """Encode texts.

        Raises:
            WobbleError: a text holds a lone surrogate, which is not a character.
        """
        for text in texts:
            refuse_surrogates(text)
        if self.backend is None:
            return [self._in_python(text) for text in texts]
        return [self.read(found) for found in self._truncating.encode_batch(list(texts))]

    def read(self, found: tokenizers.Encoding) -> Encoding:
        """What the model reads of an encoding that the library made, truncated to the limit."""
        around = self._truncating.num_special_tokens_to_add(is_pair=False)
        tokens = tuple(found.tokens)
        if self.unknown is not None and (unknown := self._truncating.token_to_id(self.unknown)) in found.ids:
            # Unigram names an unknown piece by its text, not by its id.
            tokens = tuple(self.unknown if id == unknown else t for id, t in zip(found.ids, tokens, strict=True))
        return Encoding(
            cut=hash(tuple(tuple(rest.ids) for rest in found.overflowing)) if found.overflowing else 0,
            ids=tuple(found.ids),
            tokens=tokens,
            type_ids=tuple(found.type_ids),
            offsets=tuple(found.offsets),
            special=tuple(map(bool, found.special_tokens_mask)),
            full_length=len(found.ids) + sum(len(rest.ids) - around for rest in found.overflowing),
        )

    def _in_python(self, text: str) -> Encoding:
        with self._lock:
            ids = self._tokenizer(text, truncation=True, max_length=self.limit)["input_ids"]
            full = self._tokenizer(text, truncation=False, verbose=False)["input_ids"]
            tokens = self._tokenizer.convert_ids_to_tokens(ids)
        special = set(self._tokenizer.all_special_ids)
        return Encoding(
            ids=tuple(ids),
            tokens=tuple(tokens),
            type_ids=(0,) * len(ids),
            offsets=None,
            special=tuple(id in special for id in ids),
            full_length=len(full),
            cut=hash(tuple(full)) if len(full) > len(ids) else 0,
        )


def refuse_surrogates(text: str) -> None:
    if lone := LONE_SURROGATE.search(text):
        raise WobbleError(
            f"The text holds a lone surrogate, U+{ord(lone[0]):04X}, at character {lone.start() + 1}: "
            "it is not a character, so remove it."
        )


def algorithm(settings: dict[str, Any]) -> str | None:
    """The algorithm that a tokenizer.json describes: WordPiece, byte-level BPE, Unigram …; None if it does not say."""
    kind: str | None = (settings.get("model") or {}).get("type")
    described = json.dumps([settings.get("pre_tokenizer"), settings.get("decoder")])
    return "byte-level BPE" if kind == "BPE" and "ByteLevel" in described else kind


def align(original: Encoding, variant: Encoding) -> tuple[Aligned, ...]:
    """Which tokens stayed the same: stretches that cover both sequences once, in order, from a longest-match diff of the ids."""
    kinds: dict[str, Literal["same", "changed", "removed", "added"]] = {
        "equal": "same",
        "replace": "changed",
        "delete": "removed",
        "insert": "added",
    }
    codes = SequenceMatcher(a=original.ids, b=variant.ids, autojunk=False).get_opcodes()
    return tuple(Aligned(kinds[tag], tuple(range(a, b)), tuple(range(c, d))) for tag, a, b, c, d in codes)
