"""A family of seeds answers in one batch what each member answers alone."""

import copy
import json
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.base.errors import WobbleError
from core.data.labelled import DataSource, read
from core.data.snippets import snippets
from core.families.seeds import (
    Family,
    Member,
    OnData,
    against_people,
    families,
    family_data,
    family_of,
    influences,
    load_family,
    members,
    on_data,
    pairwise_disagreement,
    predict_between,
    predict_family,
    votes,
    way,
)
from core.models import catalog
from core.models.classifier import predict
from core.models.heads import label_name
from core.training.recipe import Seeds, one_seed, plan
from tests.architectures import save

SEEDS = (42, 43, 44, 45, 46, 47, 48, 49)


@pytest.fixture(scope="module")
def family() -> Family:
    return load_family()


def test_the_embedded_family_has_eight_seeds_within_their_budget(family: Family) -> None:
    assert family.names == tuple(map(str, SEEDS))
    assert tuple(member.seeds for member in family.members) == tuple(map(one_seed, SEEDS))
    assert [member.id for member in family.members][:2] == ["minilm-uncased", "minilm-uncased-43"]
    assert family.model is not None and not family.alone
    folders = [catalog.EMBEDDED / member.id for member in family.members]
    weights = [file for folder in folders for file in folder.glob("*.safetensors")]
    assert sum(file.stat().st_size for file in weights) <= 6 * 2**20


def test_all_seeds_in_one_batch_equal_each_alone(family: Family) -> None:
    texts = [*list(snippets("test", "movie")["text"])[:60], "x", "word " * 600]
    together = predict_family(family, texts)
    for i, member in enumerate(family.members):
        np.testing.assert_allclose(together.logits[i], predict(catalog.load(member.id), texts).logits, atol=1e-5)


def test_identical_encodings_run_once_and_the_encoder_once_a_batch(family: Family) -> None:
    found = predict_family(family, ["A fine film.", "a fine FILM .", "Another."])
    assert (found.rows_asked, found.rows_run, found.passes) == (24, 16, 1)
    np.testing.assert_array_equal(found.logits[:, 0], found.logits[:, 1])
    assert predict_family(family, []).logits.shape == (8, 0, 2)


def test_progress_reaches_its_end_and_what_it_raises_cancels(family: Family) -> None:
    told: list[tuple[int, int]] = []
    texts = [f"A film of {'very ' * (i % 7)}modest hopes, number {i}." for i in range(60)]
    predict_family(family, texts, lambda done, asked: told.append((done, asked)))
    assert len(told) > 1 and told[-1] == (60, 60) and told == sorted(told)

    def stop(done: int, asked: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        predict_family(family, texts, stop)
    assert predict_family(family, ["A fine film."]).logits.shape == (8, 1, 2)


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
    assert family.model is not None
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
    line = predict_between(family, "43", "46", texts, points=5)
    np.testing.assert_allclose(line[0], seeds[family.names.index("43")], atol=1e-5)
    np.testing.assert_allclose(line[-1], seeds[family.names.index("46")], atol=1e-5)
    # The middle, from merged weights, without the stacks.
    a, b = (catalog.load(f"minilm-uncased-{seed}").model for seed in (43, 46))
    middle = copy.deepcopy(a)
    with torch.no_grad():
        for mine, theirs in zip(middle.parameters(), b.parameters(), strict=True):
            mine.copy_((mine + theirs) / 2)
    alone = predict(replace(family.first, model=middle), texts).logits
    np.testing.assert_allclose(line[2], alone, atol=1e-5)


def test_a_way_tells_loss_and_accuracy_of_some_texts(family: Family) -> None:
    data = read(DataSource("movie")).part("validation")
    some = data.rows(np.arange(40))
    found = way(family, some, "42", "43", points=3)
    assert found.texts == 40
    assert found.loss.shape == found.accuracy.shape == found.shares.shape == (3,)
    assert found.barrier >= 0
    ends = on_data(family, some)
    np.testing.assert_allclose(found.accuracy[[0, -1]], ends.accuracy[:2])
    for first, second, points in (("42", "42", 11), ("42", "7", 11), ("", "42", 11), ("42", "43", 1)):
        with pytest.raises(WobbleError):
            predict_between(family, first, second, ["A fine film."], points)


@pytest.mark.parametrize("id", ["bpe-cased", "nothing", ""])
def test_what_is_no_family_is_refused_in_one_sentence(id: str) -> None:
    with pytest.raises(WobbleError, match="no seed family"):
        members(id)


def test_a_family_is_found_by_its_name_and_by_its_members() -> None:
    assert families()[0] == catalog.DEFAULT
    assert family_of("minilm-uncased") == family_of("minilm-uncased-45") == "minilm-uncased"
    assert family_of("bpe-cased") is None and family_of("") is None


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WOBBLE_MODEL_DIRS", str(tmp_path / "models"))
    monkeypatch.setenv("WOBBLE_RUNS_DIR", str(tmp_path / "runs"))
    return tmp_path / "models"


def test_models_that_are_named_alike_are_a_family_that_answers_one_by_one(models: Path) -> None:
    for number in (1, 2, 10):
        save("bert", models / f"mine-{number}", seed=number)
    # The last has the first one's tokenizer, the other has one of its own.
    shutil.copy(models / "mine-1" / "tokenizer.json", models / "mine-10" / "tokenizer.json")
    file = models / "mine-2" / "tokenizer.json"
    settings = json.loads(file.read_text(encoding="utf-8"))
    settings["normalizer"]["lowercase"] = False
    file.write_text(json.dumps(settings), encoding="utf-8")
    assert families() == ("minilm-uncased", "models/mine")
    found = load_family("models/mine")
    assert found.names == ("1", "2", "10") and found.model is None
    told: list[tuple[int, int]] = []
    texts = ["A test.", "The movie was not bad at all."]
    p = predict_family(found, texts, lambda *counts: told.append(counts))
    assert (p.rows_asked, p.rows_run) == (6, 6) and told[-1] == (6, 6)
    for member, logits in zip(found.members, p.logits, strict=True):
        np.testing.assert_array_equal(logits, predict(catalog.load(member.id), texts).logits)
    line = predict_between(found, "1", "10", texts, points=3)
    np.testing.assert_allclose(line[[0, -1]], p.logits[[0, -1]], atol=1e-5)
    with pytest.raises(WobbleError, match="1 and 2 of models/mine have different tokenizers"):
        predict_between(found, "1", "2", texts)
    with pytest.raises(WobbleError, match="the model does not have"):
        on_data(found, family_data("models/mine"))


def test_two_models_of_one_seed_are_no_family_and_hide_no_other(models: Path) -> None:
    for name in ("mine", "mine-42"):
        save("bert", models / name)
    assert families() == ("minilm-uncased",)
    assert family_of("models/mine") is None
    assert family_of("minilm-uncased-43") == "minilm-uncased"


def test_models_that_are_named_alike_and_differ_in_their_labels_are_refused(models: Path) -> None:
    save("bert", models / "mine-1")
    save("bert", models / "mine-2", num_labels=3)
    with pytest.raises(WobbleError, match="named like one family but have different labels"):
        load_family("models/mine")


@pytest.mark.parametrize("setting", [{"use_rslora": True}, {"alpha_pattern": {"query": 64}}])
def test_adapters_that_are_scaled_otherwise_are_not_stacked_and_still_answer_as_alone(
    models: Path, setting: dict[str, object]
) -> None:
    for seed in (43, 44):
        shutil.copytree(catalog.EMBEDDED / f"minilm-uncased-{seed}", models / f"scaled-{seed}")
        file = models / f"scaled-{seed}" / "adapter_config.json"
        config = json.loads(file.read_text()) | setting | {"base_model_name_or_path": "minilm"}
        file.write_text(json.dumps(config))
    family = load_family("models/scaled")
    assert family.model is None
    found = predict_family(family, ["A fine film."]).logits
    assert np.abs(found - predict_family(load_family(), ["A fine film."]).logits[1:3]).max() > 1e-3
    for member, logits in zip(family.members, found, strict=True):
        np.testing.assert_allclose(logits, predict(catalog.load(member.id), ["A fine film."]).logits, atol=1e-5)


def test_family_data_are_texts_that_no_member_was_trained_on() -> None:
    data = family_data("minilm-uncased")
    assert len(data.texts) == 1530 and set(data.split) == {"test"}
    with pytest.raises(WobbleError, match="no seed family"):
        family_data("nothing")


def drawn(p: np.ndarray, rating_std: np.ndarray | None = None) -> OnData:
    labels = np.zeros(p.shape[1], np.int64)
    accuracy = (p.argmax(-1) == labels).mean(-1)
    texts = tuple(map(str, range(p.shape[1])))
    return OnData(texts, labels, rating_std, p, accuracy, pairwise_disagreement(p, "softmax"), None)  # type: ignore[arg-type]


def test_influences_of_a_worked_example(family: Family) -> None:
    """Each part's members differ from the first by a known amount."""
    planned = plan((42, 43, 44), "each")
    some = replace(family, members=tuple(Member(str(i), str(i), seeds) for i, seeds in enumerate(planned)))
    a = np.full((9, 4), 0.6)
    for member, amount in enumerate((0.0, 0.3, 0.3, 0.02, 0.02, 0.0, 0.0, 0.05, 0.0)):
        a[member] -= amount
    found = influences(some, np.stack([a, 1 - a], axis=-1))
    assert [influence.part for influence in found] == ["head", "subset", "order", "dropout"]
    assert [influence.pairs for influence in found] == [3] * 4
    # Two pairs of three differ by 0.3, and the third not at all.
    assert found[0].shift.value == pytest.approx(0.2)
    assert found[0].disagreement.value == pytest.approx(2 / 3)
    assert (found[-1].shift.value, found[-1].shift.low, found[-1].shift.high) == (0, 0, 0)


def test_members_that_differ_in_several_parts_tell_nothing_about_one(family: Family) -> None:
    assert influences(family, np.full((8, 3, 2), 0.5)) == ()
    held = tuple(Member(name, name, Seeds(head, head, head, 1)) for name, head in (("a", 1), ("b", 2)))
    assert influences(replace(family, members=held), np.full((2, 3, 2), 0.5)) == ()


def test_seeds_are_set_against_people_from_agreed_to_disputed() -> None:
    rating_std = np.arange(100)[::-1] / 100
    p = np.tile([0.9, 0.1], (3, 100, 1))
    p[0, :20] = [0.1, 0.9]  # one of three seeds disagrees where people disagree most
    found = against_people(drawn(p, rating_std))
    assert [group.texts for group in found] == [20] * 5
    assert [group.disagreement.value for group in found] == pytest.approx([0, 0, 0, 0, 2 / 3])
    assert (found[0].low, found[-1].high) == (0.0, 0.99)
    with pytest.raises(ValueError, match="no ratings"):
        against_people(drawn(p))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_accuracies_are_level_and_single_sentences_are_not(family: Family) -> None:
    data = family_data(family.id)
    assert len(data.texts) == 1530
    # Drawn, because they are sorted; `python -m benchmarks.seeds` asks all of them.
    found = on_data(family, data.rows(np.random.default_rng(0).permutation(1530)[:600]))
    assert np.abs(found.accuracy - found.accuracy.mean()).max() <= 0.02
    assert found.accuracy.mean() >= 0.855
    assert found.disagreement > 0.02
    assert ((found.split >= 0) & (found.split <= 1)).all()
    # On average over texts, the share of split pairs is the pairwise disagreement.
    assert found.split.mean() == pytest.approx(found.disagreement)


def test_cards_tell_the_seed(family: Family) -> None:
    for member in family.members:
        card = Path(catalog.EMBEDDED / member.id / "README.md").read_text(encoding="utf-8")
        assert f"seed {member.name}" in card
