"""Whitespace: the edits that nobody sees."""

import re
from functools import partial

from core.text.perturb.parts import CLOSING, before_letters, edit_one_place
from core.text.perturb.registry import Perturbation, register

_SPACE_BETWEEN_WORDS = re.compile(r"(?<=\S) (?=\S)")

# Western marks count where they end something, so that 3.5, 10:30 and example.com stay whole; East Asian ones always.
_MARKS = re.compile(
    rf"(?<=[^\s.,;:!?…])[.,;:!?…]+(?=\s|\Z|[{re.escape(CLOSING)}])|(?<=[^\s。，、；：！？])[。，、；：！？]+"
)
_SPACE_AFTER_MARK = re.compile(r"(?<=\S)([.,;:!?…]) +(?=\S)")


def _newline(text: str) -> str | None:
    spaces = [space.start() for space in _SPACE_BETWEEN_WORDS.finditer(text)]
    if not spaces:
        return None
    middle = min(spaces, key=lambda position: abs(2 * position + 1 - len(text)))
    return text[:middle] + "\n" + text[middle + 1 :]


register(
    "whitespace",
    Perturbation(
        "leading_space",
        "A space before the text",
        " {}".format,
        ("This is a test.", " This is a test."),
    ),
    Perturbation(
        "trailing_space",
        "A space after the text",
        "{} ".format,
        ("This is a test.", "This is a test. "),
    ),
    Perturbation(
        "doubled_space",
        "Every space between words doubled",
        partial(_SPACE_BETWEEN_WORDS.sub, "  "),
        ("This is a test.", "This  is  a  test."),
    ),
    Perturbation(
        "tab",
        "A tab for every space between words",
        partial(_SPACE_BETWEEN_WORDS.sub, "\t"),
        ("This is a test.", "This\tis\ta\ttest."),
    ),
    Perturbation(
        "newline",
        "A newline for the space nearest the middle, as when a line is wrapped",
        _newline,
        ("This is a test.", "This is\na test."),
    ),
    Perturbation(
        "trailing_newline",
        "A newline after the text",
        "{}\n".format,
        ("This is a test.", "This is a test.\n"),
    ),
    Perturbation(
        "no_break_space",
        "A no-break space for every space between words",
        partial(_SPACE_BETWEEN_WORDS.sub, "\u00a0"),
        ("This is a test.", "This\u00a0is\u00a0a\u00a0test."),
    ),
    Perturbation(
        "thin_space",
        "A thin space for every space between words",
        partial(_SPACE_BETWEEN_WORDS.sub, "\u2009"),
        ("This is a test.", "This\u2009is\u2009a\u2009test."),
    ),
    Perturbation(
        "zero_width_space",
        "A zero-width space inside one word",
        edit_one_place(before_letters, "{}\u200b".format),
        ("This is a test.", "This is a t\u200best."),
        seeded=True,
    ),
    Perturbation(
        "space_before_punctuation",
        "A space before every punctuation mark",
        partial(_MARKS.sub, r" \g<0>"),
        ("Slow, but good.", "Slow , but good ."),
    ),
    Perturbation(
        "no_space_after_punctuation",
        "No space after punctuation marks",
        partial(_SPACE_AFTER_MARK.sub, r"\1"),
        ("Slow, but good. Go!", "Slow,but good.Go!"),
    ),
    Perturbation(
        "space_inside_word",
        "A space inside one word",
        edit_one_place(before_letters, "{} ".format),
        ("This is a test.", "This i s a test."),
        seeded=True,
    ),
)
