"""Where the split changes when one character does: what is counted, what is tried, and what is said about it."""

import pytest

from core.base.errors import WobbleError
from core.models.catalog import load
from core.text import resplit
from core.text.resplit import Change, resplits
from core.text.tokens import TextEncoder
from tests.architectures import byte_level, unigram, wordpiece

TOKENIZERS = {"wordpiece": wordpiece, "byte-level": byte_level, "unigram": unigram}
TEXT = "This is a  TEST, twice."


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_a_change_is_what_the_tokenizer_makes_of_the_changed_text(kind: str) -> None:
    encoder = TextEncoder(TOKENIZERS[kind](), 100)
    own = encoder([TEXT])[0]
    for found, change in zip(resplits(encoder, TEXT), resplit.WAYS.values(), strict=True):
        assert len(found.changes) == len(TEXT)
        for at, one in enumerate(found.changes):
            changed = f"{TEXT[:at]}{change(TEXT[at])}{TEXT[at + 1 :]}"
            if one is None:
                assert changed == TEXT
                continue
            tokens = encoder([changed])[0].tokens
            begin = next(
                i for i in range(len(own.tokens) + 1) if own.tokens[i : i + len(one.before)] == one.before
                and (*own.tokens[:i], *one.after, *own.tokens[i + len(one.before) :]) == tokens
            )  # fmt: skip
            assert begin >= 0 and one.position == at
            assert (one.tokens == 0) == (tokens == own.tokens)


def test_an_uncased_tokenizer_reads_every_case_alike_and_drops_a_doubled_space() -> None:
    left_out, other_case = resplits(TextEncoder(wordpiece(), 100), TEXT)
    assert other_case.most == () and {one.tokens for one in other_case.changes if one} == {0}
    assert other_case.said == "16 characters put in the other case, one at a time: no token changes."
    assert left_out.changes[TEXT.index("  ")] == Change(TEXT.index("  "), (), ())


def test_the_changes_that_reach_furthest_are_named_with_their_pieces_each_at_another_place() -> None:
    text = "A modest thriller."
    found, _ = resplits(load("minilm-uncased").encoder, text)
    first, *others = found.most
    assert first.tokens == max(one.tokens for one in found.changes if one) and len(others) == 2
    assert len({one.before for one in found.most}) == 3
    assert "Furthest: “·” (character 2), a modest → am ##odes ##t; “" in found.said
    assert "; “m” in “modest” (character 3), modest → ode ##st." in found.said


def test_what_truncation_would_bring_in_at_the_end_does_not_count() -> None:
    text = "one test two test three test four"
    short, long = (resplits(TextEncoder(wordpiece(), limit), text) for limit in (6, 100))
    assert short == long


def test_a_long_text_is_tried_from_its_beginning_and_one_that_is_too_long_not_at_all() -> None:
    encoder = TextEncoder(wordpiece(), 100)
    assert [len(found.changes) for found in resplits(encoder, "test " * 100)] == [resplit.MOST] * 2
    (found, _) = resplits(encoder, "test " * 1000)
    assert found.changes == () and found.said == "No character can be left out."
    assert resplits(encoder, "")[0].changes == ()
    with pytest.raises(WobbleError, match="lone surrogate"):
        resplits(encoder, "a\ud800")
