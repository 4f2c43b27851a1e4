"""What the repository brings: models that load with plain transformers, cards that tell the truth, data with fixed splits."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from assets.build.snippets import label_of, split_of
from benchmarks.accuracy import accuracy
from core.data.snippets import DATA, gallery, snippets
from core.models.catalog import EMBEDDED, load
from core.models.predict import predict
from core.studies.study import compare
from core.text.perturb import FACTORS, perturbations, variants

MIB = 2**20
BARS = {"minilm-uncased": 0.855, "bpe-cased": 0.82, "unigram-cased": 0.82}
"""Accuracy on the movie test split that each model must reach, in fp32."""


def weight(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and "__pycache__" not in file.parts)


def test_assets_stay_within_their_budget() -> None:
    assert weight(EMBEDDED.parent) <= 88 * MIB
    for name in ("bpe-cased", "unigram-cased"):
        assert weight(EMBEDDED / name) <= 17 * MIB
    assert max(file.stat().st_size for file in EMBEDDED.rglob("*") if file.is_file()) <= 48 * MIB


@pytest.mark.parametrize("id", BARS)
def test_a_model_loads_with_plain_transformers_and_says_the_same(id: str) -> None:
    text = "A wonderful, moving film."
    tokenizer = AutoTokenizer.from_pretrained(EMBEDDED / id)
    if (EMBEDDED / id / "adapter_config.json").exists():
        model = AutoModelForSequenceClassification.from_pretrained(EMBEDDED / "minilm", dtype=torch.float32)
        model = PeftModel.from_pretrained(model, EMBEDDED / id)
    else:
        model = AutoModelForSequenceClassification.from_pretrained(EMBEDDED / id, dtype=torch.float32)
    assert model.config.id2label == {0: "negative", 1: "positive"}
    assert 0 < tokenizer.model_max_length <= 512
    with torch.inference_mode():
        expected = model.eval()(**tokenizer(text, return_tensors="pt")).logits[0].numpy()
    classifier = load(id)
    np.testing.assert_allclose(predict(classifier, classifier.encoder([text])).logits[0], expected, atol=1e-5)
    assert classifier.notes == ()
    assert classifier.checkpoint_dtype == "F16"
    assert classifier.limit == tokenizer.model_max_length


@pytest.mark.slow
@pytest.mark.parametrize("id", BARS)
def test_accuracy_reaches_the_bar_and_the_card_tells_it(id: str) -> None:
    measured = accuracy(id)["accuracy"]
    assert measured >= BARS[id]
    card = (EMBEDDED / id / "README.md").read_text(encoding="utf-8")
    told = re.search(r"\| movie \| test \| 1,530 \| ([\d.]+)% \|", card)
    assert told is not None
    # Another processor rounds otherwise; a text on the boundary may fall on the other side.
    assert float(told.group(1)) == pytest.approx(100 * measured, abs=0.15)


@pytest.mark.parametrize("folder", [DATA, *sorted(EMBEDDED.iterdir())], ids=lambda folder: folder.name)
def test_every_asset_has_a_card_with_source_and_licence(folder: Path) -> None:
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert re.search(r"\*\*Licence:\*\*", card)
    assert re.search(r"\*\*Source:\*\*|\*\*Data:\*\*", card)
    assert re.search(r"\*\*Recipe:\*\*|Rebuilt by", card)


def test_splits_follow_the_hash_of_the_text_and_labels_the_rating() -> None:
    data = snippets()
    assert data.column_names == ["text", "rating_mean", "rating_std", "domain", "split", "label"]
    assert len(data) == 23_703
    for row in data.select(range(0, len(data), 97)):
        assert row["split"] == split_of(row["text"])
        assert row["label"] == label_of(row["rating_mean"])
        assert 0 <= row["rating_std"] <= 4


def test_no_text_stands_in_two_splits() -> None:
    texts = [set(snippets(split)["text"]) for split in ("train", "validation", "test")]
    assert not texts[0] & texts[1] and not texts[0] & texts[2] and not texts[1] & texts[2]


def test_the_gallery_has_thirty_to_fifty_different_sentences() -> None:
    texts = [example.text for example in gallery()]
    assert 30 <= len(texts) <= 50
    assert len(set(texts)) == len(texts)
    assert all(example.why and example.source for example in gallery())
    known = {rule.name for rule in perturbations()}
    assert {edit for example in gallery() for edit in example.flips.values()} <= known
    assert FACTORS


@pytest.mark.parametrize("example", [e for e in gallery() if e.flips], ids=lambda e: e.text[:40])
def test_what_the_gallery_says_flips_does(example: object) -> None:
    for id, edit in example.flips.items():  # type: ignore[attr-defined]
        made = [one for one in variants(example.text) if one.name == edit]  # type: ignore[attr-defined]
        found = compare(load(id), example.text, made)  # type: ignore[attr-defined]
        assert any(case.flip for case in found.cases if case.name == edit), (id, edit)
