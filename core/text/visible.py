"""White space and hidden characters made visible. For display only: what is copied or downloaded is the real text."""

import re
import unicodedata

LEGEND = {
    "\u00b7": "space",
    "\u2192": "tab",
    "\u21b5": "newline",
    "\u237d": "no-break space",
    "\u2423": "thin or other Unicode space",
    "\u2205": "zero-width character",
}
"""Mark: what it stands for."""

LONE_SURROGATE = re.compile("[\ud800-\udfff]")
"""Not a character: neither a tokenizer nor a file takes it."""

_MARKS = {
    **{chr(code): chr(0x2400 + code) for code in range(0x20)},
    "\x7f": "\u2421",
    " ": "\u00b7",
    "\t": "\u2192",
    "\n": "\u21b5",
    "\u00a0": "\u237d",
    "\u202f": "\u237d",
    "\u200b": "\u2205",
    "\u200c": "\u2205",
    "\u2060": "\u2205",
    "\ufeff": "\u2205",
    "\u00ad": "\u2205",
}
_TABLE = str.maketrans(_MARKS)
_JOINER = "\u200d"


def visible(text: str) -> str:
    """The text with a mark for every character that would not be seen, or that would disturb the line it stands in.

    Control characters become their pictures (U+2400 ff.), direction marks and lone surrogates their code points in
    angle quotes. A joiner inside an emoji sequence stays, so that the emoji does.
    """
    # Of ASCII, whatever has no mark is printable.
    if text.isascii():
        return text.translate(_TABLE)
    marks = []
    for i, character in enumerate(text):
        if character == _JOINER:
            inside = 0 < i < len(text) - 1 and not (text[i - 1].isascii() or text[i + 1].isascii())
            marks.append(character if inside else _MARKS["\u200b"])
        elif character in _MARKS or character.isprintable():
            marks.append(_MARKS.get(character, character))
        elif unicodedata.category(character) == "Zs":
            marks.append("\u2423")
        else:
            marks.append(f"\u2039U+{ord(character):04X}\u203a")
    return "".join(marks)
