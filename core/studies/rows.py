"""Studies whose rows are others than one a factor, as single factors are looked at closely."""

from collections.abc import Iterable
from dataclasses import replace

from core.factors.case import Case, Reference, Row, measured
from core.factors.formatting import CUSTOM
from core.factors.numerics import dtype_of
from core.factors.seeds import Seed
from core.studies.study import Study


def arranged(study: Study, rows: Iterable[Row]) -> Study:
    """The study with these rows, in this order, in the place of its own."""
    chosen = tuple(rows)
    return replace(study, rows=chosen, wanted=tuple(row.name for row in chosen))


def reaching(study: Study, title: str) -> Row:
    """All edits of a study that reach the model, in one row."""
    edited = [row for row in study.shown if row.factor.edits]
    cases = tuple(case for row in edited for case in row.cases if case.tried and not case.absorbed)
    return Row(edited[0].factor if edited else CUSTOM, cases, study.noise_floor, title=title, prefixed=False)


def by_dtype(row: Row) -> tuple[Row, ...]:
    """Conditions in a row a dtype: fp32 first, then half precision."""
    by: dict[str, list[Case]] = {}
    for case in row.cases:
        by.setdefault(dtype_of(case), []).append(case)
    return tuple(
        replace(row, cases=tuple(cases), title="fp32" if dtype == "float32" else dtype, prefixed=False)
        for dtype, cases in by.items()
    )


def ensemble(reference: Reference, row: Row) -> Row:
    """The mean of the probabilities of all seeds as a case, in a row of its own."""
    mean = reference.head.logits(row.probabilities.mean(axis=0, keepdims=True))
    # The probabilities are tempered already.
    cases = measured(reference, [Seed(f"mean of all {row.factor.many}")], mean, temperature=1.0)
    return Row(row.factor, tuple(cases), row.noise_floor, title="ensemble")
