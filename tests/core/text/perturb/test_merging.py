"""One text is one case with all its names, counted once."""

from hypothesis import given
from hypothesis import strategies as st

from core.text.perturb import FACTORS, USUAL, Variant, merged, variants


def variant(text: str, name: str, factor: str = "casing", same: bool = True) -> Variant:
    return Variant(text, name, factor, (), None, same)


def test_step_that_gives_the_text_of_an_edit_is_its_second_name() -> None:
    made = {v.text: v for v in merged(variants("Café IT", only=FACTORS))}
    small = made["café it"]
    assert (small.perturbation, small.factor) == ("lower", "casing")
    assert ("clean_lower", "preprocessing") in small.also
    assert ("chain_glue", "preprocessing") in small.also
    assert small.document()["also"] == [name for name, _ in small.also] and "also" not in variant("x", "y").document()
    assert made["Cafe IT"].also == (("clean_accents", "preprocessing"),)


@given(st.text(max_size=30))
def test_each_text_of_a_step_stands_once_and_no_name_is_lost(text: str) -> None:
    made = variants(text, only=FACTORS)
    found = merged(made)
    usual = [v for v in made if v.factor in USUAL]
    assert [v.text for v in found][: len(usual)] == [v.text for v in usual]
    steps = [v.text for v in found if v.factor not in USUAL]
    assert len(set(steps)) == len(steps) and not set(steps) & {v.text for v in usual}
    names = [name for v in found for name in ((v.perturbation, v.factor), *v.also)]
    assert sorted(set(names)) == sorted({(m.perturbation, m.factor) for m in made})
    assert merged(found) == found


def test_edits_of_one_text_stay_two_and_a_step_joins_the_first() -> None:
    made = [variant("x", "upper"), variant("x", "title"), variant("x", "clean_lower", "preprocessing")]
    first, second = merged(made)
    assert (first.perturbation, first.also) == ("upper", (("clean_lower", "preprocessing"),))
    assert (second.perturbation, second.also) == ("title", ())


def test_a_text_that_one_of_its_makers_calls_the_same_sentence_is_it() -> None:
    for first, second in ((False, True), (True, False)):
        (one,) = merged(
            [variant("x", "question_mark", same=first), variant("x", "clean_nfkc", "preprocessing", second)]
        )
        assert one.same_sentence
    (other,) = merged([variant("x", "y", same=False), variant("x", "clean_nfc", "preprocessing", same=False)])
    assert not other.same_sentence
