"""What a person expects of single perturbations, beyond their examples; None where one does not apply."""

import random

import pytest

from core.text.perturb import perturbations, variants

RULES = {rule.name: rule for rule in perturbations()}


def made(name: str, text: str) -> str | None:
    """The one variant of a deterministic perturbation, None where it yields nothing."""
    texts = [v.text for v in variants(text, only=[RULES[name].factor]) if v.perturbation == name]
    return texts[0] if texts else None


def drawn(name: str, text: str) -> set[str]:
    """All that forty draws of a seeded perturbation make of a text."""
    draws = (RULES[name].apply(text, random.Random(seed)) for seed in range(40))
    return {draw for draw in draws if draw is not None and draw != text}


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        # whitespace
        ("leading_space", "", " "),
        ("doubled_space", "word", None),
        ("doubled_space", "好电影", None),
        ("tab", " outer spaces stay ", " outer\tspaces\tstay "),
        ("newline", "word", None),
        (
            "space_before_punctuation",
            "It cost 3.5, at 10:30 on example.com!!",
            "It cost 3.5 , at 10:30 on example.com !!",
        ),
        ("space_before_punctuation", 'He said "no."', 'He said "no ."'),
        ("space_before_punctuation", "好电影。", "好电影 。"),
        ("space_before_punctuation", "Already there .", None),
        ("no_space_after_punctuation", "No marks here", None),
        # casing
        ("lower", "好电影 123", None),
        ("upper", "straße", "STRASSE"),
        ("title", "THE FBI DIDN’T", "The Fbi Didn’t"),
        ("title", "cafe\u0301 noir", "Cafe\u0301 Noir"),
        ("sentence_case", '"I KNOW I\'M RIGHT." she said', '"I know I\'m right." She said'),
        ("sentence_case", "3.5 Stars", "3.5 stars"),
        ("alternating", "a-b c", "a-B c"),
        # the end of the sentence
        ("drop_final_period", "This is a test . ", "This is a test  "),
        ("drop_final_period", 'He said "No."', 'He said "No"'),
        ("drop_final_period", "Wait...", None),
        ("drop_final_period", ".", None),
        ("drop_final_period", "好电影。", "好电影"),
        ("add_final_period", "A test ", "A test. "),
        ("add_final_period", "(really)", "(really)."),
        ("add_final_period", "Really?", None),
        ("add_final_period", "Dear all,", None),
        ("add_final_period", "  ", None),
        ("add_final_period", "यह अच्छा है", "यह अच्छा है।"),
        ("double_final_period", "好电影。", "好电影。。"),
        ("exclamation", "A test", "A test!"),
        ("exclamation", "A test!", None),
        ("exclamation", "Is it?", None),
        ("exclamation", "👩\u200d👩\u200d👧", "👩\u200d👩\u200d👧!"),
        ("three_exclamations", "好电影。", "好电影！！！"),
        ("question_mark", "مرحبا.", "مرحبا؟"),
        ("question_mark", "Is it?!", None),
        ("ellipsis_character", "Well...", "Well…"),
        ("three_dots", "Well…", "Well..."),
        ("three_dots", "Well...", None),
        # marks inside it
        ("remove_all_punctuation", "Good - not great — no?", "Good not great no"),
        ("remove_all_punctuation", "R&D is 50% off, #1!", "R&D is 50% off #1"),
        ("remove_all_punctuation", "‼\ufe0f done.", "‼\ufe0f done"),
        ("remove_all_punctuation", "1,000.50 and 1,000.", "1,000.50 and 1,000"),
        ("remove_all_punctuation", "?!", None),
        ("remove_all_punctuation", "", None),
        ("curly_quotes", "The '90s (\"'so' it\" went) don't end", "The ’90s (“‘so’ it” went) don’t end"),
        ("straight_quotes", "No quotes", None),
        ("drop_apostrophe", "'quoted' only", None),
        ("dash_to_hyphen", "good—bad", "good-bad"),
        ("hyphen_to_dash", "-5 -- -> x", None),
        ("wrap_in_quotes", " A test. ", ' "A test." '),
        ("wrap_in_quotes", "“A test.”", None),
        ("wrap_in_quotes", "", None),
        ("drop_comma", "好，电影", "好电影"),
        ("drop_comma", "1,000", None),
        # unicode
        ("nfc", "plain", None),
        ("nfd", "한", "\u1112\u1161\u11ab"),
        ("full_width", "1\ufe0f\u20e3 a b", "1\ufe0f\u20e3 ａ ｂ"),
        ("strip_accents", "Cafe\u0301 Ελλάδα", "Cafe Ελλαδα"),
        ("strip_accents", "हिन्दी が \u304b\u3099 ≠", None),
        ("append_emoji", "A test. \n", "A test. 🙂 \n"),
        ("append_emoji", " ", None),
    ],
)
def test_perturbation_does_what_a_reader_expects(name: str, text: str, expected: str | None) -> None:
    assert made(name, text) == expected


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("zero_width_space", "ab 12", {"a\u200bb 12"}),
        ("zero_width_space", "I a 👩\u200d👧", set()),
        ("space_inside_word", "e\u0301a", {"e\u0301 a"}),
        ("space_inside_word", "don't", {"d on't", "do n't"}),
        ("random_case_character", "ab", {"aB", "Ab", "AB"}),
        ("random_case_word", "ab", {"AB", "Ab"}),
        ("random_case_word", "好电影", set()),
        ("shout_one_word", "I am so", {"I AM so", "I am SO"}),
        ("shout_one_word", "NASA", set()),
        ("homoglyph", "to", {"tо"}),
        ("homoglyph", "мир", {"миp"}),
        ("homoglyph", "好", set()),
        ("typo_neighbouring_key", "QQ", {"WQ", "AQ", "QW", "QA"}),
        ("typo_neighbouring_key", "好电影 a e\u0301e\u0301", set()),
        ("typo_swap", "It", {"Ti"}),
        ("typo_swap", "aA 12 b", set()),
        ("typo_drop", "not", {"no", "nt"}),
        ("typo_drop", "is it", set()),
        ("typo_double", "e\u0301", {"e\u0301e\u0301"}),
        ("typo_double", "12 👍🏽", set()),
    ],
)
def test_seeded_perturbation_draws_all_of_these_and_nothing_else(name: str, text: str, expected: set[str]) -> None:
    assert drawn(name, text) == expected
