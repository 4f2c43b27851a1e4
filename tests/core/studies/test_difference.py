"""The difference between the pin and what is shown now: only where there is a common measure, with its numbers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.base.words import capital
from core.factors.case import Reference
from core.models.catalog import load
from core.models.classifier import Classifier
from core.models.heads import REGRESSION, SIGMOID, SOFTMAX, Head
from core.studies import difference
from core.studies.study import Study, arranged, compare, profile
from core.studies.verdict import usual_edits, verdict
from core.text.perturb import variants
from tests.architectures import loaded, save

TEXT = "Even in this less than magic kingdom, Reese rules."
OTHER = "Despite modest aspirations its occasional charms are not to be dismissed."


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    return loaded(save("bert", tmp_path_factory.mktemp("bert")))


def edited(classifier: Classifier, text: str) -> Study:
    return compare(classifier, text, variants(text))


def says(logits: list[float], head: Head = SOFTMAX, labels: tuple[str, ...] = ("negative", "positive")) -> Reference:
    """A prediction of some logits."""
    encoding = load().encoder(["a"])[0]
    return Reference("a", encoding, np.array(logits, np.float32), head, labels)


def test_predictions_are_said_with_how_sure_they_are_and_what_lies_between() -> None:
    said = difference.predictions(says([0.0, 1.0]), says([2.0, 0.0]), one_model=True)
    assert said == "The pin says positive (0.731), this says negative (0.881): the label differs."
    said = difference.predictions(says([0.0, 1.0]), says([0.0, 2.0]), one_model=True, this="bpe-cased")
    assert said == (
        "The pin says positive (0.731), bpe-cased says positive (0.881): the label is the same, with a margin of +0.762 "
        "instead of +0.462."
    )
    assert difference.predictions(says([0.0, 1.0]), says([0.0, 1.0 + 1e-6]), one_model=True).endswith(
        "the label is the same, with the same margin."
    )


@pytest.mark.parametrize(
    ("pin", "now", "one_model", "expected"),
    [
        (says([0.0, 1.0]), says([0.0, 1.0], labels=("bad", "good")), False, "neither labels nor margins are comparable"),
        (says([0.0, 1.0]), says([-1.0, 1.0], SIGMOID), False, "margins of softmax and sigmoid heads are not comparable"),
        (says([0.5], REGRESSION, ("score",)), says([0.75], REGRESSION, ("score",)), True, "the value differs by +0.250"),
        (says([0.5], REGRESSION, ("score",)), says([0.75], REGRESSION, ("score",)), False, "need not have the same unit"),
        (says([0.5], REGRESSION, ("score",)), says([0.0, 1.0]), False, "a value and a label have no common measure"),
    ],
)  # fmt: skip
def test_what_has_no_common_measure_is_not_compared(
    pin: Reference, now: Reference, one_model: bool, expected: str
) -> None:
    said = difference.predictions(pin, now, one_model=one_model)
    assert expected in said and "instead of" not in said


def test_profiles_are_said_with_their_grades_and_the_edits_that_flip(bert: Classifier) -> None:
    pin, now = (profile(bert, text, passes=1) for text in ("A fine film.", "A dull film, and not a fine one!"))
    before, after = usual_edits(pin), usual_edits(now)
    said = difference.profiles(pin, now)
    for one, who in ((pin, "The pin"), (now, "this")):
        grade = capital(verdict(one).mood)
        assert f"{who} says {one.reference.label} ({one.reference.probabilities.max():.3f}, {grade})" in said
    assert f"{after.flips or 'none'} of {after.tried} edits flip" in said
    assert said.endswith(f" it instead of {before.flips or 'none'} of {before.tried}.")
    assert f"{before.flips or 'none'} of {before.tried} edits flip" in difference.profiles(pin, pin)
    assert difference.profiles(pin, pin).endswith(" either.")


def test_an_untrained_head_is_said_in_place_of_a_grade(bert: Classifier) -> None:
    untrained = replace(profile(bert, "a b", passes=1), untrained=True)
    assert difference.profiles(untrained, untrained).count("a head that was never trained)") == 2


def test_the_same_edits_of_one_sentence_are_compared_one_by_one() -> None:
    pin, now = edited(load(), TEXT), edited(load("bpe-cased"), TEXT)
    flips = [{case.text for row in one.counted for case in row.flipping} for one in (pin, now)]
    said = difference.edits(pin, now)
    assert len(flips[0] & flips[1]) and said.startswith(
        f"Of the {usual_edits(now).tried} edits that apply to both, {len(flips[0] & flips[1])} flip both, "
        f"{len(flips[1] - flips[0])} only this (“"
    )
    assert (
        f"{len(flips[0] - flips[1])} only the pin (“" in said and f"and {len(flips[0] - flips[1]) - 3} more)." in said
    )
    assert difference.edits(pin, pin).endswith(f"edits that apply to both, the same {len(flips[0])} flip both.")


def test_edits_of_two_sentences_are_matched_by_what_was_done() -> None:
    pin, now = edited(load(), TEXT), edited(load(), OTHER)
    said, rules = difference.edits(pin, now), [{case.name for case in usual_edits(one).cases} for one in (pin, now)]
    assert said.startswith(f"Of the {len(rules[0] & rules[1])} kinds of edits that apply to both")
    assert "“ASCII characters in their full-width form”" in said and "(1)" not in said


def test_what_flips_below_the_noise_floor_is_no_difference() -> None:
    pin, now = edited(load(), TEXT), edited(load(), OTHER)
    deaf = [arranged(one, [replace(row, noise_floor=1.0) for row in one.rows]) for one in (pin, now)]
    assert difference.edits(*deaf).endswith("none flips either.")
    assert difference.flips(*deaf)[0].startswith("none of ")


def test_values_have_no_edits_that_flip(tmp_path: Path) -> None:
    value = loaded(save("bert", tmp_path / "value", labels=["score"], problem_type="regression"))
    found = edited(value, "A fine film.")
    assert difference.edits(found, found) == "" and difference.flips(found, edited(load(), TEXT)) == []


def test_tokens_say_what_becomes_of_the_difference(bert: Classifier) -> None:
    one, absorbed, other = load().encoder(["This is a test.", "This  is a TEST.", "This is a test!"])
    assert difference.tokens(one, one, one_tokenizer=True, one_text=True) == "Both are the same 7 tokens."
    said = difference.tokens(one, absorbed, one_tokenizer=True, one_text=False)
    assert said == "Both are the same 7 tokens: the tokenizer absorbs the difference between the sentences."
    said = difference.tokens(one, other, one_tokenizer=True, one_text=False)
    assert said == "The pin is cut into 7 tokens, this into 7: 1 only in the pin, 1 only in this."
    said = difference.tokens(one, load("bpe-cased").encoder(["This is a test."])[0], one_tokenizer=False, one_text=True)
    assert said.endswith("by another tokenizer.")
    long, longer = bert.encoder(["a fine film, " * 100 + "good", "a fine film, " * 100 + "bad"])
    assert "beyond the limit" in difference.tokens(long, longer, one_tokenizer=True, one_text=False)
    assert difference.one_tokenizer(load().encoder, load("minilm-uncased-43").encoder)
    assert not difference.one_tokenizer(load().encoder, load("bpe-cased").encoder)
