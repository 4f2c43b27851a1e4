"""Documents are plain JSON values that hold what is needed to repeat a number."""

import json

import numpy as np
import pytest

from core.factors.dropout import Dropout
from core.models.catalog import load
from core.models.heads import SOFTMAX
from core.studies.calibration import calibrate
from core.studies.study import compare, study
from core.text.perturb import variants
from core.views.documents import calibration_document, passes_document, tempered_document

TEXT = "A modest, messy thriller."


def test_a_tempered_sentence_holds_its_temperature_and_every_variant() -> None:
    classifier = load()
    comparison = compare(classifier, TEXT, variants(TEXT))
    document = tempered_document(comparison, 2.5, [1.0, 2.5])
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["temperature"] == 2.5
    assert len(document["variants"]) == len(comparison.cases)
    for row, variant in zip(comparison.cases, document["variants"], strict=True):
        assert [at["temperature"] for at in variant["temperatures"]] == [1.0, 2.5]
        ours = SOFTMAX.probabilities(row.logits, 2.5)
        assert list(variant["temperatures"][1]["probabilities"].values()) == pytest.approx(list(ours))


def test_passes_name_the_temperature_that_they_were_read_at() -> None:
    classifier = load()
    found = study(classifier, TEXT, ["dropout"], {"dropout": {"passes": 4}}, temperature=3.0)
    document = passes_document(classifier, found, Dropout())
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert (document["temperature"], document["passes"]) == (3.0, 4)
    logits = np.array([case.logits for case in found["dropout"].cases])
    np.testing.assert_allclose(document["samples"], SOFTMAX.probabilities(logits, 3.0))


def test_a_calibration_leaves_out_empty_bins() -> None:
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(200, 2)), rng.integers(0, 2, 200)
    found = calibrate(logits[:100], labels[:100], logits[100:], labels[100:])
    document = calibration_document(load(), found)
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    for part in ("before", "after"):
        assert sum(part["texts"] for part in document[part]["reliability"]) == 100
        assert document[part]["ece"]["low"] <= document[part]["ece"]["high"]
