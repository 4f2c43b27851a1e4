"""Punctuation: how a sentence ends, and the marks inside it.

Edits of the end work on the last mark of the text, inside closing quotes and before trailing whitespace, which stay.
"""

import re
import unicodedata

from core.text.perturb.parts import EXTENDING, PERIODS, character_class, split_end
from core.text.perturb.registry import perturbation

# The marks of the scripts that do not use the Western ones, by what the last letter of the text looks like.
_NATIVE_MARKS = (
    (re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"), {".": "。", "!": "！", "?": "？"}),
    (re.compile("[\u0900-\u09ff\u0a00-\u0a7f\u0b00-\u0b7f]"), {".": "।"}),
    (re.compile("[\u0600-\u06ff]"), {"?": "؟"}),
)

# Read aloud as words, so removing them would remove a word.
_READ_ALOUD = "#%&*@§‰"
_PUNCTUATION = character_class(lambda c: unicodedata.category(c)[0] == "P" and c not in _READ_ALOUD)
# With a variation selector a mark is an emoji ("‼️").
_MARKS = re.compile(rf"(?P<marks>(?:[{_PUNCTUATION}](?!{EXTENDING}))+)(?P<space> ?)")
_JOINING = re.compile(r"[-‐‒–—―_/\\…]")
_APOSTROPHE_IN_WORD = re.compile(r"(?<=[^\W\d_])['’ʼ](?=[^\W\d_])")


@perturbation("The final period dropped", example=("This is a test.", "This is a test"))
def drop_final_period(text: str) -> str | None:
    return _replace_final_period(text, "")


@perturbation("A final period added where the text has no final mark", example=("This is a test", "This is a test."))
def add_final_period(text: str) -> str | None:
    _, marks, _ = split_end(text)
    return None if marks else _end_with(text, ".")


@perturbation("The final period doubled", example=("This is a test.", "This is a test.."))
def double_final_period(text: str) -> str | None:
    _, marks, _ = split_end(text)
    return _replace_final_period(text, marks * 2)


# Louder or more hesitant, but the same claim: a reader calls these the same sentence. They leave questions alone, as
# a question without its mark is not the same sentence.
@perturbation("An exclamation mark at the end", example=("This is a test.", "This is a test!"))
def exclamation(text: str) -> str | None:
    return _end_with(text, "!")


@perturbation("Three exclamation marks at the end", example=("This is a test.", "This is a test!!!"))
def three_exclamations(text: str) -> str | None:
    return _end_with(text, "!!!")


# A question claims nothing: not the same sentence.
@perturbation("A question mark at the end", example=("This is a test.", "This is a test?"), same_sentence=False)
def question_mark(text: str) -> str | None:
    return _end_with(text, "?")


@perturbation("An ellipsis character at the end", example=("This is a test.", "This is a test…"))
def ellipsis_character(text: str) -> str | None:
    return _end_with(text, "…")


@perturbation("Three dots at the end", example=("This is a test.", "This is a test..."))
def three_dots(text: str) -> str | None:
    return _end_with(text, "...")


@perturbation(
    "All punctuation removed, except inside numbers; a space where it joined two words",
    example=('A "well-made", 3.5-hour film: don\'t go!', "A well made 3.5 hour film dont go"),
)
def remove_all_punctuation(text: str) -> str | None:
    removed = _MARKS.sub(_without_marks, text)
    return removed if removed.strip() else None


@perturbation("Curly quotes and apostrophes made straight", example=("“Don’t!” she said.", '"Don\'t!" she said.'))
def straight_quotes(text: str) -> str:
    return text.translate(str.maketrans("“”„‟‘’‚‛", "\"\"\"\"''''"))


@perturbation("Straight quotes and apostrophes made curly", example=('"Don\'t!" she said.', "“Don’t!” she said."))
def curly_quotes(text: str) -> str:
    return re.sub("[\"']+", _curl, text)


@perturbation("Apostrophes inside words dropped", example=("It's what we didn't see.", "Its what we didnt see."))
def drop_apostrophe(text: str) -> str:
    return _APOSTROPHE_IN_WORD.sub("", text)


@perturbation("Dashes made hyphens", example=("Slow – but good – and long.", "Slow - but good - and long."))
def dash_to_hyphen(text: str) -> str:
    return re.sub("[‐‑‒–—―]", "-", text)


@perturbation("Hyphens made dashes", example=("A well-made film - really.", "A well–made film – really."))
def hyphen_to_dash(text: str) -> str:
    # Minus signs, arrows and rules of several hyphens stay.
    return re.sub(r"(?<=[^\W_])-(?=[^\W_])|(?<=\s)-(?=\s)", "–", text)


@perturbation("The text in quotes", example=("This is a test.", '"This is a test."'))
def wrap_in_quotes(text: str) -> str | None:
    inner = text.strip()
    if not inner or (len(inner) > 1 and inner[0] in "\"“„«'‘" and inner[-1] in "\"”“»'’"):
        return None
    start = text.index(inner)
    return f'{text[:start]}"{inner}"{text[start + len(inner) :]}'


@perturbation(
    "Commas dropped, except inside numbers", example=("Slow, but 1,000 times better.", "Slow but 1,000 times better.")
)
def drop_comma(text: str) -> str:
    return re.sub(r"(?<!\d)[,，،]|[,，،](?!\d)", "", text)


def _replace_final_period(text: str, replacement: str) -> str | None:
    body, marks, closing = split_end(text)
    # "..." and "?." are not a final period.
    if len(marks) != 1 or marks not in PERIODS or not body.strip():
        return None
    return body + replacement + closing


def _end_with(text: str, mark: str) -> str | None:
    """The text with `mark` for its final marks; None for a question, and where the text just breaks off."""
    body, marks, closing = split_end(text)
    if not body.strip() or any(question in marks for question in "?？؟⁇⁈⁉"):
        return None
    if marks:
        return body + _native(mark, body) + closing
    whole = text.rstrip()
    if whole[-1] in ",;:-–—，、；：،؛":
        return None
    return whole + _native(mark, whole) + text[len(whole) :]


def _native(mark: str, before: str) -> str:
    """`mark` as the script of the last letter of `before` writes it."""
    last_letter = next((character for character in reversed(before) if character.isalpha()), "")
    for script, marks in _NATIVE_MARKS:
        if script.match(last_letter) and mark != "...":
            return "".join(marks.get(character, character) for character in mark)
    return mark


def _without_marks(marks: re.Match[str]) -> str:
    before = marks.string[marks.start() - 1] if marks.start() else " "
    after = marks.string[marks.end("marks")] if marks.end("marks") < len(marks.string) else " "
    if before.isdigit() and after.isdigit():
        return marks.group()
    if before.isspace():  # of a mark between two spaces (" - ") one space is left
        return ""
    if not after.isspace() and _JOINING.search(marks["marks"]):
        return " "
    return marks["space"]


def _curl(quotes: re.Match[str]) -> str:
    """Quotes open at the start of a text and after a space, an opening bracket, a dash or an opening quote."""
    before = quotes.string[quotes.start() - 1] if quotes.start() else " "
    after = quotes.string[quotes.end()] if quotes.end() < len(quotes.string) else " "
    opens = (before.isspace() or before in "([{<—–-“‘«") and not after.isspace()
    curled = quotes.group().translate(str.maketrans("\"'", "“‘" if opens else "”’"))
    # '90s is short for 1990s: an apostrophe.
    return curled[:-1] + "’" if curled[-1] == "‘" and after.isdigit() else curled
