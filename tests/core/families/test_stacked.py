"""A family of seeds answers in one batch what each member answers alone."""

import json
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from core.base.errors import WobbleError
from core.data.snippets import snippets
from core.families.agreement import on_data
from core.families.interpolation import predict_between
from core.families.members import families, family_data
from core.families.stacked import Family, load_family, predict_family
from core.models import catalog
from core.models.predict import predict
from tests.architectures import save


def test_all_seeds_in_one_batch_equal_each_alone(family: Family) -> None:
    texts = [*list(snippets("test", "movie")["text"])[:8], "x", "word " * 600]
    together = predict_family(family, texts)
    for i, member in enumerate(family.members):
        np.testing.assert_allclose(
            together.logits[i], predict(catalog.load(member.id), family.first.encoder(texts)).logits, atol=1e-5
        )


def test_identical_encodings_run_once_and_the_encoder_once_a_batch(family: Family) -> None:
    assert family.model is not None
    calls: list[object] = []
    with family.model.base_model.register_forward_pre_hook(lambda *_: calls.append(1)):
        found = predict_family(family, ["A fine film.", "a fine FILM .", "Another."])
    assert (found.rows_asked, found.rows_run, len(calls)) == (24, 16, 1)
    np.testing.assert_array_equal(found.logits[:, 0], found.logits[:, 1])
    assert predict_family(family, []).logits.shape == (8, 0, 2)


def test_texts_that_an_encoder_refuses_together_are_answered_one_by_one_by_all_seeds(family: Family) -> None:
    """As BART refuses texts that hold different numbers of </s>."""
    assert family.model is not None
    texts = ["A fine film.", "A dreadful bore.", "Another."]
    together = predict_family(family, texts)

    def refuse(_: object, positional: tuple[np.ndarray, ...], named: dict[str, np.ndarray]) -> None:
        if len(named["input_ids"] if "input_ids" in named else positional[0]) > len(family.members):
            raise ValueError("not together")

    with family.model.base_model.register_forward_pre_hook(refuse, with_kwargs=True):
        alone = predict_family(family, texts)
    np.testing.assert_allclose(alone.logits, together.logits, atol=1e-5)
    assert alone.rows_run == together.rows_run == 24


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
        own = catalog.load(member.id)
        np.testing.assert_array_equal(logits, predict(own, own.encoder(texts)).logits)
    line = predict_between(found, "1", "10", texts, points=3)
    np.testing.assert_allclose(line[[0, -1]], p.logits[[0, -1]], atol=1e-5)
    with pytest.raises(WobbleError, match="1 and 2 of models/mine have different tokenizers"):
        predict_between(found, "1", "2", texts)
    with pytest.raises(WobbleError, match="the model does not have"):
        on_data(found, family_data("models/mine"))


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
        np.testing.assert_allclose(
            logits, predict(catalog.load(member.id), family.first.encoder(["A fine film."])).logits, atol=1e-5
        )
