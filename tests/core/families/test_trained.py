"""Families that were trained: stacked where that is possible, and each part of chance told from the others."""

from pathlib import Path

import numpy as np
import pytest

from core.families import agreement, interpolation, members, stacked
from core.models import catalog
from core.models.predict import predict
from core.training.recipe import plan
from tests.architectures import save
from tests.trainings import NAMES, TEXTS, data, recipe, recorded, refused, trained


@pytest.fixture
def family(models: Path, request: pytest.FixtureRequest) -> stacked.Family:
    """Three labels on a base of two: `architecture method plan`, all members trained and recorded as a run."""
    architecture, method, vary = request.param.split()
    save(architecture, models / "base")
    some = recipe(members=plan((1, 2), vary), method=method)
    recorded(some)
    for number in range(len(some.members)):
        trained(some, number)
    return stacked.load_family("runs/mine")


FAMILIES = [
    ("bert lora", True),
    ("bart lora", True),
    ("bert full", False),
    ("deberta-v2 lora", False),
    ("xlnet lora", False),
]


@pytest.mark.parametrize(("family", "together"), [(f"{name} head", yes) for name, yes in FAMILIES], indirect=["family"])
def test_a_trained_family_answers_as_each_member_alone(family: stacked.Family, together: bool) -> None:
    assert (family.model is not None) == together
    assert (family.names, family.first.labels) == (("1", "head 2"), NAMES)
    texts = [*TEXTS, "word " * 60, "A </s> of </s> its own", TEXTS[0]]
    found = stacked.predict_family(family, texts)
    assert found.logits.shape == (2, len(texts), 3)
    alone = np.stack(
        [predict(catalog.load(member.id), family.first.encoder(texts)).logits for member in family.members]
    )
    np.testing.assert_allclose(found.logits, alone, atol=1e-5)
    assert np.ptp(alone, axis=0).max() > 1e-3
    line = interpolation.predict_between(family, "1", "head 2", texts, points=3)
    assert line.shape == (3, len(texts), 3)
    np.testing.assert_allclose(line[[0, -1]], alone, atol=1e-5)
    held_out = members.family_data("runs/mine")
    assert held_out.texts == data().part("validation").texts
    between = interpolation.interpolate(family, held_out, "1", "head 2", points=3)
    tested = agreement.on_data(family, held_out)
    assert between.accuracy[[0, -1]].tolist() == tested.accuracy.tolist()


@pytest.mark.parametrize("family", ["bert lora each"], indirect=True)
def test_each_part_s_influence_comes_from_members_that_differ_in_it_alone(family: stacked.Family) -> None:
    assert family.names == ("1", "head 2", "order 2", "dropout 2", "subset 2")
    p = agreement.on_data(family, members.family_data("runs/mine")).probabilities
    influences = agreement.influences(family, p)
    for influence in influences:
        other = family.names.index(f"{influence.part} 2")
        assert influence.pairs == 1
        assert influence.shift.value == pytest.approx(0.5 * np.abs(p[0] - p[other]).sum(axis=-1).mean())
        assert influence.shift.low <= influence.shift.value <= influence.shift.high
    shifts = [influence.shift.value for influence in influences]
    assert {influence.part for influence in influences} == {"head", "order", "dropout", "subset"}
    assert shifts == sorted(shifts, reverse=True) and shifts[-1] > 0


@pytest.mark.parametrize("family", ["gpt2-with-pad lora head"], indirect=True)
def test_a_text_without_a_token_is_refused_by_a_family_too(family: stacked.Family) -> None:
    assert family.model is not None
    assert "makes no token" in refused(lambda: stacked.predict_family(family, ["A test.", ""]))
