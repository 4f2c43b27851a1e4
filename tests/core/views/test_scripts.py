"""The scripts under "show the code" run without Wobble and print the numbers that Wobble shows."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.factors.case import Row
from core.factors.dropout import Dropout, over_passes
from core.models.catalog import load
from core.models.classifier import Classifier
from core.models.predict import Condition, predict
from core.studies.study import compare, study
from core.text.perturb import variants
from core.text.resplit import resplits
from core.text.stages import stages
from core.views.scripts import dropout_script, edits_script, predict_script, resplit_script, tokens_script
from core.views.tables_tokens import resplit_frame
from tests.architectures import loaded, save
from tests.scripts import rows_of

TEXTS = ["This is a test . ", "It's 'quoted' \\ \"twice\"\n\t\u200b\u202e", "", "'''" + '"""', "long " * 400]
EMBEDDED = ["minilm-uncased", "bpe-cased", "unigram-cased"]


@pytest.mark.parametrize("id", EMBEDDED)
def test_the_prediction_script_prints_the_same_numbers(id: str) -> None:
    classifier = load(id)
    prediction = predict(classifier, classifier.encoder(TEXTS), Condition(batch="alone"))
    rows = rows_of(predict_script(classifier, TEXTS))
    assert [row["text"] for row in rows] == TEXTS
    assert [tuple(row["ids"]) for row in rows] == [encoding.ids for encoding in classifier.encoder(TEXTS)]
    ours = classifier.head.probabilities(prediction.logits)
    np.testing.assert_allclose([row["probabilities"] for row in rows], ours, atol=1e-5)
    assert {tuple(row["labels"]) for row in rows} == {classifier.labels}
    np.testing.assert_allclose([row["shift"] for row in rows], classifier.head.shifts(ours, ours[0]), atol=1e-5)
    np.testing.assert_allclose([row["margin"] for row in rows], classifier.head.margins(ours, ours[0]), atol=1e-5)


@pytest.mark.parametrize("problem", ["multi_label_classification", "regression"])
def test_the_script_treats_other_heads_as_wobble_does(problem: str, tmp_path: Path) -> None:
    classifier = loaded(save("bert", tmp_path / "bert", num_labels=3, problem_type=problem))
    texts = ["a test", "Another , test !"]
    rows = rows_of(predict_script(classifier, texts))
    ours = classifier.head.probabilities(predict(classifier, classifier.encoder(texts)).logits)
    np.testing.assert_allclose([row["probabilities"] for row in rows], ours, atol=1e-5)
    np.testing.assert_allclose([row["shift"] for row in rows], classifier.head.shifts(ours, ours[0]), atol=1e-5)
    margins = classifier.head.margins(ours, ours[0])
    if margins is None:
        assert {row["margin"] for row in rows} == {None}
    else:
        np.testing.assert_allclose([row["margin"] for row in rows], margins, atol=1e-5)


@pytest.mark.parametrize("id", EMBEDDED)
@pytest.mark.parametrize(
    "dropout", [Dropout(seed=3), Dropout(seed=4, rate=0.3, sites=("attention",)), Dropout(sites=("head",))], ids=str
)
def test_the_dropout_script_prints_the_same_passes(id: str, dropout: Dropout) -> None:
    classifier = load(id)
    script = dropout_script(classifier, "A modest, messy thriller.", 4, dropout)
    assert script is not None
    row = passes_of(classifier, "A modest, messy thriller.", 4, dropout)
    ours = row.probabilities
    *rows, measures = rows_of(script)
    np.testing.assert_allclose([row["probabilities"] for row in rows], ours, atol=1e-5)
    assert ours.std(axis=0).max() > 1e-4
    same_measures(measures, row, classifier)


def passes_of(classifier: Classifier, text: str, passes: int, dropout: Dropout) -> Row:
    options = {"passes": passes, "seed": dropout.seed, "p": dropout.rate, "sites": dropout.sites}
    return study(classifier, text, ["dropout"], {"dropout": options})["dropout"]


def same_measures(printed: dict[str, Any], row: Row, classifier: Classifier) -> None:
    ours = over_passes(row.probabilities, classifier.head)
    off = compare(classifier, row.cases[0].text, []).reference.probabilities
    np.testing.assert_allclose(printed["dropout_off"], off, atol=1e-5)
    assert printed["flip_rate"] == row.flip_rate
    assert printed["variation_ratio"] == ours["variation_ratio"]
    assert printed["predictive_entropy"] == pytest.approx(ours["entropy"], abs=1e-5)
    assert printed["mutual_information"] == pytest.approx(ours["mutual_information"], abs=1e-5)


def test_the_dropout_script_measures_other_heads_as_wobble_does(tmp_path: Path) -> None:
    classifier = loaded(save("bert", tmp_path / "bert", num_labels=3, problem_type="multi_label_classification"))
    row = passes_of(classifier, "a test", 12, Dropout())
    script = dropout_script(classifier, "a test", 12, Dropout())
    assert script is not None
    same_measures(rows_of(script)[-1], row, classifier)


@pytest.mark.parametrize("id", EMBEDDED)
def test_the_edits_script_prints_the_rows_of_the_profile(id: str) -> None:
    classifier, text = load(id), "It's a modest, messy thriller."
    found = compare(classifier, text, variants(text))
    factors = {name: found[name].cases for name in ("casing", "punctuation")}
    printed = rows_of(
        edits_script(classifier, text, {name: [c.text for c in cases] for name, cases in factors.items()})
    )
    for row, (name, ours) in zip(printed, factors.items(), strict=True):
        shifts = [one.shift for one in ours]
        assert (row["factor"], row["tried"]) == (name, len(ours))
        assert row["absorbed"] == sum(one.absorbed for one in ours)
        assert row["flips"] == sum(bool(one.flip) for one in ours)
        assert row["largest_shift"] == pytest.approx(max(shifts), abs=1e-5)
        assert row["median_shift"] == pytest.approx(float(np.median(shifts)), abs=1e-5)


def test_the_script_prints_the_same_numbers_at_each_temperature() -> None:
    classifier = load()
    logits = predict(classifier, classifier.encoder(TEXTS[:2]), Condition(batch="alone")).logits
    rows = rows_of(predict_script(classifier, TEXTS[:2], 0.3, 1.0, 5.0))
    assert [(row["text"], row["temperature"]) for row in rows] == [(t, at) for t in TEXTS[:2] for at in (0.3, 1.0, 5.0)]
    for row in rows:
        ours = classifier.head.probabilities(logits[TEXTS.index(row["text"])], row["temperature"])
        np.testing.assert_allclose(row["probabilities"], ours, atol=1e-5)


def test_a_script_at_another_temperature_prints_the_numbers_of_the_page() -> None:
    classifier = load()
    logits = predict(classifier, classifier.encoder(TEXTS[:1]), Condition(batch="alone")).logits[0]
    row = rows_of(predict_script(classifier, [TEXTS[0]], 2.5))[0]
    np.testing.assert_allclose(row["probabilities"], classifier.head.probabilities(logits, 2.5), atol=1e-5)


@pytest.mark.parametrize("id", EMBEDDED)
def test_the_tokens_script_prints_the_same_stages(id: str) -> None:
    classifier = load(id)
    for text, row in zip(TEXTS, rows_of(tokens_script(classifier, TEXTS)), strict=True):
        found = stages(classifier.encoder, text)
        assert row["ids"] == list(found.encoding.ids)
        assert row["tokens"] == list(found.encoding.tokens)
        assert row["normalized"] == (text if found.normalized is None else found.normalized)
        if found.pre_tokens is not None:
            assert row["pre_tokens"] == [piece.text for piece in found.pre_tokens]


@pytest.mark.parametrize("id", EMBEDDED)
def test_the_script_of_changed_characters_prints_the_tokens_that_each_touches(id: str) -> None:
    classifier, text = load(id), "It's a  Na\u00efve thriller."
    printed = rows_of(resplit_script(classifier, text, len(text)))
    frame = resplit_frame(id, resplits(classifier.encoder, text))
    assert printed == frame.drop(columns="model").to_dict("records")
