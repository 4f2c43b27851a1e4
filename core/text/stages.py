"""What each stage of a tokenizer makes of a text, and which stage erased an edit."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from tokenizers import Tokenizer, normalizers

from core.text.tokens import Encoding, TextEncoder

Step = tuple[str, Any]
"""A step of a normalizer: its name in words, and a normalizer that does it alone."""

NORMALIZERS = {
    "Lowercase": "lower-case",
    "StripAccents": "strip accents",
    "Strip": "strip white space at the ends",
    "NFC": "Unicode NFC",
    "NFD": "Unicode NFD",
    "NFKC": "Unicode NFKC",
    "NFKD": "Unicode NFKD",
    "Nmt": "clean up control characters and spaces",
    "Precompiled": "SentencePiece's character map",
    "Replace": "replace characters",
    "Prepend": "prepend a mark",
}
BERT_STEPS = {
    "lowercase": "lower-case",
    "strip_accents": "strip accents",
    "clean_text": "clean up control characters and white space",
    "handle_chinese_chars": "space around Chinese characters",
}
PRE_TOKENIZERS = {
    "BertPreTokenizer": "splits at white space, which it drops, and at punctuation",
    "Whitespace": "splits at white space, which it drops, and at punctuation",
    "WhitespaceSplit": "splits at white space, which it drops",
    "Metaspace": "turns spaces into \u2581",
    "ByteLevel": "turns bytes into letters, a space into \u0120",
    "Split": "splits by a pattern",
    "Punctuation": "splits at punctuation",
    "Digits": "splits digits",
}


@dataclass(frozen=True)
class PreToken:
    """A piece of the normalized text that the vocabulary is applied to on its own."""

    text: str
    span: tuple[int, int]
    """Character span in the normalized text."""


@dataclass(frozen=True)
class Stages:
    """One text from raw to ids."""

    raw: str
    normalized: str | None
    """None where the tokenizer has no normalizer, or none that can be inspected."""
    pre_tokens: tuple[PreToken, ...] | None
    """None where the tokenizer has no pre-tokenizer, or none that can be inspected."""
    encoding: Encoding
    notes: tuple[str, ...]
    """What cannot be shown, and what one should know, in sentences."""


@dataclass(frozen=True)
class Counts:
    """How long a text is, for a person and for a model."""

    characters: int
    """Unicode code points, as Python counts them."""
    utf8: int
    """Bytes in UTF-8."""
    tokens: int
    """What the model reads, special tokens included."""
    special: int
    """Tokens that the tokenizer put around the text."""
    characters_a_token: float | None
    """Characters read per token that stands for any; None where no token does."""


def counts(found: Stages) -> Counts:
    """Count a text and its tokens."""
    encoding, special = found.encoding, sum(found.encoding.special)
    begin, end = encoding.kept or (0, len(found.raw))
    own = len(encoding.ids) - special
    return Counts(
        characters=len(found.raw),
        utf8=len(found.raw.encode()),
        tokens=len(encoding.ids),
        special=special,
        characters_a_token=(end - begin) / own if own else None,
    )


def stages(encoder: TextEncoder, text: str) -> Stages:
    """The stages raw, normalized, pre-tokens, tokens and ids of one text.

    Raises:
        WobbleError: the text holds a lone surrogate.
    """
    encoding, backend = encoder([text])[0], encoder.backend
    written = [token for token in encoder.special_tokens if token and token in text]
    normalizes, splits = bool(backend and backend.normalizer), bool(backend and backend.pre_tokenizer)
    notes = (
        (
            encoding.truncated,
            f"The text has {encoding.full_length:,} tokens, and this model reads {len(encoding.ids):,}: the rest is cut off.",
        ),
        (
            written,
            f"The text holds {', '.join(written)}, which this tokenizer reads as its own special token, not as text.",
        ),
        (
            backend is None,
            "This tokenizer is written in Python: its stages between the text and the tokens cannot be shown.",
        ),
        (backend and not normalizes, "This tokenizer has no normalizer: it reads the text as it is."),
        (
            backend and not splits,
            "This tokenizer has no pre-tokenizer: the vocabulary is applied to the text as a whole.",
        ),
    )
    return Stages(
        raw=text,
        normalized=_normalized(backend, text) if backend and normalizes else None,
        pre_tokens=tuple(PreToken(*found) for found in _pre_tokens(backend, text)) if backend and splits else None,
        encoding=encoding,
        notes=tuple(sentence for holds, sentence in notes if holds),
    )


def absorbed_by(
    encoder: TextEncoder, original: str, variant: str, encodings: tuple[Encoding, Encoding] | None = None
) -> str | None:
    """The stage that made a variant equal to the original, in words ("normalizer: lower-case"); None if none did.

    Args:
        encodings: of the original and the variant, if they are known already.
    """
    before, after = encodings or encoder([original, variant])
    if before.ids != after.ids:
        return None
    if before.cut != after.cut:
        return f"truncation: the edit lies beyond the limit of {encoder.limit} tokens"
    backend = encoder.backend
    if backend is None:
        return "tokenizer: written in Python, its stages cannot be shown"
    steps = list(_steps(encoder.settings.get("normalizer")))
    if _normalized(backend, original) == _normalized(backend, variant):
        return f"normalizer: {_named_steps(steps, original, variant)}"
    pieces = [[piece for piece, _ in _pre_tokens(backend, text)] for text in (original, variant)]
    if pieces[0] == pieces[1]:
        helped = _needed_steps(backend, steps, original, variant)
        how = _pre_tokenizer_words(encoder.settings.get("pre_tokenizer"))
        return f"pre-tokenizer: {how}" if not helped else f"normalizer: {helped}; pre-tokenizer: {how}"
    if encoder.unknown and encoder.unknown in before.tokens:
        return f"vocabulary: unknown pieces all become {encoder.unknown}"
    return "tokens: different text, the same tokens"


def _normalized(backend: Tokenizer, text: str) -> str:
    return str(backend.normalizer.normalize_str(text)) if backend.normalizer else text


def _pre_tokens(backend: Tokenizer, text: str) -> list[tuple[str, tuple[int, int]]]:
    normalized = _normalized(backend, text)
    whole = [(normalized, (0, len(normalized)))]
    return list(backend.pre_tokenizer.pre_tokenize_str(normalized)) if backend.pre_tokenizer else whole


def _named_steps(steps: list[Step], original: str, variant: str) -> str:
    """The steps of a normalizer that make two texts equal: the fewest that do, in words."""
    for chosen in (*combinations(steps, 1), *combinations(steps, 2)):
        if _after(chosen, original) == _after(chosen, variant):
            return " and ".join(words for words, _ in chosen)
    return ", ".join(words for words, _ in steps)


def _needed_steps(backend: Tokenizer, steps: list[Step], original: str, variant: str) -> str:
    """The steps of a normalizer without which two texts with equal pre-tokens would have different ones, in words."""

    def pieces(text: str, left_out: int) -> list[str]:
        rest = [*steps[:left_out], *steps[left_out + 1 :]]
        return [piece for piece, _ in backend.pre_tokenizer.pre_tokenize_str(_after(rest, text))]

    return " and ".join(words for i, (words, _) in enumerate(steps) if pieces(original, i) != pieces(variant, i))


def _after(steps: Sequence[Step], text: str) -> str:
    for _, step in steps:
        text = step.normalize_str(text)
    return text


def _steps(settings: dict[str, Any] | None) -> Iterator[Step]:
    """The single steps of a normalizer's settings, each with its name in words and a normalizer that does it alone."""
    if settings is None:
        return
    kind = settings["type"]
    if kind == "Sequence":
        for part in settings["normalizers"]:
            yield from _steps(part)
    elif kind == "BertNormalizer":
        accents = settings["strip_accents"] if settings["strip_accents"] is not None else settings["lowercase"]
        on = {**settings, "strip_accents": accents}
        for name, words in BERT_STEPS.items():
            if on[name]:
                yield words, normalizers.BertNormalizer(**{**dict.fromkeys(BERT_STEPS, False), name: True})
    else:
        # The only way to make a normalizer from its settings is a tokenizer with nothing else in it.
        made = Tokenizer.from_str(_EMPTY.replace("null", json.dumps(settings), 1))
        yield NORMALIZERS.get(kind, kind), made.normalizer


_EMPTY = (
    '{"version":"1.0","normalizer":null,"truncation":null,"padding":null,"added_tokens":[],"pre_tokenizer":null,'
    '"post_processor":null,"decoder":null,"model":{"type":"WordLevel","vocab":{"a":0},"unk_token":"a"}}'
)


def _pre_tokenizer_words(settings: dict[str, Any] | None) -> str:
    if settings is None:
        return "none"
    if settings["type"] == "Sequence":
        return ", ".join(_pre_tokenizer_words(part) for part in settings["pretokenizers"])
    return PRE_TOKENIZERS.get(settings["type"], str(settings["type"]))
