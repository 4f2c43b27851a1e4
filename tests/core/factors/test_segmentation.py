"""The factor of segmentations: draws of the model's own tokenizer as cases, what was rejected counted, the nearest in order."""

from collections.abc import Callable

import numpy as np
import pytest

from core.factors import segmentation as module
from core.factors.ask import Ask
from core.factors.registry import factors
from core.factors.segmentation import DRAWS, Segmented, nearest, segmented
from core.models.catalog import load
from core.models.classifier import Classifier
from core.models.predict import predict
from core.studies.study import study
from core.text import segmentation as cut

TEXT = "Few films this year have been as resolute in their emotional nakedness."


@pytest.mark.parametrize(("id", "rate"), [("minilm-uncased", {"p": 0.3}), ("unigram-cased", {"alpha": 0.5})])
def test_draws_are_the_tokenizer_s_and_their_predictions_the_model_s(id: str, rate: dict[str, float]) -> None:
    classifier = load(id)
    row = study(classifier, TEXT, ["segmentation"], {"segmentation": {"draws": 7, "seed": 3, **rate}})["segmentation"]
    drawn = cut.draws(classifier.encoder, TEXT, 7, **rate, seed=3)
    assert [case.encoding.ids for case in row.cases] == [one.ids for one in drawn.segmentations]
    logits = predict(classifier, [one.encoding for one in drawn.segmentations]).logits
    np.testing.assert_allclose([case.logits for case in row.cases], logits, atol=1e-5)
    assert [case.made.document() for case in row.cases] == [
        {"draw": one.draw + 1, "pieces_changed": one.changed} for one in drawn.segmentations if one.draw is not None
    ]
    repeated = cut.repeated(drawn.reference, drawn.segmentations)
    assert row.facts == {"rate": rate, "rejected": drawn.rejected, "repeated": repeated}
    assert {case.text for case in row.cases} == {TEXT}
    made = [case.made for case in row.cases]
    assert [(one.rank, one.changed) for one in made if isinstance(one, Segmented)] == [
        (0, one.changed) for one in drawn.segmentations
    ]


def test_draws_without_options_are_those_of_the_papers_rates() -> None:
    classifier = load()
    row = study(classifier, TEXT, ["segmentation"])["segmentation"]
    drawn = cut.draws(classifier.encoder, TEXT, DRAWS, p=cut.P, seed=0)
    assert [case.encoding.ids for case in row.cases] == [one.ids for one in drawn.segmentations]
    assert row.facts["rate"] == {"p": cut.P} and DRAWS == 20


def test_a_draw_of_another_text_is_no_case_but_counted_as_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = load()
    encoding, other = classifier.encoder([TEXT, "Another text."])
    made = (
        cut.Segmentation(encoding, 0, True, 0),
        cut.Segmentation(other, 3, False, 1),
        # What repeats a rejected one, or is rejected itself, is no repetition.
        cut.Segmentation(other, 3, False, 2),
        cut.Segmentation(encoding, 3, True, 4),
    )
    monkeypatch.setattr(module.cut, "draws", lambda *_, **__: cut.Drawn(encoding, made, rejected=2))
    row = study(classifier, TEXT, ["segmentation"], {"segmentation": {"draws": 6}})["segmentation"]
    assert [case.name for case in row.cases] == ["draw 1", "draw 5"]
    assert (row.facts["rejected"], row.facts["repeated"]) == (4, 2)
    assert row.notes == (
        "4 of 6 draws were rejected: they need an unknown token, or the model would read another text.",
    )


def test_where_nothing_was_rejected_nothing_is_said() -> None:
    row = study(load(), "A plain test.", ["segmentation"], {"segmentation": {"draws": 3}})["segmentation"]
    assert (row.facts["rejected"], row.notes) == (0, ())


def test_the_nearest_change_ever_more_pieces_and_are_numbered() -> None:
    ask = Ask(load(), TEXT)
    found = nearest(ask)
    assert [case.name for case in found] == [f"nearest {rank}" for rank in range(1, 21)]
    assert [case.made.said for case in found][:1] == ["segmentation nearest 1"]
    expected = cut.nearest(ask.classifier.encoder, TEXT, 20)
    assert [case.encoding.ids for case in found] == [one.ids for one in expected]
    changed = [case.made.document()["pieces_changed"] for case in found]
    assert changed == [one.changed for one in expected] == sorted(changed) and changed[0] > 0
    assert {case.made.document()["draw"] for case in found} == {None}
    assert len(nearest(ask, 3)) == 3


def test_the_nearest_read_the_same_text(monkeypatch: pytest.MonkeyPatch) -> None:
    ask = Ask(load(), TEXT)
    other = cut.Segmentation(ask.reference.encoding, 1, False)
    same = cut.Segmentation(ask.reference.encoding, 2, True)
    monkeypatch.setattr(module.cut, "nearest", lambda *_: [other, same])
    (case,) = nearest(ask)
    assert case.made == segmented(None, 1, 2)
    assert ask.notes == []


def test_where_the_text_fills_the_limit_it_is_said_that_none_is_nearest() -> None:
    classifier = load()
    full = "good " * (classifier.limit - 2)
    ask = Ask(classifier, full)
    assert nearest(ask) == [] and ask.notes == [
        "No nearest segmentation: the text fills the limit, so with more or fewer pieces the model would read another text."
    ]


@pytest.mark.parametrize(("id", "used", "other"), [("minilm-uncased", "p", "alpha"), ("unigram-cased", "alpha", "p")])
def test_a_rate_that_is_not_used_is_told(id: str, used: str, other: str) -> None:
    said = f"{other} is not used: this tokenizer is drawn from by {used}."
    for options, told in (({other: 0.7}, True), ({used: 0.7}, False), ({}, False)):
        row = study(load(id), "A test.", ["segmentation"], {"segmentation": {"draws": 1, **options}})["segmentation"]
        assert (said in row.notes) == told


def test_a_tokenizer_without_others_has_no_case_and_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tiny: Callable[..., Classifier]
) -> None:
    classifier = tiny("bert")
    monkeypatch.setattr(module.cut, "why_not", lambda encoder: "None here.")
    row = study(classifier, TEXT, ["segmentation"])["segmentation"]
    assert (row.cases, row.notes) == ((), ("None here.",))
    assert nearest(Ask(classifier, TEXT)) == []


def test_its_options_are_bounded() -> None:
    told = {one.name: (one.kind, one.range.low, one.range.high) for one in factors(["segmentation"])[0].options}
    assert told == {"draws": (int, 1, 1000), "p": (float, 0, 1), "alpha": (float, 0, 100), "seed": (int, 0, None)}
    assert all(one.range.help for one in factors(["segmentation"])[0].options)


def test_a_segmentation_is_named_by_its_draw_or_its_place() -> None:
    assert (segmented(4, 0, 3).name, segmented(None, 2, 3).name) == ("draw 4", "nearest 2")
    assert segmented(4, 0, 3).said == "segmentation draw 4"
