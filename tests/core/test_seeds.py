"""A family of seeds answers in one batch what each member answers alone."""

import copy
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core import catalog
from core.classifier import predict
from core.data import snippets
from core.errors import WobbleError
from core.metrics import label_name
from core.seeds import (
    Family,
    between,
    load_family,
    members,
    on_data,
    pairwise_disagreement,
    predict_family,
    votes,
    way,
)

SEEDS = (42, 43, 44, 45, 46, 47, 48, 49)


@pytest.fixture(scope="module")
def family() -> Family:
    return load_family()


def test_the_embedded_family_has_eight_seeds_within_their_budget(family: Family) -> None:
    assert family.seeds == SEEDS
    folders = [catalog.EMBEDDED / member for member in family.members]
    weights = [file for folder in folders for file in folder.glob("*.safetensors")]
    assert sum(file.stat().st_size for file in weights) <= 6 * 2**20


def test_all_seeds_in_one_batch_equal_each_alone(family: Family) -> None:
    texts = [*list(snippets("test", "movie")["text"])[:60], "x", "word " * 600]
    together = predict_family(family, texts)
    for i, member in enumerate(family.members):
        np.testing.assert_allclose(together.logits[i], predict(catalog.load(member), texts).logits, atol=1e-5)


def test_identical_encodings_run_once_and_the_encoder_once_a_batch(family: Family) -> None:
    found = predict_family(family, ["A fine film.", "a fine FILM .", "Another."])
    assert (found.rows_asked, found.rows_run, found.passes) == (24, 16, 1)
    np.testing.assert_array_equal(found.logits[:, 0], found.logits[:, 1])
    assert predict_family(family, []).logits.shape == (8, 0, 2)


def test_threads_share_the_encoder(family: Family) -> None:
    expected = predict_family(family, ["A fine film.", "A dreadful bore."]).logits
    found: list[np.ndarray] = []
    threads = [
        threading.Thread(
            target=lambda: found.append(predict_family(family, ["A fine film.", "A dreadful bore."]).logits)
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for logits in found:
        np.testing.assert_array_equal(logits, expected)


def test_the_shared_encoder_without_a_call_has_no_adapter(family: Family) -> None:
    assert all("lora" not in name for name, _ in family.model.named_parameters())
    assert not any(module.training for module in family.model.modules())


def test_disagreement_and_votes_of_a_worked_example() -> None:
    p = np.array([[[0.9, 0.1], [0.6, 0.4]], [[0.8, 0.2], [0.4, 0.6]], [[0.7, 0.3], [0.3, 0.7]]])
    # First text: all agree. Second: one against two, so two of three pairs disagree.
    assert pairwise_disagreement(p, "softmax") == pytest.approx((0 + 2 / 3) / 2)
    assert votes(p, "softmax").tolist() == [[3, 0], [1, 2]]
    assert label_name(p[0, 0], "softmax", ("a", "b")) == "a"


def test_the_ends_of_the_way_are_the_seeds_and_the_middle_is_the_mean_of_their_weights(family: Family) -> None:
    texts = ["A fine film.", "Even in this less than magic kingdom, Reese rules."]
    seeds = predict_family(family, texts).logits
    line = predict_family(between(family, 43, 46, points=5), texts).logits
    np.testing.assert_allclose(line[0], seeds[family.seeds.index(43)], atol=1e-5)
    np.testing.assert_allclose(line[-1], seeds[family.seeds.index(46)], atol=1e-5)
    # The middle, from merged weights, without the stacks.
    a, b = (catalog.load(f"minilm-uncased-{seed}").model for seed in (43, 46))
    middle = copy.deepcopy(a)
    with torch.no_grad():
        for mine, theirs in zip(middle.parameters(), b.parameters(), strict=True):
            mine.copy_((mine + theirs) / 2)
    alone = predict(replace(family.first, model=middle), texts).logits
    np.testing.assert_allclose(line[2], alone, atol=1e-5)


def test_a_way_tells_loss_accuracy_and_the_sentence(family: Family) -> None:
    found = way(family, "A fine film.", 42, 43, points=3, texts=40)
    assert found.loss.shape == found.accuracy.shape == (3,)
    assert found.sentence.shape == (3, 2)
    assert found.barrier >= 0
    for first, second in ((42, 42), (42, 7)):
        with pytest.raises(WobbleError):
            between(family, first, second)


@pytest.mark.parametrize("id", ["bpe-cased", "nothing", ""])
def test_what_is_no_family_is_refused_in_one_sentence(id: str) -> None:
    with pytest.raises(WobbleError, match="no seed family"):
        members(id)


@pytest.mark.slow
def test_accuracies_are_level_and_single_sentences_are_not(family: Family) -> None:
    found = on_data(family)
    assert len(found.texts) == 1530
    assert np.abs(found.accuracy - found.accuracy.mean()).max() <= 0.02
    assert found.accuracy.mean() >= 0.855
    assert found.disagreement > 0.02
    assert ((found.split >= 0) & (found.split <= 1)).all()
    # On average over texts, the share of split pairs is the pairwise disagreement.
    assert found.split.mean() == pytest.approx(found.disagreement)


def test_cards_tell_the_seed(family: Family) -> None:
    for seed, member in zip(family.seeds, family.members, strict=True):
        card = Path(catalog.EMBEDDED / member / "README.md").read_text(encoding="utf-8")
        assert f"seed {seed}" in card
