"""Compares two records: words, ids, labels, counts and orders exactly, floats within a tolerance."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import Any

TOLERANCE = 1e-6
COARSER = {"logits": 10.0, "logit_margin": 10.0, "largest_logit_difference": 10.0, "temperature": 10.0}
"""How many times the tolerance a kind of number gets: logits are not confined to [0, 1], and a fitted temperature is as
exact as its search."""
FLOAT = re.compile(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)|[-+]?\d+\.\d+")
"""A number in a sentence that is not a count."""
ABSENT = object()


@dataclass(frozen=True)
class Declared:
    """An intended difference."""

    pattern: str
    """A pattern of paths, like `*/profile/factors/segmentation`."""
    reason: str


DECLARED = (
    Declared("*/rows_asked", "the new engine remembers what it ran: what is asked again is not counted as it was"),
    Declared("*/forward_rows", "the new engine remembers what it ran, so fewer rows go through the model"),
    Declared("*/profile/factors/preprocessing", "a factor that the old engine does not have"),
    Declared("*/profile/factors/segmentation", "a factor that the old engine does not have"),
    *(
        Declared(
            f"*/profile/factors/seed/{what}", "the model itself is the reference, not a case among the other seeds"
        )
        for what in ("tried", "flip_rate", "flip_interval/*", "median_shift", "cases/seed 4[23]")
    ),
    *(
        Declared(
            f"*/{text}/profile/factors/unicode/notes*",
            'where edits were left out, "No edit applies" is not said any more, which contradicted it',
        )
        for text in ("zero-width joiners", "Hindi", "Chinese")
    ),
    *(
        Declared(
            f"*/5,000 words/{path}", "edits beyond the token limit get a fate of their own, and edits stay within it"
        )
        for path in (
            "comparison/variants/*",
            "comparison/summary",
            *(f"profile/factors/{name}/*" for name in ("whitespace", "casing", "punctuation", "unicode", "typo")),
            "profile/verdict",
            "profile/clauses*",
        )
    ),
)
REWORDED = (
    Declared("*/comparison/summary", "edits that can change what is said are not counted any more, as in a profile"),
    *(
        Declared(path, "one word, absorbed, for what the tokenizer erases; an edit is named by its description")
        for path in ("*/profile/verdict", "*/profile/clauses/*", "*/profile/factors/*/notes/*", "*/shortest/finding")
    ),
)
"""Sentences that say the same numbers in other words than the first engine did; the numbers are compared where they stand."""


BOUNDED = (
    *(
        Declared(path, "the noise floor is a bound from two conditions, not the largest shift of all of them")
        for path in (
            "*/noise_floor",
            "unigram-cased/gallery 21/profile/factors/numerics/above_noise_floor",
            "unigram-cased/gallery 21/profile/factors/numerics/worst/*",
        )
    ),
    Declared(
        "unigram-cased/Arabic/comparison/variants/order",
        "three edits are one sequence of ids, and the one that can change what is said comes after the others",
    ),
)
"""What follows from the noise floor's definition, and from the order of the rows; only the first engine differs there."""


@dataclass(frozen=True)
class Mismatch:
    """One value that differs beyond what is allowed."""

    path: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.path}: {self.old} -> {self.new}"


@dataclass
class Report:
    """What a comparison found."""

    exact: Counter[str] = field(default_factory=Counter)
    """How many values were compared exactly, by type."""
    floats: Counter[str] = field(default_factory=Counter)
    """How many floats were compared, by kind."""
    largest: dict[str, float] = field(default_factory=dict)
    """The largest difference of a kind, mismatches included, intended differences not."""
    mismatches: list[Mismatch] = field(default_factory=list)
    declared: Counter[Declared] = field(default_factory=Counter)
    """Intended differences, by declaration."""
    ties: int = 0
    """Orders that differ only among cases which are as far from the line, within the tolerance."""
    refused: int = 0
    """Records that hold a sentence saying why there is no answer."""
    defects: int = 0
    """Records of an engine that failed, in either record."""

    @property
    def equal(self) -> bool:
        """Whether nothing differs that was not declared, and neither engine failed."""
        return not self.mismatches and not self.defects

    def lines(self, most: int = 50) -> list[str]:
        """The report in words, with the first mismatches."""
        numbers = self.exact["int"] + self.floats.total()
        largest = max(self.largest.values(), default=0.0)
        others = self.exact.total() - self.exact["int"]
        said = [
            f"{numbers:,} numbers compared: {self.floats.total():,} floats, {self.exact['int']:,} ids and counts.",
            f"Besides {others:,} words, fates and orders.",
            f"Largest difference: {largest:.3g}.",
        ]
        said += [
            f"  {kind}: {count:,} compared, largest difference {self.largest[kind]:.3g}"
            for kind, count in sorted(self.floats.items())
        ]
        said.append(f"{self.refused:,} answers are refusals; {self.defects:,} are failures of an engine.")
        said.append(f"{self.ties:,} orders differ among equals.")
        said += [f"Intended, {count:,} times: {one.pattern} ({one.reason})" for one, count in self.declared.items()]
        said.append(f"{len(self.mismatches):,} mismatches.")
        said += [f"  {mismatch}" for mismatch in self.mismatches[:most]]
        if len(self.mismatches) > most:
            said.append(f"  and {len(self.mismatches) - most:,} more")
        return said


def compare(old: Any, new: Any, tolerance: float = TOLERANCE, declared: Sequence[Declared] = DECLARED) -> Report:
    """Compare two records.

    Args:
        tolerance: the largest difference of two floats that does not count.
        declared: intended differences: they are counted, and are not mismatches.
    """
    comparer = _Comparer(tolerance, declared)
    comparer.walk(old, new, (), "")
    return comparer.report


class _Comparer:
    def __init__(self, tolerance: float, declared: Sequence[Declared]) -> None:
        self.tolerance, self.declared, self.report = tolerance, declared, Report()

    def walk(self, old: Any, new: Any, path: tuple[str, ...], kind: str) -> None:
        """Compare two values; `kind` is the last name on the way to them that says what sort of number they are."""
        if isinstance(old, dict) and isinstance(new, dict):
            if set(old) == set(new) == {"order", "items"}:
                self._order(old, new, path)
                old, new = old["items"], new["items"]
            for key in dict.fromkeys((*old, *new)):
                values = old.get(key, ABSENT), new.get(key, ABSENT)
                self.walk(*values, (*path, key), kind if kind in ("probabilities", "mean", "std") else key)
            self.report.refused += "error" in old
            self.report.defects += "defect" in old or "defect" in new
        elif isinstance(old, list) and isinstance(new, list):
            if len(old) != len(new):
                self._differs(path, f"{len(old)} values", f"{len(new)} values")
            for number, values in enumerate(zip(old, new, strict=False)):
                self.walk(*values, (*path, str(number)), kind)
        elif _is_number(old) and _is_number(new) and float in (type(old), type(new)):
            self._float(old, new, path, kind)
        elif isinstance(old, str) and isinstance(new, str) and old != new and _same_words(old, new):
            self.report.exact["str"] += 1
            for values in zip(FLOAT.findall(old), FLOAT.findall(new), strict=True):
                self._float(*map(float, values), path, "in sentences")
        else:
            self.report.exact[type(old).__name__] += 1
            if type(old) is not type(new) or old != new:
                self._differs(path, _shown(old), _shown(new))

    def _float(self, old: float, new: float, path: tuple[str, ...], kind: str) -> None:
        difference = abs(old - new)
        self.report.floats[kind] += 1
        # Written so that NaN is a mismatch.
        differs = not difference <= self.tolerance * COARSER.get(kind, 1.0)
        meant = differs and self._differs(path, repr(old), repr(new))
        self.report.largest[kind] = max(self.report.largest.get(kind, 0.0), 0.0 if meant else difference)

    def _order(self, old: dict[str, Any], new: dict[str, Any], path: tuple[str, ...]) -> None:
        """Compare the order of what both have; what only one has is a difference of its own."""
        self.report.exact["order"] += 1
        before = [name for name in old["order"] if name in new["items"]]
        after = [name for name in new["order"] if name in old["items"]]
        if before == after:
            return
        place = {name: number for number, name in enumerate(before)}
        swapped = [pair for pair in pairwise(after) if place[pair[0]] > place[pair[1]]]
        if all(self._as_far(old["items"][one], old["items"][other]) for one, other in swapped):
            self.report.ties += 1
        else:
            self._differs((*path, "order"), _shown(before), _shown(after))

    def _as_far(self, one: Any, other: Any) -> bool:
        """Whether two cases are in their order by less than the tolerance, so that rounding may swap them."""
        return any(
            isinstance(one.get(key), float)
            and isinstance(other.get(key), float)
            and one.get("absorbed") == other.get("absorbed")
            and 0 < abs(one[key] - other[key]) <= self.tolerance
            for key in ("shift", "margin")
        )

    def _differs(self, path: tuple[str, ...], old: str, new: str) -> bool:
        """Note a difference; returns whether it is intended."""
        where = "/".join(path)
        for one in self.declared:
            if fnmatchcase(where, one.pattern):
                self.report.declared[one] += 1
                return True
        self.report.mismatches.append(Mismatch(where, old, new))
        return False


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _same_words(old: str, new: str) -> bool:
    """Whether two sentences are the same except for numbers that are not counts."""
    return FLOAT.sub("#", old) == FLOAT.sub("#", new)


def _shown(value: Any) -> str:
    said = "absent" if value is ABSENT else repr(value)
    return said if len(said) <= 160 else f"{said[:159]}…"
