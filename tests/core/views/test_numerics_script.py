"""The script of each condition runs without Wobble and prints the numbers that Wobble shows."""

from pathlib import Path

import numpy as np
import pytest

from core.models.catalog import load
from core.models.classifier import Classifier
from core.studies.study import study
from core.views.scripts import numerics_script
from tests.architectures import loaded, save
from tests.scripts import rows_of

TEXT = "It's 'quoted',\n\u200bmodest and messy."


def agrees(classifier: Classifier, text: str, temperature: float = 1.0) -> None:
    found = study(classifier, text, ["numerics"], temperature=temperature)
    cases = found["numerics"].cases
    rows = rows_of(numerics_script(classifier, found))
    assert [row["condition"] for row in rows] == ["alone", *(case.name for case in cases)]
    ours = [found.reference.probabilities, *(case.probabilities for case in cases)]
    np.testing.assert_allclose([row["probabilities"] for row in rows], ours, atol=1e-5)


@pytest.mark.parametrize("id", ["minilm-uncased", "bpe-cased", "unigram-cased"])
def test_the_numerics_script_prints_the_same_conditions(id: str) -> None:
    agrees(load(id), TEXT)


@pytest.mark.parametrize("name", ["roberta", "llama", "gpt2", "deberta-v2", "xlnet"])
def test_it_does_so_for_other_architectures_and_temperatures(name: str, tmp_path: Path) -> None:
    agrees(loaded(save(name, tmp_path / name)), "This is a test.", temperature=2.5)
