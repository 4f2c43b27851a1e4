"""Typos: one slip of the fingers, in one word.

A reader reads over them, so the sentence is the same. By chance a slip can make another word ("live" for "love").
"""

import random

from core.text.perturb.parts import before_letters, edit_one_place
from core.text.perturb.registry import Perturbation, register

# Two keyboards, with an empty row between them.
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "", "йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю")
_KEYS = {(row, column): key for row, line in enumerate(_ROWS) for column, key in enumerate(line)}

# Each letter with its neighbours in its row, and in the rows above and below, which are shifted by half a key.
_AROUND = ((0, -1), (0, 1), (-1, 0), (-1, 1), (1, -1), (1, 0))
_NEIGHBOURS = {
    key: "".join(_KEYS.get((row + down, column + right), "") for down, right in _AROUND)
    for (row, column), key in _KEYS.items()
}


def _on_a_keyboard(word: list[str]) -> list[int]:
    # A word of one letter would be lost.
    return [i for i, letter in enumerate(word) if letter.lower() in _NEIGHBOURS] if len(word) > 1 else []


def _slip(letter: str, rng: random.Random) -> str:
    return _cased_like(rng.choice(_NEIGHBOURS[letter.lower()]), letter)


def _unlike_the_next(word: list[str]) -> list[int]:
    return [i for i in before_letters(word) if word[i].casefold() != word[i + 1].casefold()]


def _swap(first: str, second: str, _: random.Random) -> str:
    return _cased_like(second, first) + _cased_like(first, second)


def _letters(word: list[str]) -> list[int]:
    return [i for i, letter in enumerate(word) if letter[0].isalpha()]


def _later_letters(word: list[str]) -> list[int]:
    # What is left of a shorter word is no longer read as that word.
    return _letters(word)[1:] if len(_letters(word)) > 2 else []


def _cased_like(letter: str, model: str) -> str:
    """The letter in the case of `model`; as it is where either has no case."""
    if model.isupper() and len(letter.upper()) == len(letter):
        return letter.upper()
    return letter.lower() if model.islower() and len(letter.lower()) == len(letter) else letter


register(
    "typo",
    Perturbation(
        "typo_neighbouring_key",
        "One letter replaced by its neighbour on the keyboard (QWERTY or ЙЦУКЕН)",
        edit_one_place(_on_a_keyboard, _slip),
        ("This is a test.", "This os a test."),
        seeded=True,
    ),
    Perturbation(
        "typo_swap",
        "Two neighbouring letters of one word swapped; a capital stays in its place",
        edit_one_place(_unlike_the_next, _swap, width=2),
        ("This is a test.", "This is a tset."),
        seeded=True,
    ),
    Perturbation(
        "typo_drop",
        "One letter of one word dropped, never its first",
        edit_one_place(_later_letters, "".format),
        ("This is a test.", "Tis is a test."),
        seeded=True,
    ),
    Perturbation(
        "typo_double",
        "One letter of one word typed twice",
        edit_one_place(_letters, "{0}{0}".format),
        ("This is a test.", "This is aa test."),
        seeded=True,
    ),
    words=("typo", "typos"),
)
