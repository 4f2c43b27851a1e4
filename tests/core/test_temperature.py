"""Logits to probabilities, for each kind of head."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.temperature import probabilities

logits = st.lists(st.floats(-1e4, 1e4), min_size=2, max_size=6)


@given(logits, st.floats(0.05, 20.0))
def test_softmax_and_sigmoid_are_those_of_torch(row: list[float], temperature: float) -> None:
    scaled = torch.tensor(row, dtype=torch.float64) / temperature
    np.testing.assert_allclose(probabilities(np.array(row), "softmax", temperature), scaled.softmax(-1), atol=1e-12)
    np.testing.assert_allclose(probabilities(np.array(row), "sigmoid", temperature), scaled.sigmoid(), atol=1e-12)


@given(logits)
def test_a_regression_head_gives_its_values(row: list[float]) -> None:
    np.testing.assert_array_equal(probabilities(np.array(row), "regression", 3.0), row)


@given(logits, st.floats(0.05, 20.0))
def test_temperature_never_turns_the_order_round(row: list[float], temperature: float) -> None:
    p = probabilities(np.array(row), "softmax", temperature)
    assert p[int(np.argmax(row))] == p.max()
