"""Factors: options come from a signature, and what they do not take is refused in one sentence."""

from collections.abc import Iterator
from typing import Annotated, Any

import pytest

from core.base.errors import WobbleError
from core.factors.registry import Factor, Range, factor, factors, unregister

NAN = float("nan")


@pytest.fixture
def toy() -> Iterator[Factor]:
    @factor("toy", one="toy", many="toys", effort=3)
    def make(
        ask: Any,
        *,
        times: Annotated[int, Range("how often", 1, 9)] = 3,
        rate: Annotated[float | None, Range("how much", 0, 0.5)] = None,
        above: Annotated[float, Range("from here on", 2.0)] = 2.0,
        at: Annotated[tuple[float, ...], Range("where", 0.1, 10)] = (1.0,),
        parts: Annotated[tuple[str, ...] | None, Range("which", choices=("head", "tail"))] = None,
        way: Annotated[str, Range("how", choices=("up", "down"))] = "up",
        plain: bool = False,
    ) -> Iterator[Any]:
        """play with a text"""
        yield from ()

    yield factors(["toy"])[0]
    unregister("toy")


def test_options_are_those_of_the_signature(toy: Factor) -> None:
    told = {option.name: (option.default, option.range) for option in toy.options}
    assert told == {
        "times": (3, Range("how often", 1, 9)),
        "rate": (None, Range("how much", 0, 0.5)),
        "above": (2.0, Range("from here on", 2.0)),
        "at": ((1.0,), Range("where", 0.1, 10)),
        "parts": (None, Range("which", choices=("head", "tail"))),
        "way": ("up", Range("how", choices=("up", "down"))),
        "plain": (False, Range("")),
    }
    kinds = {option.name: option.kind for option in toy.options}
    assert kinds["times"] is int and kinds["plain"] is bool and kinds["rate"] == (float | None)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"times": 1},
        {"times": 9, "rate": 0, "above": 1e9},
        {"rate": 0.5},
        {"rate": None},
        {"at": (0.1, 10)},
        {"parts": ("head", "tail"), "way": "down", "plain": True},
        {"parts": None},
    ],
)
def test_what_lies_in_the_range_is_taken_bounds_included(options: dict[str, Any], toy: Factor) -> None:
    toy.check(options)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"times": 0}, "times = 0 is not in the range from 1 to 9."),
        ({"times": 10}, "times = 10 is not in the range from 1 to 9."),
        ({"rate": NAN}, "rate = nan is not in the range from 0 to 0.5."),
        ({"rate": -1e-9}, "rate = -1e-09 is not in the range from 0 to 0.5."),
        ({"above": 1.5}, "above = 1.5 is not in the range from 2."),
        ({"above": NAN}, "above = nan is not in the range from 2."),
        ({"at": (1.0, NAN)}, "at = nan is not in the range from 0.1 to 10."),
        ({"at": (0.0,)}, "at = 0 is not in the range from 0.1 to 10."),
        ({"parts": ("head", "arm")}, "parts: 'arm' is not one of head, tail."),
        ({"way": "sideways"}, "way: 'sideways' is not one of up, down."),
        ({"colour": "red"}, "toy has no option 'colour': choose from times, rate, above, at, parts, way, plain."),
    ],
)
def test_what_an_option_does_not_take_is_refused_in_one_sentence(
    options: dict[str, Any], said: str, toy: Factor
) -> None:
    with pytest.raises(WobbleError) as caught:
        toy.check(options)
    assert str(caught.value) == said


def test_a_factor_without_options_says_so() -> None:
    @factor("bare", one="bare", many="bare")
    def bare(ask: Any) -> Iterator[Any]:
        yield from ()

    try:
        with pytest.raises(WobbleError, match="bare has no option 'x': choose from none"):
            factors(["bare"])[0].check({"x": 1})
    finally:
        unregister("bare")


def test_a_factor_stands_behind_those_that_are_registered_and_goes_again(toy: Factor) -> None:
    assert factors()[-1] is toy
    assert [one.name for one in factors(["toy", "casing"])] == ["casing", "toy"]
    assert factors([]) == ()
    with pytest.raises(ValueError, match="two factors are named toy"):
        factor("toy", one="toy", many="toys")(toy.make)
    assert factors()[-1] is toy


def test_an_unknown_factor_is_refused_with_the_known_ones() -> None:
    with pytest.raises(WobbleError) as caught:
        factors(["casing", "weather", "moods"])
    names = ", ".join(one.name for one in factors())
    assert str(caught.value) == f'There is no factor "weather", "moods": choose from {names}.'
    with pytest.raises(WobbleError, match="There is no factor"):
        factors(["toy"])


def test_every_factor_takes_its_own_defaults() -> None:
    for one in factors():
        one.check({option.name: option.default for option in one.options})
        assert one.one and one.many and (one.make.__doc__ or one.edits)


def test_what_decides_a_mood_is_known_of_each_factor() -> None:
    """The thresholds that the verdict's words rest on: changing one is changing what "brittle" and "on the edge" mean."""
    often = {one.name: one.often for one in factors()}
    assert often == {
        "whitespace": 0.1, "casing": 0.1, "punctuation": 0.1, "unicode": 0.1, "typo": None, "preprocessing": None,
        "segmentation": None, "dropout": 0.1, "temperature": 0.1, "seed": 0.25, "numerics": 0.1,
    }  # fmt: skip
    assert [one.name for one in factors() if not one.flips_count] == ["temperature"]
    assert [one.name for one in factors() if not one.floor_applies] == ["numerics"]
    assert [one.name for one in factors() if one.rounding] == ["numerics"]


def test_every_factor_is_spoken_of_in_these_words() -> None:
    """Factors with equal words are counted together in a verdict."""
    words = {one.name: (one.one, one.many) for one in factors()}
    edit = ("formatting edit", "formatting edits")
    assert words == {
        "whitespace": edit, "casing": edit, "punctuation": edit, "unicode": edit, "typo": ("typo", "typos"),
        "preprocessing": ("preprocessing step", "preprocessing steps"),
        "segmentation": ("segmentation", "segmentations"), "dropout": ("dropout pass", "dropout passes"),
        "temperature": ("temperature", "temperatures"), "seed": ("other seed", "other seeds"),
        "numerics": ("condition", "conditions"),
    }  # fmt: skip
    assert [one.name for one in factors() if one.edits] == list(words)[:6]
    assert [one.name for one in sorted(factors(), key=lambda one: one.effort)][-2:] == ["seed", "dropout"]


def test_every_factor_has_these_options() -> None:
    """The command line, sliders and links are made from them."""
    told = {
        one.name: {option.name: (option.default, option.range.low, option.range.high) for option in one.options}
        for one in factors()
    }
    edits = {"seed": (0, 0, None), "same_sentence": (True, None, None)}
    assert told == {
        **dict.fromkeys(["whitespace", "casing", "punctuation", "unicode", "typo", "preprocessing"], edits),
        "segmentation": {
            "draws": (20, 1, 1000), "p": (0.1, 0, 1), "alpha": (0.3, 0, 100), "seed": (0, 0, None),
        },
        "dropout": {
            "passes": (100, 1, 1000), "seed": (0, 0, 2**63 - 1), "p": (None, 0, 0.99), "sites": (None, None, None),
        },
        "temperature": {"at": ((0.25, 0.5, 2.0, 4.0), 1e-3, 1e6)},
        "seed": {},
        "numerics": {},
    }  # fmt: skip
    assert all(isinstance(option.range.help, str) and option.range.help for one in factors() for option in one.options)
