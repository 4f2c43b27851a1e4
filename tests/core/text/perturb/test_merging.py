"""One text is one case with all its names, counted once."""

from hypothesis import given
from hypothesis import strategies as st

from core.text.perturb import FACTORS, Variant, merged, variants


def variant(text: str, name: str, factor: str = "casing", same: bool = True) -> Variant:
    return Variant(text, name, factor, (), None, same)


def test_step_that_gives_the_text_of_an_edit_is_its_second_name() -> None:
    made = {v.text: v for v in merged(variants("Café IT", only=FACTORS))}
    small = made["café it"]
    assert (small.perturbation, small.factor) == ("lower", "casing")
    assert ("clean_lower", "preprocessing") in small.also
    assert ("chain_glue", "preprocessing") in small.also
    assert made["Cafe IT"].also == (("clean_accents", "preprocessing"),)


@given(st.text(max_size=30))
def test_each_text_and_each_name_stand_once_in_the_order_of_the_first(text: str) -> None:
    made = variants(text, only=FACTORS)
    found = merged(made)
    assert [v.text for v in found] == list(dict.fromkeys(v.text for v in made))
    names = [((v.perturbation, v.factor), *v.also) for v in found]
    for v, own in zip(found, names, strict=True):
        assert len(set(own)) == len(own)
        assert set(own) == {(m.perturbation, m.factor) for m in made if m.text == v.text}
    assert merged(found) == found


def test_text_that_some_edit_leaves_the_same_sentence_counts() -> None:
    (found,) = merged([variant("x", "question_mark", same=False), variant("x", "upper"), variant("x", "upper")])
    assert found.perturbation == "question_mark"
    assert found.same_sentence
    assert found.also == (("upper", "casing"),)
    (other,) = merged([variant("x", "question_mark", same=False), variant("x", "append_emoji", same=False)])
    assert not other.same_sentence
