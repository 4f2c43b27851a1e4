"""The scripts over labelled texts run without Wobble, on the files that the pages offer, and print what the pages show."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.data.labelled import DataSource, Labelled, read
from core.families.agreement import on_data
from core.families.interpolation import interpolate, predict_between
from core.families.members import family_data
from core.families.stacked import Family, load_family
from core.models.catalog import load
from core.models.heads import SOFTMAX
from core.studies.calibration import Calibration, Scores, calibrate_on
from core.views import tables_training
from core.views.scripts import (
    CALIBRATION_FILE,
    SEEDS_FILE,
    calibration_script,
    interpolation_script,
    on_data_script,
)
from tests.scripts import ROOT, rows_of

TEXT = "Even in this less than magic kingdom, Reese rules."


def run(script: str, folder: Path) -> list[dict[str, Any]]:
    """Run a script in a folder that holds the download it reads; the models lie where Wobble's do."""
    (folder / "assets").symlink_to(ROOT / "assets")
    return rows_of(script, folder)


def some(data: Labelled, count: int) -> Labelled:
    """A part of some data, drawn, because they are sorted."""
    return data.rows(np.sort(np.random.default_rng(1).permutation(len(data.texts))[:count]))


@pytest.fixture(scope="module")
def family() -> Family:
    return load_family()


def test_the_calibration_script_fits_and_scores_as_the_page_does(tmp_path: Path) -> None:
    classifier, data = load(), some(read(DataSource("movie")).part("validation"), 80)
    ours: Calibration = calibrate_on(classifier, data)
    tables_training.calibration_frame(classifier, data).to_parquet(tmp_path / CALIBRATION_FILE, index=False)
    before, after = run(calibration_script(classifier), tmp_path)
    assert (before["temperature"], after["temperature"]) == (1.0, pytest.approx(ours.temperature, rel=1e-3))

    def same(printed: dict[str, Any], scores: Scores) -> None:
        assert printed["accuracy"] == scores.accuracy
        for name in ("ece", "nll", "brier"):
            mine = getattr(scores, name)
            np.testing.assert_allclose(printed[name], [mine.value, mine.low, mine.high], atol=1e-3)

    same(before, ours.before)
    same(after, ours.after)


def test_the_script_of_the_seeds_prints_their_accuracy_and_disagreement(family: Family, tmp_path: Path) -> None:
    ours = on_data(family, some(family_data(family.id), 16))
    tables_training.on_data_frame(family, ours).to_parquet(tmp_path / SEEDS_FILE, index=False)
    *members, last = run(on_data_script(family), tmp_path)
    assert [row["seed"] for row in members] == list(family.names)
    np.testing.assert_allclose([row["accuracy"] for row in members], ours.accuracy, atol=1e-9)
    assert last["disagreement"] == pytest.approx(ours.disagreement.value, abs=1e-9)


def test_the_script_of_the_interpolation_prints_its_loss_and_the_sentence(family: Family, tmp_path: Path) -> None:
    data = some(family_data(family.id), 16)
    tables_training.texts_frame(family, data).to_parquet(tmp_path / SEEDS_FILE, index=False)
    first, second = family.names[:2]
    ours = interpolate(family, data, first, second, points=3)
    sentence = SOFTMAX.probabilities(predict_between(family, first, second, [TEXT], points=3)[:, 0], 2.0)
    rows = run(interpolation_script(family, first, second, TEXT, points=3, temperature=2.0), tmp_path)
    np.testing.assert_allclose([row["share"] for row in rows], ours.shares)
    np.testing.assert_allclose([row["loss"] for row in rows], ours.loss, atol=1e-4)
    np.testing.assert_allclose([row["accuracy"] for row in rows], ours.accuracy, atol=1e-9)
    np.testing.assert_allclose([row["sentence"] for row in rows], sentence, atol=1e-4)
