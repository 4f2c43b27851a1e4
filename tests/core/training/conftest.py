"""An operator's own folders of models and runs, and one thread."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Here and in workers: so small a model gains nothing from more, and equal weights need equal numbers of threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The operator's folders of models and runs; no hub."""
    monkeypatch.setenv("WOBBLE_MODEL_DIRS", str(tmp_path / "models"))
    monkeypatch.setenv("WOBBLE_RUNS_DIR", str(tmp_path / "runs"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("WOBBLE_DEVICE", "cpu")
    return tmp_path
