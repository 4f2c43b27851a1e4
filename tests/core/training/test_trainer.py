"""One member: what is saved is what was trained, equal seeds make equal weights, and what fails leaves nothing behind."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForSequenceClassification

from core.models import catalog
from core.models.predict import predict
from core.training import runs
from core.training import trainer as training
from core.training.recipe import one_seed, plan
from tests.architectures import save
from tests.trainings import NAMES, TEXTS, data, recipe, refused, trained


@pytest.mark.parametrize(
    ("name", "method"),
    [
        *(
            (name, "lora")
            for name in ("bert", "roberta", "distilbert", "albert", "deberta-v2", "modernbert", "xlnet", "bart")
        ),
        *((name, "lora") for name in ("gpt2-with-pad", "llama")),
        *((name, "full") for name in ("bert", "distilbert", "xlnet", "gpt2-with-pad")),
    ],
)
def test_what_is_saved_predicts_as_what_was_trained(
    name: str, method: Any, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = save(name, place / "models" / "base", labels=["negative", "positive"])
    kept: list[Any] = []
    save_model = training._save
    monkeypatch.setattr(training, "_save", lambda model, *rest: (kept.append(model), save_model(model, *rest)))
    found = trained(recipe(method=method))
    assert found.folder.is_dir() and not list(found.folder.parent.glob(".*"))

    loaded = catalog.load("runs/mine/seed-1")
    assert loaded.labels == NAMES
    assert loaded.untrained == ()
    assert not any("trained" in note for note in loaded.notes)

    def answers(model: Any) -> np.ndarray:
        model.eval()
        with torch.inference_mode():
            return np.stack(
                [
                    model(**loaded.encoder._tokenizer(text, return_tensors="pt")).logits[0].float().numpy()
                    for text in TEXTS
                ]
            )

    ours = predict(loaded, loaded.encoder(TEXTS)).logits
    assert np.ptp(ours, axis=0).max() > 1e-3
    np.testing.assert_allclose(ours, answers(kept[0]), atol=1e-5)
    if method == "lora":
        below = AutoModelForSequenceClassification.from_pretrained(
            base, num_labels=3, ignore_mismatched_sizes=True, dtype=torch.float32
        )
        below.config.pad_token_id = loaded.model.config.pad_token_id
        np.testing.assert_allclose(ours, answers(PeftModel.from_pretrained(below, found.folder)), atol=1e-5)


def test_everything_that_repeats_a_member_lies_beside_it(place: Path) -> None:
    save("bert", place / "models" / "base")
    events: list[dict[str, Any]] = []
    found = trained(recipe(epochs=2), told=events.append)
    record = json.loads((found.folder / "training.json").read_text(encoding="utf-8"))
    assert record["recipe"] == recipe(epochs=2).document()
    assert record["seeds"] == {"head": 1, "order": 1, "dropout": 1, "subset": 1}
    assert record["data_fingerprint"] == data().fingerprint
    assert (record["trained_on"], record["tested_on"]) == (24, 12)
    assert {"torch", "transformers"} <= set(record["versions"])
    assert record["weights"] == found.weights
    steps = [event for event in events if event["event"] == "step"]
    held_out = [event for event in events if event["event"] == "evaluated"]
    assert [event["step"] for event in steps] == [1, 2, 3, 4, 5, 6]
    assert all(np.isfinite([e["loss"], e["examples_per_second"], e["seconds_left"]]).all() for e in steps)
    assert [event["epoch"] for event in held_out] == [1, 2]
    assert (held_out[-1]["accuracy"], held_out[-1]["loss"]) == (found.accuracy, found.loss)
    assert all(runs.event_said({"number": 1, "member": "1", **event}) for event in events)


@pytest.mark.parametrize("method", ["lora", "full"])
def test_equal_seeds_give_equal_weights_and_any_other_seed_gives_others(place: Path, method: Any) -> None:
    save("bert", place / "models" / "base")
    members = plan((1, 2), "each")
    found = [trained(recipe(name=f"run-{i}", members=members, method=method), i).weights for i in range(len(members))]
    assert len(set(found)) == 1 + 4
    assert trained(recipe(name="again", members=members, method=method)).weights == found[0]


def test_the_order_of_members_does_not_matter(place: Path) -> None:
    save("bert", place / "models" / "base")
    first = trained(recipe(members=(one_seed(1), one_seed(2))), 1).weights
    random.random(), torch.rand(3)
    assert trained(recipe(name="alone", members=(one_seed(2),))).weights == first


def nothing_left(place: Path) -> bool:
    return not [folder for folder in (place / "runs" / "mine").iterdir() if not folder.name.startswith(".")]


def test_a_decoder_without_a_pad_token_is_refused_in_one_sentence(place: Path) -> None:
    save("gpt2", place / "models" / "base")
    assert "has no pad token" in refused(lambda: trained(recipe()))
    assert nothing_left(place)


def test_a_base_that_is_none_is_refused_in_one_sentence(place: Path) -> None:
    assert "There is no model at models/base" in refused(lambda: trained(recipe()))
    assert "is an adapter" in refused(lambda: trained(recipe(base="minilm-uncased-43")))
    save("bert", place / "models" / "base")
    (place / "models" / "base" / "tokenizer.json").unlink()
    (place / "models" / "base" / "tokenizer_config.json").unlink()
    assert "has no tokenizer" in refused(lambda: trained(recipe()))
    (place / "models" / "base" / "model.safetensors").write_bytes(b"cut")
    assert nothing_left(place)


def test_a_loss_that_is_no_number_stops_the_training_and_is_said(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save("bert", place / "models" / "base")
    plain = training.Trainer.compute_loss

    def spoiled(self: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
        loss = plain(self, model, *args, **kwargs)
        return loss * float("nan") if model.training and self.state.global_step == 1 else loss

    monkeypatch.setattr(training.Trainer, "compute_loss", spoiled)
    assert "The loss became nan at step 2" in refused(lambda: trained(recipe()))
    assert nothing_left(place)


def test_weights_that_the_last_step_spoils_are_not_kept(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save("bert", place / "models" / "base")

    def spoil(self: Any, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        if state.global_step == state.max_steps:
            for parameter in model.parameters():
                parameter.data.fill_(float("nan"))

    monkeypatch.setattr(training._Told, "on_step_end", spoil)
    assert "The loss became nan on the held-out texts after step 3" in refused(lambda: trained(recipe()))
    assert nothing_left(place)
