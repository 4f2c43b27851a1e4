"""Conditions: to which sizes a text is padded, among how many others it is run, and in which words the rest is left out."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from core.base.errors import WobbleError
from core.factors import conditions as module
from core.factors.conditions import bounding, conditions
from core.models.predict import Condition

ALONE = Condition(batch="alone")


def model(limit: int = 512, device: str = "cpu", batching: str = "padded") -> Any:
    return SimpleNamespace(limit=limit, device=torch.device(device), batching=batching)


@pytest.fixture(autouse=True)
def checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is asked for can be run, but float16 of a model of 77 tokens."""

    def check(classifier: Any, condition: Condition) -> None:
        if classifier.limit == 77 and condition.dtype == "float16":
            raise WobbleError("Not in float16.")

    monkeypatch.setattr(module, "check_condition", check)


def padded(conditions: tuple[Condition, ...]) -> list[int]:
    return [condition.padded for condition in conditions if condition.padded]


@pytest.mark.parametrize(
    ("length", "sizes"),
    [(1, [8, 64, 512]), (7, [8, 64, 512]), (9, [16, 64, 512]), (65, [72, 128, 512]), (505, [512])],
)
def test_a_text_is_padded_to_the_next_8_and_64_and_to_the_limit(length: int, sizes: list[int]) -> None:
    assert padded(conditions(model(), length, dtypes=())[0]) == sizes


def test_a_size_that_pads_nothing_is_left_out_in_a_sentence() -> None:
    found, left_out = conditions(model(), 64, dtypes=())
    assert padded(found) == [512]
    assert left_out == ("Padding to 64 tokens changes nothing: the text has 64.",)
    assert conditions(model(limit=70), 66, dtypes=())[1] == ()
    assert padded(conditions(model(limit=70), 66, dtypes=())[0]) == [70]
    assert conditions(model(limit=1), 1, dtypes=())[1] == ("Padding to 1 tokens changes nothing: the text has 1.",)


@pytest.mark.parametrize(("device", "widest"), [("cpu", 512), ("mps", 2048), ("cuda", 8192)])
def test_a_limit_that_takes_too_long_is_stood_for(device: str, widest: int) -> None:
    found, left_out = conditions(model(32768, device), 10, dtypes=())
    assert padded(found) == [16, 64, widest]
    assert left_out == (
        f"Padding to the limit of 32,768 tokens takes too long on {device}: {widest:,} stand in for it.",
    )
    assert conditions(model(widest, device), 10, dtypes=())[1] == ()
    assert conditions(model(32768, device, "one by one"), 10, dtypes=())[1] == ()


def test_a_text_stands_among_1_7_and_31_others_and_with_plain_products() -> None:
    found, _ = conditions(model(), 10, dtypes=())
    assert found[3:] == (*(replace(ALONE, among=count) for count in (1, 7, 31)), replace(ALONE, kernel="eager"))
    assert {condition.batch for condition in found} == {"alone"}


def test_half_precision_comes_last_and_what_is_refused_is_said() -> None:
    found, left_out = conditions(model(), 10)
    assert found == (
        *conditions(model(), 10, dtypes=())[0],
        *(replace(ALONE, dtype=dtype) for dtype in ("bfloat16", "float16")),
    )
    assert left_out == ()
    found, left_out = conditions(model(77), 10)
    assert found[-1] == replace(ALONE, dtype="bfloat16") and left_out == ("Not in float16.",)
    assert conditions(model(), 64)[1] == conditions(model(), 64, dtypes=())[1]


def test_the_floor_is_run_under_two_cheap_conditions_of_those_that_are_shown() -> None:
    assert bounding(model(), 10) == (replace(ALONE, padded=64), replace(ALONE, kernel="eager"))
    assert bounding(model(70), 66) == (replace(ALONE, padded=70), replace(ALONE, kernel="eager"))
    assert bounding(model(), 64) == (replace(ALONE, kernel="eager"),)
    for length in (1, 10, 64, 65, 512):
        assert set(bounding(model(), length)) <= set(conditions(model(), length, dtypes=())[0])
