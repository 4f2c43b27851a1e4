"""The stages of a tokenizer, and which of them erased an edit."""

import pytest

from core.base.errors import WobbleError
from core.text.stages import absorbed_by, counts, stages
from core.text.tokens import TextEncoder
from tests.architectures import byte_level, unigram, wordpiece


@pytest.fixture(scope="module")
def uncased() -> TextEncoder:
    return TextEncoder(wordpiece(), 100)


def test_every_stage_of_a_wordpiece_tokenizer_is_shown(uncased: TextEncoder) -> None:
    found = stages(uncased, "This  is\ta TEST.")
    assert found.normalized == "this  is a test."
    assert found.pre_tokens is not None
    assert [piece.text for piece in found.pre_tokens] == ["this", "is", "a", "test", "."]
    assert found.encoding.tokens[0] == "[CLS]"
    assert found.notes == ()


@pytest.mark.parametrize(
    ("variant", "words"),
    [
        ("THIS IS A TEST.", "normalizer: lower-case"),
        ("This is \u00e0 test.", "normalizer: strip accents"),
        ("This is a \u200btest.", "normalizer: clean up"),
        ("This  is a test . ", "pre-tokenizer: splits at white space"),
        ("This IS a test .", "normalizer: lower-case; pre-tokenizer"),
    ],
)
def test_the_stage_that_erased_an_edit_is_named(uncased: TextEncoder, variant: str, words: str) -> None:
    said = absorbed_by(uncased, "This is a test.", variant)
    assert said is not None
    assert said.startswith(words)


def test_nothing_erased_an_edit_that_reaches_the_model(uncased: TextEncoder) -> None:
    assert absorbed_by(uncased, "This is a test.", "This is a test!") is None
    assert absorbed_by(TextEncoder(byte_level(), 100), "This is a test.", "This is a test. ") is None


def test_an_edit_beyond_the_limit_is_erased_by_truncation() -> None:
    encoder = TextEncoder(wordpiece(), 6)
    text = "one two three four five six seven eight"
    assert "truncation" in (absorbed_by(encoder, text, text + " nine") or "")
    assert "the rest is cut off" in stages(encoder, text).notes[0]


def test_a_special_token_in_the_text_is_pointed_out(uncased: TextEncoder) -> None:
    assert any("[SEP]" in note for note in stages(uncased, "a [SEP] b").notes)


def test_a_missing_normalizer_is_said() -> None:
    found = stages(TextEncoder(byte_level(), 100), "x")
    assert found.normalized is None
    assert "no normalizer" in found.notes[0]


def test_metaspace_shows_its_spaces() -> None:
    found = stages(TextEncoder(unigram(), 100), "a b")
    assert found.pre_tokens is not None
    assert [piece.text for piece in found.pre_tokens] == ["\u2581a", "\u2581b"]


def test_a_lone_surrogate_is_refused(uncased: TextEncoder) -> None:
    with pytest.raises(WobbleError, match="lone surrogate"):
        stages(uncased, "\udfff")


def test_characters_bytes_and_tokens_are_counted_and_special_tokens_stand_for_no_character(
    uncased: TextEncoder,
) -> None:
    found = counts(stages(uncased, "Na\u00efve test."))
    assert (found.characters, found.utf8, found.special) == (11, 12, 2)
    assert found.characters_a_token == 11 / (found.tokens - 2)
    assert counts(stages(uncased, "")).characters_a_token is None
    # Only what is read counts where the text is cut off.
    cut = counts(stages(TextEncoder(wordpiece(), 6), "test " * 50))
    assert cut.tokens == 6 and cut.characters == 250 and cut.characters_a_token == len("test test test test") / 4
