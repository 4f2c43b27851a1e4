"""Punctuation: how a sentence ends, and the marks inside it.

Edits of the end work on the last mark of the text, inside closing quotes and before trailing whitespace, which stay.
"""

import re
import unicodedata
from functools import partial
from operator import methodcaller

from core.text.perturb.parts import EXTENDING, PERIODS, character_class, split_end
from core.text.perturb.registry import Perturbation, register

# The marks of the scripts that do not use the Western ones, by what the last letter of the text looks like.
_NATIVE_MARKS = (
    (re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"), str.maketrans(".!?", "。！？")),
    (re.compile("[\u0900-\u09ff\u0a00-\u0a7f\u0b00-\u0b7f]"), str.maketrans(".", "।")),
    (re.compile("[\u0600-\u06ff]"), str.maketrans("?", "؟")),
)

# Read aloud as words, so removing them would remove a word.
_READ_ALOUD = "#%&*@§‰"
_PUNCTUATION = character_class(lambda c: unicodedata.category(c)[0] == "P" and c not in _READ_ALOUD)
# With a variation selector a mark is an emoji ("‼️").
_MARKS = re.compile(rf"(?P<marks>(?:[{_PUNCTUATION}](?!{EXTENDING}))+)(?P<space> ?)")
_JOINING = re.compile(r"[-‐‒–—―_/\\…]")


def _multiply_final_period(text: str, times: int) -> str | None:
    body, marks, closing = split_end(text)
    # "..." and "?." are not a final period.
    return body + marks * times + closing if len(marks) == 1 and marks in PERIODS and body.strip() else None


def _add_final_period(text: str) -> str | None:
    return None if split_end(text)[1] else _end_with(text, ".")


def _end_with(text: str, mark: str) -> str | None:
    """The text with `mark` for its final marks; None for a question, and where the text just breaks off."""
    body, marks, closing = split_end(text)
    if not body.strip() or any(question in marks for question in "?？؟⁇⁈⁉"):
        return None
    if not marks:
        body, closing = text.rstrip(), text[len(text.rstrip()) :]
        if body[-1] in ",;:-–—，、；：،؛":
            return None
    last_letter = next((character for character in reversed(body) if character.isalpha()), "")
    native = next((marks for script, marks in _NATIVE_MARKS if script.match(last_letter)), {})
    return body + (mark if mark == "..." else mark.translate(native)) + closing


def _remove_all(text: str) -> str | None:
    removed = _MARKS.sub(_without_marks, text)
    return removed if removed.strip() else None


def _without_marks(marks: re.Match[str]) -> str:
    before = marks.string[marks.start() - 1] if marks.start() else " "
    after = marks.string[marks.end("marks")] if marks.end("marks") < len(marks.string) else " "
    if before.isdigit() and after.isdigit():
        return marks.group()
    if before.isspace():  # of a mark between two spaces (" - ") one space is left
        return ""
    return " " if not after.isspace() and _JOINING.search(marks["marks"]) else marks["space"]


def _curl(quotes: re.Match[str]) -> str:
    """Quotes open at the start of a text and after a space, an opening bracket, a dash or an opening quote."""
    before = quotes.string[quotes.start() - 1] if quotes.start() else " "
    after = quotes.string[quotes.end()] if quotes.end() < len(quotes.string) else " "
    opens = (before.isspace() or before in "([{<—–-“‘«") and not after.isspace()
    curled = quotes.group().translate(str.maketrans("\"'", "“‘" if opens else "”’"))
    # '90s is short for 1990s: an apostrophe.
    return curled[:-1] + "’" if curled[-1] == "‘" and after.isdigit() else curled


def _wrap_in_quotes(text: str) -> str | None:
    inner = text.strip()
    if not inner or (len(inner) > 1 and inner[0] in "\"“„«'‘" and inner[-1] in "\"”“»'’"):
        return None
    return text.replace(inner, f'"{inner}"')


register(
    "punctuation",
    Perturbation(
        "drop_final_period",
        "The final period dropped",
        partial(_multiply_final_period, times=0),
        ("This is a test.", "This is a test"),
    ),
    Perturbation(
        "add_final_period",
        "A final period added where the text has no final mark",
        _add_final_period,
        ("This is a test", "This is a test."),
    ),
    Perturbation(
        "double_final_period",
        "The final period doubled",
        partial(_multiply_final_period, times=2),
        ("This is a test.", "This is a test.."),
    ),
    # Louder or more hesitant, but the same claim: a reader calls these the same sentence. They leave questions alone, as
    # a question without its mark is not the same sentence.
    Perturbation(
        "exclamation",
        "An exclamation mark at the end",
        partial(_end_with, mark="!"),
        ("This is a test.", "This is a test!"),
    ),
    Perturbation(
        "three_exclamations",
        "Three exclamation marks at the end",
        partial(_end_with, mark="!!!"),
        ("This is a test.", "This is a test!!!"),
    ),
    # A question claims nothing: not the same sentence.
    Perturbation(
        "question_mark",
        "A question mark at the end",
        partial(_end_with, mark="?"),
        ("This is a test.", "This is a test?"),
        same_sentence=False,
    ),
    Perturbation(
        "ellipsis_character",
        "An ellipsis character at the end",
        partial(_end_with, mark="…"),
        ("This is a test.", "This is a test…"),
    ),
    Perturbation(
        "three_dots",
        "Three dots at the end",
        partial(_end_with, mark="..."),
        ("This is a test.", "This is a test..."),
    ),
    Perturbation(
        "remove_all_punctuation",
        "All punctuation removed, except inside numbers; a space where it joined two words",
        _remove_all,
        ('A "well-made", 3.5-hour film: don\'t go!', "A well made 3.5 hour film dont go"),
    ),
    Perturbation(
        "straight_quotes",
        "Curly quotes and apostrophes made straight",
        methodcaller("translate", str.maketrans("“”„‟‘’‚‛", "\"\"\"\"''''")),
        ("“Don’t!” she said.", '"Don\'t!" she said.'),
    ),
    Perturbation(
        "curly_quotes",
        "Straight quotes and apostrophes made curly",
        partial(re.compile("[\"']+").sub, _curl),
        ('"Don\'t!" she said.', "“Don’t!” she said."),
    ),
    Perturbation(
        "drop_apostrophe",
        "Apostrophes inside words dropped",
        partial(re.compile(r"(?<=[^\W\d_])['’ʼ](?=[^\W\d_])").sub, ""),
        ("It's what we didn't see.", "Its what we didnt see."),
    ),
    Perturbation(
        "dash_to_hyphen",
        "Dashes made hyphens",
        partial(re.compile("[‐‑‒–—―]").sub, "-"),
        ("Slow – but good – and long.", "Slow - but good - and long."),
    ),
    Perturbation(
        "hyphen_to_dash",
        "Hyphens made dashes",
        # Minus signs, arrows and rules of several hyphens stay.
        partial(re.compile(r"(?<=[^\W_])-(?=[^\W_])|(?<=\s)-(?=\s)").sub, "–"),
        ("A well-made film - really.", "A well–made film – really."),
    ),
    Perturbation(
        "wrap_in_quotes",
        "The text in quotes",
        _wrap_in_quotes,
        ("This is a test.", '"This is a test."'),
    ),
    Perturbation(
        "drop_comma",
        "Commas dropped, except inside numbers",
        partial(re.compile(r"(?<!\d)[,，،]|[,，،](?!\d)").sub, ""),
        ("Slow, but 1,000 times better.", "Slow but 1,000 times better."),
    ),
)
