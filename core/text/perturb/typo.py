"""Typos: one slip of the fingers, in one word.

A reader reads over them, so the sentence is the same. By chance a slip can make another word ("live" for "love").
"""

import random

from core.text.perturb.parts import edit_one_word
from core.text.perturb.registry import perturbation

_KEYBOARDS = (
    ("qwertyuiop", "asdfghjkl", "zxcvbnm"),
    ("йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю"),
)


def _neighbouring_keys() -> dict[str, str]:
    """Each letter with its neighbours in its row, and in the rows above and below, which are shifted by half a key."""
    neighbours = {}
    for rows in _KEYBOARDS:
        keys = {(row, column): key for row, line in enumerate(rows) for column, key in enumerate(line)}
        for (row, column), key in keys.items():
            around = ((row, -1), (row, 1), (row - 1, 0), (row - 1, 1), (row + 1, -1), (row + 1, 0))
            neighbours[key] = "".join(keys.get((other, column + step), "") for other, step in around)
    return neighbours


_NEIGHBOURS = _neighbouring_keys()


@perturbation(
    "One letter replaced by its neighbour on the keyboard (QWERTY or ЙЦУКЕН)",
    example=("This is a test.", "This os a test."),
)
def typo_neighbouring_key(text: str, rng: random.Random) -> str | None:
    def slip(word: list[str], rng: random.Random) -> str | None:
        places = [i for i, letter in enumerate(word) if letter.lower() in _NEIGHBOURS]
        if not places or len(word) < 2:  # a word of one letter would be lost
            return None
        place = rng.choice(places)
        key = rng.choice(_NEIGHBOURS[word[place].lower()])
        return "".join([*word[:place], _cased_like(key, word[place]), *word[place + 1 :]])

    return edit_one_word(text, rng, slip)


@perturbation(
    "Two neighbouring letters of one word swapped; a capital stays in its place",
    example=("This is a test.", "This is a tset."),
)
def typo_swap(text: str, rng: random.Random) -> str | None:
    def swap(word: list[str], rng: random.Random) -> str | None:
        places = [
            i
            for i in range(1, len(word))
            if word[i - 1][0].isalpha() and word[i][0].isalpha() and word[i - 1].casefold() != word[i].casefold()
        ]
        if not places:
            return None
        place = rng.choice(places)
        first, second = word[place - 1], word[place]
        swapped = [_cased_like(second, first), _cased_like(first, second)]
        return "".join([*word[: place - 1], *swapped, *word[place + 1 :]])

    return edit_one_word(text, rng, swap)


@perturbation("One letter of one word dropped, never its first", example=("This is a test.", "Tis is a test."))
def typo_drop(text: str, rng: random.Random) -> str | None:
    def drop(word: list[str], rng: random.Random) -> str | None:
        letters = [i for i, letter in enumerate(word) if letter[0].isalpha()]
        if len(letters) < 3:  # what is left of a shorter word is no longer read as that word
            return None
        place = rng.choice(letters[1:])
        return "".join([*word[:place], *word[place + 1 :]])

    return edit_one_word(text, rng, drop)


@perturbation("One letter of one word typed twice", example=("This is a test.", "This is aa test."))
def typo_double(text: str, rng: random.Random) -> str | None:
    def double(word: list[str], rng: random.Random) -> str | None:
        letters = [i for i, letter in enumerate(word) if letter[0].isalpha()]
        if not letters:
            return None
        place = rng.choice(letters)
        return "".join([*word[:place], word[place], *word[place:]])

    return edit_one_word(text, rng, double)


def _cased_like(letter: str, model: str) -> str:
    """The letter, large where `model` is large and small where it is small; as it is where either has no case."""
    if model.isupper() and len(letter.upper()) == len(letter):
        return letter.upper()
    return letter.lower() if model.islower() and len(letter.lower()) == len(letter) else letter
