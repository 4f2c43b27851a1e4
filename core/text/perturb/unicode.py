"""Unicode: other code points for what looks the same, or nearly."""

import random
import re
import unicodedata

from core.text.perturb.parts import edit_one_word, graphemes
from core.text.perturb.registry import perturbation

# The digit or sign of a keycap emoji ("1️⃣") stays.
_ASCII = re.compile("[!-~](?![\ufe0f\u20e3])")
# Accents of Latin, Greek and Cyrillic. The marks of other scripts are vowels or parts of letters, not accents.
_ACCENT = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff]")

_LATIN = "aceijopsxyABCEHIJKMOPSTXY"
_CYRILLIC = "асеіјорѕхуАВСЕНІЈКМОРЅТХУ"
_LOOK_ALIKES = dict(zip(_LATIN + _CYRILLIC, _CYRILLIC + _LATIN, strict=True))


@perturbation("Letters and their accents composed (NFC)", example=("Cafe\u0301 noir", "Caf\u00e9 noir"))
def nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


@perturbation("Letters and their accents taken apart (NFD)", example=("Caf\u00e9 noir", "Cafe\u0301 noir"))
def nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)


@perturbation("ASCII characters in their full-width form; spaces stay", example=("A test.", "Ａ ｔｅｓｔ．"))
def full_width(text: str) -> str:
    return _ASCII.sub(lambda character: chr(ord(character.group()) + 0xFEE0), text)


@perturbation("Accents stripped from letters", example=("A café in Málaga", "A cafe in Malaga"))
def strip_accents(text: str) -> str | None:
    return None if text.isascii() else "".join(map(_strip_accents, graphemes(text)))


@perturbation(
    "One letter replaced by its look-alike (Latin and Cyrillic)", example=("This is a test.", "This \u0456s a test.")
)
def homoglyph(text: str, rng: random.Random) -> str | None:
    def replace_one(word: list[str], rng: random.Random) -> str | None:
        places = [i for i, character in enumerate(word) if character[0] in _LOOK_ALIKES]
        if not places:
            return None
        place = rng.choice(places)
        return "".join([*word[:place], _LOOK_ALIKES[word[place][0]] + word[place][1:], *word[place + 1 :]])

    return edit_one_word(text, rng, replace_one)


# A smile is evidence of what the writer feels, and can turn praise into irony: not the same sentence.
@perturbation("A smiling emoji after the text", example=("This is a test.", "This is a test. 🙂"), same_sentence=False)
def append_emoji(text: str) -> str | None:
    end = len(text.rstrip())
    return f"{text[:end]} 🙂{text[end:]}" if end else None


def _strip_accents(character: str) -> str:
    if character.isascii():
        return character
    decomposed = unicodedata.normalize("NFD", character)
    # Signs such as "≠" are not letters with an accent.
    if not decomposed[0].isalpha() or not _ACCENT.search(decomposed):
        return character
    return unicodedata.normalize("NFC", _ACCENT.sub("", decomposed))
