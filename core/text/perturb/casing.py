"""Casing: the same letters, large or small. Scripts without case have no such variants."""

import random
import re

from core.text.perturb.parts import CLOSING, WORD, edit_one_word
from core.text.perturb.registry import perturbation

_FIRST_LETTERS = re.compile(rf"(?:\A\W*|[.!?…][{re.escape(CLOSING)}]*\s+[\"'“‘«(\[¡¿]*)[^\W_]")
_PRONOUN_I = re.compile(r"I(?:['’]\w+)?")


@perturbation("Every letter small", example=("This is a TEST.", "this is a test."))
def lower(text: str) -> str:
    return text.lower()


@perturbation("Every letter large", example=("This is a test.", "THIS IS A TEST."))
def upper(text: str) -> str:
    return text.upper()


@perturbation(
    "Every word with a large first letter", example=("Don't miss a well-made film.", "Don't Miss A Well-Made Film.")
)
def title(text: str) -> str:
    # Not str.title, which makes Don'T of don't.
    return WORD.sub(lambda word: _title(word.group()), text)


@perturbation(
    "A large letter at the start of each sentence (and for the word I), small ones elsewhere",
    example=("THIS is what I want. do it.", "This is what I want. Do it."),
)
def sentence_case(text: str) -> str:
    small = WORD.sub(lambda word: (_title if _PRONOUN_I.fullmatch(word[0]) else str.lower)(word[0]), text)
    return _FIRST_LETTERS.sub(lambda start: start[0][:-1] + start[0][-1].title(), small)


@perturbation("Small letters large and large ones small", example=("This is a test.", "tHIS IS A TEST."))
def swapcase(text: str) -> str:
    return text.swapcase()


@perturbation("Letters small and large in turn", example=("This is a test.", "tHiS iS a TeSt."))
def alternating(text: str) -> str:
    edited = []
    large = False
    for character in text:
        edited.append(character.upper() if large else character.lower())
        if character.lower() != character.upper():
            large = not large
    return "".join(edited)


@perturbation(
    "Each word small, large, or with a large first letter, at random", example=("This is a test.", "This IS A Test.")
)
def random_case_word(text: str, rng: random.Random) -> str:
    cases = (str.lower, str.upper, _title)
    return WORD.sub(lambda word: rng.choice(cases)(word.group()), text)


@perturbation("Each letter small or large at random", example=("This is a test.", "ThiS is A test."))
def random_case_character(text: str, rng: random.Random) -> str:
    return "".join(character.upper() if rng.random() < 0.5 else character.lower() for character in text)


@perturbation("One word in large letters", example=("This is a test.", "This is a TEST."))
def shout_one_word(text: str, rng: random.Random) -> str | None:
    def shout(word: list[str], rng: random.Random) -> str | None:
        small = "".join(word)
        # One letter in capitals is no shout, only a typo.
        return small.upper() if len(word) > 1 and small.upper() != small else None

    return edit_one_word(text, rng, shout)


def _title(word: str) -> str:
    return word[0].title() + word[1:].lower()
