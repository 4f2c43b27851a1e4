"""Casing: the same letters, in capitals or lower case. Scripts without case have no such variants."""

import random
import re
from functools import partial
from itertools import cycle

from core.text.perturb.parts import CLOSING, WORD, edit_one_word
from core.text.perturb.registry import Perturbation, register

_FIRST_LETTERS = re.compile(rf"(?:\A\W*|[.!?…][{re.escape(CLOSING)}]*\s+[\"'“‘«(\[¡¿]*)[^\W_]")
_PRONOUN_I = re.compile(r"I(?:['’]\w+)?")


def _title(word: re.Match[str]) -> str:
    return word[0][0].title() + word[0][1:].lower()


def _sentence_case(text: str) -> str:
    small = WORD.sub(lambda word: _title(word) if _PRONOUN_I.fullmatch(word[0]) else word[0].lower(), text)
    return _FIRST_LETTERS.sub(lambda start: start[0][:-1] + start[0][-1].title(), small)


def _alternating(text: str) -> str:
    turns = cycle((str.lower, str.upper))
    return "".join(next(turns)(c) if c.lower() != c.upper() else c.lower() for c in text)


def _random_case_word(text: str, rng: random.Random) -> str:
    cases = (lambda word: word[0].lower(), lambda word: word[0].upper(), _title)
    return WORD.sub(lambda word: rng.choice(cases)(word), text)


def _random_case_character(text: str, rng: random.Random) -> str:
    return "".join(character.upper() if rng.random() < 0.5 else character.lower() for character in text)


def _shout(word: list[str], _: random.Random) -> str | None:
    small = "".join(word)
    # A single capital letter is not a shout, only a typo.
    return small.upper() if len(word) > 1 and small.upper() != small else None


register(
    "casing",
    Perturbation("lower", "Every letter in lower case", str.lower, ("This is a TEST.", "this is a test.")),
    Perturbation("upper", "Every letter in capitals", str.upper, ("This is a test.", "THIS IS A TEST.")),
    Perturbation(
        "title",
        "Every word with a capital first letter",
        # Not str.title, which makes Don'T of don't.
        partial(WORD.sub, _title),
        ("Don't miss a well-made film.", "Don't Miss A Well-Made Film."),
    ),
    Perturbation(
        "sentence_case",
        "A capital at the start of each sentence (and for the word I), lower case elsewhere",
        _sentence_case,
        ("THIS is what I want. do it.", "This is what I want. Do it."),
    ),
    Perturbation(
        "swapcase",
        "Lower case and capitals swapped",
        str.swapcase,
        ("This is a test.", "tHIS IS A TEST."),
    ),
    Perturbation(
        "alternating",
        "Letters alternating between lower case and capitals",
        _alternating,
        ("This is a test.", "tHiS iS a TeSt."),
    ),
    Perturbation(
        "random_case_word",
        "Each word in lower case, in capitals, or with a capital first letter, at random",
        _random_case_word,
        ("This is a test.", "This IS A Test."),
        seeded=True,
    ),
    Perturbation(
        "random_case_character",
        "Each letter in lower case or a capital, at random",
        _random_case_character,
        ("This is a test.", "ThiS is A test."),
        seeded=True,
    ),
    Perturbation(
        "shout_one_word",
        "One word in capitals",
        partial(edit_one_word, edit=_shout),
        ("This is a test.", "This is a TEST."),
        seeded=True,
    ),
)
