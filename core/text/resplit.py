"""Where the split of a text changes when one of its characters does: nothing but the tokenizer runs."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from core.base.words import plural, verb
from core.text.tokens import Encoding, TextEncoder, refuse_surrogates
from core.text.visible import visible

WAYS: Mapping[str, Callable[[str], str]] = {"left out": lambda character: "", "put in the other case": str.swapcase}
"""How a character changes, in words that follow it."""

MOST = 200
"""Characters that are tried, from the beginning of the text."""

LONGEST = 2000
"""Characters of the longest text that is tried: each of them costs a tokenization of the whole text."""


NAMED = 3
"""How many changes are named, of those that reach furthest."""


@dataclass(frozen=True)
class Change:
    """What one changed character does to the split."""

    position: int
    """Of the character in the text, from 0."""
    before: tuple[str, ...]
    """The text's tokens from the first to the last that differs afterwards; none where the ids stay the same."""
    after: tuple[str, ...]
    """What stands in their place."""

    @property
    def tokens(self) -> int:
        """How many tokens are touched, on the side that has more of them."""
        return max(len(self.before), len(self.after))


@dataclass(frozen=True)
class Resplit:
    """Every character of a text changed in one way, one at a time."""

    way: str
    text: str
    changes: tuple[Change | None, ...]
    """One for each character that is tried; None where this way leaves it as it is (a comma has no other case)."""

    @property
    def most(self) -> tuple[Change, ...]:
        """The changes that touch the most tokens, at most `NAMED`, each at different tokens; none where no token changes."""
        ranked = sorted(
            (one for one in self.changes if one and one.tokens), key=lambda one: (-one.tokens, one.position)
        )
        first: dict[tuple[str, ...], Change] = {}
        for one in ranked:
            first.setdefault(one.before, one)
        return tuple(first.values())[:NAMED]

    @property
    def said(self) -> str:
        """How far such changes reach, and which ones reach furthest, in words."""
        tried = [one for one in self.changes if one]
        if not tried:
            return f"No character can be {self.way}."
        began = f"{plural(len(tried), 'character')} {self.way}, one at a time"
        if not self.most:
            return f"{began}: no token changes."
        none, more = sum(not one.tokens for one in tried), sum(one.tokens > 1 for one in tried)
        one = len(tried) - none - more
        named = "; ".join(
            f"“{visible(self.text[change.position])}”{_word(self.text, change.position)} (character {change.position + 1}), "
            f"{_pieces(change.before)} → {_pieces(change.after)}"
            for change in self.most
        )
        return f"{began}: {one} {verb(one, 'changes', 'change')} one token, {more} several, {none} none. Furthest: {named}."


def _word(text: str, position: int) -> str:
    """Follows a character: the word that it is in; empty where it stands alone."""
    found = next((m for m in re.finditer(r"\w+", text) if m.start() <= position < m.end() and len(m[0]) > 1), None)
    return f" in “{found[0][:40]}”" if found else ""


def _pieces(tokens: tuple[str, ...]) -> str:
    return " ".join(map(visible, tokens[:12])) + (" …" if len(tokens) > 12 else "") if tokens else "nothing"


def resplits(encoder: TextEncoder, text: str) -> tuple[Resplit, ...]:
    """What becomes of the split when one character of a text changes, for each of `WAYS`.

    The first `MOST` characters are tried; none of a text of more than `LONGEST`. What lies beyond the model's limit counts
    as well: it is the split that is looked at.

    Raises:
        WobbleError: the text holds a lone surrogate.
    """
    tried = range(min(MOST, len(text)) if len(text) <= LONGEST else 0)
    texts = {
        (way, at): f"{text[:at]}{changed}{text[at + 1 :]}"
        for way, change in WAYS.items()
        for at in tried
        if (changed := change(text[at])) != text[at]
    }
    own, *others = _whole(encoder, [text, *texts.values()])
    changes = {key: _change(key[1], own, other) for key, other in zip(texts, others, strict=True)}
    return tuple(Resplit(way, text, tuple(changes.get((way, at)) for at in tried)) for way in WAYS)


def _whole(encoder: TextEncoder, texts: list[str]) -> list[Encoding]:
    """Encodings without truncation: one character fewer would bring in another token at the end."""
    if encoder.backend is None:
        return encoder(texts)
    refuse_surrogates(texts[0])
    return [encoder.read(found) for found in encoder.backend.encode_batch(texts)]


def _change(position: int, own: Encoding, other: Encoding) -> Change:
    """What lies between the longest common beginning of two encodings and their longest common end."""
    shorter = min(len(own.ids), len(other.ids))
    begin = next((i for i in range(shorter) if own.ids[i] != other.ids[i]), shorter)
    end = next((i for i in range(shorter - begin) if own.ids[-1 - i] != other.ids[-1 - i]), shorter - begin)
    return Change(position, own.tokens[begin : len(own.ids) - end], other.tokens[begin : len(other.ids) - end])
