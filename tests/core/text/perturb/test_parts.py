"""Characters as readers see them, words, and the end of a sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.text.perturb.parts import WORD, graphemes, split_end


@pytest.mark.parametrize(
    "text",
    [
        "a|b",
        "e\u0301|a",
        "👩\u200d👩\u200d👧|👍🏽",
        "🇫🇷|🇩🇪",
        "1\ufe0f\u20e3|1",
        "हि|न्|दी",
        "한|국",
        "\u1112\u1161\u11ab|\u1100\u1173",
        "\r\n|a",
        "🏴\U000e0067\U000e0062\U000e007f|x",
        "\ud800|a",
    ],
)
def test_graphemes_keep_sequences_whole(text: str) -> None:
    assert graphemes(text.replace("|", "")) == text.split("|")


@given(st.text(st.characters()))
def test_graphemes_join_to_the_text(text: str) -> None:
    assert "".join(graphemes(text)) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't stop, it’s 3rd!", ["Don't", "stop", "it’s", "3rd"]),
        ("'quoted' well-made snake_case", ["quoted", "well", "made", "snake", "case"]),
        ("cafe\u0301 हिन्दी 👍🏽", ["cafe\u0301", "हिन्दी"]),
    ],
)
def test_words_keep_their_marks_and_apostrophes(text: str, words: list[str]) -> None:
    assert WORD.findall(text) == words


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("A test.", ("A test", ".", "")),
        ('He said "No." \n', ('He said "No', ".", '" \n')),
        ("Really?!", ("Really", "?!", "")),
        ("No end ", ("No end", "", " ")),
        ("", ("", "", "")),
        ("...", ("", "...", "")),
    ],
)
def test_split_end_finds_the_final_marks_inside_closing_quotes(text: str, parts: tuple[str, str, str]) -> None:
    assert split_end(text) == parts
