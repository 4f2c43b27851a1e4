"""The main job: absorbed variants have exactly the reference's probabilities, and any string is compared or refused."""

import string
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.base.cache import forget
from core.base.errors import WobbleError
from core.models.catalog import load
from core.models.classifier import Classifier
from core.models.predict import Condition, _memories, forward, predict
from core.studies.study import NOT_COUNTED, compare
from core.studies.verdict import finding, summary
from core.text.perturb import custom, variants

TEXT = "Few films this year aren't as \u201cresolute\u201d, in their na\u00efve way."


@pytest.fixture(scope="module", params=["bert", "roberta", "xlm-roberta", "xlnet", "llama"])
def classifier(request: pytest.FixtureRequest, tiny: Callable[..., Classifier]) -> Classifier:
    return tiny(request.param)


def test_absorbed_means_bitwise_equal_probabilities(classifier: Classifier) -> None:
    found = compare(classifier, TEXT, variants(TEXT))
    for case in found.cases:
        assert case.absorbed == (case.encoding.ids == found.reference.encoding.ids)
        if case.absorbed:
            assert case.probabilities.tobytes() == found.reference.probabilities.tobytes()
            assert (case.shift, case.flip, case.fate) == (0.0, False, "absorbed")
            assert case.absorbed_by
        else:
            assert case.absorbed_by is None
            assert case.fate == ("flips" if case.flip else "reaches the model")


def test_a_token_sequence_runs_once_and_never_again(classifier: Classifier) -> None:
    forget(classifier)
    found = compare(classifier, TEXT, variants(TEXT))
    reaching = {case.encoding.ids for case in found.cases if not case.absorbed}
    assert found.rows_run == len(reaching) + 1
    assert found.rows_asked == len(found.cases) + 1
    assert compare(classifier, TEXT, variants(TEXT)).rows_run == 0


def test_the_reference_is_run_alone_whatever_ran_before(classifier: Classifier) -> None:
    """Where the text was a variant of another one its tokens ran in a shared batch, whose rounding is another one."""
    forget(classifier)
    encoding = classifier.encoder([TEXT])[0]
    others = [variant.text for variant in variants(TEXT)]
    predict(classifier, classifier.encoder([*others, TEXT]))
    memory = _memories.get(classifier, "rows", lambda: pytest.fail("nothing is remembered"))
    # As if sharing had moved it by more than rounding.
    memory.put(encoding.key, Condition(), np.full(2, 7.0, np.float32))
    found = compare(classifier, TEXT, variants(TEXT))
    np.testing.assert_array_equal(found.reference.logits, forward(classifier, [encoding])[0])
    for case in found.cases:
        if case.absorbed:
            np.testing.assert_array_equal(case.logits, found.reference.logits)


def test_variants_stand_by_shift_with_absorbed_ones_last(classifier: Classifier) -> None:
    found = compare(classifier, TEXT, variants(TEXT))
    for cases in (found.cases, *(row.cases for row in found.rows)):
        assert [case.absorbed for case in cases] == sorted(case.absorbed for case in cases)
        reaching = [case.shift for case in cases if not case.absorbed]
        assert reaching == sorted(reaching, reverse=True)


def test_a_row_holds_the_variants_of_its_factor(classifier: Classifier) -> None:
    found = compare(classifier, TEXT, variants(TEXT))
    assert [row.name for row in found.counted] == list(dict.fromkeys(variant.factor for variant in variants(TEXT)))
    for row in found.counted:
        assert {case.variant.factor for case in row.cases if case.variant} == {row.name}
    assert {row.name for row in found.rows} - {row.name for row in found.counted} == {NOT_COUNTED}
    assert not any(case.variant.same_sentence for case in found[NOT_COUNTED].cases if case.variant)
    assert {case.text for case in found.cases} == {variant.text for variant in variants(TEXT)}


def test_the_noise_floor_is_rounding(classifier: Classifier) -> None:
    assert compare(classifier, TEXT, variants(TEXT)).noise_floor < 1e-5


def test_an_own_edit_runs_only_itself(classifier: Classifier) -> None:
    first = compare(classifier, TEXT, variants(TEXT))
    own = custom(TEXT, "Another sentence of one's own.")
    forgotten = predict(classifier, classifier.encoder([own.text])).rows_run
    second = compare(classifier, TEXT, [*variants(TEXT), own])
    assert (forgotten, second.rows_run) in ((1, 0), (0, 0))
    assert {case.text for case in second.cases} == {case.text for case in first.cases} | {own.text}
    assert second["custom"].tried == 1


def test_another_temperature_runs_nothing_and_moves_no_label(classifier: Classifier) -> None:
    first = compare(classifier, TEXT, variants(TEXT))
    hot = compare(classifier, TEXT, variants(TEXT), temperature=5.0)
    assert (hot.rows_run, hot.temperature) == (0, 5.0)
    assert hot.reference.label == first.reference.label
    assert {case.text: case.flip for case in hot.cases} == {case.text: case.flip for case in first.cases}
    assert abs(hot.reference.margin or 0) < abs(first.reference.margin or 0)


def test_summary_counts_what_happened(tiny: Callable[..., Classifier]) -> None:
    bert = tiny("bert")
    assert summary(compare(bert, "a b", [custom("a b", "A B")])) == (
        "1 edit: 1 erased by the tokenizer, 0 reach the model, none flips it."
    )
    assert summary(compare(bert, "a b", [])) == "No edit applies to this text."
    found = compare(bert, TEXT, variants(TEXT))
    assert f"{found.flips or 'none'} flip" in summary(found)
    regression = tiny("bert", num_labels=1, problem_type="regression")
    found = compare(regression, TEXT, variants(TEXT))
    assert "no label to flip" in summary(found)
    assert {case.flip for case in found.cases} == {None}
    assert "moves the output furthest" in finding(found)


@settings(max_examples=25)
@given(st.text(st.characters(exclude_categories=()), max_size=60) | st.text(string.printable, max_size=60))
@example("")
@example("\ud800")
@example("[SEP] [CLS] [MASK]")
@example("<script>alert(1)</script>")
@example("\u202eevil \u2066\u2069")
@example("$x^2$ **bold** :red[x]")
def test_any_string_is_compared_or_refused_in_one_sentence(text: str) -> None:
    classifier = load()
    try:
        found = compare(classifier, text, variants(text))
    except WobbleError as error:
        assert any("\ud800" <= character <= "\udfff" for character in text)
        assert "\n" not in str(error)
        return
    for case in found.cases:
        assert np.isfinite(case.probabilities).all()
        assert case.absorbed == (case.encoding.ids == found.reference.encoding.ids)
        assert not case.absorbed or case.probabilities.tobytes() == found.reference.probabilities.tobytes()


@pytest.mark.slow
def test_a_text_of_a_hundred_thousand_characters_is_compared_and_its_truncation_shown() -> None:
    text = "A good film, and it isn't long enough. " * 2600
    found = compare(load(), text, variants(text, only=["punctuation"]))
    assert found.reference.encoding.truncated
    assert any("truncation" in (case.absorbed_by or "") for case in found.cases if not case.tried)
