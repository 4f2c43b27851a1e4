"""A temperature moves every probability and no label; what it does to decisions is computed from known logits alone."""

from pathlib import Path

import numpy as np
import pytest

from core.factors.temperature import HOTTEST
from core.models.catalog import load
from core.studies import temperatures
from core.studies.calibration import SEARCHED
from core.studies.study import Study, compare, study
from core.studies.temperatures import DOCUMENTED
from core.text.perturb import variants
from core.views.tables import tempered_frame, tempered_rows
from tests.architectures import loaded, save

TEXT = "Coppola has made a film of intoxicating atmosphere and little else."


@pytest.fixture(scope="module")
def compared() -> Study:
    return compare(load(), TEXT, variants(TEXT))


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Study:
    model = loaded(
        save("bert", tmp_path_factory.mktemp("many"), num_labels=3, problem_type="multi_label_classification")
    )
    return compare(model, TEXT, variants(TEXT))


def test_no_label_moves_at_any_temperature_and_one_that_moved_would_be_counted(compared: Study, many: Study) -> None:
    for found in (compared, many):
        assert temperatures.moved_labels(found, [0.05, 0.5, 3.0, HOTTEST]) == 0
    # A division by less than zero turns every order round.
    assert temperatures.moved_labels(compared, [-1.0, 2.0]) == len(compared.cases) + 1


def test_the_curves_are_the_head_s_and_reach_as_far_as_the_current_temperature(compared: Study, many: Study) -> None:
    for found, guess in ((compared, np.log(2)), (many, 3 * np.log(2))):
        curves = temperatures.curves(found.reference, 300.0)
        assert (curves.temperatures[0], curves.temperatures[-1]) == pytest.approx((SEARCHED[0], 300.0))
        for i in (0, 77, 199):
            p = found.head.probabilities(found.reference.logits, float(curves.temperatures[i]))
            np.testing.assert_allclose(curves.probabilities[i], p, atol=1e-9)
            assert curves.entropy[i] == pytest.approx(float(found.head.entropy(p)))
        assert curves.guess == pytest.approx(guess)


def test_the_rows_hold_the_sentence_and_what_moves_it_most_at_both_temperatures(compared: Study) -> None:
    rows = tempered_rows(compared, 3.0, 4)
    moving = {key: case.called(key) for key, (_, case) in compared.keyed().items() if not case.absorbed}
    assert list(rows["name"]) == ["your sentence", *list(moving.values())[:4]]
    frame = tempered_frame(compared, 3.0).set_index("variant").loc[["your sentence", *list(moving)[:4]]]
    for ours, theirs in (("label", "label at T"), ("before", "margin at T = 1"), ("after", "margin at T"),
                         ("entropy_before", "entropy at T = 1"), ("entropy_after", "entropy at T")):  # fmt: skip
        assert list(rows[ours]) == list(frame[theirs])
    assert rows["p_after"][1][0] == pytest.approx(frame["p(negative) at T"].iloc[1])


def test_a_threshold_is_passed_at_its_crossing(compared: Study, many: Study) -> None:
    reference = compared.reference
    where = temperatures.crossing(reference.logits, 0.7)
    assert where is not None
    assert temperatures.at(reference, where).probabilities.max() == pytest.approx(0.7)
    assert temperatures.crossing(many.reference.logits, 0.7) is None
    assert temperatures.above(np.array([0.6, 0.2, 0.9]), ["a", "b", "c"], 0.5) == ["c", "a"]


def test_averaging_says_where_the_order_of_the_two_matters() -> None:
    found = study(load(), "The acting is fine.", ["dropout"], {"dropout": {"passes": 10}})
    row, reference = found.rows[0], found.reference
    said = temperatures.averaging(row, reference, 2.0)
    first, last = (p[0] for p in temperatures.averaged(np.stack([case.logits for case in row.cases]), np.array([2.0])))
    assert said.probabilities == pytest.approx((first.max(), last.max()))
    assert said.labels == (reference.head.label(first, reference.labels), reference.head.label(last, reference.labels))
    logits, compared = np.stack([case.logits for case in row.cases]), temperatures.COMPARED
    before, after = temperatures.averaged(logits, compared)
    parting = [t for t, one, other in zip(compared, before, after, strict=True) if one.argmax() != other.argmax()]
    assert said.parting.tolist() == parting and len(compared) == 50


def test_the_mean_is_tempered_as_a_power_of_it_and_the_passes_one_by_one() -> None:
    # One sure pass against two that lean the other way: cold, the two win; hot, the one.
    logits, at = np.array([[3.5, 0.0], [0.0, 1.0], [0.0, 1.0]]), np.array([0.1, 2.0, 10.0])
    before, after = temperatures.averaged(logits, at)
    passes = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    powers = passes.mean(axis=0) ** (1 / at[:, None])
    np.testing.assert_allclose(after, powers / powers.sum(axis=1, keepdims=True))
    tempered = np.exp(logits / at[:, None, None])
    np.testing.assert_allclose(before, (tempered / tempered.sum(axis=2, keepdims=True)).mean(axis=1))
    assert before.argmax(axis=1).tolist() == [1, 0, 0] and after.argmax(axis=1).tolist() == [0, 0, 0]


def test_rounding_ties_sooner_in_fewer_bits(compared: Study) -> None:
    reference = compared.reference
    exact = temperatures.rounded(reference.logits, "float32", 2.0).max()
    assert exact == pytest.approx(temperatures.at(reference, 2.0).probabilities.max(), abs=1e-6)
    full, brain, half = (
        temperatures.first_tie(reference.logits, dtype, temperatures.HALF) for dtype in temperatures.DTYPES
    )
    assert brain is not None and half is not None and brain < half and (full is None or half < full)


def test_variants_beyond_the_limit_are_not_shown(tmp_path: Path) -> None:
    model = loaded(save("bert", tmp_path / "model"))
    text = "a fine film, " * 100 + "and a dull end ."
    found = compare(model, text, variants(text))
    assert any(not case.tried for case in found.cases)
    rows = tempered_rows(found, 2.0, 100)
    assert len(rows) == 1 + found.tried - found.absorbed


def test_what_a_download_documents_spans_the_searched_range() -> None:
    assert len(DOCUMENTED) == 21 and (DOCUMENTED[0], DOCUMENTED[-1]) == pytest.approx(SEARCHED)
