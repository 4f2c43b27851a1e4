"""White space is always visible, and nothing that is shown disturbs the line it stands in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.text.visible import LEGEND, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a b", "a\u00b7b"),
        ("a\tb\n", "a\u2192b\u21b5"),
        ("a\u00a0b\u2009c", "a\u237db\u2423c"),
        ("sp\u200blit", "sp\u2205lit"),
        ("\0\x7f", "\u2400\u2421"),
        ("\u202eabc", "\u2039U+202E\u203aabc"),
        ("\ud800", "\u2039U+D800\u203a"),
        ("\U0001f469\u200d\U0001f467", "\U0001f469\u200d\U0001f467"),
        ("a\u200db", "a\u2205b"),
    ],
)
def test_examples(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text(st.characters(exclude_categories=())))
def test_what_is_shown_is_printable_and_has_no_white_space(text: str) -> None:
    shown = visible(text).replace("\u200d", "")
    assert shown.isprintable()
    assert not any(character.isspace() for character in shown)


def test_every_mark_of_the_legend_is_used() -> None:
    shown = visible(" \t\n\u00a0\u2009\u200b")
    assert set(shown) == set(LEGEND)
