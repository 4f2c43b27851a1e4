"""Interpolation between two seeds: its ends are the seeds, and a barrier is a rise above the line between their losses."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.base.errors import WobbleError
from core.data.labelled import DataSource, read
from core.families.agreement import on_data
from core.families.interpolation import Interpolation, interpolate, predict_between
from core.families.stacked import Family, predict_family
from core.models import catalog
from core.models.predict import predict


def test_the_ends_are_the_seeds_and_the_middle_is_the_mean_of_their_weights(family: Family) -> None:
    texts = ["A fine film.", "Even in this less than magic kingdom, Reese rules."]
    seeds = predict_family(family, texts).logits
    line = predict_between(family, "43", "46", texts, points=5)
    np.testing.assert_allclose(line[0], seeds[family.names.index("43")], atol=1e-5)
    np.testing.assert_allclose(line[-1], seeds[family.names.index("46")], atol=1e-5)
    # The middle, from merged weights, without the stacks.
    a, b = (catalog.load(f"minilm-uncased-{seed}").model for seed in (43, 46))
    middle = copy.deepcopy(a)
    with torch.no_grad():
        for mine, theirs in zip(middle.parameters(), b.parameters(), strict=True):
            mine.copy_((mine + theirs) / 2)
    alone = predict(replace(family.first, model=middle), family.first.encoder(texts)).logits
    np.testing.assert_allclose(line[2], alone, atol=1e-5)


def test_an_interpolation_tells_loss_and_accuracy_of_some_texts(family: Family) -> None:
    data = read(DataSource("movie")).part("validation")
    some = data.rows(np.arange(40))
    found = interpolate(family, some, "42", "43", points=3)
    assert found.texts == 40
    assert found.loss.shape == found.accuracy.shape == found.shares.shape == (3,)
    assert found.barrier >= 0
    ends = on_data(family, some)
    np.testing.assert_allclose(found.accuracy[[0, -1]], ends.accuracy[:2])
    for first, second, points in (("42", "42", 11), ("42", "7", 11), ("", "42", 11), ("42", "43", 1)):
        with pytest.raises(WobbleError):
            predict_between(family, first, second, ["A fine film."], points)


def test_a_barrier_is_the_rise_above_the_straight_line_between_the_losses_of_the_ends() -> None:
    def found(*loss: float) -> Interpolation:
        shares = np.linspace(0.0, 1.0, len(loss))
        return Interpolation(shares, np.array(loss), np.ones(len(loss)), texts=1)

    # Unequal ends: the line goes 0.2, 0.4, 0.6, 0.8, 1.0, in this direction and not in the other.
    assert found(0.2, 0.4, 0.6, 0.8, 1.0).barrier == pytest.approx(0)
    assert found(0.2, 0.3, 0.9, 0.8, 1.0).barrier == pytest.approx(0.3)
    assert found(1.0, 0.8, 0.9, 0.3, 0.2).barrier == pytest.approx(0.3)
    assert found(0.2, 0.1, 0.1, 0.1, 1.0).barrier == 0
