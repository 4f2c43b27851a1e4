"""The usual steps on a sentence: what counts, what is merged, what is said; and a chain step by step."""

from pathlib import Path

import numpy as np
import pytest

from core.base.errors import WobbleError
from core.models.catalog import load
from core.models.predict import Condition, predict
from core.studies.steps import NOT_COUNTED, PREPROCESSING, chained, idle_steps, steps_finding, usual_steps
from core.text.perturb import perturbations
from core.text.perturb.preprocessing import Chain
from tests.architectures import loaded, save

TEXT = "This is not a GOOD film &amp; @bob  said so: https://t.co/x !"


def test_every_usual_step_is_a_case_under_its_name_or_leaves_the_text_as_it_is() -> None:
    found = usual_steps(load(), TEXT)
    made = [case.variant for case in found.cases if case.variant]
    names = [name for one in made for name in (one.name, *(other for other, _ in one.also))]
    rules = {rule.name: rule for rule in perturbations(["preprocessing"])}
    idle = [name for name in rules if name not in names]
    assert sorted([*names, *idle]) == sorted(rules)
    assert idle_steps(found) == tuple(rules[name].description for name in idle)
    assert len({one.text for one in made}) == len(made)
    # A step that makes the text of a formatting edit is here all the same.
    assert "clean_lower" in names


def test_what_changes_the_sentence_is_not_counted() -> None:
    found = usual_steps(load(), TEXT)
    other = {case.name for case in found[NOT_COUNTED.name].cases}
    assert other == {"clean_stop_words", "chain_bag_of_words_no_stop_words"}
    assert found.tried == found[PREPROCESSING.name].tried == len(found.cases) - 2
    assert found[NOT_COUNTED.name].flips == 2
    assert steps_finding(found).endswith("none flips “negative”.")


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


def test_one_step_is_spoken_of_in_the_singular() -> None:
    said = steps_finding(usual_steps(load(), "X", 1.0))
    assert said.startswith(
        "1 usual preprocessing step or chain changes this text: 1 erased by the tokenizer, none flips “"
    )
