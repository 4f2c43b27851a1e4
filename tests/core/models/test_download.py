"""A model of the hub is fetched once for all who wait; they are told the progress, and the last one who leaves ends it."""

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from core.base.errors import WobbleError
from core.models import catalog, download
from tests.architectures import save

SHA = "a" * 40
ID = "someone/small"


class Hub(ThreadingHTTPServer):
    """A hub that has one model, and sends its weights as slowly as it is told to."""

    daemon_threads = True

    def __init__(self, model: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = {file.name: file.read_bytes() for file in model.iterdir()}
        self.pause = 0.0
        """Seconds between two pieces of the weights."""
        self.sent: list[str] = []
        """Names of the weights that were asked for."""


class _Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self.answer(send=False)

    def do_GET(self) -> None:
        self.answer(send=True)

    def answer(self, send: bool) -> None:
        files = self.server.files
        name = self.path.partition("?")[0].rpartition("/")[2]
        if "/resolve/" in self.path and name in files:
            self.file(name, files[name], send)
        elif "/tree/" in self.path:
            tree = [
                {"type": "file", "path": name, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
                for name, content in files.items()
            ]
            self.json(tree, send)
        elif self.path.startswith(f"/api/models/{ID}"):
            self.json(
                {"id": ID, "sha": SHA, "siblings": [{"rfilename": name, "size": len(files[name])} for name in files]},
                send,
            )
        else:
            self.json({}, send)

    def json(self, content: object, send: bool) -> None:
        body = json.dumps(content).encode()
        self.head(len(body), {"Content-Type": "application/json"})
        if send:
            self.wfile.write(body)

    def file(self, name: str, content: bytes, send: bool) -> None:
        self.head(len(content), {"ETag": f'"{hashlib.sha1(content).hexdigest()}"', "X-Repo-Commit": SHA})
        if not send:
            return
        slow = name.endswith(".safetensors") and self.server.pause
        if name.endswith(".safetensors"):
            self.server.sent.append(name)
        step = max(1, len(content) // 20)
        try:
            for at in range(0, len(content), step):
                self.wfile.write(content[at : at + step])
                time.sleep(slow or 0)
        except OSError:
            self.server.sent.append("broken off")

    def head(self, length: int, headers: dict[str, str]) -> None:
        self.send_response(200)
        for key, value in {**headers, "Content-Length": str(length)}.items():
            self.send_header(key, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep the tests' output clean."""


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """The hub, an empty cache for what it sends, and chunks that are small beside its model."""
    server = Hub(save("bert", tmp_path / "model"))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 2**12)
    monkeypatch.setattr(download, "LOOK", 0.02)
    yield server
    server.shutdown()


def weights(hub: Hub) -> int:
    return sum(len(content) for name, content in hub.files.items() if name.endswith((".json", ".safetensors")))


def test_a_download_says_how_many_bytes_are_here_and_wanted_and_the_model_loads(hub: Hub) -> None:
    hub.pause = 0.02
    told: list[tuple[int, int]] = []
    catalog.resolve(ID, lambda here, wanted: told.append((here, wanted)))
    heard = [here for here, _ in told]
    assert heard == sorted(heard) and len({*heard}) > 3
    assert {wanted for _, wanted in told} == {weights(hub)} and 0 < heard[-1] <= weights(hub)
    # What is here is not asked for again.
    catalog.resolve(ID, lambda *_: pytest.fail("nothing has to be fetched"))
    assert catalog.load(ID).source.kind == "hub"
    assert hub.sent == ["model.safetensors"]


def test_all_who_wait_share_one_download_and_one_who_leaves_takes_it_from_nobody(hub: Hub) -> None:
    hub.pause = 0.05
    found: list[Path] = []

    def leaves(*_: int) -> None:
        raise KeyError("another page")

    others = [threading.Thread(target=lambda: found.append(download.download(ID))) for _ in range(3)]
    for other in others:
        other.start()
    with pytest.raises(KeyError):
        download.download(ID, leaves)
    for other in others:
        other.join(20)
    assert len(found) == 3 and len({*found}) == 1 and hub.sent == ["model.safetensors"]


def test_a_download_that_nobody_waits_for_ends_and_begins_anew_when_it_is_asked_for_again(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "PATIENCE", 0.0)
    hub.pause = 0.1

    def leaves(here: int, _: int) -> None:
        if here:
            raise KeyError("stopped")

    with pytest.raises(KeyError):
        download.download(ID, leaves)
    until = time.monotonic() + 10
    while download._transfers and time.monotonic() < until:
        time.sleep(0.02)
    assert not download._transfers
    hub.pause = 0.0
    assert (download.download(ID) / "model.safetensors").read_bytes() == hub.files["model.safetensors"]


def test_a_page_that_is_run_anew_finds_its_download_where_it_was(hub: Hub) -> None:
    hub.pause = 0.05

    def leaves(here: int, _: int) -> None:
        if here:
            raise KeyError("run anew")

    with pytest.raises(KeyError):
        download.download(ID, leaves)
    assert download.download(ID).is_dir()
    assert hub.sent == ["model.safetensors"]


def test_a_download_that_breaks_off_is_one_sentence(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(download, "snapshot_download", full)
    with pytest.raises(WobbleError, match="Downloading someone/small from the hub failed: No space left on device"):
        download.download(ID)
