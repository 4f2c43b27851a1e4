"""Passes looked at closely: a variant's are measured against the original, and the measures are those of what was counted."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.base.errors import WobbleError
from core.base.statistics import wilson
from core.factors.case import Row, measured
from core.factors.dropout import Dropout, flips, measures, one_pass, over_passes, passes_of, run_passes, said
from core.factors.registry import factors
from core.models.catalog import load
from core.studies.study import Study, arranged, compare, in_one_row, study
from core.text.perturb import variants
from core.views import strip, tables
from tests.architectures import loaded, save

TEXT = "Coppola has made a film of intoxicating atmosphere and little else."


@pytest.fixture(scope="module")
def compared() -> Study:
    return compare(load(), TEXT, variants(TEXT))


def row_of(compared: Study, differences: list[float]) -> Row:
    """Passes whose first logit lies so far above the reference's."""
    logits = compared.reference.logits[None] + np.array([[d, 0] for d in differences], np.float32)
    made = [one_pass(number) for number in range(1, len(differences) + 1)]
    return Row(factors(["dropout"])[0], tuple(measured(compared.reference, made, logits)), compared.noise_floor)


def test_a_variant_s_passes_are_measured_against_the_original_with_dropout_off(compared: Study) -> None:
    _, variant = compared.keyed()["question_mark"]
    dropout = Dropout(seed=3)
    row = passes_of(load(), compared.reference, variant, "question_mark", 6, dropout, noise_floor=compared.noise_floor)
    logits, _ = run_passes(load(), variant.encoding, 6, dropout)
    p = compared.head.probabilities(logits)
    np.testing.assert_array_equal(row.probabilities, p)
    np.testing.assert_allclose(row.shifts, compared.head.shifts(p, compared.reference.probabilities))
    assert {case.text for case in row.cases} == {variant.text} and row.cases[0].encoding == variant.encoding
    assert [case.name for case in row.cases] == [f"pass {number}" for number in range(1, 7)]
    with pytest.raises(WobbleError):
        passes_of(load(), compared.reference, variant, "x", 6, Dropout(rate=0.0), noise_floor=0.0)


def test_passes_and_edits_stand_on_one_strip_whose_links_name_them(compared: Study) -> None:
    drawn = study(load(), TEXT, ["dropout"], {"dropout": {"passes": 5}})
    rows = [replace(drawn.rows[0], title=title) for title in (tables.ALL_ON, "only head")]
    shown = arranged(drawn, [*rows, in_one_row(compared, "formatting, no dropout")])
    keyed = shown.keyed()
    assert {"all that are on, pass 3", "only head, pass 5", "upper"} <= set(keyed)
    assert keyed["only head, pass 5"][1] is rows[1].cases[4]
    assert keyed["upper"][1] is compared.keyed()["upper"][1]
    assert sum(len(trace.x) for trace in strip.figure(shown, title="all").data) == len(shown.cases)


def test_the_finding_counts_what_flips_and_says_how_sure_that_is(compared: Study) -> None:
    assert said(row_of(compared, [0, 10, 0, 0])).startswith("1 of 4 passes flips it: 25% (95% interval 5% to 70%)")
    assert said(row_of(compared, [10, 10])).startswith("2 of 2 passes flip it")
    none = said(row_of(compared, [0]))
    assert none == f"None of 1 pass flips it: the flip rate is at most {wilson(0, 1)[1]:.1%} (95% interval)."


def test_which_passes_flip_is_told_in_their_order(compared: Study) -> None:
    assert flips(row_of(compared, [0, 10, 0, 10])).tolist() == [False, True, False, True]
    assert flips(replace(row_of(compared, [0]), cases=())).dtype == bool


def test_the_measures_stand_beside_those_of_the_prediction_with_dropout_off(compared: Study) -> None:
    row, reference = row_of(compared, [0, 10, 1, 0]), compared.reference
    found = {one.name: one for one in measures(row, reference)}
    over = over_passes(row.probabilities, compared.head)
    assert over.keys() == {"entropy", "mutual_information", "variation_ratio"}
    assert (found["Flip rate"].value, found["Flip rate"].interval) == (0.25, row.flip_interval)
    assert found["Predictive entropy"].value == pytest.approx(over["entropy"])
    assert found["Predictive entropy"].off == pytest.approx(float(compared.head.entropy(reference.probabilities)))
    assert found["Mutual information"].value == pytest.approx(over["mutual_information"])
    assert found["Variation ratio"].value == 0.25
    assert all(found[name].off == 0 for name in ("Flip rate", "Mutual information", "Variation ratio"))


def test_a_value_scatters_and_has_no_measures(tmp_path: Path) -> None:
    model = loaded(save("bert", tmp_path / "model", labels=["score"], problem_type="regression"))
    found = study(model, TEXT, ["dropout"], {"dropout": {"passes": 8}})
    row = found.rows[0]
    assert said(row) == f"Over 8 passes the output scatters by {row.probabilities.std():.3f} (standard deviation)."
    assert measures(row, found.reference) == ()
