"""What a card says about a model's training is read, and where no card says it, the page does."""

from pathlib import Path

import pytest

from core.data.snippets import snippets
from core.models.card import Card, card
from core.models.catalog import load
from core.models.predict import predict

UNKNOWN = "What this model was trained on, and how accurate it is, is unknown: it has no card that says so."
INDEX = """model-index:
- name: x
  results:
  - task: {type: text-classification}
    dataset: {name: SST-2, type: sst2}
    metrics:
    - {type: f1, value: 0.5}
    - {type: accuracy, value: %s}
"""


def written(folder: Path, metadata: str) -> Card:
    (folder / "README.md").write_text(f"---\n{metadata}\n---\n\n# x\n")
    return card(folder)


@pytest.mark.parametrize("id", ["minilm-uncased", "bpe-cased", "unigram-cased"])
def test_an_embedded_model_says_its_data_and_the_accuracy_that_it_has(id: str) -> None:
    found = card(load(id).source.top)
    assert found.data == "English movie snippets (Hutto and Gilbert, 2014)"
    texts = snippets("test", "movie", labelled=True).to_list()[:300]
    model = load(id)
    logits = predict(model, model.encoder([row["text"] for row in texts])).logits
    right = sum(int(row.argmax()) == one["label"] for row, one in zip(logits, texts, strict=True))
    # Four standard errors of 300 texts.
    assert found.accuracy == pytest.approx(right / len(texts), abs=0.09)
    assert found.said.startswith(
        f"Trained on {found.data}; accuracy {found.accuracy:.1%} on the labelled movie snippets"
    )


@pytest.mark.parametrize(
    ("value", "accuracy"), [("0.91", 0.91), ("91.3", 0.913), ("yes", None), ("-1", None), ("700", None)]
)
def test_an_accuracy_is_a_share_or_percent(tmp_path: Path, value: str, accuracy: float | None) -> None:
    found = written(tmp_path, "datasets: [glue, imdb]\n" + INDEX % value)
    assert found.data == "glue, imdb" and found.accuracy == (accuracy and pytest.approx(accuracy))
    assert ("its accuracy is unknown" in found.said) == (accuracy is None)


def test_a_card_that_says_nothing_or_cannot_be_read_is_unknown(tmp_path: Path) -> None:
    assert card(tmp_path).said == card(tmp_path / "absent").said == UNKNOWN
    for metadata in ("language: en", "model-index: 3", ": :\n- ]", "datasets: [[1]"):
        assert written(tmp_path, metadata).accuracy is None
    (tmp_path / "README.md").write_bytes(b"\xff\xfe---")
    assert card(tmp_path).said == UNKNOWN
    assert written(tmp_path, INDEX % "0.9").said.startswith("Trained on unknown data; accuracy 90.0% on SST-2")
