"""What holds for every perturbation: its example, its provenance, and that any text is welcome."""

import random
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.base.errors import WobbleError
from core.text.perturb import FACTORS, FORMATTING, Perturbation, Variant, custom, perturbations, register, variants

# Whitespace, quotes, marks, combining sequences and emoji more often than chance would draw them.
_LETTERS = ["a", "I", "don't", "Résumé", "e\u0301", "ß", "İ", "ǆ", "です。", "हिन्दी", "한", "\u1112\u1161", "3.5"]
_EMOJI = ["👩\u200d👩\u200d👧", "👍🏽", "🇫🇷", "1\ufe0f\u20e3", "\u200d"]
_HOSTILE = ["\0", "\u202e", "\r\n", "[SEP]", "<b>", "\ud800"]
awkward = st.lists(
    st.sampled_from([*" .,!?…\n\t\"'“’-–—:)", *_LETTERS, *_EMOJI, *_HOSTILE]),
    max_size=12,
).map("".join)
any_text = st.text(max_size=40) | st.text(st.characters(), max_size=20) | awkward
seeds = st.integers(min_value=0, max_value=2**40)

REQUIRED = {
    "whitespace": "leading_space trailing_space doubled_space tab newline trailing_newline no_break_space thin_space "
    "zero_width_space space_before_punctuation no_space_after_punctuation space_inside_word",
    "casing": "lower upper title sentence_case swapcase alternating random_case_word random_case_character "
    "shout_one_word",
    "punctuation": "drop_final_period add_final_period double_final_period exclamation three_exclamations "
    "question_mark ellipsis_character three_dots remove_all_punctuation straight_quotes curly_quotes drop_apostrophe "
    "dash_to_hyphen hyphen_to_dash wrap_in_quotes drop_comma",
    "unicode": "nfc nfd full_width strip_accents homoglyph append_emoji",
    "typo": "typo_neighbouring_key typo_swap typo_drop typo_double",
    "preprocessing": "clean_html clean_mojibake clean_nfc clean_nfkc clean_accents clean_lower clean_urls clean_mentions "
    "clean_emoji clean_punctuation clean_treebank clean_whitespace clean_stop_words truncate_64 truncate_128 "
    "truncate_256 chain_bag_of_words chain_bag_of_words_no_stop_words chain_tweet chain_glue chain_unicode_repair",
}


def words(text: str, tokens: int) -> str | None:
    """A `Cut` whose tokens are the words between single spaces."""
    found = text.split(" ")
    return " ".join(found[:tokens]) if len(found) > tokens else None


def outside(text: str, spans: list[tuple[int, int]]) -> list[str]:
    """What lies before, between and after the spans."""
    starts = [0, *(end for _, end in spans)]
    ends = [*(start for start, _ in spans), len(text)]
    return [text[start:end] for start, end in zip(starts, ends, strict=True)]


def assert_edits_reconstruct(original: str, variant: Variant) -> None:
    before = [edit.original for edit in variant.edits]
    after = [edit.variant for edit in variant.edits]
    for spans in (before, after):
        flat = [position for span in spans for position in span]
        assert flat == sorted(flat)
    assert all(edit.original != edit.variant or edit.original[0] < edit.original[1] for edit in variant.edits)
    assert outside(original, before) == outside(variant.text, after)


@pytest.mark.parametrize("factor", FACTORS)
def test_every_perturbation_of_a_factor_is_registered(factor: str) -> None:
    assert {rule.name for rule in perturbations([factor])} == set(REQUIRED[factor].split())


@pytest.mark.parametrize("rule", perturbations(), ids=lambda rule: rule.name)
def test_example_is_literally_what_the_perturbation_does(rule: Perturbation) -> None:
    before, after = rule.example
    made = [v for v in variants(before, only=[rule.factor], seed=0, cut=words) if v.perturbation == rule.name]
    assert made[0].text == after
    assert rule.description and "\n" not in rule.description and not rule.description.endswith(".")


def test_perturbations_come_factor_by_factor() -> None:
    factors = [rule.factor for rule in perturbations()]
    assert factors == sorted(factors, key=FACTORS.index)
    assert {rule.factor for rule in perturbations(["typo", "casing"])} == {"casing", "typo"}
    assert perturbations([]) == ()


@pytest.mark.parametrize("ask", [perturbations, lambda only: variants("A text.", only=only)])
def test_unknown_factor_is_refused_in_one_sentence_with_the_valid_ones(ask: Callable[[list[str]], object]) -> None:
    with pytest.raises(WobbleError) as refused:
        ask(["casing", "weather"])
    assert str(refused.value) == (
        'There is no factor "weather": choose from whitespace, casing, punctuation, unicode, typo, preprocessing.'
    )


def test_only_what_a_reader_would_call_another_sentence_is_marked_so() -> None:
    assert {rule.name for rule in perturbations() if not rule.same_sentence} == {
        "question_mark",
        "append_emoji",
        "clean_stop_words",
        "chain_bag_of_words_no_stop_words",
    }


def test_a_perturbation_cannot_take_a_name_twice_nor_live_outside_a_factor() -> None:
    with pytest.raises(ValueError, match="two perturbations are named upper"):
        register("casing", Perturbation("upper", "Again", str.upper, ("a", "A")))
    with pytest.raises(ValueError, match="elsewhere is not a factor"):
        register("elsewhere", Perturbation("other", "Elsewhere", str.upper, ("a", "A")))


@settings(deadline=None, max_examples=300)
@given(any_text, seeds)
@example("\ud800", 0)
@example("a\0b \u202eright to left\u202c [SEP] <script>", 0)
def test_any_text_gives_variants_that_differ_from_it_and_say_where(text: str, seed: int) -> None:
    made = variants(text, only=FACTORS, seed=seed, cut=words)
    assert len({(variant.perturbation, variant.text) for variant in made}) == len(made)
    for variant in made:
        assert variant.text != text
        assert variant.edits
        assert_edits_reconstruct(text, variant)


@settings(deadline=None)
@given(any_text, seeds)
def test_same_seed_gives_same_variants_and_each_replays_from_its_own_seed(text: str, seed: int) -> None:
    made = variants(text, only=FACTORS, seed=seed)
    assert made == variants(text, only=FACTORS, seed=seed)
    rules = {rule.name: rule for rule in perturbations()}
    for variant in made:
        rule = rules[variant.perturbation]
        assert rule.seeded == (variant.seed is not None)
        arguments = [] if variant.seed is None else [random.Random(variant.seed)]
        assert rule.apply(text, *arguments) == variant.text


@settings(deadline=None)
@given(any_text, seeds)
def test_whether_a_seeded_perturbation_applies_depends_on_the_text_alone(text: str, seed: int) -> None:
    for rule in perturbations():
        if rule.seeded:
            assert len({rule.apply(text, random.Random(seed + i)) is None for i in range(5)}) == 1


def test_another_seed_gives_other_draws_and_more_draws_keep_the_first() -> None:
    text = "A long and winding sentence, so that two seeds are most unlikely to draw the same words."
    of_seed = [{v.text for v in variants(text, seed=seed) if v.seed is not None} for seed in (0, 1)]
    assert of_seed[0] != of_seed[1]
    few, many = variants(text, draws=2), variants(text, draws=6)
    assert set(few) < set(many)
    assert all(variant.seed is None for variant in variants(text, draws=0))


def test_draws_do_not_depend_on_the_other_factors_asked_for() -> None:
    text = "One word is drawn here."
    everything = variants(text, seed=5)
    assert variants(text, only=["typo"], seed=5) == tuple(v for v in everything if v.factor == "typo")


@settings(deadline=None, max_examples=20)
@given(any_text)
def test_process_wide_random_state_is_untouched(text: str) -> None:
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 (the state that must not change)
    variants(text, seed=3)
    assert random.getstate() == python
    after = np.random.get_state()  # noqa: NPY002 (the state that must not change)
    assert all(np.array_equal(a, b) for a, b in zip(numpy, after, strict=True))


@settings(deadline=None)
@given(any_text, any_text)
def test_custom_edit_is_a_variant_with_its_edits(original: str, text: str) -> None:
    variant = custom(original, text)
    assert (variant.text, variant.perturbation, variant.factor, variant.seed) == (text, "custom", "custom", None)
    assert bool(variant.edits) == (original != text)
    assert_edits_reconstruct(original, variant)


_PROSE = "The film, which didn't quite work, was well-made; café at 3.5 stars. I loved it! "


@pytest.mark.parametrize(
    "piece", [_PROSE, *_LETTERS, *_EMOJI, "\"'", "1 ", "a'", ". ", " ", "\u0301", "-", "I.\u201d "]
)
@pytest.mark.timeout(60)
def test_a_text_of_any_length_is_edited(piece: str) -> None:
    # A rule that looks at each character for each other one would take many minutes here.
    text = (piece * 40_000)[:40_000]
    for variant in variants(text, only=FACTORS):
        assert_edits_reconstruct(text, variant)


def test_a_variant_says_what_its_rule_does_and_inside_a_sentence_without_the_fine_print() -> None:
    by_rule = {rule.name: rule for rule in perturbations()}
    made = variants("This is a TEST, and it isn't long.", only=FACTORS)
    assert made and all(one.description == by_rule[one.perturbation].description for one in made)
    own = custom("one", "two")
    assert (own.description, own.said) == ("An edit typed by hand", "an edit typed by hand")
    printed = {one.description: one.said for one in made if "; " in one.description or " (" in one.description}
    assert printed
    for description, said in printed.items():
        assert description.lower().startswith(said.lower()) and ";" not in said and "(" not in said


def test_a_drawn_variant_is_the_same_sentence_where_its_rule_says_so() -> None:
    by_rule = {rule.name: rule for rule in perturbations()}
    made = variants("One word is drawn here, and another one.", only=FACTORS)
    assert any(one.seed is not None for one in made)
    assert all(one.same_sentence is by_rule[one.perturbation].same_sentence for one in made)
    assert all(rule.description[0].isupper() and not rule.description.endswith(".") for rule in by_rule.values())


def test_a_rule_that_draws_a_place_draws_three_and_formatting_changes_the_form_alone() -> None:
    drawn = [one for one in variants("One word is drawn here, and another one.") if one.seed is not None]
    counts = {name: sum(one.perturbation == name for one in drawn) for name in {one.perturbation for one in drawn}}
    assert counts and max(counts.values()) == 3
    assert FORMATTING == ("whitespace", "casing", "punctuation", "unicode")
    with pytest.raises(WobbleError, match='There is no factor "a", "b": choose from'):
        perturbations(["a", "typo", "b"])
