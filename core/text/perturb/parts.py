"""The parts of a text that perturbations edit: characters as readers see them, words, and the end of a sentence."""

import random
import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache, partial
from itertools import chain, groupby, pairwise


def character_class(belongs: Callable[[str], bool]) -> str:
    """The inside of a regular-expression class of the assigned characters that belong, as ranges, which are fast."""
    # Marks and punctuation lie below U+20000, except the variation selectors.
    points = (point for point in (*range(0x21, 0x20000), *range(0xE0100, 0xE01F0)) if belongs(chr(point)))
    runs = ([point for _, point in run] for _, run in groupby(enumerate(points), lambda pair: pair[1] - pair[0]))
    return "".join(rf"\U{run[0]:08x}-\U{run[-1]:08x}" for run in runs)


def _extends(character: str) -> bool:
    """Whether it belongs to the one before it: a mark, a later part of a Hangul syllable, a joiner, a skin tone."""
    return (
        unicodedata.category(character)[0] == "M"
        or "\u1160" <= character <= "\u11ff"
        or character in "\u200c\u200d"
        or "\U0001f3fb" <= character <= "\U0001f3ff"
    )


# Tags spell the flags of regions. The lookahead is for speed: most characters of most texts fail it at once.
EXTENDING = rf"(?![\0-\u02ff])[{character_class(_extends)}\U000e0020-\U000e007f]"

# A simplified extended grapheme cluster (Unicode Annex 29): a line end, a flag of two letters, or a character, with
# what extends it and what a zero-width joiner ties to it.
_GRAPHEME = re.compile(
    rf"(?:\r\n|[\U0001f1e6-\U0001f1ff]{{2}}|.)(?:{EXTENDING})*(?:(?<=\u200d)\S(?:{EXTENDING})*)*", re.DOTALL
)

# Letters and digits with their marks; an apostrophe between letters is part of the word.
WORD = re.compile(rf"[^\W_]+(?:{EXTENDING}|[^\W_]+|['’](?=[^\W_]))*")

CLOSING = "\"'”’»)]}」』）"
PERIODS = ".。।۔．｡"
FINAL_MARKS = PERIODS + "!?…！？؟॥‼⁇⁈⁉"


def graphemes(text: str) -> list[str]:
    """The characters that a reader sees; they join to the text again. An emoji sequence is one."""
    return list(text) if text.isalnum() and text.isascii() else _GRAPHEME.findall(text)


@lru_cache(maxsize=4)
def _words(text: str) -> tuple[tuple[int, int], ...]:
    """The spans of all words; kept, as every draw of every seeded perturbation asks for those of the same text."""
    return tuple(word.span() for word in WORD.finditer(text))


def edit_one_word(text: str, rng: random.Random, edit: Callable[[list[str], random.Random], str | None]) -> str | None:
    """The text with one word edited: from a random word on, the first whose graphemes `edit` does not answer with None."""
    words = _words(text)
    first = rng.randrange(len(words)) if words else 0
    for start, end in chain(words[first:], words[:first]):
        edited = edit(graphemes(text[start:end]), rng)
        if edited is not None:
            return text[:start] + edited + text[end:]
    return None


def edit_one_place(
    places: Callable[[list[str]], list[int]], edit: Callable[..., str], width: int = 1
) -> Callable[[str, random.Random], str | None]:
    """A seeded rule that edits one place of one word: the first of `width` graphemes, out of those that `places` finds.

    Args:
        edit: what comes in their place, from the graphemes and a generator.
    """

    def edit_word(word: list[str], rng: random.Random) -> str | None:
        found = places(word)
        if not found:
            return None
        place = rng.choice(found)
        end = place + width
        return "".join([*word[:place], edit(*word[place:end], rng), *word[end:]])

    return partial(edit_one_word, edit=edit_word)


def before_letters(word: list[str]) -> list[int]:
    """The places of letters that are followed by another one."""
    return [i for i, (one, other) in enumerate(pairwise(word)) if one[0].isalpha() and other[0].isalpha()]


def split_end(text: str) -> tuple[str, str, str]:
    """A text as (body, final marks, what closes it): 'He said "No." ' is ('He said "No', '.', '" ')."""
    to_marks = len(text.rstrip().rstrip(CLOSING))
    body = text[:to_marks].rstrip(FINAL_MARKS)
    return body, text[len(body) : to_marks], text[to_marks:]
