"""The scripts of a study: one for each kind of row, and together they print its numbers."""

from pathlib import Path

import numpy as np
import pytest

from core.models.catalog import load
from core.models.classifier import Classifier
from core.studies.profile import profile
from core.studies.study import study
from core.views.scripts import scripts_of
from tests.architectures import loaded, save
from tests.scripts import rows_of

TEXT = "It's a modest, messy thriller's thriller."


@pytest.mark.parametrize("id", ["minilm-uncased", "bpe-cased", "unigram-cased"])
def test_the_segmentation_script_prints_the_same_pieces_and_probabilities(id: str) -> None:
    agrees(load(id), 1.0)


@pytest.mark.parametrize("name", ["roberta", "xlnet", "albert"])
def test_it_does_so_for_other_architectures_and_temperatures(name: str, tmp_path: Path) -> None:
    agrees(loaded(save(name, tmp_path / name)), 2.5)


def agrees(classifier: Classifier, temperature: float) -> None:
    found = study(classifier, TEXT, ["segmentation"], {"segmentation": {"p": 0.5, "draws": 5}}, temperature=temperature)
    (row,) = found.rows
    assert row.cases
    first, *rows = rows_of(scripts_of(classifier, found)["segmentation"])
    assert first["tokens"] == list(found.reference.encoding.tokens)
    np.testing.assert_allclose(first["probabilities"], found.reference.probabilities, atol=1e-5)
    assert [row["segmentation"] for row in rows] == [case.name for case in row.cases]
    assert [row["tokens"] for row in rows] == [list(case.encoding.tokens) for case in row.cases]
    np.testing.assert_allclose([row["probabilities"] for row in rows], row.probabilities, atol=1e-5)


def test_every_kind_of_row_has_its_script_and_the_edits_have_one_together() -> None:
    classifier = load()
    found = profile(classifier, TEXT, passes=3)
    made = scripts_of(classifier, found)
    assert list(made) == ["edits", "segmentation", "dropout", "temperature", "seed", "numerics"]
    printed = {row["factor"]: row for row in rows_of(made["edits"])}
    for row in found.rows:
        if row.factor.edits and row.cases:
            ours = (row.tried, row.absorbed, row.flips)
            assert tuple(printed[row.name][name] for name in ("tried", "absorbed", "flips")) == ours
    assert len(rows_of(made["dropout"])) == 3 + 1


def test_what_has_no_case_has_no_script(tmp_path: Path) -> None:
    bert = loaded(save("modernbert", tmp_path / "none"))
    assert "dropout" not in scripts_of(bert, profile(bert, "a test", passes=3))
    assert scripts_of(bert, study(bert, "a test", ["seed"])) == {}
