"""Numerics as a property of the call: rounding and nothing else, seen by nobody else, run once."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
import transformers

from core.base.cache import forget
from core.base.errors import WobbleError
from core.factors.ask import Ask, Progress
from core.factors.case import Case, Reference, Row, measured
from core.factors.numerics import by_dtype, can_flip, dtype_of
from core.models.catalog import load
from core.models.classifier import Classifier
from core.models.heads import REGRESSION, SOFTMAX, Head
from core.models.predict import Condition, _in_dtype, model_inputs, predict
from core.studies.study import compare, study
from core.text.perturb import variants
from tests.architectures import ARCHITECTURES

TEXT = "This is a test, and it isn't long."
EMBEDDED = ["minilm-uncased", "bpe-cased", "unigram-cased"]
SENTENCES = [
    "Though Catch Me If You Can isn't badly made, the fun slowly leaks out of the movie.",
    "Few films this year have been as resolute in their emotional nakedness.",
    "Fine.",
]


@pytest.fixture(scope="module")
def models(tiny: Callable[..., Classifier]) -> dict[str, Classifier]:
    return {name: tiny(name) for name in ARCHITECTURES}


def numerics(classifier: Classifier, text: str, temperature: float = 1.0, progress: Progress | None = None) -> Row:
    """The row of numerics."""
    return study(classifier, text, ["numerics"], temperature=temperature, progress=progress)["numerics"]


def noise_floor(classifier: Classifier, text: str, temperature: float = 1.0) -> float:
    return Ask(classifier, text, temperature).noise_floor


def condition(case: Case) -> Condition:
    assert isinstance(case.made, Condition)
    return case.made


def asked(classifier: Classifier, texts: list[str], condition: Condition | None = None) -> np.ndarray:
    """Logits `[n_texts, n_labels]`."""
    return predict(classifier, classifier.encoder(texts), condition).logits


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_fp32_conditions_differ_by_rounding_in_every_architecture(name: str, models: dict[str, Classifier]) -> None:
    found = numerics(models[name], TEXT)
    assert found.noise_floor < 1e-5
    assert max((case.shift for case in found.cases if dtype_of(case) == "float32"), default=0.0) <= found.noise_floor
    assert {case.flip for case in found.cases if dtype_of(case) == "float32"} <= {False}
    padded = {case.name for case in found.cases if condition(case).padded or condition(case).among}
    if models[name].batching == "padded":
        assert padded == {
            "padded to 64 tokens", "padded to 100 tokens", "among 1 other text", "among 7 other texts",
            "among 31 other texts", *(case.name for case in found.cases if 0 < condition(case).padded < 64),
        }  # fmt: skip
    else:
        assert not padded
        assert any("Padding is not run" in sentence for sentence in found.notes)


@pytest.mark.parametrize("name", ["bert", "roberta", "gpt2-with-pad", "bart", "llama", "modernbert", "albert", "mpnet"])
def test_the_eager_condition_is_transformers_own_eager_kernel(name: str, models: dict[str, Classifier]) -> None:
    classifier = models[name]
    stock = transformers.AutoModelForSequenceClassification.from_pretrained(
        classifier.source.directory, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    with torch.inference_mode():
        theirs = stock(**model_inputs(classifier, classifier.encoder([TEXT]))).logits.numpy()
    try:
        ours = asked(classifier, [TEXT], Condition(batch="alone", kernel="eager"))
    except WobbleError as error:
        assert name == "mpnet" and "has only one" in str(error)
        return
    np.testing.assert_allclose(ours, theirs, atol=2e-6)


@pytest.mark.parametrize("name", ["bert", "roberta", "gpt2-with-pad", "bart", "llama", "deberta-v2", "xlnet"])
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_really_computes_in_it(name: str, dtype: str, models: dict[str, Classifier]) -> None:
    found = numerics(models[name], TEXT)
    case = next((case for case in found.cases if dtype_of(case) == dtype), None)
    if case is None:
        assert any(dtype in sentence for sentence in found.notes)
        return
    assert {p.dtype for p in _in_dtype(models[name], dtype_of(case)).parameters()} == {getattr(torch, dtype)}
    assert 0 < case.difference < 1
    assert case.shift > found.noise_floor
    assert {row.name: row.largest_shift for row in by_dtype(found)}[dtype] == case.shift


@pytest.mark.parametrize("id", EMBEDDED)
def test_the_floor_of_the_embedded_models_is_rounding(id: str) -> None:
    for text in SENTENCES:
        found = numerics(load(id), text)
        assert 0 < found.noise_floor < 1e-5
        assert noise_floor(load(id), text) == found.noise_floor


@pytest.mark.parametrize("id", EMBEDDED)
def test_no_fp32_condition_goes_beyond_the_floor_and_bf16_does(id: str) -> None:
    for text in SENTENCES:
        found = numerics(load(id), text)
        largest = {row.name: row.largest_shift or 0.0 for row in by_dtype(found)}
        assert largest["fp32"] <= found.noise_floor < largest["bfloat16"]


@pytest.mark.parametrize(
    ("logits", "difference", "floor"),
    [
        # Both logits off by twice the difference: p (1 - p) of the step between them.
        ([0.0, 0.0], 1e-3, 0.25 * 4e-3),
        ([2.0, 0.0], 1e-3, 0.8808 * 0.1192 * 4e-3),
        # Rounding moves a logit by sixteen steps at least, and those of larger logits are larger.
        ([0.5, 0.5], 0.0, 0.25 * 32 * 2**-23),
        ([9.0, 9.0], 1e-8, 0.25 * 32 * 2**-20),
        # The worst way is half of the probability against the other half.
        ([3.0, 0.0, 0.0], 1e-3, 0.9094 * 0.0906 * 4e-3),
        ([0.0, 0.0, 0.0, 0.0], 1e-3, 0.25 * 4e-3),
    ],
)
def test_the_floor_is_the_shift_of_logits_that_are_off_in_the_worst_way(
    logits: list[float], difference: float, floor: float
) -> None:
    assert reference_of(logits).noise_floor(difference) == pytest.approx(floor, rel=0.01)


def test_the_floor_of_a_value_is_twice_the_difference() -> None:
    assert reference_of([0.25], REGRESSION).noise_floor(1e-3) == pytest.approx(2e-3)


def test_a_condition_runs_once_for_a_model_and_text(models: dict[str, Classifier]) -> None:
    classifier = models["bert"]
    forget(classifier)
    floor = noise_floor(classifier, TEXT)
    first, second = (study(classifier, TEXT, ["numerics"]) for _ in range(2))
    # The floor's own two conditions are remembered.
    assert (first.rows_run, second.rows_run) == (sum(1 + condition(case).among for case in first.cases) - 2, 0)
    assert second.rows_asked == first.rows_asked
    assert noise_floor(classifier, TEXT) == floor
    for one, other in zip(first.cases, second.cases, strict=True):
        np.testing.assert_array_equal(one.logits, other.logits)


def test_what_the_floor_costs_is_told_by_whoever_shows_its_conditions(models: dict[str, Classifier]) -> None:
    classifier = models["bert"]
    forget(classifier)
    found = study(classifier, TEXT, ["numerics"])
    rows = sum(1 + condition(case).among for case in found["numerics"].cases)
    assert found.rows_run == found.rows_asked == 1 + rows
    forget(classifier)
    assert compare(classifier, TEXT, []).rows_run == 1


@pytest.mark.parametrize("temperature", [1.0, 0.3, 5.0])
def test_every_study_carries_this_floor_at_its_own_temperature(temperature: float) -> None:
    for text in SENTENCES[:2]:
        floors = [
            noise_floor(load(), text, temperature),
            numerics(load(), text, temperature).noise_floor,
            compare(load(), text, variants(text)[:3], temperature=temperature).noise_floor,
            *(row.noise_floor for row in compare(load(), text, variants(text)[:3], temperature=temperature).rows),
            study(load(), text, ["casing"], temperature=temperature).noise_floor,
        ]
        assert len(set(floors)) == 1 and floors[0] > 0


def test_another_temperature_runs_nothing_and_measures_anew() -> None:
    cold, warm = (study(load(), SENTENCES[0], ["numerics"], temperature=t) for t in (1.0, 5.0))
    assert warm.rows_run == 0
    assert warm.noise_floor != cold.noise_floor
    assert warm.reference.label == cold.reference.label
    assert noise_floor(load(), SENTENCES[0], temperature=5.0) == warm.noise_floor


@pytest.mark.slow
def test_twenty_threads_predict_while_ten_run_numerics_and_nobody_notices(models: dict[str, Classifier]) -> None:
    classifier, alone = models["bert"], Condition(batch="alone")
    texts = ["This is a test.", TEXT, "The movie was not bad at all, it was wonderful!"]
    certain = asked(classifier, texts, alone)
    forget(classifier)
    before = {name: tensor.clone() for name, tensor in classifier.model.state_dict().items()}
    config = classifier.model.config.to_dict()
    states = torch.get_rng_state().tolist(), np.random.get_state()[1].tolist()  # noqa: NPY002
    barrier = threading.Barrier(30)

    def ask(number: int) -> list[np.ndarray]:
        barrier.wait()
        if number < 10:
            # A text of its own, so that every thread really runs.
            return [case.logits for case in numerics(classifier, f"{TEXT} {number}").cases]
        found = []
        for again in range(10):
            if again:  # or all but the first would come from memory
                forget(classifier)
            found.append(asked(classifier, texts, alone))
        return found

    with ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(ask, range(30)))
    for answer in answers[10:]:
        for logits in answer:
            np.testing.assert_array_equal(logits, certain)
    forget(classifier)
    for number, answer in enumerate(answers[:10]):
        text = f"{TEXT} {number}"
        for case, logits in zip(numerics(classifier, text).cases, answer, strict=True):
            np.testing.assert_array_equal(case.logits, logits)
    for name, tensor in classifier.model.state_dict().items():
        assert tensor.dtype == before[name].dtype and torch.equal(tensor, before[name])
    assert classifier.model.config.to_dict() == config
    assert (torch.get_rng_state().tolist(), np.random.get_state()[1].tolist()) == states  # noqa: NPY002


def reference_of(logits: list[float], head: Head = SOFTMAX) -> Reference:
    """A made reference of two labels."""
    encoding = load().encoder(["."])[0]
    return Reference(".", encoding, np.array(logits, np.float32), head, ("a", "b"))


def test_bf16_can_flip_where_the_logit_margin_is_below_twice_the_difference() -> None:
    half = Condition(batch="alone", dtype="bfloat16")

    def flippable(reference: list[float], other: list[float], head: Head = SOFTMAX) -> bool:
        made = reference_of(reference, head)
        return can_flip(made, measured(made, [half], np.array([other], np.float32)), "bfloat16")

    assert flippable([0.0, 0.0625], [0.03125 + 1e-4, 0.0625])
    # Equal: each logit moves by half the margin, and the order holds.
    assert not flippable([0.0, 0.0625], [0.03125, 0.0625])
    assert not flippable([0.0, 0.0625], [0.03, 0.0625])
    assert not flippable([0.0, 0.0], [1.0, 1.0], REGRESSION)
    made = reference_of([0.0, 0.0])
    assert not can_flip(made, measured(made, [half], np.ones((1, 2), np.float32)), "float16")


def test_numerics_says_which_half_precision_can_flip_a_sentence(models: dict[str, Classifier]) -> None:
    found = study(models["bert"], TEXT, ["numerics"])
    row = found["numerics"]
    for dtype in ("bfloat16", "float16"):
        said = any(note.startswith(f"{dtype} can flip this sentence") for note in row.notes)
        assert said == can_flip(found.reference, row.cases, dtype)


def test_progress_is_told_and_can_cancel(models: dict[str, Classifier]) -> None:
    told: list[tuple[int, int]] = []
    found = numerics(models["bert"], TEXT, progress=lambda done, total: told.append((done, total)))
    assert told == [(i + 1, len(found.cases)) for i in range(len(found.cases))]

    def cancel(_: int, __: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        numerics(models["bert"], "Another.", progress=cancel)


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
            asked(models[name], [TEXT], condition)
        assert str(caught.value).endswith(".")
    assert any("has only one" in sentence for sentence in numerics(models["deberta-v2"], TEXT).notes)


@pytest.mark.parametrize("text", ["", "x " * 600, "[SEP]", "\u202eabc"])
def test_odd_texts_have_a_floor(text: str, models: dict[str, Classifier]) -> None:
    found = numerics(models["bert"], text)
    assert np.isfinite([case.shift for case in found.cases]).all()
    if text.startswith("x x"):
        assert any("changes nothing" in sentence for sentence in found.notes)


def test_a_regression_has_a_floor_and_no_flips(tiny: Callable[..., Classifier]) -> None:
    found = study(tiny("bert", num_labels=1, problem_type="regression"), TEXT, ["numerics"])
    assert found.noise_floor < 1e-5
    assert {case.flip for case in found.cases} == {None}
    assert not can_flip(found.reference, found.cases, "bfloat16")
