"""The shortest flip: it flips, no part of it does, and what was not found is said with what was tried."""

import numpy as np
import pytest

from core.base.errors import WobbleError
from core.data.snippets import gallery, snippets
from core.models.catalog import load
from core.models.classifier import Classifier, Condition, predict
from core.studies.compare import compare
from core.studies.shortest import FORMATTING, changed, combined, shortest_flip, sizes
from core.text.perturb import Variant, variants
from core.text.perturb.edits import edits
from tests.architectures import loaded, save

TEXT = "Even in this less than magic kingdom, Reese rules."


@pytest.fixture(scope="module")
def model() -> Classifier:
    return load()


def variant(original: str, text: str) -> Variant:
    return Variant(text, "made", "punctuation", edits(original, text), None, True)


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
    single = compare(model, TEXT, [v for v in variants(TEXT, only=FORMATTING) if v.same_sentence])
    assert {one.text for one in found.flips} == {row.variant.text for row in single.rows if row.flip}
    assert found.sequences == len({row.encoding.ids for row in single.rows if not row.absorbed})
    assert "flips it to negative" in found.finding


@pytest.mark.parametrize("id", ["minilm-uncased", "bpe-cased"])
def test_a_larger_set_flips_and_no_part_of_it_does(id: str) -> None:
    classifier, larger = load(id), 0
    steady = ["A wonderful, moving film that everybody should see.", "An utterly charming comedy."]
    for text in [*steady, *list(snippets("test", "movie")["text"])[:10]]:
        found = shortest_flip(classifier, text, budget=120)
        if found.size is None or found.size == 1:
            continue
        larger += 1
        for one in found.flips:
            assert (
                classifier.labels[predict(classifier, [one.text], Condition(batch="alone")).logits[0].argmax()]
                == one.label
            )
            assert one.label != found.label
            parts = [combined(text, [e for e in one.edits if e is not left]) for left in one.edits]
            labels = predict(classifier, [part for part in parts if part]).logits.argmax(-1)
            assert {classifier.labels[i] for i in labels} == {found.label}
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
            assert all(edit.same_sentence and edit.factor in FORMATTING for edit in one.edits)


def test_multi_label_heads_flip_and_regression_is_refused(tmp_path: object) -> None:
    many = loaded(save("bert", tmp_path / "many", num_labels=3, problem_type="multi_label_classification"))
    assert shortest_flip(many, "A film, good.", budget=50).sequences > 0
    value = loaded(save("bert", tmp_path / "value", num_labels=1, problem_type="regression"))
    with pytest.raises(WobbleError, match="no label to flip"):
        shortest_flip(value, "A film, good.")


def test_texts_within_so_many_edits_are_counted_together(model: Classifier) -> None:
    found = [shortest_flip(model, text) for text in (TEXT, "A wonderful, moving film that everybody should see.")]
    assert [one.size for one in found] == [1, 2]
    assert sizes(found) == {1: 1, 2: 2, 3: 2}
    assert all(np.isfinite(flip.margin) and flip.margin < 0 for one in found for flip in one.flips)
