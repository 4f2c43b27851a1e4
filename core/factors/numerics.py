"""Numerics: the same text under conditions that are equal on paper, and the noise floor that follows."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from core.factors.ask import Ask
from core.factors.case import Case, Reference, Row
from core.factors.conditions import DTYPES, conditions
from core.factors.registry import factor
from core.models.predict import Condition, Dtype


@factor("numerics", one="condition", many="conditions", floor_applies=False, rounding=True)
def numerics(ask: Ask) -> Iterator[Case]:
    """Padded, among other texts, with another attention kernel, in half precision."""
    ask.count(0, ask.floor_rows)
    wanted, left_out = conditions(ask.classifier, len(ask.reference.encoding.ids))
    cases = []
    for done, condition in enumerate(wanted, start=1):
        cases += ask.under(condition)
        if ask.progress is not None:
            ask.progress(done, len(wanted))
    margin = ask.reference.head.logit_margin(ask.reference.logits)
    flipping = [
        f"{dtype} can flip this sentence: its logit margin, {margin:.2g}, is below twice the largest logit difference."
        for dtype in DTYPES
        if can_flip(ask.reference, cases, dtype)
    ]
    # Notes of conditions that failed when they were run are there already; they come last.
    ask.notes[:0] = [*flipping, *left_out]
    yield from cases


def can_flip(reference: Reference, cases: Sequence[Case], dtype: Dtype) -> bool:
    """Whether rounding to this dtype can flip the text: the logit margin is below twice the largest logit difference.

    Each of two logits can move by that difference, one up and one down (FACTS: HF#26869, HF#25420, HF#29029).
    """
    found = [case.difference for case in cases if dtype_of(case) == dtype]
    margin = reference.head.logit_margin(reference.logits)
    return margin is not None and bool(found) and margin < 2 * max(found)


def dtype_of(case: Case) -> Dtype:
    """The dtype of a case of numerics."""
    return case.made.dtype if isinstance(case.made, Condition) else "float32"


def by_dtype(row: Row) -> tuple[Row, ...]:
    """Conditions in a row per dtype: "fp32" first, then half precision."""
    by: dict[str, list[Case]] = {}
    for case in row.cases:
        by.setdefault(dtype_of(case).replace("float32", "fp32"), []).append(case)
    return tuple(replace(row, cases=tuple(cases), title=title, prefixed=False) for title, cases in by.items())
