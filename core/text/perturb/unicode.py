"""Unicode: other code points for what looks the same, or nearly."""

import re
import unicodedata
from functools import partial

from core.text.perturb.parts import edit_one_place, graphemes
from core.text.perturb.registry import Perturbation, register

# The digit or sign of a keycap emoji ("1️⃣") stays.
_ASCII = re.compile("[!-~](?![\ufe0f\u20e3])")
# Accents of Latin, Greek and Cyrillic. The marks of other scripts are vowels or parts of letters, not accents.
_ACCENT = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff]")

_LATIN = "aceijopsxyABCEHIJKMOPSTXY"
_CYRILLIC = "асеіјорѕхуАВСЕНІЈКМОРЅТХУ"
_LOOK_ALIKES = dict(zip(_LATIN + _CYRILLIC, _CYRILLIC + _LATIN, strict=True))


def _strip_accents(text: str) -> str | None:
    return None if text.isascii() else "".join(map(_without_accent, graphemes(text)))


def _without_accent(character: str) -> str:
    decomposed = unicodedata.normalize("NFD", character)
    # Signs such as "≠" are not letters with an accent.
    if not decomposed[0].isalpha() or not _ACCENT.search(decomposed):
        return character
    return unicodedata.normalize("NFC", _ACCENT.sub("", decomposed))


def _with_look_alike(word: list[str]) -> list[int]:
    return [i for i, character in enumerate(word) if character[0] in _LOOK_ALIKES]


def _append_emoji(text: str) -> str | None:
    end = len(text.rstrip())
    return f"{text[:end]} 🙂{text[end:]}" if end else None


register(
    "unicode",
    Perturbation(
        "nfc",
        "Letters and their accents composed (NFC)",
        partial(unicodedata.normalize, "NFC"),
        ("Cafe\u0301 noir", "Caf\u00e9 noir"),
    ),
    Perturbation(
        "nfd",
        "Letters and their accents taken apart (NFD)",
        partial(unicodedata.normalize, "NFD"),
        ("Caf\u00e9 noir", "Cafe\u0301 noir"),
    ),
    Perturbation(
        "full_width",
        "ASCII characters in their full-width form; spaces stay",
        partial(_ASCII.sub, lambda character: chr(ord(character[0]) + 0xFEE0)),
        ("A test.", "Ａ ｔｅｓｔ．"),
    ),
    Perturbation(
        "strip_accents",
        "Accents stripped from letters",
        _strip_accents,
        ("A café in Málaga", "A cafe in Malaga"),
    ),
    Perturbation(
        "homoglyph",
        "One letter replaced by its look-alike (Latin and Cyrillic)",
        edit_one_place(_with_look_alike, lambda letter, _: _LOOK_ALIKES[letter[0]] + letter[1:]),
        ("This is a test.", "This \u0456s a test."),
        seeded=True,
    ),
    # A smile shows what the writer feels, and can turn praise into irony: not the same sentence.
    Perturbation(
        "append_emoji",
        "A smiling emoji after the text",
        _append_emoji,
        ("This is a test.", "This is a test. 🙂"),
        same_sentence=False,
    ),
)
