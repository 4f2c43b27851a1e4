"""The cleaning steps do what the recipes that they are named after do, and chains are their steps in order."""

import re
import unicodedata
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.base.errors import WobbleError
from core.text.perturb import FACTORS, FORMATTING, USUAL, perturbations, variants
from core.text.perturb.preprocessing import CHAINS, Chain, steps

RULES = {rule.name: rule for rule in perturbations(["preprocessing"])}
STEPS = [rule.name for rule in steps()]
CUTTING = [name for name in STEPS if RULES[name].needs_cut]
PLAIN = [name for name in STEPS if name not in CUTTING]

any_text = st.text(max_size=60) | st.lists(
    st.sampled_from(
        [
            "@bob",
            "http://x.y",
            "&amp;",
            "Ã©",
            "don't",
            '"',
            "''",
            "``",
            ".",
            " ",
            "\n",
            "\u00a0",
            "👍🏽",
            "İ",
            "cannot",
            "#",
            "½",
        ]
    ),
    max_size=15,
).map("".join)


def words(text: str, tokens: int) -> str | None:
    found = text.split(" ")
    return " ".join(found[:tokens]) if len(found) > tokens else None


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("clean_html", "&lt;b&gt; &amp;amp; &nbsp;AT&T", "<b> &amp; \u00a0AT&T"),
        ("clean_mojibake", "voilÃ  le Ã©tÃ©", "voilà le été"),
        ("clean_mojibake", "ﬁne “quotes” \u001b[1mbold", 'fine "quotes" bold'),
        ("clean_nfc", "e\u0301 ½", "é ½"),
        ("clean_nfkc", "Ｆｕｌｌ ½", "Full 1⁄2"),
        ("clean_accents", "naïve Å ≠ ø", "naive A = ø"),
        ("clean_accents", "हिन्दी", "हिनदी"),
        ("clean_lower", "İSTANBUL Straße", "i\u0307stanbul straße"),
        ("clean_urls", "(http://a.b) https://a.b/c?d=e. www.a.b HTTP://a.b", "(http://a.b) http www.a.b HTTP://a.b"),
        ("clean_mentions", "@bob! .@ann @ a@b.c", "@user .@ann @ a@b.c"),
        ("clean_urls", "see http://a.b\nGood\thttps://c.d\tfilm", "see http\nGood\thttp\tfilm"),
        ("clean_mentions", "by @bob\nGood\t@ann\tfilm", "by @user\nGood\t@user\tfilm"),
        ("clean_emoji", "👩\u200d👩\u200d👧 I ❤️ it", ":family_woman_woman_girl: I :red_heart: it"),
        ("clean_punctuation", "3.5 stars, R&D… “50%”", "35 stars RD… “50”"),
        ("clean_whitespace", "\ta \u2009 b\r\n", "a b"),
        ("clean_whitespace", "a\u200bb", "a\u200bb"),
        ("clean_stop_words", "It WAS never good, not once.", "good, once."),
    ],
)
def test_step_does_what_its_recipe_does(name: str, text: str, expected: str) -> None:
    assert Chain((name,))(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "I don't, I can't, I cannot, we'll, he's, they're.",
            "I do n't , I ca n't , I can not , we 'll , he 's , they 're .",
        ),
        ('He said "no."', "He said `` no . ''"),
        ("It cost $3.88 (or 3,36 euros)!", "It cost $ 3.88 ( or 3,36 euros ) !"),
        ("One. Two.", "One. Two ."),
        ("Wait... no -- really?", "Wait ... no -- really ?"),
        ("don’t", "don ’ t"),
        ("  spaced \n out ", "spaced out"),
        ("", ""),
    ],
)
def test_treebank_spacing_is_that_of_nltk_without_its_data(text: str, expected: str) -> None:
    assert Chain(("clean_treebank",))(text) == expected


@given(any_text)
def test_links_and_mentions_are_replaced_as_on_the_cards_of_cardiffnlp(text: str) -> None:
    """Their function, word by word, against the two regular expressions; here any white space parts words."""

    def word(token: str) -> str:
        token = "@user" if token.startswith("@") and len(token) > 1 else token
        return "http" if token.startswith("http") else token

    assert CHAINS["chain_tweet"](text) == "".join(map(word, re.split(r"(\s)", text)))


def test_placeholders_are_the_persons_own_and_taken_literally() -> None:
    chain = Chain(("clean_urls", "clean_mentions"), url="<URL>", mention=r"\1@USER")
    assert chain("@bob http://a.b") == r"\1@USER <URL>"


# Not html ("&amp;amp;"), and not Treebank spacing: which way a quote that stands alone looks depends on what is beside it.
@pytest.mark.parametrize("name", [name for name in PLAIN if name not in ("clean_html", "clean_treebank")])
@settings(deadline=None)
@given(any_text)
def test_step_leaves_a_text_that_it_has_cleaned(name: str, text: str) -> None:
    step = Chain((name,))
    assert step(step(text)) == step(text)


@pytest.mark.parametrize(("name", "form"), [("clean_nfc", "NFC"), ("clean_nfkc", "NFKC"), ("clean_accents", "NFD")])
@given(st.text())
def test_text_is_normalized_after_its_step(name: str, form: Literal["NFC", "NFKC", "NFD"], text: str) -> None:
    assert unicodedata.is_normalized(form, Chain((name,))(text))


def test_plain_text_is_left_by_all_steps_but_the_removal_of_stop_words() -> None:
    text = "this is a plain sentence"
    assert Chain(tuple(name for name in PLAIN if name != "clean_stop_words"))(text) == text
    assert {v.perturbation for v in variants(text, only=["preprocessing"])} == {
        "clean_stop_words",
        "chain_bag_of_words_no_stop_words",
    }


@pytest.mark.parametrize("name", [*STEPS, *CHAINS])
@settings(deadline=None)
@given(any_text | st.text(st.characters(exclude_categories=[])))
def test_no_text_makes_a_step_or_a_chain_raise(name: str, text: str) -> None:
    rule = RULES[name]
    rule.apply(text, words) if rule.needs_cut else rule.apply(text)


@settings(deadline=None)
@given(any_text, st.lists(st.sampled_from(STEPS), max_size=6))
def test_chain_gives_the_text_after_each_of_its_steps_in_order(text: str, names: list[str]) -> None:
    after = Chain(tuple(names)).apply(text, words)
    assert len(after) == len(names)
    for name, found in zip(names, after, strict=True):
        rule = RULES[name]
        made = rule.apply(text, words) if rule.needs_cut else rule.apply(text)
        text = text if made is None else made
        assert found == text
    assert Chain(tuple(names))(text, words) == (Chain(tuple(names)).apply(text, words) or (text,))[-1]


@pytest.mark.parametrize("name", CHAINS)
def test_usual_chain_is_a_perturbation_that_equals_its_steps(name: str) -> None:
    before, after = RULES[name].example
    assert RULES[name].apply(before) == CHAINS[name].apply(before)[-1] == after
    counted = all(RULES[step].same_sentence for step in CHAINS[name].steps)
    assert RULES[name].same_sentence == counted


def test_unknown_step_and_a_chain_as_a_step_are_refused_with_the_valid_ones() -> None:
    for name in ("clean_everything", "upper", "chain_tweet"):
        with pytest.raises(WobbleError, match=rf'^"{name}" is not a preprocessing step: choose from clean_html, .*\.$'):
            Chain(("clean_lower", name))


def test_truncation_is_tried_only_where_a_model_says_where_its_tokens_end() -> None:
    text = "word " * 300
    assert not {v.perturbation for v in variants(text, only=["preprocessing"])} & set(CUTTING)
    made = {v.perturbation: v.text for v in variants(text, only=["preprocessing"], cut=words)}
    assert {name: len(made[name].split()) for name in CUTTING} == {
        "truncate_64": 64,
        "truncate_128": 128,
        "truncate_256": 256,
    }
    assert {v.perturbation for v in variants("word " * 100, only=["preprocessing"], cut=words)} & set(CUTTING) == {
        "truncate_64"
    }
    with pytest.raises(WobbleError, match="truncates: choose a model"):
        Chain(("clean_lower", "truncate_64")).apply(text)


def test_preprocessing_is_the_last_factor_of_edits_and_not_formatting() -> None:
    assert FACTORS[-1] == "preprocessing"
    assert "preprocessing" not in FORMATTING
    assert {v.factor for v in variants("Don't STOP http://a.b")} <= set(USUAL)
