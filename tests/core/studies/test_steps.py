"""Preprocessing looked at closely: each text once, what changes what is said not counted, a chain step by step."""

from collections.abc import Callable

import pytest

from core.factors.case import Row
from core.models.catalog import load
from core.models.classifier import Classifier
from core.studies.rows import arranged
from core.studies.steps import NOT_COUNTED, PREPROCESSING, chained, idle_steps, steps_finding, usual_steps
from core.studies.study import Study, compare
from core.text.perturb import perturbations, variants
from core.text.perturb.preprocessing import Chain
from core.text.truncation import cutter

TEXT = "I DON'T   like &amp; won't watch it, @bob!"
STEPS = {rule.name: rule.description for rule in perturbations(["preprocessing"])}


@pytest.fixture(scope="module")
def found() -> Study:
    return usual_steps(load(), TEXT)


def test_every_usual_step_that_changes_the_text_is_tried_once(found: Study) -> None:
    made = variants(TEXT, only=["preprocessing"], cut=cutter(load().encoder))
    assert {case.text for case in found.cases} == {variant.text for variant in made}
    assert len({case.text for case in found.cases}) == len(found.cases)
    assert {case.name for case in found.cases} >= {"clean_lower", "clean_html", "clean_stop_words"}


def test_a_step_that_changes_what_is_said_is_shown_and_not_counted(found: Study) -> None:
    assert [row.name for row in found.rows] == ["preprocessing", "not counted"]
    for row, same in zip(found.rows, (True, False), strict=True):
        assert row.cases and {case.variant.same_sentence for case in row.cases if case.variant} == {same}
        assert row.noise_floor == found.noise_floor
    assert (PREPROCESSING.flips_count, NOT_COUNTED.flips_count, NOT_COUNTED.name) == (True, False, "not counted")
    assert found.tried == found["preprocessing"].tried


def test_steps_are_measured_at_the_temperature_asked_for() -> None:
    assert usual_steps(load(), TEXT, 3.0).temperature == 3.0
    assert usual_steps(load(), TEXT).temperature == 1.0


def test_the_finding_counts_what_the_row_counts(found: Study) -> None:
    row = found["preprocessing"]
    erased = f"{row.absorbed} erased by the tokenizer, " if row.absorbed else ""
    flips = f"{row.flips or 'none'} {'flip' if (row.flips or 1) > 1 else 'flips'} “{found.reference.label}”"
    assert row.absorbed and steps_finding(found) == (
        f"{row.tried} usual preprocessing steps and chains change this text: {erased}{flips}."
    )


def test_one_step_is_spoken_of_as_one(tiny: Callable[..., Classifier]) -> None:
    bert = tiny("bert")
    made = [variant for variant in variants("Test ok", only=["preprocessing"]) if variant.perturbation == "clean_lower"]
    study = compare(bert, "Test ok", made)
    assert steps_finding(study) == (
        "1 usual preprocessing step or chain changes this text: 1 erased by the tokenizer, none flips "
        f"“{study.reference.label}”."
    )
    assert steps_finding(compare(bert, "test", [])) == "No usual preprocessing step changes this text."


def test_what_lies_beyond_the_limit_is_said(tiny: Callable[..., Classifier]) -> None:
    bert = tiny("bert")
    text = "it is a test. " * 60 + "&amp;"
    study = compare(bert, text, variants(text, only=["preprocessing"]))
    beyond = study["preprocessing"].beyond
    assert beyond and steps_finding(study).endswith(f"; {beyond} beyond the limit.")


def test_a_value_moves_and_does_not_flip(tiny: Callable[..., Classifier]) -> None:
    study = usual_steps(tiny("bert", num_labels=1, problem_type="regression"), TEXT)
    row = study["preprocessing"]
    assert steps_finding(study).startswith(f"{row.tried} usual preprocessing steps and chains change this text; the ")
    assert "moves by up to" in steps_finding(study)


def test_only_what_is_not_counted_is_no_finding(found: Study) -> None:
    alone = Row(NOT_COUNTED, found["not counted"].cases, 0.0)
    assert steps_finding(arranged(found, [alone])) == "No usual preprocessing step changes this text."


def test_idle_steps_are_those_that_leave_the_text(found: Study) -> None:
    idle = idle_steps(found)
    assert STEPS["clean_urls"] in idle and STEPS["clean_nfc"] in idle
    assert STEPS["clean_lower"] not in idle and STEPS["clean_mentions"] not in idle
    named = {case.name for case in found.cases} | {
        name for case in found.cases if case.variant for name, _ in case.variant.also
    }
    assert set(idle) == {said for name, said in STEPS.items() if name not in named}


def test_a_chain_shows_the_text_and_its_case_after_each_step() -> None:
    chain = Chain(("clean_lower", "clean_urls", "clean_whitespace"))
    made = chained(load(), TEXT, chain)
    lower = TEXT.lower()
    squeezed = " ".join(lower.split())
    assert made.chain is chain
    assert [(step.name, step.before, step.after) for step in made.steps] == [
        ("clean_lower", TEXT, lower),
        ("clean_urls", lower, lower),
        ("clean_whitespace", lower, squeezed),
    ]
    assert [case.text for step in made.steps if (case := step.case)] == [lower, lower, squeezed]
    assert made.steps[0].description == STEPS["clean_lower"]
    # What first made a text names it.
    assert {case.text: case.name for case in made.study.cases} == {
        lower: "clean_lower",
        squeezed: "clean_lower + clean_urls + clean_whitespace",
    }
    assert all(case.variant and case.variant.edits and not case.variant.same_sentence for case in made.study.cases)
    assert {case.variant.factor for case in made.study.cases if case.variant} == {"preprocessing"}


def test_a_step_that_gives_back_the_original_has_no_case() -> None:
    made = chained(load(), "already lower", Chain(("clean_lower",)), 2.0)
    (step,) = made.steps
    assert (step.name, step.before, step.after, step.case) == ("clean_lower", "already lower", "already lower", None)
    assert made.study.cases == () and made.study.temperature == 2.0


def test_a_chain_truncates_where_the_model_s_tokens_end() -> None:
    text = "very " * 100 + "good"
    (step,) = chained(load(), text, Chain(("truncate_64",))).steps
    assert step.after == " ".join(["very"] * 62)
