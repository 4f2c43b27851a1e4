"""Whitespace: the edits that nobody sees."""

import random
import re

from core.text.perturb.parts import CLOSING, edit_one_word
from core.text.perturb.registry import perturbation

_SPACE_BETWEEN_WORDS = re.compile(r"(?<=\S) (?=\S)")

# Western marks count where they end something, so that 3.5, 10:30 and example.com stay whole; East Asian ones always.
_MARKS = re.compile(
    rf"(?<=[^\s.,;:!?…])[.,;:!?…]+(?=\s|\Z|[{re.escape(CLOSING)}])|(?<=[^\s。，、；：！？])[。，、；：！？]+"
)
_SPACE_AFTER_MARK = re.compile(r"(?<=\S)([.,;:!?…]) +(?=\S)")


@perturbation("A space before the text", example=("This is a test.", " This is a test."))
def leading_space(text: str) -> str:
    return " " + text


@perturbation("A space after the text", example=("This is a test.", "This is a test. "))
def trailing_space(text: str) -> str:
    return text + " "


@perturbation("Every space between words doubled", example=("This is a test.", "This  is  a  test."))
def doubled_space(text: str) -> str:
    return _SPACE_BETWEEN_WORDS.sub("  ", text)


@perturbation("A tab for every space between words", example=("This is a test.", "This\tis\ta\ttest."))
def tab(text: str) -> str:
    return _SPACE_BETWEEN_WORDS.sub("\t", text)


@perturbation(
    "A newline for the space nearest the middle, as when a line is wrapped",
    example=("This is a test.", "This is\na test."),
)
def newline(text: str) -> str | None:
    spaces = [space.start() for space in _SPACE_BETWEEN_WORDS.finditer(text)]
    if not spaces:
        return None
    middle = min(spaces, key=lambda position: abs(2 * position + 1 - len(text)))
    return text[:middle] + "\n" + text[middle + 1 :]


@perturbation("A newline after the text", example=("This is a test.", "This is a test.\n"))
def trailing_newline(text: str) -> str:
    return text + "\n"


@perturbation(
    "A no-break space for every space between words", example=("This is a test.", "This\u00a0is\u00a0a\u00a0test.")
)
def no_break_space(text: str) -> str:
    return _SPACE_BETWEEN_WORDS.sub("\u00a0", text)


@perturbation(
    "A thin space for every space between words", example=("This is a test.", "This\u2009is\u2009a\u2009test.")
)
def thin_space(text: str) -> str:
    return _SPACE_BETWEEN_WORDS.sub("\u2009", text)


@perturbation("A zero-width space inside one word", example=("This is a test.", "This is a t\u200best."))
def zero_width_space(text: str, rng: random.Random) -> str | None:
    return _between_two_letters(text, rng, "\u200b")


@perturbation("A space before every punctuation mark", example=("Slow, but good.", "Slow , but good ."))
def space_before_punctuation(text: str) -> str:
    return _MARKS.sub(r" \g<0>", text)


@perturbation("No space after punctuation marks", example=("Slow, but good. Go!", "Slow,but good.Go!"))
def no_space_after_punctuation(text: str) -> str:
    return _SPACE_AFTER_MARK.sub(r"\1", text)


@perturbation("A space inside one word", example=("This is a test.", "This i s a test."))
def space_inside_word(text: str, rng: random.Random) -> str | None:
    return _between_two_letters(text, rng, " ")


def _between_two_letters(text: str, rng: random.Random, space: str) -> str | None:
    def split(word: list[str], rng: random.Random) -> str | None:
        places = [i for i in range(1, len(word)) if word[i - 1][0].isalpha() and word[i][0].isalpha()]
        if not places:
            return None
        place = rng.choice(places)
        return "".join(word[:place]) + space + "".join(word[place:])

    return edit_one_word(text, rng, split)
