"""What the tests of models share: a directory to copy and to damage."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.architectures import save

Tensors = dict[str, torch.Tensor]
Rewritten = Callable[..., Path]


@pytest.fixture(scope="session")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small BERT, saved; not to be changed."""
    return save("bert", tmp_path_factory.mktemp("bert"))


@pytest.fixture
def rewritten(directory: Path, tmp_path: Path) -> Rewritten:
    """`rewritten("half", change)`: a copy of the directory (or of another one) whose tensors went through `change`."""

    def make(name: str, change: Callable[[Tensors], Tensors], of: Path = directory) -> Path:
        copy = tmp_path / name
        copy.mkdir()
        for file in of.iterdir():
            (copy / file.name).write_bytes(file.read_bytes())
        save_file(change(load_file(copy / "model.safetensors")), copy / "model.safetensors", metadata={"format": "pt"})
        return copy

    return make
