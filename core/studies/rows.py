"""Studies whose rows are others than one a factor, as single factors are looked at closely."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from core.factors.case import Reference, Row, measured
from core.factors.formatting import CUSTOM
from core.factors.registry import factors
from core.factors.seeds import one_seed
from core.families.stacked import Family
from core.models.heads import Logits
from core.studies.study import Study


def arranged(study: Study, rows: Iterable[Row]) -> Study:
    """The study with these rows, in this order, in the place of its own."""
    chosen = tuple(rows)
    return replace(study, rows=chosen, wanted=tuple(row.name for row in chosen))


def reaching(study: Study, title: str) -> Row:
    """All edits of a study that reach the model, in one row."""
    edited = [row for row in study.shown if row.factor.edits]
    cases = tuple(case for row in edited for case in row.cases if case.reaches)
    return Row(edited[0].factor if edited else CUSTOM, cases, study.noise_floor, title=title, prefixed=False)


def ensemble(reference: Reference, row: Row) -> Row:
    """The mean of the probabilities of all seeds as a case, in a row of its own."""
    mean = reference.head.logits(row.probabilities.mean(axis=0, keepdims=True))
    # The probabilities are tempered already.
    cases = measured(reference, [one_seed(f"mean of all {row.factor.many}")], mean, temperature=1.0)
    return Row(row.factor, tuple(cases), row.noise_floor, title="ensemble")


def of_family(family: Family, edited: Study, logits: Logits) -> Study:
    """Every member of a family, the mean of them, and the edits that reach the first: three rows beside the first's prediction.

    Args:
        edited: the edits of the text under the first member.
        logits: `[n_seeds, n_labels]`, what all members say of the text.
    """
    reference, (seed,) = edited.reference, factors(["seed"])
    # The first member's own weights, which the family only adds up in another order, are the reference.
    own = np.concatenate([reference.logits[None], logits[1:]])
    seeds = Row(seed, tuple(measured(reference, [one_seed(name) for name in family.names], own)), edited.noise_floor)
    first = reaching(edited, f"formatting, {seeds.cases[0].name}")
    return arranged(edited, (seeds, ensemble(reference, seeds), first))
