"""The profile: a row per factor, shared work once, everything against the noise floor, and what is missing is said."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytest
import torch

from core.base.cache import forget
from core.base.errors import WobbleError
from core.base.statistics import wilson
from core.factors.ask import Ask
from core.factors.case import Case, Row
from core.factors.dropout import Dropout, one_pass, run_passes
from core.factors.registry import Range, factor, factors, unregister
from core.factors.seeds import family_for, one_seed
from core.families.stacked import load_family, predict_family
from core.models import predict as predict_module
from core.models.catalog import load
from core.models.classifier import Classifier
from core.studies.steps import usual_steps
from core.studies.study import Study, compare, prepare, profile, studies, study
from core.studies.verdict import verdict
from core.text import perturb
from core.text.perturb import variants
from core.text.truncation import cutter
from tests.architectures import loaded, save

TEXT = "Even in this less than magic kingdom, Reese rules."
NAMES = tuple(one.name for one in factors())


@pytest.fixture(scope="module")
def model() -> Classifier:
    return load()


@pytest.fixture(scope="module")
def found(model: Classifier) -> Study:
    return profile(model, TEXT)


def test_every_factor_has_one_row(found: Study) -> None:
    assert found.complete
    assert [row.name for row in found.shown] == list(NAMES)
    assert found.tried == sum(row.tried for row in found.rows) - found["temperature"].tried
    assert "casing" in found and "weather" not in found
    with pytest.raises(KeyError):
        found["weather"]


def test_a_study_of_some_factors_merges_none_into_those_that_are_not_tried(model: Classifier) -> None:
    text = "This is not a GOOD film &amp; @bob  said so: https://t.co/x !"
    alone = study(model, text, ["preprocessing"], {"preprocessing": {"same_sentence": False}})

    def names(found: Study) -> set[str]:
        made = [case.variant for case in found.cases if case.variant]
        return {
            name for one in made for name, factor in ((one.name, one.factor), *one.also) if factor == "preprocessing"
        }

    assert "clean_lower" in {case.name for case in alone.cases}
    assert names(alone) == names(usual_steps(model, text))
    both = study(model, text, ["preprocessing", "casing"], {"preprocessing": {"same_sentence": False}})
    assert names(both) == names(alone) and "clean_lower" not in {case.name for case in both["preprocessing"].cases}


def test_rows_come_one_by_one_and_the_last_profile_is_the_whole(model: Classifier, found: Study) -> None:
    grown = list(studies(model, TEXT))
    assert [len(step.rows) for step in grown] == list(range(1, len(NAMES) + 1))
    assert [step.complete for step in grown] == [False] * (len(NAMES) - 1) + [True]
    for step in grown:
        assert {name for name in step.wanted if name not in step} | {row.name for row in step.rows} == {*NAMES}
    assert {row.name: row.flips for row in grown[-1].rows} == {row.name: row.flips for row in found.rows}
    assert [row.name for row in grown[-1].rows][-1] == "dropout", "what takes longest comes last"


def test_formatting_rows_are_those_of_a_comparison(model: Classifier, found: Study) -> None:
    made = variants(TEXT, only=perturb.FACTORS, cut=cutter(model.encoder))
    compared = compare(model, TEXT, made)
    for name in perturb.FACTORS:
        expected = [case for case in compared[name].cases if case.variant and case.variant.same_sentence]
        got = found[name]
        assert {case.text: case.margin for case in got.cases} == {
            case.text: pytest.approx(case.margin, abs=1e-6) for case in expected
        }
        assert (got.absorbed, got.flips) == (sum(c.absorbed for c in expected), sum(bool(c.flip) for c in expected))


def test_edits_that_can_change_what_is_said_are_left_out_and_named(found: Study) -> None:
    assert "a question mark at the end" in " ".join(found["punctuation"].notes)
    assert "a smiling emoji after the text" in " ".join(found["unicode"].notes)
    assert all(case.variant is None or case.variant.same_sentence for case in found.cases)


def test_the_dropout_row_is_that_of_the_passes(model: Classifier, found: Study) -> None:
    logits, _ = run_passes(model, found.reference.encoding, 100, Dropout(seed=0))
    row = found["dropout"]
    np.testing.assert_array_equal([case.logits for case in row.cases], logits)
    flips = found.head.flips(model.head.probabilities(logits), found.reference.probabilities)
    assert flips is not None
    assert (row.tried, row.flip_rate) == (100, flips.mean())
    assert row.flip_interval == wilson(row.flips or 0, 100)
    margins = [case.margin for case in row.cases]
    assert row.worst is not None and row.worst.name == f"pass {int(np.argmin(margins)) + 1}"


def test_the_seed_row_is_the_other_members_of_the_family(model: Classifier, found: Study) -> None:
    family = load_family()
    p = model.head.probabilities(predict_family(family, [TEXT]).logits[:, 0])
    row = found["seed"]
    assert row.facts["family"] == "minilm-uncased"
    assert [case.made.document()["seed"] for case in row.cases] == list(family.names[1:])
    np.testing.assert_allclose(row.probabilities, p[1:], atol=1e-5)
    np.testing.assert_allclose(found.reference.probabilities, p[0], atol=1e-5)
    other = study(load("minilm-uncased-44"), TEXT, ["seed"])["seed"]
    assert [case.name for case in other.cases] == [f"seed {name}" for name in family.names if name != "44"]


def test_the_numerics_row_and_the_floor_are_those_of_numerics(model: Classifier, found: Study) -> None:
    alone = study(model, TEXT, ["numerics"])
    assert [case.name for case in found["numerics"].cases] == [case.name for case in alone["numerics"].cases]
    assert found.noise_floor == alone.noise_floor
    assert {row.noise_floor for row in found.rows} == {found.noise_floor}


def test_temperature_moves_no_label_and_says_how_often_sampling_does(found: Study) -> None:
    row = found["temperature"]
    assert row.flips == 0 and row.worst is None
    assert row.facts["sampled"] == pytest.approx(1 - found.reference.probabilities.max())
    assert {case.label for case in row.cases} == {found.reference.label}


def test_shared_work_runs_once(model: Classifier) -> None:
    text = f"{TEXT} Again."
    first = profile(model, text, passes=20)
    read = {
        case.encoding.key
        for row in first.rows
        if row.factor.edits or row.name == "segmentation"
        for case in row.cases
        if not case.absorbed
    }
    conditions = sum(1 + getattr(case.made, "among", 0) for case in first["numerics"].cases)
    seeds = 1 + first["seed"].tried  # all of a family answer at once
    assert first.rows_run == 1 + len(read - {first.reference.encoding.key}) + conditions + 20 + seeds
    # Seeds are other models, which remember nothing.
    assert profile(model, text, passes=20).rows_run == seeds


def test_the_edits_of_the_seed_that_was_asked_for_are_those_that_run(model: Classifier) -> None:
    text = f"{TEXT} Once more."
    edited = study(model, text, ["typo"], {"typo": {"seed": 3}})
    read = {case.encoding.key for case in edited["typo"].cases if not case.absorbed}
    forget(model)
    without = study(model, text, [])
    assert edited.rows_run == without.rows_run + len(read) > without.rows_run


def a_row(name: str, *cases: tuple[float, float]) -> Row:
    """A row of made cases: shift and margin of each."""
    reference = Ask(load(), "A made row.").reference
    p = np.array([0.5, 0.5])
    made = [
        Case(
            one_pass(i),
            ".",
            reference.encoding,
            p,
            p,
            "b",
            shift,
            margin < 0,
            margin,
            0.0,
            "flips" if margin < 0 else "reaches the model",
        )
        for i, (shift, margin) in enumerate(cases, 1)
    ]
    return Row(factors([name])[0], tuple(made), noise_floor=1e-6)


def test_nothing_at_or_below_the_noise_floor_counts() -> None:
    row = a_row("punctuation", (1e-7, -1e-8), (1e-6, -1e-8), (0.1, 0.2))
    assert (row.flips, len(row.moving)) == (0, 1)
    assert row.worst is row.cases[2]
    # Of numerics a flip is the very finding.
    assert a_row("numerics", (1e-7, -1e-8), (0.1, 0.2)).flips == 1
    assert a_row("typo", (1e-7, 0.1)).worst is None


def test_the_worst_case_is_the_one_furthest_towards_another_label() -> None:
    row = a_row("typo", (0.2, 0.3), (0.4, -0.1), (0.1, 0.05), (0.3, -0.2))
    assert row.worst is row.cases[3]
    assert (row.flips, row.flip_rate) == (2, 0.5)
    assert (row.largest_shift, row.median_shift) == (0.4, pytest.approx(0.25))
    assert a_row("typo", (0.2, 0.3), (0.1, 0.05)).worst.name == "pass 2"  # type: ignore[union-attr]


def test_nothing_tried_has_no_rate() -> None:
    row = a_row("seed")
    assert (row.tried, row.flip_rate, row.flip_interval, row.largest_shift, row.median_shift, row.worst) == (
        0, None, None, None, None, None,
    )  # fmt: skip


def test_what_a_model_lacks_is_said(tiny: Callable[..., Classifier]) -> None:
    classifier = tiny("modernbert")
    assert family_for(classifier) is None
    found = profile(classifier, "This is a test.", passes=5)
    assert found["seed"].notes == ("No seed family for this model: train one.",)
    assert found["dropout"].tried == 0
    assert "has no dropout" in found["dropout"].notes[0]


@pytest.mark.parametrize("name", ["roberta", "xlnet", "gpt2", "deberta-v2", "bart"])
def test_every_kind_of_architecture_has_a_profile(name: str, tiny: Callable[..., Classifier]) -> None:
    found = profile(tiny(name), "This is a test, isn't it?", passes=5)
    assert found.complete
    for row in found.rows:
        assert np.isfinite(row.shifts).all()


def test_a_value_has_shifts_and_no_flips(tiny: Callable[..., Classifier]) -> None:
    found = profile(tiny("bert", num_labels=1, problem_type="regression"), "This is a test.", passes=5)
    assert found["temperature"].notes == ("A value has no temperature.",)
    assert found["dropout"].flips is None and found["dropout"].worst is not None
    assert found.flips == 0


def test_the_same_seed_gives_the_same_profile_and_no_random_state_moves(tiny: Callable[..., Classifier]) -> None:
    bert = tiny("bert")
    states = torch.get_rng_state().tolist(), np.random.get_state()[1].tolist()  # noqa: NPY002
    made = []
    for seed in (3, 3, 4):
        forget(bert)
        made.append(profile(bert, TEXT, seed=seed, passes=10))
    first, second, other = made
    assert (torch.get_rng_state().tolist(), np.random.get_state()[1].tolist()) == states  # noqa: NPY002
    for name in ("dropout", "typo", "segmentation"):
        np.testing.assert_array_equal(first[name].shifts, second[name].shifts)
        assert [case.text for case in first[name].cases] == [case.text for case in second[name].cases]
        assert not np.array_equal(first[name].shifts, other[name].shifts)


def test_what_is_prepared_is_not_loaded_by_the_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    classifier, copied = loaded(save("bert", tmp_path / "model")), []
    deepcopy = predict_module.copy.deepcopy

    def counting(model: object, memo: dict[int, object]) -> object:
        copied.extend([model] if model is classifier.model else [])
        return deepcopy(model, memo)

    monkeypatch.setattr(predict_module.copy, "deepcopy", counting)
    prepare(classifier)
    assert len(copied) == 2  # in bfloat16 and in float16
    assert study(classifier, "A test.", ["numerics"])["numerics"].tried > 7
    assert len(copied) == 2


def test_too_many_passes_are_refused(model: Classifier) -> None:
    with pytest.raises(WobbleError, match="passes = 10,000 is not in the range from 1 to 1,000"):
        profile(model, TEXT, passes=10_000)


def test_passes_can_be_cancelled(tiny: Callable[..., Classifier]) -> None:
    def cancel(_: int, __: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(studies(tiny("bert"), "Cancelled.", progress=cancel))


def test_a_case_is_described_without_the_fine_print(found: Study) -> None:
    said = {case.name: case.made.said for case in found.cases}
    assert said["drop_comma"] == "commas dropped"
    assert said["remove_all_punctuation"] == "all punctuation removed"
    assert said["full_width"] == "ASCII characters in their full-width form"
    assert said["pass 1"] == "dropout pass 1"
    assert said["seed 43"] == "seed 43"


@pytest.mark.parametrize("text", ["", "[SEP]", "\u202eabc", "<b>x</b>", "x " * 2000])
def test_odd_texts_have_a_profile(text: str, tiny: Callable[..., Classifier]) -> None:
    assert profile(tiny("bert"), text, passes=2).complete


# --- studies of some factors ------------------------------------------------------------------------------------------


def test_options_reach_their_factor_and_wrong_ones_are_refused_before_anything_runs(model: Classifier) -> None:
    made = study(model, TEXT, ["dropout", "casing"], {"dropout": {"passes": 3}, "casing": {"same_sentence": False}})
    assert made.wanted == ("casing", "dropout") and made["dropout"].tried == 3
    assert made.options["dropout"] == {"passes": 3}
    text = "Nothing of this has run."
    for only, options in (
        (["dropout"], {"dropout": {"passes": 0}}),
        (["dropout"], {"dropout": {"speed": 1}}),
        (["weather"], {}),
    ):
        with pytest.raises(WobbleError):
            next(iter(studies(model, text, only, options)))
    assert study(model, text, []).rows_run > 0


def test_a_study_of_no_factor_has_a_reference_and_a_floor(model: Classifier) -> None:
    made = study(model, TEXT, [])
    assert (made.rows, made.cases, made.complete) == ((), (), True)
    assert made.noise_floor > 0 and made.reference.text == TEXT


def test_cases_have_names_that_a_link_can_hold(found: Study) -> None:
    keyed = found.keyed()
    assert [case for _, case in keyed.values()] == list(found.cases)
    assert {"upper", "pass 100", "T = 2", "seed 43", "draw 1", "typo_swap 1"} <= set(keyed)
    for name, (row, case) in keyed.items():
        assert name.startswith(case.name) and case in row.cases


# --- a toy factor -----------------------------------------------------------------------------------------------------


@pytest.fixture
def toy() -> Iterator[None]:
    """Two factors that nothing else names: one of the reference's logits, one of edits with options of its own."""

    @factor("jolt", one="jolt", many="jolts", often=0.5)
    def jolt(ask: Ask, *, times: Annotated[int, Range("how often", 1, 9)] = 2, seed: int = 0) -> Iterator[Case]:
        """turn the logits round"""
        ask.facts["seed"] = seed
        yield from ask.measured(
            [one_seed(f"jolt {i}") for i in range(times)], np.stack([-ask.reference.logits] * times)
        )

    @factor("echo", one="echo", many="echoes", edits=True)
    def echo(ask: Ask) -> Iterator[Case]:
        """say the text twice"""
        yield from ask.edited([perturb.custom(ask.text, f"{ask.text} {ask.text}")])

    yield
    unregister("jolt")
    unregister("echo")


@pytest.mark.usefixtures("toy")
def test_a_toy_factor_stands_in_the_profile_and_the_verdict(tiny: Callable[..., Classifier]) -> None:
    assert [one.name for one in factors()] == [*NAMES, "jolt", "echo"]
    made = profile(tiny("bert"), TEXT, seed=7, passes=2)
    assert made.wanted == (*NAMES, "jolt", "echo")
    assert (made["jolt"].tried, made["jolt"].flips, made["jolt"].facts) == (2, 2, {"seed": 7})
    assert made["echo"].cases[0].text == f"{TEXT} {TEXT}"
    said = verdict(made)
    assert any("jolts" in clause.said and "2 of 2 jolts flip" in clause.evidence for clause in said.clauses)
    assert said.mood == "on the edge", "it alone decides the mood: more than half of its cases flip"
    assert "echo" in said.text


def test_a_factor_that_is_gone_is_nowhere(tiny: Callable[..., Classifier]) -> None:
    assert tuple(one.name for one in factors()) == NAMES
    assert "jolt" not in profile(tiny("bert"), TEXT, passes=2)


@dataclass(frozen=True)
class Plain:
    """What makes a case needs three things only."""

    name: str = "plain"
    said: str = "plainly"

    def document(self) -> dict[str, Any]:
        return {}


def test_a_case_measures_what_its_head_measures(model: Classifier) -> None:
    ask = Ask(model, TEXT)
    reference = ask.reference
    (same, other) = ask.measured([Plain(), Plain()], np.stack([reference.logits, -reference.logits]))
    assert (same.shift, same.flip, same.difference, same.fate) == (0, False, 0, "reaches the model")
    assert (other.flip, other.fate, other.tried, other.variant) == (True, "flips", True, None)
    assert other.difference == 2 * np.abs(reference.logits).max()
    assert same.margin == reference.margin == same.value and other.value == other.margin
