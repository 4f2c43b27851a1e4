"""The article's claims: every one is run, and says what was measured."""

import json
from pathlib import Path

import pytest

from core import cli
from core.lessons import material
from core.lessons.claims import claim as declared
from core.lessons.claims import claims, run_all
from core.lessons.claims.claim import Found, Result, run
from core.models import catalog
from tests.architectures import save
from tests.scripts import output_of

pytestmark = pytest.mark.timeout(900)  # all claims together, in one fixture

OUTCOMES = {
    "C1": "holds",
    "C2": "does not hold",
    "C3": "holds",
    "C4": "depends",
    "C5": "holds",
    "C6": "depends",
    "C7": "holds",
    "C8": "holds",
    "C9": "holds",
    "C10": "holds",
    "C11": "holds",
    "C12": "does not hold",
    "C13": "does not hold",
    "C14": "does not hold",
    "C15": "holds",
    "C16": "does not hold",
}


@pytest.fixture(scope="module")
def results() -> dict[str, Result]:
    """All claims on the embedded models, run once, where no hub answers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        return {one.id: one for one in run_all()}


def test_none_of_the_sixteen_claims_is_left_out() -> None:
    assert [one.id for one in claims()] == list(OUTCOMES)
    assert [one.id for one in claims() if one.unsaid] == ["C16"]


@pytest.mark.slow
@pytest.mark.parametrize("id", OUTCOMES)
def test_the_outcome_of_a_claim(id: str, results: dict[str, Result]) -> None:
    assert results[id].outcome == OUTCOMES[id], results[id].evidence


@pytest.mark.slow
def test_claims_of_chance_rest_on_what_was_measured(results: dict[str, Result]) -> None:
    found = {id: one.measured for id, one in results.items()}
    assert found["C1"]["barrier"] > 0.01
    assert found["C2"] == {"equal": True, "other_equal": False}
    assert found["C3"]["quarter 1"] > 0.1 and found["C3"]["quarter 4"] == 0
    assert (found["C4"]["off"], found["C4"]["on"]) == (1, 30)
    assert 0.02 < found["C9"]["disagreement"] < 0.1 and abs(found["C9"]["accuracies"]) < 0.03
    assert found["C10"]["same"] and 0 < found["C10"]["largest"] < 1e-4
    assert found["C11"] == {"equal": True, "noticed": True}
    assert found["C15"]["before"] > 0.1 and found["C15"]["after"] == 0
    assert found["C15"]["accuracy_after"] < found["C15"]["accuracy_before"], "the price is told"


@pytest.mark.slow
def test_claims_of_inputs_rest_on_what_was_measured(results: dict[str, Result]) -> None:
    found = {id: one.measured for id, one in results.items()}
    assert found["C6"]["minilm-uncased white-space"] == found["C6"]["minilm-uncased case"] == 0
    assert found["C6"]["bpe-cased white-space"] == found["C6"]["bpe-cased case"] == 1
    assert 0 < found["C6"]["unigram-cased white-space"] < 1
    assert found["C12"]["equal"] and found["C12"]["same_class"]
    assert len(found["C12"]["changing"]) == 4 and found["C12"]["elsewhere"] == ["bpe-cased", "unigram-cased"]
    assert (found["C13"]["classes"], found["C13"]["differing"]) == (2, 0)
    assert found["C13"]["missing"] == ["classifier.bias", "classifier.weight"]
    assert found["C16"]["minilm-uncased flips"] >= 2 and found["C16"]["unigram-cased flips"] >= 40


@pytest.mark.slow
def test_claims_of_temperature_rest_on_what_was_measured(results: dict[str, Result]) -> None:
    found = {id: one.measured for id, one in results.items()}
    assert found["C7"]["against"] == 0 and found["C7"]["cold"] > found["C7"]["own"] > found["C7"]["hot"]
    assert found["C8"]["labels"] == 0 and found["C8"]["decisions"] > 0
    assert (found["C14"]["classes"], found["C14"]["moved"]) == (1, 0)


@pytest.mark.slow
def test_offline_the_missing_checkpoint_is_said_in_one_clause(results: dict[str, Result]) -> None:
    assert {one.on_base for one in results.values()} == {
        "not run on bert-base-uncased: the hub cannot be reached",
        "needs a fine-tuned model, so not run on bert-base-uncased",
    }


@pytest.mark.slow
def test_the_command_prints_all_claims(
    results: dict[str, Result], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("core.lessons.claims.run_all", lambda progress: iter(results.values()))
    assert cli.main(["claims", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert {one["id"]: one["outcome"] for one in printed} == OUTCOMES
    assert all({"id", "claim", "outcome", "evidence", "seconds", "code"} <= set(one) for one in printed)
    assert cli.main(["claims"]) == 0
    shown = capsys.readouterr().out
    for one in results.values():
        assert f"{one.id}: {one.evidence}" in shown
    assert "C12, C13, C14, C16: not run on bert-base-uncased: the hub cannot be reached" in shown


@pytest.mark.slow
def test_where_the_hub_answers_claims_are_run_on_the_articles_own_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save("bert", tmp_path / "models" / "base")
    monkeypatch.setenv("WOBBLE_MODEL_DIRS", str(tmp_path / "models"))
    monkeypatch.setattr(material, "BASE", "models/base")
    monkeypatch.setattr(material, "hub_answers", lambda: True)
    monkeypatch.setattr(material, "models", lambda: (catalog.load("models/base"),))
    for one in claims():
        if one.on_base:
            assert run(one).on_base.startswith("on bert-base-uncased: "), one.id


def test_a_claim_that_is_declared_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="two claims are named C1"):
        declared.claim("C1", "", "", "")(lambda _: Found("holds", "", {}))


@pytest.mark.slow
def test_the_corrected_code_of_every_claim_runs() -> None:
    codes = {one.id: one.code for one in claims()}
    output_of(f"for id, code in {codes!r}.items():\n    exec(compile(code, id, 'exec'), {{}})\n")


def test_where_training_is_switched_off_no_claim_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WOBBLE_RUNS_DIR", "")
    found = run(next(one for one in claims() if one.id == "C2"))
    assert (found.outcome, found.measured) == ("not run", {})
    assert found.evidence.startswith("Training is switched off here")
