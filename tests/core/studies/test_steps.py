"""The usual steps on a sentence: what counts, what is merged, what is said; and a chain step by step."""

import json
from pathlib import Path

import numpy as np
import pytest

from core.base.errors import WobbleError
from core.models.catalog import load
from core.models.predict import Condition, predict
from core.studies.steps import PREPROCESSING, chained, idle_steps, steps_finding, usual_steps
from core.studies.study import NOT_COUNTED, compare, study
from core.studies.verdict import finding, summary
from core.text.perturb import custom, perturbations, variants
from core.text.perturb.preprocessing import Chain
from core.views.documents import comparison_document
from tests.architectures import loaded, save

TEXT = "This is not a GOOD film &amp; @bob  said so: https://t.co/x !"


def test_every_usual_step_is_a_case_under_its_name_or_leaves_the_text_as_it_is() -> None:
    found = usual_steps(load(), TEXT)
    made = [case.variant for case in found.cases if case.variant]
    names = [name for one in made for name in (one.name, *(other for other, _ in one.also))]
    rules = {rule.name: rule for rule in perturbations(["preprocessing"])}
    idle = [name for name in rules if name not in names]
    assert sorted([*names, *idle]) == sorted(rules)
    assert idle_steps(load(), TEXT) == tuple(rules[name].description for name in idle)
    assert len({one.text for one in made}) == len(made)
    # A step that makes the text of a formatting edit is here all the same.
    assert "clean_lower" in names


def test_what_changes_the_sentence_is_not_counted() -> None:
    found = usual_steps(load(), TEXT)
    other = {case.name for case in found[NOT_COUNTED].cases}
    assert other == {"clean_stop_words", "chain_bag_of_words_no_stop_words"}
    assert found.tried == found[PREPROCESSING.name].tried == len(found.cases) - 2
    row = found[NOT_COUNTED]
    assert row.flips == 2 and not row.factor.flips_count
    assert found.flips == 0 and found.absorbed == found[PREPROCESSING.name].absorbed
    # A link opens them by their names alone.
    assert other <= found.keyed().keys()
    reaching = found.tried - found.absorbed
    assert summary(found) == (
        f"{found.tried} edits: {found.absorbed} erased by the tokenizer, {reaching} reach the model, none flips it. "
        "Not counted: 2 edits that can change what is said, 2 flip it."
    )
    assert finding(found).startswith("No edit flips “negative”; ") and not any(name in finding(found) for name in other)
    assert steps_finding(found).endswith("none flips “negative”.")


def test_only_what_says_the_same_is_counted_whoever_compares_them() -> None:
    made = [*variants(TEXT), *variants(TEXT, only=["preprocessing"])]
    found = compare(load(), TEXT, made)
    steps = {"clean_stop_words", "chain_bag_of_words_no_stop_words"}
    assert {case.name for case in found[NOT_COUNTED].cases} == steps | {"append_emoji", "question_mark"}
    assert all(case.variant.same_sentence for row in found.counted for case in row.cases if case.variant)


def test_where_no_step_counts_or_none_is_read_it_is_said(tmp_path: Path) -> None:
    uncounted = usual_steps(load(), "the film")
    assert uncounted.cases and not uncounted.tried
    assert steps_finding(uncounted) == "No usual preprocessing step that counts changes what the model reads."
    file = save("bert", tmp_path / "short") / "tokenizer_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"model_max_length": 6}))
    beyond = usual_steps(loaded(file.parent), "plain " * 6 + "x-y")
    assert beyond.beyond and not beyond.tried
    said = "No usual preprocessing step that counts changes what the model reads"
    assert steps_finding(beyond) == f"{said}; {beyond.beyond} beyond the limit."


def test_truncations_are_idle_only_where_the_tokenizer_can_truncate(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "Truncated to 64 tokens"
    assert said in idle_steps(load(), "plain")
    monkeypatch.setattr("core.studies.steps.cutter", lambda encoder: None)
    assert said not in idle_steps(load(), "plain") and "Lower-cased" in idle_steps(load(), "plain")


def test_the_finding_says_the_numbers_of_the_row(tmp_path: Path) -> None:
    assert steps_finding(usual_steps(load(), "plain")) == "No usual preprocessing step changes this text."
    flipped = usual_steps(load(), "Even in this less  than magic kingdom, Reese rules.")
    row = flipped[PREPROCESSING.name]
    assert row.flips and row.absorbed
    assert steps_finding(flipped) == (
        f"{row.tried} usual preprocessing steps and chains change this text: {row.absorbed} erased by the tokenizer, "
        f"{row.flips} {'flips' if row.flips == 1 else 'flip'} “positive”."
    )
    value = loaded(save("bert", tmp_path / "value", labels=["score"], problem_type="regression"))
    assert "the output moves by up to" in steps_finding(usual_steps(value, TEXT))


def test_a_chain_is_predicted_after_each_step() -> None:
    classifier, chain = load(), Chain(("clean_whitespace", "clean_nfc", "clean_punctuation"))
    found = chained(classifier, TEXT, chain)
    assert [step.after for step in found.steps] == list(chain.apply(TEXT))
    assert [step.before for step in found.steps] == [TEXT, *chain.apply(TEXT)[:-1]]
    for step in found.steps:
        assert step.case is not None and step.case.text == step.after
        # Nobody says that a chain leaves a sentence the same.
        assert step.case.variant is not None and not step.case.variant.same_sentence
        ours = predict(classifier, classifier.encoder([step.after]), Condition(batch="alone")).logits[0]
        np.testing.assert_allclose(step.case.logits, ours, atol=1e-5)
    assert [case.name for case in found.study.cases if not case.absorbed] == [
        "clean_whitespace + clean_nfc + clean_punctuation"
    ]


def test_a_step_that_brings_the_sentence_back_has_its_prediction() -> None:
    (step,) = chained(load(), "plain", Chain(("clean_lower",))).steps
    assert step.case is None


def test_a_text_without_a_token_is_one_sentence(tmp_path: Path) -> None:
    bare = loaded(save("gpt2", tmp_path / "bare"))
    with pytest.raises(WobbleError, match="makes no token"):
        chained(bare, "!?", Chain(("clean_punctuation",)))


def test_a_step_that_leaves_no_token_is_left_out_and_told(tmp_path: Path) -> None:
    bare = loaded(save("gpt2", tmp_path / "bare"))
    note = "1 edit leaves no token, so the model has nothing to predict."
    found = usual_steps(bare, "!?")
    assert [case.name for case in found.cases] == ["clean_treebank"]
    assert [row.notes for row in found.rows] == [(note,)]
    assert comparison_document(found)["notes"] == [note]
    assert "ASCII punctuation stripped, inside words and numbers too" not in idle_steps(bare, "!?")
    row = study(bare, "!?")["preprocessing"]
    assert note in row.notes and not any("No preprocessing edit" in said for said in row.notes)
    with pytest.raises(WobbleError, match="makes no token"):
        compare(bare, "!?", [custom("!?", "")])


def test_one_step_is_spoken_of_in_the_singular() -> None:
    said = steps_finding(usual_steps(load(), "X", 1.0))
    assert said.startswith(
        "1 usual preprocessing step or chain changes this text: 1 erased by the tokenizer, none flips “"
    )
