"""Rows for pages of single factors: nothing is lost or measured twice, and an ensemble is the mean of its seeds."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.factors.case import Row, measured
from core.factors.numerics import by_dtype, dtype_of
from core.factors.registry import factors
from core.factors.seeds import one_seed
from core.families.stacked import load_family, predict_family
from core.models.catalog import load
from core.studies.study import arranged, compare, ensemble, in_one_row, of_family, study
from core.studies.verdict import reach
from core.text.perturb import custom, variants
from tests.architectures import loaded, save

TEXT = "Even in this less  than magic kingdom, Reese rules."


@pytest.mark.parametrize("head", ["single_label_classification", "multi_label_classification", "regression"])
@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_an_ensemble_s_probabilities_are_the_mean_over_the_seeds(tmp_path: Path, head: str, temperature: float) -> None:
    labels = ["score"] if head == "regression" else ["a", "b", "c"]
    model = loaded(save("bert", tmp_path / "model", labels=labels, problem_type=head))
    reference = compare(model, TEXT, [], temperature=temperature).reference
    logits = np.random.default_rng(0).normal(scale=4, size=(5, len(labels))).astype(np.float32)
    seeds = Row(factors(["seed"])[0], tuple(measured(reference, [one_seed(str(i)) for i in range(5)], logits)), 0.0)
    found = ensemble(reference, seeds)
    assert found.name == "ensemble" and [case.name for case in found.cases] == ["mean of all seeds"]
    # The reference is a seed too.
    mean = (reference.probabilities + seeds.probabilities.sum(axis=0)) / 6
    np.testing.assert_allclose(found.cases[0].probabilities, mean, atol=1e-6)


def test_the_worst_case_of_a_value_is_the_one_furthest_from_it(tmp_path: Path) -> None:
    model = loaded(save("bert", tmp_path / "model", labels=["score"], problem_type="regression"))
    reference = compare(model, TEXT, []).reference
    logits = reference.logits[None] + np.array([[0.1], [-0.7], [0.3]], np.float32)
    row = Row(factors(["seed"])[0], tuple(measured(reference, [one_seed(str(i)) for i in range(3)], logits)), 0.0)
    assert row.worst is row.cases[1]
    assert row.spread(0) == pytest.approx((logits.mean(), logits.std()))
    low, high = (reference.logits[0] + by for by in (-0.7, 0.3))
    spread = f"The outputs of the other seeds range from {low:+.2f} to {high:+.2f}"
    assert reach(row, replace(row, cases=())) == f"{spread}; no edit reaches the model"
    assert reach(row, row) == f"{spread}, those of the edits from {low:+.2f} to {high:+.2f}"


def test_edits_that_count_are_gathered_in_one_row() -> None:
    found = compare(load(), TEXT, [*variants(TEXT), custom(TEXT, "Another one.")])
    row = in_one_row(found, "formatting")
    assert {id(case) for case in row.cases} == {id(case) for one in found.counted for case in one.cases}
    assert (row.name, row.tried, row.absorbed, row.flips) == ("formatting", found.tried, found.absorbed, found.flips)
    assert {"custom", "not counted"} == {one.name for one in found.rows if one not in found.counted}
    known = found.keyed()
    assert all(known[key][1] is case for key, (_, case) in arranged(found, [row]).keyed().items())
    assert in_one_row(compare(load(), TEXT, []), "formatting").cases == ()


def test_conditions_are_parted_by_dtype() -> None:
    found = study(load(), TEXT, ["numerics"])
    rows = by_dtype(found["numerics"])
    assert rows[0].name == "fp32"
    assert sum(row.tried for row in rows) == found["numerics"].tried
    assert all(len({dtype_of(case) for case in row.cases}) == 1 for row in rows)
    shown = arranged(found, rows)
    assert set(shown.keyed()) == set(found.keyed())
    assert shown.complete and shown.wanted == tuple(row.name for row in rows) and len(shown.cases) == len(found.cases)


def test_a_family_s_study_has_its_seeds_by_name_beside_the_first_and_what_reaches_it() -> None:
    family = load_family()
    edited = compare(family.first, TEXT, variants(TEXT), temperature=2.0)
    found = of_family(family, edited, predict_family(family, [TEXT]).logits[:, 0])
    seeds, _, formatting = found.rows
    assert found.wanted == ("seed", "ensemble", "edits, seed 42") and found.temperature == 2.0
    assert [case.name for case in seeds.cases] == [f"seed {name}" for name in family.names[1:]]
    # Links hold these names.
    assert {"seed 43", "ensemble, mean of all seeds"} <= set(found.keyed())
    alone = compare(load(family.members[1].id), TEXT, [], temperature=2.0).reference
    np.testing.assert_allclose(seeds.cases[0].probabilities, alone.probabilities, atol=1e-5)
    assert {id(case) for case in formatting.cases} == {id(case) for case in in_one_row(edited, "").cases}


def test_how_far_rows_reach_is_said_from_their_smallest_to_their_largest_margin() -> None:
    edited = compare(load(), TEXT, variants(TEXT))
    row = in_one_row(edited, "formatting")
    low, high = min(case.margin for case in row.cases), max(case.margin for case in row.cases)
    seeds = Row(factors(["seed"])[0], row.cases[:1], 0.0)
    value = row.cases[0].margin
    said = f"The margins of the other seeds range from {value:+.2f} to {value:+.2f}"
    assert reach(seeds, row) == f"{said}, those of the edits from {low:+.2f} to {high:+.2f}"
    assert reach(seeds, Row(row.factor, (), 0.0)) == f"{said}; no edit reaches the model"
