"""The spans that differ, as a person would mark them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.text.perturb import Edit, edits


@pytest.mark.parametrize(
    ("original", "variant", "expected"),
    [
        ("same", "same", []),
        ("", "a", [Edit((0, 0), (0, 1))]),
        ("a", "", [Edit((0, 1), (0, 0))]),
        ("This is", "This is.", [Edit((7, 7), (7, 8))]),
        ("one, two, three", "one two three", [Edit((3, 4), (3, 3)), Edit((8, 9), (7, 7))]),
        ("a b c", "a  b  c", [Edit((2, 2), (2, 3)), Edit((3, 3), (4, 5))]),
        ("A bad film", "A BAD film", [Edit((2, 5), (2, 5))]),
        ("friend", "freind", [Edit((2, 4), (2, 4))]),
        ("a b c", "a\tb\tc", [Edit((1, 2), (1, 2)), Edit((3, 4), (3, 4))]),
        ("not a good film", "a good film now", [Edit((0, 4), (0, 0)), Edit((15, 15), (11, 15))]),
        ("aaa", "aa", [Edit((2, 3), (2, 2))]),
        ("👍🏽 ok", "👍 ok", [Edit((1, 2), (1, 1))]),
    ],
)
def test_edits_mark_what_changed(original: str, variant: str, expected: list[Edit]) -> None:
    assert edits(original, variant) == tuple(expected)


@given(st.text(alphabet="ab ", max_size=30), st.text(alphabet="ab ", max_size=30))
def test_replacing_each_span_gives_the_variant(original: str, variant: str) -> None:
    rebuilt, at = "", 0
    for edit in edits(original, variant):
        rebuilt += original[at : edit.original[0]] + variant[slice(*edit.variant)]
        at = edit.original[1]
    assert rebuilt + original[at:] == variant


@pytest.mark.parametrize("variant", ["x " + "a  b" * 5000 + " y", "x " + "AbAb" * 5000 + " y"])
def test_thousands_of_differences_are_one_edit(variant: str) -> None:
    original = "x " + ("a b" if "a  b" in variant else "abab") * 5000 + " y"
    (edit,) = edits(original, variant)
    assert edit.original[0] >= 2
    assert edit.original[1] <= len(original) - 2
