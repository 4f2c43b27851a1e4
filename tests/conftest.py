"""What applies to every test: the environment before the libraries are imported, and which tests can run here."""

import os

# Before anything imports tokenizers: its own thread pool and the tests' threads and processes do not mix.
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import pytest
from hypothesis import settings

# A forward pass takes as long as the machine lets it, so a deadline per example would only measure the machine.
settings.register_profile("wobble", deadline=None, print_blob=True)
settings.load_profile("wobble")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the `gpu` tests on a machine without CUDA."""
    gpu = [item for item in items if item.get_closest_marker("gpu")]
    if not gpu:
        return
    import torch  # only here: collecting the tests of pure functions stays quick

    if not torch.cuda.is_available():
        config.hook.pytest_deselected(items=gpu)
        items[:] = [item for item in items if item not in gpu]
