"""Encodings equal the tokenizer's own, also among threads; an alignment covers both sequences."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.text.tokens import Encoding, TextEncoder, align
from tests.architectures import SENTENCES, byte_level, unigram, wordpiece

KINDS = {"wordpiece": wordpiece, "byte-level": byte_level, "unigram": unigram, "left": lambda: unigram(tail=True)}
ids = st.lists(st.integers(0, 5), max_size=12)


def encoding(ids: list[int]) -> Encoding:
    return Encoding(
        ids=tuple(ids),
        tokens=tuple(map(str, ids)),
        type_ids=(0,) * len(ids),
        offsets=None,
        special=(False,) * len(ids),
        full_length=len(ids),
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("limit", [8, 100])
def test_ids_are_those_of_the_tokenizer(kind: str, limit: int) -> None:
    tokenizer = KINDS[kind]()
    encoder = TextEncoder(tokenizer, limit)
    texts = [*SENTENCES, "", "  ", "[SEP] </s>", "test " * 40]
    for text, found in zip(texts, encoder(texts), strict=True):
        expected = tokenizer(text, truncation=True, max_length=limit)
        assert list(found.ids) == expected["input_ids"]
        assert found.tokens == tuple(tokenizer.convert_ids_to_tokens(expected["input_ids"]))
        assert found.full_length == len(tokenizer(text)["input_ids"])
        if encoder.uses_type_ids:
            assert list(found.type_ids) == expected["token_type_ids"]


def test_threads_with_other_limits_do_not_disturb_each_other() -> None:
    tokenizer = wordpiece()
    encoders = [TextEncoder(tokenizer, limit) for limit in (5, 8, 50)]
    text = "test " * 100

    def lengths(number: int) -> set[int]:
        return {len(encoders[number % 3]([text])[0].ids) for _ in range(50)}

    with ThreadPoolExecutor(12) as pool:
        for number, found in enumerate(pool.map(lengths, range(12))):
            assert found == {(5, 8, 50)[number % 3]}


def test_offsets_point_into_the_raw_text() -> None:
    text = "  Na\u00efve   TEST."
    found = TextEncoder(wordpiece(), 100)([text])[0]
    assert found.offsets is not None
    spelled = "".join(
        text[begin:end] for (begin, end), special in zip(found.offsets, found.special, strict=True) if not special
    )
    assert spelled == text.replace(" ", "")


@given(ids, ids)
def test_an_alignment_covers_both_sequences_once_and_in_order(a: list[int], b: list[int]) -> None:
    parts = align(encoding(a), encoding(b))
    assert [i for part in parts for i in part.original] == list(range(len(a)))
    assert [i for part in parts for i in part.variant] == list(range(len(b)))
    for part in parts:
        if part.kind == "same":
            assert [a[i] for i in part.original] == [b[i] for i in part.variant]


@given(ids)
def test_a_sequence_aligned_with_itself_is_the_same_everywhere(a: list[int]) -> None:
    assert {part.kind for part in align(encoding(a), encoding(a))} <= {"same"}


@pytest.mark.parametrize("side", ["right", "left"])
def test_what_truncation_cuts_off_is_told_apart_and_what_is_read_has_its_span(side: str) -> None:
    tokenizer = wordpiece()
    tokenizer.truncation_side = side
    encoder = TextEncoder(tokenizer, 6)
    text = "one test two test three test four"
    whole, cut, other = encoder(["test", text, f"{text} x" if side == "right" else f"x {text}"])
    assert whole.cut == 0 and whole.read == (0, 4)
    assert cut.ids == other.ids and cut.key == other.key and cut.cut != other.cut
    assert cut.truncated and cut.read is not None
    begin, end = cut.read
    assert (begin == 0, end == len(text)) == ((True, False) if side == "right" else (False, True))
    assert encoder([text[begin:end]])[0].ids == cut.ids
    assert encoder([""])[0].read is None
