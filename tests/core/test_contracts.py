"""What holds for every value of the engine: it cannot be changed, and what holds arrays is compared by identity."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, fields, is_dataclass
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest
import torch
from transformers import PreTrainedModel

import core


def values() -> Iterator[type]:
    """The dataclasses of the packages that measure."""
    for package in ("base", "factors", "families", "models", "studies", "text"):
        for info in pkgutil.walk_packages([f"{core.__path__[0]}/{package}"], f"core.{package}."):
            module = importlib.import_module(info.name)
            for found in vars(module).values():
                if inspect.isclass(found) and is_dataclass(found) and found.__module__ == info.name:
                    yield found


VALUES = sorted(set(values()), key=lambda one: (one.__module__, one.__name__))
GROWING = {"Search", "_Transfer"}
"""What is changed while it works."""

POSTPONED = {"torch": torch, "PreTrainedModel": PreTrainedModel}
"""What a module only names, and does not import while nothing computes."""

PUBLIC = [one for one in VALUES if not one.__name__.startswith("_")]


def holds_arrays(kind: Any) -> bool:
    """Whether a type is an array, or is made of arrays."""
    if is_dataclass(kind):
        return any(holds_arrays(hint) for hint in get_type_hints(kind, localns=POSTPONED).values())
    return (inspect.isclass(kind) and issubclass(kind, np.ndarray)) or any(holds_arrays(one) for one in _parts(kind))


def _parts(kind: Any) -> tuple[Any, ...]:
    origin = getattr(kind, "__origin__", None)
    return (*get_args(kind), *([origin] if origin is np.ndarray else []))


@pytest.mark.parametrize("value", [one for one in VALUES if one.__name__ not in GROWING], ids=lambda one: one.__name__)
def test_a_value_cannot_be_changed(value: type) -> None:
    blank = object.__new__(value)
    for one in fields(value):  # type: ignore[arg-type]
        with pytest.raises(FrozenInstanceError):
            setattr(blank, one.name, None)


@pytest.mark.parametrize("value", [one for one in PUBLIC if holds_arrays(one)], ids=lambda one: one.__name__)
def test_a_value_with_arrays_is_equal_to_itself_only(value: type) -> None:
    blank = object.__new__(value)
    assert blank == blank and blank != object.__new__(value)
    assert isinstance(hash(blank), int)
