"""A text cut where its first tokens end reads as the tokenizer's own truncation does."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from core.base.errors import WobbleError
from core.text.perturb import variants
from core.text.perturb.preprocessing import CHAINS, Chain
from core.text.tokens import TextEncoder
from core.text.truncation import cut_after, cutter, why_not
from tests.architectures import SENTENCES, byte_level, unigram, wordpiece

KINDS: dict[str, Callable[[], PreTrainedTokenizerBase]] = {
    "wordpiece": wordpiece,
    "byte-level BPE": byte_level,
    "byte-level BPE without special tokens": lambda: byte_level(prefix=False),
    "unigram": unigram,
    "unigram, special tokens last": lambda: unigram(tail=True),
    **{
        id: lambda id=id: AutoTokenizer.from_pretrained(f"assets/models/{id}")  # type: ignore[misc]
        for id in ("minilm-uncased", "bpe-cased", "unigram-cased")
    },
}
ENCODERS = {kind: TextEncoder(make(), 512) for kind, make in KINDS.items()}
any_text = st.lists(
    st.sampled_from(
        [*SENTENCES, *" .\n\t", "  ", "don't", "👍🏽", "½", "हिन्दी", "é", "e\u0301", "\0", "antidisestablishment"]
    )
    | st.text(max_size=10),
    max_size=12,
).map("".join)


def full(encoder: TextEncoder, text: str) -> list[int]:
    """The ids of the text without truncation and special tokens."""
    assert encoder.backend is not None
    return list(encoder.backend.encode(text, add_special_tokens=False).ids)


def around(encoder: TextEncoder) -> int:
    assert encoder.backend is not None
    return encoder.backend.num_special_tokens_to_add(is_pair=False)


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=200)
@given(any_text, st.integers(min_value=2, max_value=24))
def test_cut_text_has_the_first_ids_and_no_more_than_fit(kind: str, text: str, tokens: int) -> None:
    encoder = ENCODERS[kind]
    found, ids, room = cut_after(encoder, text, tokens), full(encoder, text), tokens - around(encoder)
    if found is None:
        assert len(ids) <= room
        return
    assert len(ids) > room
    assert text.startswith(found)
    assert len(full(encoder, found)) <= room
    # GPT-2's pre-tokenizer splits white space by what follows it, so at the very end its tokens may be fewer.
    kept = full(encoder, found.rstrip() if "BPE" in encoder.name else found)
    assert kept == ids[: len(kept)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tokens", [4, 8, 11, 64])
def test_plain_prose_keeps_every_token_that_fits(kind: str, tokens: int) -> None:
    encoder, tokenizer = ENCODERS[kind], KINDS[kind]()
    text = " ".join(sentence for sentence in SENTENCES if sentence.isascii()) * 4
    found = cut_after(encoder, text, tokens)
    assert found is not None
    assert tokenizer(found)["input_ids"] == tokenizer(text, truncation=True, max_length=tokens)["input_ids"]


def test_character_of_several_tokens_is_kept_whole_or_left_out() -> None:
    encoder = ENCODERS["byte-level BPE without special tokens"]
    text = "a👍b"
    assert len(full(encoder, "👍")) == 4
    assert [cut_after(encoder, text, tokens) for tokens in range(1, 7)] == ["a", "a", "a", "a", "a👍", None]


def test_composed_letter_keeps_its_mark_and_a_halved_character_takes_its_space_along() -> None:
    accented = ENCODERS["unigram"]
    tokens = len(full(accented, "e\u0301")) + 2
    assert cut_after(accented, "e\u0301This is a test.", tokens) == "e\u0301"
    quoted = ENCODERS["bpe-cased"]
    tokens = len(full(quoted, "na\u00efve")) + 3  # of the two tokens of the space and the quotation mark one fits
    assert cut_after(quoted, "na\u00efve \u201cquoted\u201d", tokens) == "na\u00efve"


def test_text_starts_later_where_the_tokenizer_cuts_at_the_left() -> None:
    tokenizer = wordpiece(truncation_side="left")
    encoder = TextEncoder(tokenizer, 100)
    text = "This is a test. I don't like it; do you?"
    found = cut_after(encoder, text, 7)
    assert found is not None and text.endswith(found) and found != text
    assert tokenizer(found)["input_ids"] == tokenizer(text, truncation=True, max_length=7)["input_ids"]


def test_nothing_is_left_where_only_special_tokens_fit() -> None:
    assert cut_after(ENCODERS["wordpiece"], "This is a test.", 2) == ""
    assert cut_after(TextEncoder(wordpiece(truncation_side="left"), 100), "This is a test.", 1) == ""
    assert cut_after(ENCODERS["wordpiece"], "", 2) is None


def test_tokenizer_without_offsets_says_in_a_sentence_why_nothing_is_cut() -> None:
    encoder = TextEncoder(wordpiece(), 100)
    encoder.backend = None
    assert why_not(encoder) is not None and cutter(encoder) is None
    with pytest.raises(WobbleError, match="does not say which characters a token stands for"):
        cut_after(encoder, "text", 64)


def test_lone_surrogate_is_refused_in_a_sentence() -> None:
    with pytest.raises(WobbleError, match="lone surrogate"):
        cut_after(ENCODERS["wordpiece"], "a\ud800b", 64)


def test_long_text_has_its_truncations_among_the_variants_of_a_model() -> None:
    encoder = ENCODERS["minilm-uncased"]
    made = variants("A good film. " * 40, only=["preprocessing"], cut=cutter(encoder))
    found = {v.perturbation: v.text for v in made}
    assert {name: len(full(encoder, found[name])) + 2 for name in ("truncate_64", "truncate_128")} == {
        "truncate_64": 64,
        "truncate_128": 128,
    }
    assert "truncate_256" not in found
    assert why_not(encoder) is None
    chain = Chain((*CHAINS["chain_glue"].steps, "truncate_64"))
    assert len(full(encoder, chain("A good film. " * 40, cutter(encoder)))) == 62
