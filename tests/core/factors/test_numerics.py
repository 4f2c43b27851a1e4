"""Numerics as a property of the call: rounding and nothing else, seen by nobody else, run once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from core.base.errors import WobbleError
from core.factors.numerics import REFERENCE, logit_margin, noise_floor, numerics, runs_beside
from core.models.catalog import load
from core.models.classifier import Classifier, Condition, _in_dtype, model_inputs, predict
from core.studies.compare import compare
from core.text.perturb import variants
from tests.architectures import ARCHITECTURES, loaded, save

TEXT = "This is a test, and it isn't long."
EMBEDDED = ["minilm-uncased", "bpe-cased", "unigram-cased"]
SENTENCES = [
    "Though Catch Me If You Can isn't badly made, the fun slowly leaks out of the movie.",
    "Few films this year have been as resolute in their emotional nakedness.",
    "Fine.",
]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Classifier]:
    made = tmp_path_factory.mktemp("models")
    return {name: loaded(save(name, made / name)) for name in ARCHITECTURES}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_fp32_conditions_differ_by_rounding_in_every_architecture(name: str, models: dict[str, Classifier]) -> None:
    found = numerics(models[name], TEXT)
    assert found.noise_floor < 1e-5
    assert {run.flip for run in found.runs if run.fp32} <= {False}
    padded = {run.name for run in found.runs if run.condition.padded or run.condition.among}
    if models[name].batching == "padded":
        assert padded == {
            "padded to 64 tokens", "padded to 100 tokens", "among 1 other text", "among 7 other texts",
            "among 31 other texts", *(run.name for run in found.runs if 0 < run.condition.padded < 64),
        }  # fmt: skip
    else:
        assert not padded
        assert any("Padding is not run" in sentence for sentence in found.left_out)


@pytest.mark.parametrize("name", ["bert", "roberta", "gpt2-with-pad", "bart", "llama", "modernbert", "albert", "mpnet"])
def test_the_eager_condition_is_transformers_own_eager_kernel(name: str, models: dict[str, Classifier]) -> None:
    classifier = models[name]
    stock = transformers.AutoModelForSequenceClassification.from_pretrained(
        classifier.source.directory, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    with torch.inference_mode():
        theirs = stock(**model_inputs(classifier, classifier.encoder([TEXT]))).logits.numpy()
    try:
        ours = predict(classifier, [TEXT], Condition(batch="alone", kernel="eager")).logits
    except WobbleError as error:
        assert name == "mpnet" and "has only one" in str(error)
        return
    np.testing.assert_allclose(ours, theirs, atol=2e-6)


@pytest.mark.parametrize("name", ["bert", "roberta", "gpt2-with-pad", "bart", "llama", "deberta-v2", "xlnet"])
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_really_computes_in_it(name: str, dtype: str, models: dict[str, Classifier]) -> None:
    found = numerics(models[name], TEXT)
    run = next((run for run in found.runs if run.condition.dtype == dtype), None)
    if run is None:
        assert any(dtype in sentence for sentence in found.left_out)
        return
    assert {p.dtype for p in _in_dtype(models[name], run.condition.dtype).parameters()} == {getattr(torch, dtype)}
    assert 0 < run.difference < 1
    assert run.shift > found.noise_floor


@pytest.mark.parametrize("id", EMBEDDED)
def test_the_floor_of_the_embedded_models_is_rounding(id: str) -> None:
    for text in SENTENCES:
        found = numerics(load(id), text)
        assert 0 < found.noise_floor < 1e-5
        assert noise_floor(load(id), text) == found.noise_floor


def test_the_floor_is_the_largest_shift_of_the_fp32_conditions() -> None:
    found = numerics(load(), SENTENCES[0])
    assert found.noise_floor == max(run.shift for run in found.runs if run.condition.dtype == "float32")
    assert found.noise_floor < max(run.shift for run in found.runs)


def test_a_condition_runs_once_for_a_model_and_text(tmp_path: Path) -> None:
    classifier = loaded(save("bert", tmp_path / "bert"))
    floor = noise_floor(classifier, TEXT)
    first = numerics(classifier, TEXT)
    second = numerics(classifier, TEXT)
    # Two half precisions: the rest is known from the floor.
    assert (first.rows_run, second.rows_run) == (2, 0)
    assert second.rows_asked == first.rows_asked
    assert noise_floor(classifier, TEXT) == floor
    for one, other in zip(first.runs, second.runs, strict=True):
        np.testing.assert_array_equal(one.logits, other.logits)


def test_a_comparison_carries_this_floor() -> None:
    for text in SENTENCES:
        assert compare(load(), text, variants(text)).noise_floor == noise_floor(load(), text) > 0


def test_another_temperature_runs_nothing_and_measures_anew() -> None:
    cold, warm = numerics(load(), SENTENCES[0]), numerics(load(), SENTENCES[0], temperature=5.0)
    assert warm.rows_run == 0
    assert warm.noise_floor != cold.noise_floor
    assert warm.reference.label == cold.reference.label
    assert noise_floor(load(), SENTENCES[0], temperature=5.0) == warm.noise_floor


@pytest.mark.slow
def test_twenty_threads_predict_while_ten_run_numerics_and_nobody_notices(tmp_path: Path) -> None:
    classifier = loaded(save("bert", tmp_path / "bert"))
    texts = ["This is a test.", TEXT, "The movie was not bad at all, it was wonderful!"]
    certain = predict(classifier, texts).logits
    before = {name: tensor.clone() for name, tensor in classifier.model.state_dict().items()}
    config = classifier.model.config.to_dict()
    states = torch.get_rng_state().tolist(), np.random.get_state()[1].tolist()  # noqa: NPY002
    barrier = threading.Barrier(30)

    def ask(number: int) -> list[np.ndarray]:
        barrier.wait()
        if number < 10:
            # A text of its own, so that every thread really runs.
            return [run.logits for run in numerics(classifier, f"{TEXT} {number}").runs]
        return [predict(classifier, texts).logits for _ in range(20)]

    with ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(ask, range(30)))
    for answer in answers[10:]:
        for logits in answer:
            np.testing.assert_array_equal(logits, certain)
    for number, answer in enumerate(answers[:10]):
        text = f"{TEXT} {number}"
        for run, logits in zip(numerics(classifier, text).runs, answer, strict=True):
            np.testing.assert_array_equal(predict(classifier, [text], run.condition).logits[0], logits)
    for name, tensor in classifier.model.state_dict().items():
        assert tensor.dtype == before[name].dtype and torch.equal(tensor, before[name])
    assert classifier.model.config.to_dict() == config
    assert (torch.get_rng_state().tolist(), np.random.get_state()[1].tolist()) == states  # noqa: NPY002


def test_bf16_can_flip_where_the_logit_margin_is_below_twice_the_difference() -> None:
    half = Condition(batch="alone", dtype="bfloat16")
    found = numerics(load(), SENTENCES[0])

    def can_flip(reference: list[float], other: list[float]) -> bool:
        rows = {REFERENCE: np.array(reference, np.float32), half: np.array(other, np.float32)}
        runs = runs_beside(rows, "softmax", ("a", "b"))
        made = type(found)(**{**vars(found), "reference": runs[0], "runs": tuple(runs[1:])})
        return made.can_flip("bfloat16")

    assert can_flip([0.0, 0.019], [0.01, 0.019])
    assert not can_flip([0.0, 0.021], [0.01, 0.021])


def test_the_logit_margin_of_each_head() -> None:
    assert logit_margin(np.array([1.0, 3.0, 2.5], np.float32), "softmax") == 0.5
    assert logit_margin(np.array([1.0, -0.25], np.float32), "sigmoid") == 0.5
    assert logit_margin(np.array([1.0], np.float32), "regression") is None


def test_progress_is_told_and_can_cancel(tmp_path: Path) -> None:
    classifier = loaded(save("bert", tmp_path / "bert"))
    told: list[tuple[int, int]] = []
    found = numerics(classifier, TEXT, progress=lambda done, total: told.append((done, total)))
    assert told == [(i + 1, len(found.runs)) for i in range(len(found.runs))]

    def cancel(_: int, __: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        numerics(classifier, "Another.", progress=cancel)


def test_what_a_model_does_not_support_is_said_and_refused(models: dict[str, Classifier]) -> None:
    for name, condition in (
        ("xlnet", Condition(batch="alone", padded=50)),
        ("gpt2", Condition(batch="alone", among=7)),
        ("deberta-v2", Condition(kernel="eager")),
        ("bert", Condition(batch="alone", padded=5000)),
        ("bert", Condition(batch="alone", among=99)),
        ("bert", Condition(among=7)),
    ):
        with pytest.raises(WobbleError) as caught:
            predict(models[name], [TEXT], condition)
        assert str(caught.value).endswith(".")
    assert any("has only one" in sentence for sentence in numerics(models["deberta-v2"], TEXT).left_out)


@pytest.mark.parametrize("text", ["", "x " * 600, "[SEP]", "\u202eabc"])
def test_odd_texts_have_a_floor(text: str) -> None:
    found = numerics(load(), text)
    assert np.isfinite([run.shift for run in found.runs]).all()
    if text.startswith("x x"):
        assert any("changes nothing" in sentence for sentence in found.left_out)


def test_a_regression_has_a_floor_and_no_flips(tmp_path: Path) -> None:
    found = numerics(loaded(save("bert", tmp_path / "bert", num_labels=1, problem_type="regression")), TEXT)
    assert found.noise_floor < 1e-5
    assert {run.flip for run in found.runs} == {None}
    assert not found.can_flip("bfloat16")
