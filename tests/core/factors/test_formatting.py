"""Edits as factors: which ones a row holds, and what is said about those that it leaves out."""

from pathlib import Path

import pytest

from core.factors.ask import Ask
from core.factors.case import Row
from core.models.catalog import load
from core.studies.study import study
from core.text.perturb import FACTORS
from core.text.truncation import why_not
from tests.architectures import loaded, save_byt5

ERASED = "The tokenizer absorbs every one of these edits, so none can change the prediction."


def row(text: str, name: str, **options: object) -> Row:
    return study(load(), text, [name], {name: options})[name]


def notes(text: str, name: str) -> tuple[str, ...]:
    return row(text, name).notes


@pytest.mark.parametrize("name", ["casing", "typo", "preprocessing"])
def test_where_nothing_applies_it_is_said(name: str) -> None:
    assert row("12", name).cases == ()
    assert notes("12", name) == (f"No {name} edit applies to this text.",)


def test_where_all_is_erased_it_is_said_and_where_some_is_not() -> None:
    assert notes("This is a test.", "casing") == (ERASED,)
    found = row("This is a test.", "whitespace")
    assert 0 < found.absorbed < found.tried
    assert found.notes == ()


def test_what_a_reader_could_take_for_another_sentence_is_left_out_by_name() -> None:
    left_out = "Left out, because a reader could take it for another sentence: "
    assert notes("12", "punctuation") == (f"{left_out}“a question mark at the end”.",)
    names = "“stop words removed” and “cleaned for a bag of words, stop words removed”"
    assert notes("This is a test.", "preprocessing")[0] == f"{left_out}{names}."


def test_all_edits_are_tried_where_that_is_asked_for() -> None:
    found = row("12", "punctuation", same_sentence=False)
    assert found.notes == ()
    assert {case.made.perturbation for case in found.cases} - {
        case.made.perturbation for case in row("12", "punctuation").cases
    } == {"question_mark"}


def test_the_seed_draws_the_typos() -> None:
    text = "An often watchable, though goofy and lurid, film."
    assert {case.text for case in row(text, "typo", seed=3).cases} == {
        one.text for one in Ask(load(), text).variants(3) if one.factor == "typo"
    }
    assert {case.text for case in row(text, "typo").cases} == {case.text for case in row(text, "typo", seed=0).cases}
    assert {case.text for case in row(text, "typo", seed=3).cases} != {case.text for case in row(text, "typo").cases}


@pytest.mark.parametrize(("text", "said"), [("12", ()), ("This is a test.", ("3 more make",)), ("x", ())])
def test_steps_that_make_the_text_of_another_edit_are_told(text: str, said: tuple[str, ...]) -> None:
    row = study(load(), text, FACTORS)["preprocessing"]
    told = [note for note in row.notes if "counts instead" in note]
    assert told == [f"{one} the same text as another edit, which counts instead." for one in said]


def test_steps_that_no_tokenizer_can_place_are_told(tmp_path: Path) -> None:
    copy = save_byt5(tmp_path / "byt5")
    found = study(loaded(copy), "A long film. " * 30, ["casing", "preprocessing"])
    reason = why_not(loaded(copy).encoder)
    assert reason and reason in found["preprocessing"].notes and reason not in found["casing"].notes
    assert not any(case.name.startswith("truncate") for case in found["preprocessing"].cases)
    assert not any("does not say" in note for note in notes("A long film. " * 30, "preprocessing"))


def test_where_all_make_the_text_of_other_edits_none_is_said_not_to_apply() -> None:
    (said,) = study(load(), "BAD", FACTORS)["preprocessing"].notes
    assert said.endswith("the same text as another edit, which counts instead.")


def test_all_names_of_what_is_left_out_are_told() -> None:
    # Without its stop words this is what the chain with them makes of it.
    (said,) = notes("good the film", "preprocessing")
    assert said.endswith("another sentence: “stop words removed” and “cleaned for a bag of words, stop words removed”.")
