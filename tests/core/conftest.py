"""Small random classifiers that the tests of one process share: saving and loading each costs more than most tests."""

from collections.abc import Callable
from typing import Any

import pytest

from core.models.classifier import Classifier
from tests.architectures import loaded, save

Tiny = Callable[..., Classifier]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """`tiny("bert", num_labels=3)`: the classifier of an architecture, made once. It remembers what it predicted."""
    made: dict[str, Classifier] = {}

    def make(name: str, **config: Any) -> Classifier:
        key = f"{name} {sorted(config.items())}"
        if key not in made:
            made[key] = loaded(save(name, tmp_path_factory.mktemp(name) / name, **config))
        return made[key]

    return make
