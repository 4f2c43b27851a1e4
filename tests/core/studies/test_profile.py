"""The profile: a row a factor, shared work once, everything against the noise floor, absences said."""

from pathlib import Path

import numpy as np
import pytest
import torch

from core.base.errors import WobbleError
from core.factors.dropout import Dropout, run_passes, spread
from core.factors.numerics import numerics
from core.factors.temperature import probabilities
from core.families.stacked import load_family, predict_family
from core.models.catalog import load
from core.models.classifier import Classifier
from core.models.heads import wilson
from core.studies.compare import compare
from core.studies.profile import FACTORS, Case, FactorRow, Profile, described, family_for, profile, profiles
from core.text import perturb
from core.text.perturb import variants
from tests.architectures import loaded, save

TEXT = "Even in this less than magic kingdom, Reese rules."


@pytest.fixture(scope="module")
def model() -> Classifier:
    return load()


@pytest.fixture(scope="module")
def found(model: Classifier) -> Profile:
    return profile(model, TEXT)


def test_every_factor_has_one_row(found: Profile) -> None:
    assert found.complete
    assert sorted(row.factor for row in found.factors) == sorted(FACTORS)
    assert found.tried == sum(row.tried for row in found.factors) - found["temperature"].tried


def test_rows_come_one_by_one_and_the_last_profile_is_the_whole(model: Classifier, found: Profile) -> None:
    grown = list(profiles(model, TEXT))
    assert [len(step.factors) for step in grown] == list(range(1, len(FACTORS) + 1))
    assert [step.complete for step in grown] == [False] * (len(FACTORS) - 1) + [True]
    assert [row.flips for row in grown[-1].factors] == [row.flips for row in found.factors]


def test_formatting_rows_are_those_of_a_comparison(model: Classifier, found: Profile) -> None:
    rows = compare(model, TEXT, variants(TEXT)).rows
    for factor in perturb.USUAL:
        expected = [row for row in rows if row.variant.factor == factor and row.variant.same_sentence]
        got = found[factor]
        assert {case.row.variant.text: case.margin for case in got.cases if case.row} == {
            row.variant.text: pytest.approx(row.margin, abs=1e-6) for row in expected
        }
        assert (got.absorbed, got.flips) == (sum(r.absorbed for r in expected), sum(bool(r.flip) for r in expected))


def test_edits_that_can_change_what_is_said_are_left_out_and_named(found: Profile) -> None:
    assert "question_mark" in " ".join(found["punctuation"].notes)
    assert "append_emoji" in " ".join(found["unicode"].notes)
    assert all(c.row is None or c.row.variant.same_sentence for row in found.factors for c in row.cases)


def test_the_dropout_row_is_that_of_the_passes(model: Classifier, found: Profile) -> None:
    passes = run_passes(model, [TEXT], 100, Dropout(seed=0))
    said = spread(model, passes.logits[:, 0], passes.reference[0])
    row = found["dropout"]
    assert (row.tried, row.flip_rate) == (100, said.flip_rate)
    np.testing.assert_allclose(row.shifts, said.shifts, atol=1e-5)
    assert row.flip_interval == wilson(row.flips or 0, 100)
    assert row.worst is not None and row.worst.name == f"pass {int(np.argmin(said.margins)) + 1}"


def test_the_seed_row_is_the_family_with_its_own_seed_as_the_reference(model: Classifier, found: Profile) -> None:
    family = load_family()
    p = probabilities(predict_family(family, [TEXT]).logits[:, 0], model.head)
    row = found["seed"]
    assert found.family == "minilm-uncased"
    assert [case.seed for case in row.cases] == list(family.names)
    np.testing.assert_allclose([case.probabilities for case in row.cases], p, atol=1e-5)
    own = next(case for case, member in zip(row.cases, family.members, strict=True) if member.id == model.id)
    assert own.shift == 0.0


def test_the_numerics_row_and_the_floor_are_those_of_numerics(model: Classifier, found: Profile) -> None:
    alone = numerics(model, TEXT)
    assert [case.name for case in found["numerics"].cases] == [run.name for run in alone.runs]
    assert found.noise_floor >= alone.noise_floor
    assert {row.noise_floor for row in found.factors} == {found.noise_floor}


def test_temperature_moves_no_label_and_says_how_often_sampling_does(found: Profile) -> None:
    row = found["temperature"]
    assert row.flips == 0 and row.worst is None
    assert row.sampled == pytest.approx(1 - found.reference.probabilities.max())
    assert {case.label for case in row.cases} == {found.reference.label}


def test_shared_work_runs_once(model: Classifier, found: Profile) -> None:
    reaching = {row.encoding.ids for row in found.comparison.rows if not row.absorbed}
    seeds = found["seed"].tried
    # The reference, the passes, the seeds; what numerics ran is its own count.
    known = len(reaching) + 1 + 100 + seeds
    assert found.rows_run == known + found.numerics.rows_run
    # Nothing of numerics is asked again for the same text.
    assert profile(model, TEXT).rows_run == known


def test_nothing_at_or_below_the_noise_floor_counts() -> None:
    def case(shift: float, margin: float) -> Case:
        return Case("made", np.array([0.5, 0.5]), "b", shift, margin < 0, margin)

    row = FactorRow("punctuation", (case(1e-7, -1e-8), case(0.1, 0.2)), noise_floor=1e-6)
    assert (row.flips, len(row.moving)) == (0, 1)
    assert row.worst is row.cases[1]
    # Of numerics a flip is the very finding.
    assert FactorRow("numerics", row.cases, noise_floor=1e-6).flips == 1
    assert FactorRow("typo", (case(1e-7, 0.1),), noise_floor=1e-6).worst is None


def test_nothing_tried_has_no_rate() -> None:
    row = FactorRow("seed", (), 1e-7)
    assert (row.tried, row.flip_rate, row.flip_interval, row.largest_shift, row.median_shift, row.worst) == (
        0, None, None, None, None, None,
    )  # fmt: skip


def test_what_a_model_lacks_is_said(tmp_path: Path) -> None:
    classifier = loaded(save("modernbert", tmp_path / "modernbert"))
    assert family_for(classifier) is None
    found = profile(classifier, "This is a test.", passes=5)
    assert found["seed"].notes == ("No seed family for this model: train one.",)
    assert found["dropout"].tried == 0
    assert "has no dropout" in found["dropout"].notes[0]


@pytest.mark.parametrize("name", ["roberta", "xlnet", "gpt2", "deberta-v2", "bart"])
def test_every_kind_of_architecture_has_a_profile(name: str, tmp_path: Path) -> None:
    found = profile(loaded(save(name, tmp_path / name)), "This is a test, isn't it?", passes=5)
    assert found.complete
    for row in found.factors:
        assert np.isfinite(row.shifts).all()


def test_a_value_has_shifts_and_no_flips(tmp_path: Path) -> None:
    classifier = loaded(save("bert", tmp_path / "bert", num_labels=1, problem_type="regression"))
    found = profile(classifier, "This is a test.", passes=5)
    assert found["temperature"].notes == ("A value has no temperature.",)
    assert found["dropout"].flips is None and found["dropout"].worst is not None
    assert found.flips == 0


def test_the_same_seed_gives_the_same_profile_and_no_random_state_moves(model: Classifier) -> None:
    states = torch.get_rng_state().tolist(), np.random.get_state()[1].tolist()  # noqa: NPY002
    first, second, other = (profile(model, TEXT, seed=seed, passes=10) for seed in (3, 3, 4))
    assert (torch.get_rng_state().tolist(), np.random.get_state()[1].tolist()) == states  # noqa: NPY002
    np.testing.assert_array_equal(first["dropout"].shifts, second["dropout"].shifts)
    assert (first["dropout"].shifts != other["dropout"].shifts).any()


def test_too_many_passes_are_refused(model: Classifier) -> None:
    with pytest.raises(WobbleError):
        profile(model, TEXT, passes=10_000)


def test_passes_can_be_cancelled(model: Classifier) -> None:
    def cancel(_: int, __: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(profiles(model, TEXT, progress=cancel))


def test_a_case_is_described_without_the_fine_print(found: Profile) -> None:
    said = {case.name: described(case) for row in found.factors for case in row.cases}
    assert said["drop_comma"] == "commas dropped"
    assert said["remove_all_punctuation"] == "all punctuation removed"
    assert said["full_width"] == "ASCII characters in their full-width form"
    assert said["pass 1"] == "dropout pass 1"
    assert said["seed 43"] == "seed 43"


@pytest.mark.parametrize("text", ["", "[SEP]", "\u202eabc", "<b>x</b>", "x " * 2000])
def test_odd_texts_have_a_profile(text: str, model: Classifier) -> None:
    assert profile(model, text, passes=2).complete
