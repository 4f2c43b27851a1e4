"""Lessons: what each says is what its experiment shows."""

import ast
from pathlib import Path

import pytest

from core.base.errors import WobbleError
from core.lessons.guided import Lesson, Shown, lesson_named, lessons
from core.lessons.guided.lesson import Opens, lesson
from core.lessons.material import models, snippets

PAGES = Path(__file__).parent.parent.parent.parent / "pages"
TAUGHT = (
    "trailing-space",
    "capitals",
    "final-period",
    "segmentation",
    "forgotten-eval",
    "untrained-head",
    "two-seeds",
    "temperature",
    "batch-and-padding",
    "half-precision",
    "confidence",
)


@pytest.fixture(scope="module")
def shown() -> dict[str, Shown]:
    """Every experiment, run once."""
    return {one.id: one.experiment() for one in lessons()}


def test_every_lesson_is_there_in_its_order() -> None:
    assert tuple(one.id for one in lessons()) == TAUGHT


@pytest.mark.slow
@pytest.mark.parametrize("id", TAUGHT)
def test_the_experiment_bears_out_the_choice_that_the_lesson_calls_right(id: str, shown: dict[str, Shown]) -> None:
    assert shown[id].answer == lesson_named(id).right, shown[id].said


@pytest.mark.slow
@pytest.mark.parametrize("id", TAUGHT)
def test_what_is_measured_is_shown(id: str, shown: dict[str, Shown]) -> None:
    found = shown[id]
    assert found.said.endswith(".") and found.measured and found.rows
    assert all(len(row) == len(found.columns) for row in found.rows)


@pytest.mark.slow
def test_what_lessons_say_of_the_tokenizers_is_so(shown: dict[str, Shown]) -> None:
    assert shown["trailing-space"].measured == {"changed": 2, "flipped": 1}
    assert shown["trailing-space"].rows[0][1].endswith("all equal"), "the uncased tokenizer throws the space away"
    shares = shown["capitals"].measured
    assert shares["minilm-uncased"] == 0 and 0.4 < shares["bpe-cased"] < 0.7 and 0.4 < shares["unigram-cased"] < 0.7
    assert shown["final-period"].measured["others"] <= 2, "for most sentences a full stop does not matter"
    assert shown["confidence"].measured["share"] > 0.8 and shown["confidence"].measured["other"] == 0


@pytest.mark.slow
def test_what_lessons_say_of_chance_is_so(shown: dict[str, Shown]) -> None:
    assert shown["forgotten-eval"].measured["distinct"] == 50
    assert all(site.rate == pytest.approx(0.1) for site in models()[0].sites), "a random tenth is switched off"
    assert shown["untrained-head"].measured["missing"] == 2
    assert abs(float(shown["two-seeds"].measured["accuracy"])) < 0.02, "nearly the same accuracy"
    assert 0.04 < shown["two-seeds"].measured["share"] < 0.08, "about one in twenty"


@pytest.mark.slow
def test_what_lessons_say_of_rounding_is_so(shown: dict[str, Shown]) -> None:
    numerics, half = shown["batch-and-padding"].measured, shown["half-precision"].measured
    assert 0 < numerics["largest"] < 1e-5 < 0.01 < numerics["unmasked"]
    assert half["flips"] <= 1 and half["largest"] > 1000 * numerics["largest"]
    temperature = shown["temperature"].measured
    assert temperature["flips"] == 0 and temperature["cold"] > 0.8 > 0.51 > temperature["hot"] > 0.5


def _declared(page: str) -> str:
    return (PAGES / f"{page}.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("one", lessons(), ids=lambda one: one.id)
def test_a_lesson_opens_a_page_that_knows_what_its_link_says(one: Lesson) -> None:
    source = _declared(one.opens.page)
    ast.parse(source)
    assert all(f'"{name}"' in source for name in one.opens.values)


@pytest.mark.parametrize("one", lessons(), ids=lambda one: one.id)
def test_a_lesson_asks_says_why_and_where_to_read_more(one: Lesson) -> None:
    assert one.question.rstrip().endswith("?") and len(one.choices) == 3 and len(set(one.choices)) == 3
    assert one.why.endswith(".") and one.read
    assert all(address.startswith("https://") for _, address in one.read)


def test_lessons_that_cannot_be_are_refused() -> None:
    opens = Opens("overview", "", ())
    with pytest.raises(ValueError, match="two lessons are named capitals"):
        lesson("capitals", "", "", ("a",), right=0, why="", read=(), opens=opens)(lambda: Shown(0, "", (), ()))
    with pytest.raises(ValueError, match="no choice number 1"):
        lesson("other", "", "", ("a",), right=1, why="", read=(), opens=opens)(lambda: Shown(0, "", (), ()))
    with pytest.raises(WobbleError, match="There is no lesson named 'none'"):
        lesson_named("none")


def test_the_snippets_are_held_out() -> None:
    assert set(snippets(60).split) == {"test"}
