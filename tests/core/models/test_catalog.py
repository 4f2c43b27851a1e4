"""Any classifier loads or says why not; what the operator did not allow is not loaded; a dead hub costs little time."""

import json
import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSequenceClassification

from core.base.cache import Kept
from core.base.errors import WobbleError
from core.models import catalog
from core.models.predict import predict
from tests.architectures import save

PICKLE = b"\x80\x02}q\x00."


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, directory: Path) -> Path:
    """The operator's folder, with one good model in it."""
    folder = tmp_path / "models"
    shutil.copytree(directory, folder / "good")
    monkeypatch.setenv("WOBBLE_MODEL_DIRS", str(folder))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    return folder


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")


def refused(id: str) -> str:
    with pytest.raises(WobbleError) as caught:
        catalog.load(id)
    said = str(caught.value)
    assert "\n" not in said and said.endswith(".")
    return said


def test_embedded_models_are_listed_first_and_need_no_network(models: Path, no_hub: None) -> None:
    entries = catalog.entries()
    assert entries[0].id == catalog.DEFAULT
    embedded = {entry.id for entry in entries if entry.source == "embedded"}
    assert {"minilm-uncased", "bpe-cased", "unigram-cased", "minilm-uncased-43"} <= embedded
    assert "minilm" not in embedded
    assert {entry.available for entry in entries if entry.source == "hub"} == {"unreachable"}
    assert entries[0].labels == ("negative", "positive")
    assert entries[0].tokenizer == "WordPiece"


def test_a_local_model_is_found_by_id_and_by_path(models: Path) -> None:
    assert "models/good" in catalog.local_ids()
    by_id = catalog.load("models/good")
    by_path = catalog.load(str(models / "good"))
    assert by_id.weights_hash == by_path.weights_hash
    assert by_id.source.kind == "local"


def test_a_path_outside_the_allowed_folders_is_refused(models: Path, tmp_path: Path) -> None:
    outside = save("bert", tmp_path / "outside")
    for id in (str(outside), f"{models}/../outside", "../outside", "~/outside", "/etc"):
        assert "lies outside the folders" in refused(id)


def test_a_link_that_leads_out_of_the_allowed_folders_is_refused(models: Path, tmp_path: Path) -> None:
    (models / "link").symlink_to(save("bert", tmp_path / "outside"), target_is_directory=True)
    assert "lies outside the folders" in refused(str(models / "link"))


def test_what_is_refused_does_not_tell_what_exists(models: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    there, missing = refused(str(tmp_path / "there")), refused(str(tmp_path / "gone"))
    assert there.replace("there", "X") == missing.replace("gone", "X")


def broken(models: Path, name: str) -> Path:
    copy = models / name
    shutil.copytree(models / "good", copy)
    return copy


def test_a_directory_that_is_no_model(models: Path) -> None:
    (models / "empty").mkdir()
    assert "no weights" in refused(str(models / "empty"))
    assert "no model at models/nothing" in refused("models/nothing")


def test_a_truncated_weights_file(models: Path) -> None:
    file = broken(models, "cut") / "model.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    assert "damaged or cut short" in refused("models/cut")
    file.write_bytes(b"")
    assert "damaged or cut short" in refused("models/cut")


def test_a_pickle_is_never_opened(models: Path) -> None:
    copy = broken(models, "pickle")
    (copy / "model.safetensors").unlink()
    (copy / "pytorch_model.bin").write_bytes(PICKLE)
    assert "only as a pickle" in refused("models/pickle")


def test_a_config_without_labels_loads_and_says_that_they_have_no_names(models: Path) -> None:
    config = broken(models, "unnamed") / "config.json"
    content = json.loads(config.read_text())
    del content["id2label"], content["label2id"]
    config.write_text(json.dumps(content))
    found = catalog.load("models/unnamed")
    assert found.labels == ("LABEL_0", "LABEL_1")
    assert any("no names of their own" in note for note in found.notes)


def test_a_damaged_config(models: Path) -> None:
    config = broken(models, "config") / "config.json"
    config.write_text("{not json")
    assert "not readable JSON" in refused("models/config")
    config.write_text('{"model_type": "no-such-family"}')
    assert "transformers cannot read" in refused("models/config")
    config.write_text('{"model_type": "x", "auto_map": {"AutoConfig": "code.Config"}}')
    assert "Python code of its own" in refused("models/config")


def test_a_tokenizer_of_another_model(models: Path) -> None:
    copy = broken(models, "foreign")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(catalog.EMBEDDED / "minilm" / name, copy / name)
    assert "belongs to another model" in refused("models/foreign")
    big = save("bert", models / "big", vocab_size=30_000)
    assert any("may belong to another model" in note for note in catalog.load(f"models/{big.name}").notes)


def test_a_missing_tokenizer(models: Path) -> None:
    copy = broken(models, "mute")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (copy / name).unlink()
    assert "has no tokenizer" in refused("models/mute")


def adapter(models: Path, name: str) -> Any:
    """A LoRA adapter on the good model, saved beside it."""
    base = AutoModelForSequenceClassification.from_pretrained(models / "good")
    adapted = get_peft_model(base, LoraConfig(task_type="SEQ_CLS", target_modules=["query"], init_lora_weights=False))
    adapted.peft_config["default"].base_model_name_or_path = "../good"
    adapted.save_pretrained(models / name)
    return adapted


def test_an_adapter_loads_merged_and_names_its_base(models: Path) -> None:
    adapted = adapter(models, "adapter")
    found = catalog.load("models/adapter")
    expected = adapted.eval()(**found.encoder._tokenizer("a test", return_tensors="pt")).logits[0]
    assert torch.allclose(torch.from_numpy(predict(found, found.encoder(["a test"])).logits[0]), expected, atol=1e-5)
    assert found.untrained == ()


def test_an_adapter_whose_base_lies_elsewhere_is_refused(models: Path, tmp_path: Path) -> None:
    save("bert", tmp_path / "outside")
    adapter = models / "stray"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "../../outside"}))
    assert "lies outside the folders" in refused("models/stray")
    (adapter / "adapter_config.json").write_text("{}")
    assert "does not name its base model" in refused("models/stray")


@pytest.mark.parametrize("id", ["", "  ", "a b", "x/y/z/..", "caf\u00e9/model", "\0", "x" * 2000, "<script>"])
def test_nonsense_is_no_id(models: Path, no_hub: None, id: str) -> None:
    assert refused(id)


# --- the hub ---------------------------------------------------------------------------------------------------------


class _Hub(BaseHTTPRequestHandler):
    """A hub that knows one model without safetensors, and no other."""

    def do_HEAD(self) -> None:
        self._answer(200, b"")

    def do_GET(self) -> None:
        if self.path.startswith("/api/models/known/pickle"):
            body = {"id": "known/pickle", "sha": "0" * 40, "siblings": [{"rfilename": "pytorch_model.bin"}]}
            self._answer(200, json.dumps(body).encode())
        else:
            self._answer(404, b'{"error": "Repository not found"}', {"X-Error-Code": "RepoNotFound"})

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in ({"Content-Type": "application/json"} | (headers or {})).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep the tests' output clean."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    server = HTTPServer(("127.0.0.1", 0), _Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    yield
    server.shutdown()


def test_a_hub_id_that_does_not_exist(models: Path, hub: None) -> None:
    assert "has no model named nobody/nothing" in refused("nobody/nothing")


def test_a_hub_model_without_safetensors(models: Path, hub: None) -> None:
    assert "no safetensors" in refused("known/pickle")


def test_curated_models_are_downloadable_where_the_hub_answers(models: Path, hub: None) -> None:
    assert {entry.available for entry in catalog.entries() if entry.source == "hub"} == {"downloadable"}


def test_a_hub_that_refuses_connections_gives_a_clear_sentence(models: Path, no_hub: None) -> None:
    assert "hub cannot be reached, and nobody/nothing is not on this machine" in refused("nobody/nothing")


@pytest.mark.slow
def test_a_hub_that_never_answers_costs_five_seconds_once(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        begin = time.monotonic()
        assert "hub cannot be reached" in refused("nobody/nothing")
        assert time.monotonic() - begin < 5
        begin = time.monotonic()
        assert "hub cannot be reached" in refused("nobody/other")
        assert {entry.available for entry in catalog.entries() if entry.source == "hub"} == {"unreachable"}
        assert time.monotonic() - begin < 1


# --- loaded models ---------------------------------------------------------------------------------------------------


@pytest.fixture
def none_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "_loaded", Kept(limit=1))


def test_the_least_recently_used_model_goes_first(
    models: Path, none_loaded: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two", "three"):
        broken(models, name)
    monkeypatch.setenv("WOBBLE_MAX_MODELS", "2")
    one, two = catalog.load("models/one"), catalog.load("models/two")
    assert catalog.load("models/one") is one
    three = catalog.load("models/three")
    refused("models/four")  # what cannot be loaded pushes nothing out
    assert catalog.load("models/one") is one and catalog.load("models/three") is three
    assert catalog.load("models/two") is not two


def test_threads_that_ask_at_once_get_one_and_the_same_model(models: Path, none_loaded: None) -> None:
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(catalog.load("models/good"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, found))) == 1


@pytest.mark.parametrize("by", ["id", "path"])
@pytest.mark.parametrize("kind", ["model", "adapter", "weights alone"])
def test_a_model_that_is_replaced_under_its_id_is_loaded_anew(
    by: str, kind: str, models: Path, none_loaded: None
) -> None:
    directory = broken(models, "mine")
    if kind == "adapter":
        adapted = adapter(models, "mine-adapter")
        directory = models / "mine-adapter"
    id = f"models/{directory.name}" if by == "id" else str(directory)
    before, stamp = catalog.load(id), catalog.stamp(id)
    assert catalog.load(id) is before and stamp > 0
    if kind == "weights alone":
        tensors = load_file(directory / "model.safetensors")
        save_file({k: -v for k, v in tensors.items()}, directory / "model.safetensors", metadata={"format": "pt"})
    elif kind == "model":
        shutil.rmtree(directory)
        save("bert", directory, seed=1)
    else:
        adapted.save_pretrained(directory)
    # As a file system whose clock is coarse might not: what is written later is newer.
    later = stamp + 1_000_000_000
    for file in directory.iterdir():
        if kind != "weights alone" or file.suffix == ".safetensors":
            os.utime(file, ns=(later, later))
    after = catalog.load(id)
    assert catalog.stamp(id) == later
    assert after is not before
    assert (after.weights_hash != before.weights_hash) == (kind != "adapter")


def test_what_is_no_local_model_has_no_stamp(models: Path, tmp_path: Path) -> None:
    outside = save("bert", tmp_path / "outside")
    for id in (catalog.DEFAULT, "nobody/nothing", "models/gone", "\0", "~nobody/x", "x" * 5000, "", str(outside)):
        assert catalog.stamp(id) == 0
