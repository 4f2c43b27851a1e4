"""Whatever transformers draws while a model is made, the process-wide random state is the same afterwards."""

import random

import numpy as np
import pytest
import torch

from core.models.loading import drawn_from


def states() -> tuple[object, ...]:
    return random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # noqa: NPY002


def draw() -> tuple[float, float, float]:
    return random.random(), float(np.random.rand()), float(torch.rand(()))  # noqa: NPY002 - the point is to spoil it


def test_the_process_wide_random_state_is_put_back_whatever_is_drawn() -> None:
    before = states()
    with drawn_from(1):
        draw()
        assert states() != before
    assert states() == before


def test_it_is_put_back_after_an_error_too() -> None:
    before = states()

    def fail() -> None:
        with drawn_from(1):
            draw()
            raise ValueError("the checkpoint is damaged")

    with pytest.raises(ValueError, match="damaged"):
        fail()
    assert states() == before


def test_the_seed_alone_decides_what_torch_draws() -> None:
    def drawn(seed: int) -> float:
        with drawn_from(seed):
            return float(torch.rand(()))

    first = drawn(1)
    draw()
    assert drawn(1) == first != drawn(2)
