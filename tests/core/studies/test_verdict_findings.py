"""Summary and finding say in a sentence what the study's own numbers are."""

from dataclasses import replace
from pathlib import Path

import pytest

from core.base.words import capital
from core.models.catalog import load
from core.models.classifier import Classifier
from core.studies.study import Study, arranged, compare, options_of, profile, studies, study
from core.studies.verdict import edit_counts, finding, is_profile, summary, verdict
from core.text.perturb import custom, variants
from tests.architectures import loaded, save

TEXT = "Even in this less  than magic kingdom, Reese rules."


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    return loaded(save("bert", tmp_path_factory.mktemp("bert")))


@pytest.fixture(scope="module")
def compared() -> Study:
    return compare(load(), TEXT, variants(TEXT))


def test_a_summary_counts_what_happened(bert: Classifier) -> None:
    assert summary(compare(bert, "a b", [custom("a b", "A B")])) == (
        "1 edit: 1 absorbed by the tokenizer, 0 reach the model, none flips it."
    )
    assert summary(compare(bert, "a b", [])) == "No edit applies to this text."


def test_a_summary_says_the_study_s_own_counts(compared: Study) -> None:
    reaching = compared.tried - compared.absorbed
    counts = (
        f"{compared.tried} edits: {compared.absorbed} absorbed by the tokenizer, {reaching} reach the model, "
        f"{compared.flips} flip it."
    )
    assert summary(compared) == f"{counts} Not counted: 2 edits that can change what is said, 1 flips it."
    assert edit_counts(compared) == counts
    one = arranged(compared, [replace(row, cases=row.flipping[:1]) for row in compared.rows if row.flips][:1])
    assert summary(one) == "1 edit: 0 absorbed by the tokenizer, 1 reaches the model, 1 flips it."


def test_a_finding_names_the_case_that_goes_furthest(compared: Study) -> None:
    worst = min((case for case in compared.cases if not case.absorbed), key=lambda case: case.margin or 0.0)
    label = compared.reference.label
    assert (
        finding(compared)
        == f"{compared.flips} of {compared.tried} edits flip “{label}”; “{worst.made.said}” goes furthest"
    )
    one = arranged(compared, [replace(row, cases=row.flipping[:1]) for row in compared.rows if row.flips][:1])
    assert "1 of 1 edits flips" in finding(one)


def test_what_flips_below_the_noise_floor_is_not_said_to_flip(compared: Study) -> None:
    deaf = arranged(compared, [replace(row, noise_floor=1.0) for row in compared.rows])
    assert summary(deaf).endswith("none flips it. Not counted: 2 edits that can change what is said.")
    assert finding(deaf).startswith(f"No edit flips “{compared.reference.label}”") and "comes nearest" in finding(deaf)


def test_nothing_reaches_the_model_where_all_is_erased(bert: Classifier) -> None:
    erased = compare(bert, "a b", [custom("a b", "A B")])
    assert finding(erased) == "The tokenizer absorbs every edit: nothing reaches the model."
    assert finding(compare(bert, "a b", [])) == "No edit applies."


def test_what_lies_beyond_the_limit_is_said_and_not_counted(bert: Classifier) -> None:
    text = "a fine film, " * 100 + "and a dull end ."
    found = compare(bert, text, variants(text))
    beyond = sum(row.beyond for row in found.counted)
    assert 0 < beyond < sum(len(row.cases) for row in found.counted)
    assert summary(found).startswith(f"{sum(row.tried for row in found.counted)} edits: ")
    assert f" it; {beyond} beyond the limit. Not counted: " in summary(found)
    assert edit_counts(found).endswith(f" it; {beyond} beyond the limit.")
    assert finding(found).endswith(f"; {beyond} beyond the limit")


def test_a_value_moves_and_does_not_flip(tmp_path: Path) -> None:
    value = loaded(save("bert", tmp_path / "value", labels=["score"], problem_type="regression"))
    edits, passes = compare(value, TEXT, variants(TEXT)), study(value, TEXT, ["dropout"], {"dropout": {"passes": 3}})
    furthest = edits.cases[0]
    assert "a value has no label to flip" in summary(edits)
    assert finding(edits) == f"“{capital(furthest.made.said)}” moves the output furthest, by {furthest.shift:.3f}"
    assert summary(passes).startswith("The output moves by up to ") and summary(passes).endswith("3 dropout passes.")


def test_a_profile_says_its_verdict_and_a_growing_one_what_is_ready() -> None:
    found = profile(load(), TEXT, passes=5)
    assert is_profile(found)
    assert summary(found) == finding(found) == verdict(found).text
    begun = next(studies(load(), TEXT, options=options_of(passes=5)))
    assert summary(begun) == finding(begun) == f"1 of {len(begun.wanted)} factors are ready."


def test_other_factors_are_counted_in_their_own_words() -> None:
    found = study(load(), TEXT, ["dropout", "seed"], {"dropout": {"passes": 9}})
    flips = [found[name].flips or "none" for name in ("dropout", "seed")]
    said = f"{flips[0]} of 9 dropout passes and {flips[1]} of {found['seed'].tried} other seeds"
    assert said in summary(found)[0].lower() + summary(found)[1:]
    assert summary(found).endswith(f"“{found.reference.label}”.")


def test_where_nothing_was_tried_the_reason_is_said(bert: Classifier) -> None:
    found = study(bert, TEXT, ["seed"])
    assert summary(found) == found["seed"].notes[0]
