"""The parts of a text that perturbations edit: characters as readers see them, words, and the end of a sentence."""

import random
import re
import unicodedata
from collections.abc import Callable


def _extending() -> str:
    """The inside of a regular-expression class of all characters that belong to the one before them."""
    # Marks lie below U+20000, except the variation selectors.
    points = [p for p in (*range(0x300, 0x20000), *range(0xE0100, 0xE01F0)) if unicodedata.category(chr(p))[0] == "M"]
    points += range(0x1160, 0x1200)  # Hangul vowels and finals, which follow their initial
    points += [0x200C, 0x200D]  # zero-width (non-)joiner
    points += range(0x1F3FB, 0x1F400)  # skin tones
    points += range(0xE0020, 0xE0080)  # tags, in the flags of regions
    return "".join(map(chr, points))


_EXTENDING = _extending()

# A simplified extended grapheme cluster (Unicode Annex 29): a line end, a flag of two letters, or a character, with
# what extends it and what a zero-width joiner ties to it.
_GRAPHEME = re.compile(
    rf"(?:\r\n|[\U0001F1E6-\U0001F1FF]{{2}}|.)[{_EXTENDING}]*(?:(?<=\u200D)\S[{_EXTENDING}]*)*", re.DOTALL
)

# Letters and digits with their marks; an apostrophe between letters is part of the word.
WORD = re.compile(rf"[^\W_](?:[^\W_]|[{_EXTENDING}]|['’](?=[^\W_]))*")

CLOSING = "\"'”’»)]}」』）"
PERIODS = ".。।۔．｡"
FINAL_MARKS = PERIODS + "!?…！？؟॥‼⁇⁈⁉"


def graphemes(text: str) -> list[str]:
    """The characters that a reader sees; they join to the text again. An emoji sequence is one."""
    return _GRAPHEME.findall(text)


def edit_one_word(
    text: str, rng: random.Random, edit: Callable[[list[str], random.Random], str | None]
) -> str | None:
    """The text with one word edited: a random one of those for whose graphemes `edit` does not give None."""
    words = list(WORD.finditer(text))
    rng.shuffle(words)
    for word in words:
        edited = edit(graphemes(word.group()), rng)
        if edited is not None:
            return text[: word.start()] + edited + text[word.end() :]
    return None


def split_end(text: str) -> tuple[str, str, str]:
    """A text as (body, final marks, what closes it): 'He said "No." ' is ('He said "No', '.', '" ')."""
    to_marks = len(text.rstrip().rstrip(CLOSING))
    body = text[:to_marks].rstrip(FINAL_MARKS)
    return body, text[len(body) : to_marks], text[to_marks:]
