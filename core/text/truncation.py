"""Where the first tokens of a text end: what truncation in front of the model leaves of it, as a text."""

import unicodedata
from functools import partial

from core.base.errors import WobbleError
from core.text.perturb import Cut
from core.text.tokens import TextEncoder, refuse_surrogates


def cut_after(encoder: TextEncoder, text: str, tokens: int) -> str | None:
    """The part of the text that `tokenizer(text, truncation=True, max_length=tokens)` reads; None where it is all.

    Special tokens count, as they do for `max_length`. Where the tokenizer cuts on the left, the text starts where its
    last tokens start. Tokens that share a character with one that is cut off (the bytes of an emoji) are cut off too.

    Cut on the right, what is left encodes to the first ids of the text: WordPiece takes the longest piece from the
    left, a best path of Unigram has best beginnings, and merges of BPE never cross the end of a token that stands.
    The exception is what a pre-tokenizer splits by what follows it: white space at the very end (`ĠĠ`, of which GPT-2's
    pre-tokenizer gives the last to the word), and the beginning of a contraction (`'r` of `'re`). Cut on the left, the
    first word can begin with other tokens: it has lost what stood before it, a space (`Ġ`, `▁`) or its own beginning (`##`).

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
        while first < len(spans) and spans[first - 1][1] > spans[first][0]:
            first += 1
        return text[spans[first][0] :] if first < len(spans) else ""
    while kept and spans[kept - 1][1] > spans[kept][0]:
        kept -= 1
    end = spans[kept - 1][1] if kept else 0
    # A mark that was composed with its letter is part of the token, though not of its span.
    while end < spans[kept][0] and unicodedata.category(text[end])[0] == "M":
        end += 1
    return text[:end]


def cutter(encoder: TextEncoder) -> Cut | None:
    """What perturbations that truncate need of a model; None where it cannot say (see `why_not`)."""
    return None if why_not(encoder) else partial(cut_after, encoder)


def why_not(encoder: TextEncoder) -> str | None:
    """Why texts cannot be cut where a token ends, in one sentence; None where they can."""
    said = f"{encoder.name} does not say which characters a token stands for, so no text can be cut where one ends."
    return said if encoder.backend is None else None
