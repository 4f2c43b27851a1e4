"""The script of the segmentations prints what Wobble shows of them."""

from pathlib import Path

import numpy as np
import pytest

from core.models.catalog import load
from core.studies.study import study
from core.views.scripts import segmentation_script
from tests.architectures import loaded, save
from tests.scripts import rows_of

TEXT = "A modest, messy 'thriller'\n that \\ nobody will remember."


@pytest.mark.parametrize("id", ["minilm-uncased", "bpe-cased", "unigram-cased"])
def test_it_prints_the_pieces_and_numbers_of_each_draw(id: str) -> None:
    classifier = load(id)
    found = study(classifier, TEXT, ["segmentation"], {"segmentation": {"draws": 8, "p": 0.3}}, temperature=2.5)
    first, *rows = rows_of(segmentation_script(classifier, found))
    np.testing.assert_allclose(first["probabilities"], found.reference.probabilities, atol=1e-5)
    cases = [case for _, case in found.keyed().values()]
    assert [row["name"] for row in rows] == list(found.keyed())
    assert [len(row["tokens"]) for row in rows] == [len(case.encoding.ids) for case in cases]
    np.testing.assert_allclose([row["probabilities"] for row in rows], [c.probabilities for c in cases], atol=1e-5)
    np.testing.assert_allclose([row["shift"] for row in rows], [c.shift for c in cases], atol=1e-5)
    np.testing.assert_allclose([row["margin"] for row in rows], [c.margin for c in cases], atol=1e-5)


def test_it_gives_a_model_the_token_types_that_its_tokenizer_gives(tmp_path: Path) -> None:
    classifier = loaded(save("xlnet", tmp_path / "xlnet"))
    found = study(classifier, "a modest test of it", ["segmentation"], {"segmentation": {"draws": 4, "alpha": 0.1}})
    assert any(any(case.encoding.type_ids) for case in found.cases)
    rows = rows_of(segmentation_script(classifier, found))
    ours = [found.reference.probabilities, *(case.probabilities for _, case in found.keyed().values())]
    np.testing.assert_allclose([row["probabilities"] for row in rows], ours, atol=1e-5)
