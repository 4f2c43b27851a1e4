"""Where the first tokens of a text end: what truncation before the model leaves of it, as a text."""

from functools import partial

from core.errors import WobbleError
from core.perturb import Cut
from core.tokens import TextEncoder, refuse_surrogates


def cut_after(encoder: TextEncoder, text: str, tokens: int) -> str | None:
    """The part of the text that `tokenizer(text, truncation=True, max_length=tokens)` reads; None where it is all.

    Special tokens count, as they do for `max_length`. Where the tokenizer cuts at the left, the text starts where its
    last tokens start. A character that is cut in two (byte-level tokens of an emoji) is left out.

    What is left encodes to at most `tokens` ids: those of the truncated text, without the bytes of a character that
    was cut in two. Two exceptions: a tokenizer whose pre-tokenizer looks ahead (GPT-2's contractions: `'r` cut from
    `'re`) or at the left cut behind (the prefix space, WordPiece's `##`) may split the word at the cut in another way.

    Raises:
        WobbleError: the tokenizer has no offsets (see `why_not`), or the text holds a lone surrogate.
    """
    if encoder.backend is None:
        raise WobbleError(why_not(encoder) or "")
    refuse_surrogates(text)
    found = encoder.backend.encode(text)
    spans = [span for span, special in zip(found.offsets, found.special_tokens_mask, strict=True) if not special]
    kept = max(tokens - encoder.backend.num_special_tokens_to_add(is_pair=False), 0)
    if kept >= len(spans):
        return None
    if encoder.truncation_side == "left":
        first = len(spans) - kept
        start = max(spans[first][0] if kept else len(text), spans[first - 1][1])
        return text[start:]
    end = min(spans[kept - 1][1] if kept else 0, spans[kept][0])
    return text[:end]


def cutter(encoder: TextEncoder) -> Cut | None:
    """What perturbations that truncate need of a model; None where it cannot say (see `why_not`)."""
    return None if why_not(encoder) else partial(cut_after, encoder)


def why_not(encoder: TextEncoder) -> str | None:
    """One sentence on why texts cannot be cut where a token ends; None where they can."""
    if encoder.backend is None:
        return f"{encoder.name} does not say which characters a token stands for, so no text can be cut where one ends."
    return None
