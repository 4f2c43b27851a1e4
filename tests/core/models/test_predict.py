"""Promises 2, 3 and 4 for prediction: nothing shared changes, nothing random leaks, nothing runs twice."""

import json
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import ByT5Tokenizer

from core.base.errors import WobbleError
from core.models.classifier import Classifier, Condition, predict
from tests.architectures import SENTENCES, loaded, save


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save("bert", tmp_path_factory.mktemp("bert"))


@pytest.fixture(scope="module")
def classifier(directory: Path) -> Classifier:
    return loaded(directory)


def rewritten(directory: Path, copy: Path, change: object) -> Path:
    """A copy of a model directory whose tensors went through `change`."""
    copy.mkdir()
    for file in directory.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    tensors = change(load_file(copy / "model.safetensors"))  # type: ignore[operator]
    save_file(tensors, copy / "model.safetensors", metadata={"format": "pt"})
    return copy


def test_forty_threads_on_one_classifier_give_the_results_of_one(classifier: Classifier) -> None:
    texts = [sentence * (1 + i % 3) for i, sentence in enumerate(SENTENCES)]
    expected = predict(classifier, texts).logits
    barrier = threading.Barrier(40)

    def ask(number: int) -> np.ndarray:
        barrier.wait()
        return predict(classifier, texts if number % 2 else [*texts[:3], *texts]).logits[-len(texts) :]

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
    predict(classifier, [*SENTENCES, "x " * 500], Condition(batch="alone"))
    assert (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()) == states  # noqa: NPY002
    assert fingerprint() == before
    assert not any(module.training for module in classifier.model.modules())


def test_loading_a_model_with_a_missing_head_leaves_the_random_state_alone(directory: Path, tmp_path: Path) -> None:
    headless = rewritten(
        directory,
        tmp_path / "headless",
        lambda tensors: {k: v for k, v in tensors.items() if not k.startswith("classifier")},
    )
    states = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # noqa: NPY002
    found = loaded(headless)
    assert (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()) == states  # noqa: NPY002
    assert set(found.loading.untrained) == {"classifier.weight", "classifier.bias"}
    assert "never trained" in found.notes[0]


def test_a_missing_tensor_that_the_prediction_does_not_use_is_no_untrained_head(tmp_path: Path) -> None:
    # XLNet's mask embedding takes part in pre-training only.
    directory = save("xlnet", tmp_path / "xlnet")
    lacking = rewritten(
        directory, tmp_path / "lacking", lambda tensors: {k: v for k, v in tensors.items() if "mask_emb" not in k}
    )
    found = loaded(lacking)
    assert any("mask_emb" in name for name in found.loading.missing)
    assert found.loading.untrained == ()
    assert found.notes == loaded(directory).notes


def test_half_precision_on_disk_is_fp32_in_memory(directory: Path, tmp_path: Path) -> None:
    half = rewritten(directory, tmp_path / "half", lambda tensors: {k: v.half() for k, v in tensors.items()})
    found = loaded(half)
    assert {parameter.dtype for parameter in found.model.parameters()} == {torch.float32}
    assert found.checkpoint_dtype == "F16"


def test_order_and_batch_split_change_nothing_but_rounding(classifier: Classifier) -> None:
    rng = random.Random(0)
    texts = [" ".join(rng.choices(" ".join(SENTENCES).split(), k=rng.randint(1, 30))) for _ in range(40)]
    expected = predict(classifier, texts).logits
    shuffled = rng.sample(range(len(texts)), len(texts))
    np.testing.assert_allclose(predict(classifier, [texts[i] for i in shuffled]).logits, expected[shuffled], atol=1e-5)
    for budget in (1, 64, 100_000):
        np.testing.assert_allclose(predict(classifier, texts, token_budget=budget).logits, expected, atol=1e-5)


def test_identical_encodings_run_once(classifier: Classifier) -> None:
    prediction = predict(classifier, ["This is a test.", "this is a  TEST .", "Another.", "This is a test."])
    assert (prediction.rows_asked, prediction.rows_run) == (4, 2)
    np.testing.assert_array_equal(prediction.logits[0], prediction.logits[1])
    np.testing.assert_array_equal(prediction.logits[0], prediction.logits[3])


def test_known_encodings_do_not_run_again(classifier: Classifier) -> None:
    first = predict(classifier, SENTENCES)
    second = predict(classifier, [*SENTENCES, "one more"], known=first)
    assert second.rows_run == 1
    np.testing.assert_array_equal(second.logits[:-1], first.logits)


def test_no_text_gives_no_rows(classifier: Classifier) -> None:
    assert predict(classifier, []).logits.shape == (0, 2)


@pytest.mark.parametrize(
    "text", ["", " ", "\0", "\u202eabc", "\U0001f469\u200d\U0001f469\u200d\U0001f467", "[SEP]", "x" * 100_000]
)
def test_odd_texts_are_predicted(classifier: Classifier, text: str) -> None:
    assert np.isfinite(predict(classifier, [text]).logits).all()


def test_a_lone_surrogate_is_refused_in_one_sentence(classifier: Classifier) -> None:
    with pytest.raises(WobbleError, match=r"lone surrogate, U\+D800, at character 3") as caught:
        predict(classifier, ["fine", "ab\ud800c"])
    assert "\n" not in str(caught.value)


def test_a_text_without_tokens_is_refused_where_nothing_stands_around_it(tmp_path: Path) -> None:
    with pytest.raises(WobbleError, match="makes no token"):
        predict(loaded(save("gpt2", tmp_path / "gpt2")), [""])


def test_truncation_is_reported(classifier: Classifier) -> None:
    encoding = predict(classifier, ["test " * 1000]).encodings[0]
    assert encoding.truncated
    assert len(encoding.ids) == classifier.limit == 100
    assert encoding.full_length == 1002


def test_a_tokenizer_written_in_python_works(tmp_path: Path) -> None:
    copy = save("bert", tmp_path / "byt5", vocab_size=400)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (copy / name).unlink()
    ByT5Tokenizer(extra_ids=0).save_pretrained(copy)
    found = loaded(copy)
    assert "written in Python" in found.encoder.name
    prediction = predict(found, ["caf\u00e9", "caf\u00e9"])
    assert prediction.rows_run == 1
    assert prediction.encodings[0].offsets is None


def test_damaged_weights_are_named(directory: Path, tmp_path: Path) -> None:
    broken = rewritten(directory, tmp_path / "nan", lambda tensors: {k: v * float("nan") for k, v in tensors.items()})
    with pytest.raises(WobbleError, match="not finite"):
        predict(loaded(broken), ["text"])


@pytest.mark.gpu
def test_the_gpu_agrees_with_the_cpu(directory: Path, classifier: Classifier) -> None:
    on_gpu = loaded(directory, torch.device("cuda"))
    np.testing.assert_allclose(predict(on_gpu, SENTENCES).logits, predict(classifier, SENTENCES).logits, atol=1e-3)
