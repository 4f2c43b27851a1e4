"""Counts, lists and numbers in English: what sentences are made of, wherever they are said."""

from collections.abc import Callable, Sequence


def verb(count: int, one: str, many: str) -> str:
    """The form that agrees with a count: `verb(1, "flips", "flip")` is "flips"."""
    return one if count == 1 else many


def plural(count: int, one: str, many: str | None = None) -> str:
    """A count with its noun: "1 edit", "2,000 edits".

    Args:
        many: the noun's plural, where it is not `one` with an s: "passes".
    """
    return f"{count:,} {verb(count, one, f'{one}s' if many is None else many)}"


def every(count: int) -> str:
    """All of some, before their noun: "both" edits, "all 3" edits."""
    return "both" if count == 2 else f"all {count:,}"


def listed(names: Sequence[str], word: str = "and") -> str:
    """Names as one reads them out: "a", "a and b", "a, b and c"; empty for none."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {word} {names[-1]}"


def number(shift: float) -> str:
    """A shift with two decimals; where they would show 0.00, with its first digit that is not zero."""
    return f"{shift:.2f}" if shift >= 0.005 else f"{shift:.1g}"


def tempered(temperature: float) -> str:
    """What follows a number that was computed at a temperature; empty for 1, the model's own."""
    return "" if temperature == 1 else f" at T = {temperature:g}"


def beginning(text: str, longest: int) -> str:
    """The first characters of a text, up to the end of a word; cut within a word where that would cost more than half of them."""
    if len(text) <= longest:
        return text
    end = next((i for i in range(longest, longest // 2, -1) if text[i].isspace()), longest)
    return text[:end].rstrip() or text[:longest]


def shortened(text: str, longest: int) -> str:
    """A text of at most so many characters: as it is, or its beginning with an ellipsis."""
    return text if len(text) <= longest else f"{beginning(text, longest - 1)}\u2026"


def capital(sentence: str) -> str:
    """The sentence with a capital first letter; the rest, labels and names included, stays as it is."""
    return sentence[:1].upper() + sentence[1:]


def megabytes(count: int) -> str:
    """Bytes as megabytes, with one decimal: "267.8"."""
    return f"{count / 1e6:,.1f}"


def duration(seconds: float) -> str:
    """Seconds in words: "1 second", "40 minutes", "1.5 hours"."""
    if seconds < 90:
        return plural(max(1, round(seconds)), "second")
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def so_far(done: int, total: int, seconds: float, unit: str, said: Callable[[int], str] = "{:,}".format) -> str:
    """How far work has come, and how long the rest takes at the same pace: "10 of 40 texts, about 15 seconds left".

    Args:
        total: 0 while it is unknown.
        seconds: since it began.
        unit: what is counted, in the plural.
        said: a count as it is read.
    """
    if not total:
        return f"waiting for the first {unit}"
    left = f", about {duration(seconds * (total - done) / done)} left" if done else ""
    return f"{said(done)} of {said(total)} {unit}{left}"
