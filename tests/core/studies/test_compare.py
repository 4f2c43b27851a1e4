"""The main job: absorbed variants have exactly the reference's probabilities, and any string is compared or refused."""

import string
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.base.errors import WobbleError
from core.models.catalog import load
from core.models.classifier import Classifier
from core.studies.compare import compare
from core.text.perturb import custom, variants
from tests.architectures import loaded, save

TEXT = "Few films this year aren't as \u201cresolute\u201d, in their na\u00efve way."


@pytest.fixture(scope="module", params=["bert", "roberta", "xlm-roberta", "xlnet", "llama"])
def classifier(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    return loaded(save(request.param, tmp_path_factory.mktemp(request.param)))


def test_absorbed_means_bitwise_equal_probabilities(classifier: Classifier) -> None:
    comparison = compare(classifier, TEXT, variants(TEXT))
    ids = comparison.reference.encoding.ids
    for row in comparison.rows:
        assert row.absorbed == (row.encoding.ids == ids)
        if row.absorbed:
            assert row.probabilities.tobytes() == comparison.reference.probabilities.tobytes()
            assert (row.shift, row.flip) == (0.0, False)
            assert row.absorbed_by
        else:
            assert row.absorbed_by is None


def test_a_row_runs_once_for_each_distinct_token_sequence(classifier: Classifier) -> None:
    comparison = compare(classifier, TEXT, variants(TEXT))
    reaching = {row.encoding.ids for row in comparison.rows if not row.absorbed}
    assert comparison.rows_run == len(reaching) + 1
    assert comparison.rows_asked == len(comparison.rows) + 1


def test_variants_stand_by_shift_with_absorbed_ones_last(classifier: Classifier) -> None:
    rows = compare(classifier, TEXT, variants(TEXT)).rows
    assert [row.absorbed for row in rows] == sorted(row.absorbed for row in rows)
    reaching = [row.shift for row in rows if not row.absorbed]
    assert reaching == sorted(reaching, reverse=True)


def test_the_noise_floor_is_rounding(classifier: Classifier) -> None:
    assert compare(classifier, TEXT, variants(TEXT)).noise_floor < 1e-5


def test_an_own_edit_runs_only_itself(classifier: Classifier) -> None:
    first = compare(classifier, TEXT, variants(TEXT))
    own = custom(TEXT, "Another sentence of one's own.")
    second = compare(classifier, TEXT, [*variants(TEXT), own], known=first)
    assert second.rows_run == 1
    assert {row.variant.text for row in second.rows} == {row.variant.text for row in first.rows} | {own.text}


def test_another_temperature_runs_nothing_and_moves_no_label(classifier: Classifier) -> None:
    first = compare(classifier, TEXT, variants(TEXT))
    hot = compare(classifier, TEXT, variants(TEXT), known=first, temperature=5.0)
    assert hot.rows_run == 0
    assert hot.reference.label == first.reference.label
    assert {row.variant.text: row.flip for row in hot.rows} == {row.variant.text: row.flip for row in first.rows}
    assert abs(hot.reference.margin or 0) < abs(first.reference.margin or 0)


def test_summary_counts_what_happened(tmp_path: Path) -> None:
    bert = loaded(save("bert", tmp_path / "bert"))
    assert compare(bert, "a b", [custom("a b", "A B")]).summary == (
        "1 edit: 1 erased by the tokenizer, 0 reach the model, none flips it."
    )
    assert compare(bert, "a b", []).summary == "No edit applies to this text."
    comparison = compare(bert, TEXT, variants(TEXT))
    assert f"{comparison.flips or 'none'} flip" in comparison.summary
    regression = loaded(save("bert", tmp_path / "regression", num_labels=1, problem_type="regression"))
    comparison = compare(regression, TEXT, variants(TEXT))
    assert "no label to flip" in comparison.summary
    assert {row.flip for row in comparison.rows} == {None}
    assert "moves the output furthest" in comparison.finding


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
        comparison = compare(classifier, text, variants(text))
    except WobbleError as error:
        assert any("\ud800" <= character <= "\udfff" for character in text)
        assert "\n" not in str(error)
        return
    for row in comparison.rows:
        assert np.isfinite(row.probabilities).all()
        assert row.absorbed == (row.encoding.ids == comparison.reference.encoding.ids)
        assert not row.absorbed or row.probabilities.tobytes() == comparison.reference.probabilities.tobytes()


@pytest.mark.slow
def test_a_text_of_a_hundred_thousand_characters_is_compared_and_its_truncation_shown() -> None:
    text = "A good film, and it isn't long enough. " * 2600
    comparison = compare(load(), text, variants(text))
    assert comparison.reference.encoding.truncated
    assert any("truncation" in (row.absorbed_by or "") for row in comparison.rows)
