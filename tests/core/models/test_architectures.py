"""Promise 1: the same text gets the probabilities that transformers' own pipeline gives, for every architecture."""

from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from core.models.predict import Condition, predict
from tests.architectures import ARCHITECTURES, loaded, save

TEXTS = [
    "This is a test.",
    "this is a test . ",
    "The movie was not bad at all, it was wonderful! I don't like it; do you?",
    "Few",
    "AN UPPER CASE SENTENCE, shouted loudly... caf\u00e9 \u4f60\u597d \U0001f600",
    " Few films this year",
]


def by_pipeline(directory: Path, texts: list[str]) -> np.ndarray:
    """`[n_texts, n_labels]` of transformers' own pipeline, each text alone, labels in the config's order."""
    pipe = transformers.pipeline(
        "text-classification", model=str(directory), top_k=None, dtype=torch.float32, device="cpu"
    )
    rows = []
    for text in texts:
        scores = {entry["label"]: entry["score"] for entry in pipe([text])[0]}
        rows.append([scores[pipe.model.config.id2label[i]] for i in range(pipe.model.config.num_labels)])
    return np.array(rows)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_probabilities_equal_those_of_the_pipeline(name: str, tmp_path: Path) -> None:
    directory = save(name, tmp_path / name)
    classifier = loaded(directory)
    expected = by_pipeline(directory, TEXTS)
    assert expected.std() > 1e-3, "a model that answers always the same proves nothing"
    for condition in (Condition(), Condition(batch="alone")):
        ours = classifier.head.probabilities(predict(classifier, classifier.encoder(TEXTS), condition).logits)
        np.testing.assert_allclose(ours, expected, atol=1e-5)


@pytest.mark.parametrize("name", ["bert", "roberta", "deberta-v2", "xlnet", "gpt2", "bart", "qwen2"])
@pytest.mark.parametrize(
    "config",
    [
        {"num_labels": 5},
        {"num_labels": 150},
        {"num_labels": 4, "problem_type": "multi_label_classification"},
        {"num_labels": 1, "problem_type": "regression"},
        {"num_labels": 1},
    ],
    ids=["five", "150", "multi-label", "regression", "one label"],
)
def test_every_kind_of_head_equals_the_pipeline(name: str, config: dict[str, object], tmp_path: Path) -> None:
    directory = save(name, tmp_path / name, **config)
    classifier = loaded(directory)
    ours = classifier.head.probabilities(predict(classifier, classifier.encoder(TEXTS)).logits)
    np.testing.assert_allclose(ours, by_pipeline(directory, TEXTS), atol=1e-5)


def test_padding_is_used_only_where_it_changes_nothing(tmp_path: Path) -> None:
    batching = {
        name: loaded(save(name, tmp_path / name)).batching for name in ("bert", "roberta", "gpt2", "llama", "xlnet")
    }
    assert batching["bert"] == batching["roberta"] == batching["llama"] == "padded"
    assert batching["gpt2"] == batching["xlnet"] == "equal lengths"


def test_the_limit_never_exceeds_the_position_table(tmp_path: Path) -> None:
    directory = save("roberta", tmp_path / "roberta")
    tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    tokenizer.model_max_length = int(1e30)
    tokenizer.save_pretrained(directory)
    classifier = loaded(directory)
    assert classifier.limit == 128  # 130 positions, of which RoBERTa leaves the first two unused
    encodings = classifier.encoder(["test " * 1000])
    assert np.isfinite(predict(classifier, encodings).logits).all()
    assert encodings[0].truncated
    assert len(encodings[0].ids) == 128
