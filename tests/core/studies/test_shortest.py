"""The shortest flip: it flips, no part of it does, and where none is found, what was tried is said."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.shortest import sizes
from core.base.errors import WobbleError
from core.data.snippets import gallery, snippets
from core.factors.ask import Ask
from core.models.catalog import load
from core.models.classifier import Classifier
from core.models.predict import Condition, predict
from core.studies.shortest import BUDGET, _Search, changed, combined, composed, shortest_flip
from core.studies.study import Study, compare
from core.text.perturb import FORMATTING, Variant, variants
from core.text.perturb.edits import edits

TEXT = "Even in this less than magic kingdom, Reese rules."


@pytest.fixture(scope="module")
def model() -> Classifier:
    return load()


def variant(original: str, text: str) -> Variant:
    return Variant(text, "made", "punctuation", edits(original, text), None, True)


def singles(model: Classifier, text: str) -> Study:
    return compare(model, text, [v for v in variants(text, only=FORMATTING) if v.same_sentence])


def test_edits_of_different_places_are_combined_and_others_are_not() -> None:
    text = "A film, good."
    no_comma, no_period, upper = (variant(text, t) for t in ("A film good.", "A film, good", "A FILM, GOOD."))
    assert combined(text, [no_comma, no_period]) == "A film good"
    assert combined(text, [no_period, no_comma]) == "A film good"
    assert combined(text, [upper, no_comma]) == "A FILM GOOD."
    assert combined(text, [upper, variant(text, "A Film, good.")]) is None
    assert combined(text, [variant(text, "A film, good.!"), variant(text, "A film, good.?")]) is None
    assert changed(no_comma) == 1 and changed(upper) == 8


def test_a_single_edit_that_flips_is_found_and_nothing_larger_is_tried(model: Classifier) -> None:
    found = shortest_flip(model, TEXT)
    assert found.size == 1
    single = singles(model, TEXT)
    assert {one.text for one in found.flips} == {case.text for case in single.cases if case.flip}
    assert found.sequences == len({case.encoding.ids for case in single.cases if not case.absorbed})
    assert "flips it to negative" in found.finding
    assert found.budget == BUDGET and shortest_flip(model, TEXT, budget=3).budget == 3


def test_a_search_shows_probabilities_at_its_temperature(model: Classifier) -> None:
    usual, found = shortest_flip(model, TEXT), shortest_flip(model, TEXT, temperature=2.0)
    assert {one.text for one in found.flips} == {one.text for one in usual.flips}
    for one in (found.reference, *found.flips):
        np.testing.assert_array_equal(one.probabilities, model.head.probabilities(one.logits, 2.0))


@pytest.mark.parametrize("id", ["minilm-uncased", "bpe-cased"])
def test_a_larger_set_flips_and_no_part_of_it_does(id: str) -> None:
    classifier, larger = load(id), 0
    steady = ["A wonderful, moving film that everybody should see.", "An utterly charming comedy."]
    for text in [*steady, *list(snippets("test", "movie")["text"])[:6]]:
        found = shortest_flip(classifier, text, budget=120)
        if found.size is None or found.size == 1:
            continue
        larger += 1
        if larger > 2:
            break
        for one in found.flips:
            alone = predict(classifier, classifier.encoder([one.text]), Condition(batch="alone")).logits[0]
            assert classifier.labels[alone.argmax()] == one.label != found.reference.label
            parts = [combined(text, [e for e in one.made.edits if e is not left]) for left in one.made.edits]
            labels = predict(classifier, classifier.encoder([part for part in parts if part])).logits.argmax(-1)
            assert {classifier.labels[i] for i in labels} == {found.reference.label}
    assert larger


def test_what_is_not_found_says_how_much_was_tried(model: Classifier) -> None:
    text = "A wonderful, moving film that everybody should see."
    found = shortest_flip(model, text, most_edits=1)
    assert found.size is None and found.flips == ()
    assert found.complete
    assert found.finding == f"None found within 1 edit and {found.sequences} token sequences."
    spent = shortest_flip(model, text, budget=found.sequences + 1)
    assert spent.sequences <= found.sequences + 1
    assert not spent.complete
    assert "within 2 edits" in spent.finding


def test_progress_is_told_and_can_cancel(model: Classifier) -> None:
    told: list[tuple[int, int]] = []
    text = "A wonderful, moving film that everybody should see."
    shortest_flip(model, text, budget=100, progress=lambda done, total: told.append((done, total)))
    assert told and told[-1][0] <= 100 and {total for _, total in told} == {100}

    def cancel(_: int, __: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shortest_flip(model, text, budget=100, progress=cancel)


def test_questions_emoji_and_typos_are_left_out(model: Classifier) -> None:
    for example in gallery()[:6]:
        for one in shortest_flip(model, example.text, budget=60).flips:
            assert all(edit.same_sentence and edit.factor in FORMATTING for edit in one.made.edits)


def test_multi_label_heads_flip_and_regression_is_refused(tiny: Callable[..., Classifier]) -> None:
    many = tiny("bert", num_labels=3, problem_type="multi_label_classification")
    assert shortest_flip(many, "A film, good.", budget=50).sequences > 0
    value = tiny("bert", num_labels=1, problem_type="regression")
    with pytest.raises(WobbleError, match="no label to flip"):
        shortest_flip(value, "A film, good.")


def test_texts_within_so_many_edits_are_counted_together(model: Classifier) -> None:
    found = [shortest_flip(model, text) for text in (TEXT, "A wonderful, moving film that everybody should see.")]
    assert [one.size for one in found] == [1, 2]
    assert sizes(found) == {1: 1, 2: 2, 3: 2}
    assert all(np.isfinite(flip.margin) and flip.margin < 0 for one in found for flip in one.flips)


def test_the_nearest_set_is_the_one_with_the_smallest_margin(model: Classifier) -> None:
    for text in ("A wonderful, moving film that everybody should see.", TEXT):
        found, single = shortest_flip(model, text, most_edits=1), singles(model, text)
        margins = {case.text: case.margin for case in single.cases if not case.absorbed}
        assert found.nearest is not None
        assert found.nearest.margin == pytest.approx(min(margins.values()), abs=1e-6)
        assert margins[found.nearest.text] == min(margins.values()) < max(margins.values())


def search_of(model: Classifier, text: str) -> _Search:
    search = _Search(Ask(model, text), 400, seed=0)
    search.try_all(search.promising(1))
    return search


def test_sets_that_hold_a_known_flip_are_never_tried(model: Classifier) -> None:
    search = search_of(model, "A wonderful, moving film that everybody should see.")
    pairs = list(search.promising(2))
    flipping = pairs[0][0]
    flip = search.tried[(flipping,)]
    search.tried[(flipping,)] = replace(flip, flip=True, fate="flips", shift=1.0)
    assert [key for key in pairs if flipping not in key] == list(search.promising(2)) != pairs
    # A flip by rounding alone is none.
    search.tried[(flipping,)] = replace(flip, flip=True, fate="flips", shift=search.row.noise_floor)
    assert list(search.promising(2)) == pairs
    search.tried[(flipping,)] = replace(
        flip, flip=True, fate="flips", shift=float(np.nextafter(search.row.noise_floor, 1))
    )
    assert list(search.promising(2)) != pairs


def test_sets_come_best_first_and_only_of_edits_of_different_places(model: Classifier) -> None:
    search = search_of(model, "A wonderful, moving film that everybody should see.")
    start = search.ask.reference.margin or 0
    moves = {key[0]: start - (case.margin or 0) for key, case in search.tried.items()}
    pairs = list(search.promising(2))
    promises = [sum(moves[i] for i in key) for key in pairs]
    assert promises == sorted(promises, reverse=True)
    assert all(combined(search.ask.text, [search.single[i] for i in key]) is not None for key in pairs)


def test_a_set_is_described_by_its_edits(model: Classifier) -> None:
    text = "A film, good."
    found = composed((variant(text, "A film good."), variant(text, "A film, good")), "A film good")
    assert found.name == "made + made"
    assert " and " in found.said
    assert [edit["text"] for edit in found.document()["edits"]] == ["A film good.", "A film, good"]


@pytest.mark.parametrize(("edits", "budget"), [(0, 10), (4, 10), (1, 0)])
def test_a_search_that_cannot_be_made_is_refused(edits: int, budget: int, model: Classifier) -> None:
    with pytest.raises(WobbleError, match="1 to 3 edits"):
        shortest_flip(model, TEXT, most_edits=edits, budget=budget)
