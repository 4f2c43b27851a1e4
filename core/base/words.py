"""Small helpers for sentences."""

from collections.abc import Sequence


def plural(count: int, one: str, many: str | None = None) -> str:
    """A count with its noun: "1 edit", "1,200 edits"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def listed(names: Sequence[str], joined: str = "and") -> str:
    """Names in a sentence: "a, b and c"."""
    return f"{', '.join(names[:-1])} {joined} {names[-1]}" if len(names) > 1 else "".join(names)


def number(shift: float) -> str:
    """A shift with two decimals, more where they would be zeros."""
    return f"{shift:.2f}" if shift >= 0.005 else f"{shift:.1g}"


def capital(sentence: str) -> str:
    """The sentence with a capital at its start; the rest stays."""
    return sentence[:1].upper() + sentence[1:]
