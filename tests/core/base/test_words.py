"""Small words: what stands beside a count agrees with it."""

import pytest

from core.base.words import (
    beginning,
    capital,
    duration,
    every,
    listed,
    megabytes,
    number,
    plural,
    shortened,
    so_far,
    tempered,
    verb,
)


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 edits"), (1, "1 edit"), (2, "2 edits"), (12_345, "12,345 edits"), (-1, "-1 edits")]
)
def test_only_one_is_singular_and_thousands_are_set_apart(count: int, said: str) -> None:
    assert plural(count, "edit") == said


def test_a_noun_may_bring_its_own_plural() -> None:
    assert plural(2, "pass", "passes") == "2 passes"
    assert plural(1, "pass", "passes") == "1 pass"


def test_the_verb_agrees_with_the_count() -> None:
    assert [verb(count, "flips", "flip") for count in (0, 1, 2)] == ["flip", "flips", "flip"]


def test_all_of_two_are_both() -> None:
    assert [every(count) for count in (2, 3, 1_000)] == ["both", "all 3", "all 1,000"]


@pytest.mark.parametrize(
    ("names", "said"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (("a", "b", "c"), "a, b and c")],
)
def test_names_are_listed_as_one_reads_them_out(names: list[str], said: str) -> None:
    assert listed(names) == said


@pytest.mark.parametrize(
    ("shift", "said"),
    [(0.0, "0"), (0.25, "0.25"), (1.0, "1.00"), (0.005, "0.01"), (0.0049, "0.005"), (2.3e-6, "2e-06")],
)
def test_a_shift_above_zero_never_reads_as_zero(shift: float, said: str) -> None:
    assert number(shift) == said


@pytest.mark.parametrize(("sentence", "said"), [("no edit flips BERT", "No edit flips BERT"), ("", ""), ("é", "É")])
def test_only_the_first_letter_changes(sentence: str, said: str) -> None:
    assert capital(sentence) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.2, "1 second"),
        (1.4, "1 second"),
        (89.4, "89 seconds"),
        (90, "2 minutes"),
        (5_390, "90 minutes"),
        (5_400, "1.5 hours"),
    ],
)
def test_a_duration_is_said_in_the_unit_that_one_would_use(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_a_temperature_is_said_where_it_is_not_the_models_own() -> None:
    assert [tempered(t) for t in (1.0, 2.0, 0.608)] == ["", " at T = 2", " at T = 0.608"]


@pytest.mark.parametrize(
    ("longest", "said"),
    [
        (100, "A film, of a kind."),
        (18, "A film, of a kind."),
        (17, "A film, of a…"),
        (13, "A film, of a…"),
        (12, "A film, of…"),
        (4, "A f…"),
        (2, "A…"),
    ],
)
def test_a_text_is_shortened_at_the_end_of_a_word(longest: int, said: str) -> None:
    assert shortened("A film, of a kind.", longest) == said


def test_a_word_that_is_longer_than_the_place_is_cut() -> None:
    assert shortened("x" * 50, 10) == "xxxxxxxxx…" and shortened("Oh " + "x" * 50, 10) == "Oh xxxxxx…"
    assert beginning("  " + "x" * 50, 1) == " " and beginning("a \n b c d", 4) == "a"


def test_what_is_done_is_said_with_the_time_that_the_rest_takes() -> None:
    assert so_far(10, 40, 5.0, "texts") == "10 of 40 texts, about 15 seconds left"
    assert so_far(25_000_000, 100_000_000, 60.0, "MB of x", megabytes) == "25.0 of 100.0 MB of x, about 3 minutes left"
    assert so_far(0, 40, 5.0, "texts") == "0 of 40 texts"
    assert so_far(0, 0, 5.0, "MB of x", megabytes) == "waiting for the first MB of x"
