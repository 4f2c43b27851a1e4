"""Promises 2, 3 and 4 for prediction: nothing shared changes, nothing random leaks, nothing runs twice."""

import json
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from core.base.cache import forget
from core.base.errors import WobbleError
from core.models import predict as module
from core.models.classifier import Classifier, Source
from core.models.loading import load_classifier
from core.models.predict import COMPANY, TOKEN_BUDGET, Condition, Prediction, forward, model_inputs, predict
from core.models.sites import has_kernels
from core.text.tokens import Encoding
from tests.architectures import SENTENCES, loaded

ALONE = Condition(batch="alone")
Ask = Callable[..., Prediction]


@pytest.fixture
def classifier(tiny: Callable[..., Classifier]) -> Classifier:
    """A small BERT that remembers nothing."""
    found = tiny("bert")
    forget(found)
    return found


def asked(classifier: Classifier, texts: list[str], condition: Condition | None = None, **options: Any) -> Prediction:
    return predict(classifier, classifier.encoder(texts), condition, **options)


@contextmanager
def shapes_run(classifier: Classifier) -> Iterator[list[tuple[int, ...]]]:
    """The shapes `[rows, tokens]` of what the model is called with meanwhile."""
    shapes: list[tuple[int, ...]] = []
    handle = classifier.model.register_forward_pre_hook(
        lambda _, __, inputs: shapes.append(tuple(inputs["input_ids"].shape)), with_kwargs=True
    )
    try:
        yield shapes
    finally:
        handle.remove()


# --- nothing shared changes ------------------------------------------------------------------------------------------


def test_forty_threads_on_one_classifier_give_the_results_of_one(classifier: Classifier) -> None:
    texts = [sentence * (1 + i % 3) for i, sentence in enumerate(SENTENCES)]
    expected = asked(classifier, texts, ALONE).logits
    forget(classifier)
    barrier = threading.Barrier(40)

    def ask(number: int) -> np.ndarray:
        barrier.wait()
        several = texts if number % 2 else [*texts[:3], *texts]
        return asked(classifier, several, ALONE).logits[-len(texts) :]

    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(ask, range(40)))
    for answer in answers:
        np.testing.assert_array_equal(answer, expected)


def test_prediction_changes_nothing_on_the_model_and_no_random_state(classifier: Classifier) -> None:
    def fingerprint() -> tuple[object, ...]:
        weights = [tensor.sum().item() for tensor in classifier.model.state_dict().values()]
        training = [module.training for module in classifier.model.modules()]
        return weights, training, json.dumps(classifier.model.config.to_dict(), default=str)

    random.seed(1)
    torch.manual_seed(1)
    before = fingerprint()
    states = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # noqa: NPY002
    asked(classifier, [*SENTENCES, "x " * 500], ALONE)
    assert (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()) == states  # noqa: NPY002
    assert fingerprint() == before
    assert not any(module.training for module in classifier.model.modules())


# --- batches ---------------------------------------------------------------------------------------------------------


def test_order_and_batch_split_change_nothing_but_rounding(classifier: Classifier) -> None:
    rng = random.Random(0)
    texts = [" ".join(rng.choices(" ".join(SENTENCES).split(), k=rng.randint(1, 30))) for _ in range(40)]
    expected = asked(classifier, texts).logits
    shuffled = rng.sample(range(len(texts)), len(texts))
    forget(classifier)
    found = asked(classifier, [texts[i] for i in shuffled])
    assert found.rows_run == len(set(texts))
    np.testing.assert_allclose(found.logits, expected[shuffled], atol=1e-5)
    for budget in (1, 64, 100_000):
        forget(classifier)
        np.testing.assert_allclose(asked(classifier, texts, token_budget=budget).logits, expected, atol=1e-5)


def test_no_batch_holds_more_tokens_than_the_budget(classifier: Classifier) -> None:
    texts = [" ".join(["test"] * n) for n in range(1, 60)]
    longest = len(classifier.encoder([texts[-1]])[0].ids)
    for budget in (longest, 200, None):
        forget(classifier)
        with shapes_run(classifier) as shapes:
            asked(classifier, texts, token_budget=budget)
        assert sum(rows for rows, _ in shapes) == len(texts)
        assert max(rows * tokens for rows, tokens in shapes) <= (budget or TOKEN_BUDGET["cpu"])
        # Not one by one either: the budget is used.
        assert len(shapes) < len(texts) or budget == longest
        # The longest first, and never a text with one that stands far from it by length.
        assert shapes[0][1] == longest and len({tokens for _, tokens in shapes}) == len(shapes)


def test_the_tokens_that_a_share_of_the_texts_took_tell_what_the_others_take(classifier: Classifier) -> None:
    forget(classifier)
    with shapes_run(classifier) as shapes:
        asked(classifier, [f"{' '.join(['test'] * (n % 60))} {n}" for n in range(200)], token_budget=200)
    rows, tokens = (np.cumsum(one) for one in np.array([(rows, rows * tokens) for rows, tokens in shapes]).T)
    foreseen = (tokens / rows * rows[-1] / tokens[-1])[5:]
    assert len(foreseen) > 8 and foreseen.min() > 1 / 1.5 and foreseen.max() < 1.5


def test_a_batch_that_fills_the_budget_is_one_batch(classifier: Classifier) -> None:
    """Two texts of a length, a budget of twice that."""
    encodings = classifier.encoder(["This is a test.", "This is test a."])
    assert len({len(encoding.ids) for encoding in encodings}) == 1
    tokens = 2 * len(encodings[0].ids)
    for budget, batches in ((tokens, 1), (tokens - 1, 2)):
        forget(classifier)
        with shapes_run(classifier) as shapes:
            predict(classifier, encodings, token_budget=budget)
        assert len(shapes) == batches


def test_a_text_longer_than_the_budget_runs_alone(classifier: Classifier) -> None:
    with shapes_run(classifier) as shapes:
        asked(classifier, ["test " * 20, "a"], token_budget=10)
    assert [rows for rows, _ in shapes] == [1, 1]


def test_alone_means_alone_in_its_batch(classifier: Classifier) -> None:
    with shapes_run(classifier) as shapes:
        asked(classifier, SENTENCES, ALONE)
    assert [rows for rows, _ in shapes] == [1] * len(SENTENCES)
    assert sorted(tokens for _, tokens in shapes) == sorted(len(e.ids) for e in classifier.encoder(SENTENCES))


def test_a_model_that_cannot_pad_never_does(tiny: Callable[..., Classifier]) -> None:
    gpt2 = tiny("gpt2")
    forget(gpt2)
    encodings = gpt2.encoder([*SENTENCES, "This is a text.", "This is a test!"])
    with shapes_run(gpt2) as shapes:
        predict(gpt2, encodings)
    assert sum(rows * tokens for rows, tokens in shapes) == sum(
        len(e.ids) for e in {e.key: e for e in encodings}.values()
    )


# --- conditions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "rows", "tokens"),
    [
        (ALONE, 1, 7),
        (Condition(batch="alone", padded=64), 1, 64),
        (Condition(batch="alone", padded=3), 1, 7),
        (Condition(batch="alone", among=1), 2, 7),
        (Condition(batch="alone", among=7), 8, 7),
        (Condition(batch="alone", among=31), 32, None),
    ],
    ids=lambda value: value.name if isinstance(value, Condition) else None,
)
def test_a_condition_is_what_the_model_is_called_with(
    condition: Condition, rows: int, tokens: int | None, classifier: Classifier
) -> None:
    encoding = classifier.encoder(["This is a test."])[0]
    company = classifier.encoder(COMPANY[: condition.among])
    longest = max(len(e.ids) for e in [encoding, *company])
    with shapes_run(classifier) as shapes:
        found = predict(classifier, [encoding], condition)
    assert shapes == [(rows, longest if tokens is None or condition.among else tokens)]
    assert found.rows_run == found.rows_asked == rows
    assert found.logits.shape == (1, 2)


def test_padding_is_masked_and_the_text_comes_first(classifier: Classifier) -> None:
    encoding = classifier.encoder(["This is a test."])[0]
    inputs = model_inputs(classifier, [encoding], padded=20)
    assert inputs["input_ids"].tolist() == [[*encoding.ids, *[0] * (20 - len(encoding.ids))]]
    assert inputs["attention_mask"].tolist() == [[1] * len(encoding.ids) + [0] * (20 - len(encoding.ids))]


def test_another_kernel_is_refused_where_an_architecture_has_only_one(tiny: Callable[..., Classifier]) -> None:
    only = tiny("deberta-v2")
    assert not has_kernels(only.model)
    with pytest.raises(WobbleError, match="has only one"):
        predict(only, only.encoder(["A test."]), Condition(batch="alone", kernel="eager"))


def test_a_dtype_that_a_model_does_not_compute_in_is_one_sentence(
    classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(**inputs: torch.Tensor) -> None:
        raise RuntimeError("\"addmm\" not implemented for 'Half'\nand a trace of it")

    monkeypatch.setattr(module, "_in_dtype", lambda classifier, dtype: fails)
    encodings = classifier.encoder(["A sentence that nobody has run in this dtype."])
    with pytest.raises(WobbleError, match=r"^float16 is not run: \w+ does not compute in it on cpu: .*'Half'"):
        predict(classifier, encodings, Condition(batch="alone", dtype="float16"))
    # In fp32 it is a fault, and no property of the model.
    with pytest.raises(RuntimeError, match="addmm"):
        predict(classifier, encodings, ALONE)


def test_each_dtype_has_a_copy_of_its_own(classifier: Classifier) -> None:
    dtypes = ("float32", "bfloat16", "float16")
    encodings = classifier.encoder(["A sentence that is rounded."])
    found = [predict(classifier, encodings, Condition(batch="alone", dtype=dtype)).logits[0, 0] for dtype in dtypes]
    assert len(set(found)) == 3


@pytest.mark.parametrize(("dtype", "said"), [("float32", "its weights are damaged"), ("float16", "^In float16 ")])
def test_numbers_that_are_not_finite_are_refused(
    dtype: str, said: str, classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = SimpleNamespace(logits=torch.tensor([[0.0, float("inf")]]))
    monkeypatch.setattr(module, "_in_dtype", lambda classifier, dtype: lambda **inputs: endless)
    encodings = classifier.encoder(["A sentence that nobody has run."])
    with pytest.raises(WobbleError, match=said):
        predict(classifier, encodings, Condition(batch="alone", dtype=dtype))


def test_inputs_lie_where_the_model_does_and_no_text_has_logits_of_the_same_kind(classifier: Classifier) -> None:
    elsewhere = replace(classifier, device=torch.device("meta"))
    inputs = model_inputs(elsewhere, classifier.encoder(["A test.", "Another, longer test."]))
    assert {tensor.device.type for tensor in inputs.values()} == {"meta"}
    assert predict(classifier, []).logits.dtype == predict(classifier, classifier.encoder(["A test."])).logits.dtype


def test_conditions_do_not_share_what_they_remember(classifier: Classifier) -> None:
    conditions = [Condition(), ALONE, Condition(batch="alone", padded=64), Condition(batch="alone", dtype="bfloat16")]
    runs = [asked(classifier, SENTENCES[:1], condition).rows_run for condition in conditions]
    assert runs == [1, 1, 1, 1]
    assert [asked(classifier, SENTENCES[:1], condition).rows_run for condition in conditions] == [0] * 4


@pytest.mark.parametrize(
    ("condition", "name"),
    [
        (Condition(), "alone"),
        (Condition(padded=1024), "padded to 1,024 tokens"),
        (Condition(among=1), "among 1 other text"),
        (Condition(among=7, kernel="eager"), "among 7 other texts, eager attention"),
        (Condition(dtype="float16"), "float16"),
    ],
)
def test_a_condition_says_what_differs_from_the_reference(condition: Condition, name: str) -> None:
    assert condition.name == condition.said == name
    assert condition.document()["condition"]["dtype"] == condition.dtype


# --- nothing runs twice ----------------------------------------------------------------------------------------------


def test_a_condition_is_written_down_whole() -> None:
    plain = {"batch": "shared", "padded": 0, "among": 0, "kernel": "own", "dtype": "float32"}
    assert Condition().document() == {"condition": plain}
    assert [type(value) for value in plain.values()] == [type(value) for value in vars(Condition()).values()]


def test_identical_encodings_run_once(classifier: Classifier) -> None:
    prediction = asked(classifier, ["This is a test.", "this is a  TEST .", "Another.", "This is a test."])
    assert (prediction.rows_asked, prediction.rows_run) == (4, 2)
    np.testing.assert_array_equal(prediction.logits[0], prediction.logits[1])
    np.testing.assert_array_equal(prediction.logits[0], prediction.logits[3])


def test_what_was_predicted_does_not_run_again(classifier: Classifier) -> None:
    first = asked(classifier, SENTENCES)
    with shapes_run(classifier) as shapes:
        second = asked(classifier, [*SENTENCES, "one more"])
    assert second.rows_run == 1 and [rows for rows, _ in shapes] == [1]
    np.testing.assert_array_equal(second.logits[:-1], first.logits)


def test_type_ids_are_part_of_what_a_model_reads(tiny: Callable[..., Classifier]) -> None:
    xlnet = tiny("xlnet")
    forget(xlnet)
    (encoding,) = xlnet.encoder(["This is a test."])
    found = predict(xlnet, [encoding, replace(encoding, type_ids=(1,) * len(encoding.ids))])
    assert found.rows_run == 2
    assert not np.array_equal(found.logits[0], found.logits[1])


def test_threads_that_ask_at_once_run_each_token_sequence_once(classifier: Classifier) -> None:
    texts = [" ".join(["test"] * n) for n in range(1, 30)]
    barrier = threading.Barrier(12)

    def ask(number: int) -> Prediction:
        barrier.wait()
        rotated = texts[number:] + texts[:number]
        return asked(classifier, rotated, token_budget=40)

    with shapes_run(classifier) as shapes, ThreadPoolExecutor(12) as pool:
        found = list(pool.map(ask, range(12)))
    assert sum(rows for rows, _ in shapes) == sum(one.rows_run for one in found) == len(texts)
    for number, one in enumerate(found):
        np.testing.assert_array_equal(np.roll(one.logits, number, axis=0), found[0].logits)


def test_who_waits_for_a_run_that_fails_runs_itself(classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go = threading.Event(), threading.Event()

    def fails_once(*arguments: Any) -> Any:
        if not begun.is_set():
            begun.set()
            go.wait(10)
            raise KeyboardInterrupt
        return forward(*arguments)

    monkeypatch.setattr(module, "forward", fails_once)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(asked, classifier, ["This is a test."])
        begun.wait(10)
        second = pool.submit(asked, classifier, ["This is a test."])
        go.set()
        with pytest.raises(KeyboardInterrupt):
            first.result(10)
        assert second.result(10).rows_run == 1


def test_another_model_under_the_same_source_remembers_nothing_of_it(classifier: Classifier) -> None:
    before = asked(classifier, SENTENCES).logits
    other = load_classifier(classifier.source, torch.device("cpu"))
    other.model.classifier.weight.neg_()
    for one in (other, replace(classifier, model=other.model)):
        found = asked(one, SENTENCES)
        assert found.rows_run == len(SENTENCES)
        assert np.abs(found.logits - before).max() > 1e-3
    assert asked(classifier, SENTENCES).rows_run == 0


def test_forgetting_makes_it_run_again(classifier: Classifier) -> None:
    assert [asked(classifier, SENTENCES).rows_run for _ in range(2)] == [len(SENTENCES), 0]
    forget(classifier)
    assert asked(classifier, SENTENCES).rows_run == len(SENTENCES)


def test_the_memory_is_bounded_and_what_was_used_last_stays(classifier: Classifier) -> None:
    memory = module._Memory(limit=3)
    keys = [((n,), (0,)) for n in range(5)]
    row = np.zeros(2, np.float32)
    for key in keys[:3]:
        memory.put(key, ALONE, row)
    assert set(memory.get(keys[:1], ALONE)) == {keys[0]}
    memory.put(keys[3], ALONE, row)
    assert set(memory.get(keys, ALONE)) == {keys[0], keys[2], keys[3]}
    assert memory.get(keys, Condition()) == {}


def test_a_sentence_that_says_why_not_is_remembered_too(
    classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def refuses(_: Classifier, batch: list[Encoding], __: Condition) -> Any:
        calls.append(len(batch))
        raise WobbleError("No.")

    monkeypatch.setattr(module, "forward", refuses)
    for _ in range(3):
        with pytest.raises(WobbleError, match=r"^No\.$"):
            asked(classifier, ["This is a test."], ALONE)
    assert calls == [1]


def test_progress_counts_what_is_to_be_run(classifier: Classifier) -> None:
    asked(classifier, SENTENCES[:2])
    told: list[tuple[int, int]] = []
    asked(classifier, [*SENTENCES, *SENTENCES], token_budget=1, progress=lambda *step: told.append(step))
    assert told == [(i, len(SENTENCES) - 2) for i in range(1, len(SENTENCES) - 1)]


# --- any string is welcome -------------------------------------------------------------------------------------------


def test_no_text_gives_no_rows(classifier: Classifier) -> None:
    none = predict(classifier, []).logits
    assert none.shape == (0, 2) and none.dtype == np.float32


@pytest.mark.parametrize(
    "text", ["", " ", "\0", "\u202eabc", "\U0001f469\u200d\U0001f469\u200d\U0001f467", "[SEP]", "x" * 100_000]
)
def test_odd_texts_are_predicted(classifier: Classifier, text: str) -> None:
    assert np.isfinite(asked(classifier, [text]).logits).all()


def test_a_lone_surrogate_is_refused_in_one_sentence(classifier: Classifier) -> None:
    with pytest.raises(WobbleError, match=r"lone surrogate, U\+D800, at character 3") as caught:
        asked(classifier, ["fine", "ab\ud800c"])
    assert "\n" not in str(caught.value)


def test_a_text_without_tokens_is_refused_where_nothing_stands_around_it(tiny: Callable[..., Classifier]) -> None:
    with pytest.raises(WobbleError, match="makes no token"):
        asked(tiny("gpt2"), [""])


def test_truncation_is_reported(classifier: Classifier) -> None:
    (encoding,) = classifier.encoder(["test " * 1000])
    assert predict(classifier, [encoding]).logits.shape == (1, 2)
    assert encoding.truncated
    assert len(encoding.ids) == classifier.limit == 100
    assert encoding.full_length == 1002


@pytest.mark.gpu
def test_the_gpu_agrees_with_the_cpu(directory: Path, classifier: Classifier) -> None:
    on_gpu = load_classifier(Source("gpu", "local", directory), torch.device("cuda"))
    on_cpu = loaded(directory)
    np.testing.assert_allclose(asked(on_gpu, SENTENCES).logits, asked(on_cpu, SENTENCES).logits, atol=1e-3)
