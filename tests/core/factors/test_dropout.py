"""Dropout as a property of the call: real, repeatable, and invisible to everyone else."""

import copy
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from core.base.errors import WobbleError
from core.factors.dropout import Dropout, _together, acting, run_passes, spread
from core.models.catalog import load
from core.models.classifier import Classifier, Condition, model_inputs, predict
from core.models.sites import KINDS
from tests.architectures import ARCHITECTURES, loaded, save

TEXT = "This is a test, and it isn't long."
# Llama and Qwen drop nothing by default, and ModernBERT neither.
RATES: dict[str, dict[str, float]] = {
    "llama": {"attention_dropout": 0.2},
    "qwen2": {"attention_dropout": 0.2},
    "modernbert": {"attention_dropout": 0.1, "mlp_dropout": 0.1, "embedding_dropout": 0.1, "classifier_dropout": 0.1},
    "bart": {"classifier_dropout": 0.1, "activation_dropout": 0.1},
    "albert": {"hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1},
    "xlnet": {"summary_last_dropout": 0.2},
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Classifier]:
    """One small classifier an architecture, each with dropout."""
    made = tmp_path_factory.mktemp("models")
    return {name: loaded(save(name, made / name, **RATES.get(name, {}))) for name in ARCHITECTURES}


@pytest.fixture(scope="module")
def bert(models: dict[str, Classifier]) -> Classifier:
    return models["bert"]


def trained_loop(classifier: Classifier, passes: int) -> np.ndarray:
    """What people do: `model.train()`, one pass after the other. `[passes, n_labels]`"""
    model = copy.deepcopy(classifier.model).train()
    inputs = model_inputs(classifier, classifier.encoder([TEXT]))
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        return np.stack([model(**inputs).logits[0].numpy() for _ in range(passes)])


@pytest.mark.slow
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_mean_and_spread_agree_with_model_train(name: str, models: dict[str, Classifier]) -> None:
    """Within 4.5 standard errors of the mean, and a fifth of the spread (its own standard error is 4 %)."""
    passes = 600
    theirs = trained_loop(models[name], passes)
    ours = run_passes(models[name], [TEXT], passes, Dropout(seed=1)).logits[:, 0]
    assert theirs.std() > 1e-3
    error = np.sqrt((ours.var(axis=0) + theirs.var(axis=0)) / passes)
    assert (np.abs(ours.mean(axis=0) - theirs.mean(axis=0)) < 4.5 * error).all()
    np.testing.assert_allclose(ours.std(axis=0), theirs.std(axis=0), rtol=0.2)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_rates_of_zero_equal_the_deterministic_result_exactly(name: str, models: dict[str, Classifier]) -> None:
    passes = run_passes(models[name], [TEXT], 3, Dropout(rate=0.0))
    expected = predict(models[name], [TEXT], Condition(batch="alone")).logits
    for logits in passes.logits:
        np.testing.assert_array_equal(logits, expected)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_pass_i_of_a_seed_is_the_same_whatever_the_chunk_size(name: str, models: dict[str, Classifier]) -> None:
    whole = run_passes(models[name], [TEXT], 12, Dropout(seed=5)).logits
    for chunk in (1, 5):
        np.testing.assert_allclose(
            run_passes(models[name], [TEXT], 12, Dropout(seed=5), chunk=chunk).logits, whole, atol=1e-5
        )
    np.testing.assert_allclose(
        run_passes(models[name], ["Another.", TEXT], 4, Dropout(seed=5)).logits[:, 1], whole[:4, 0], atol=1e-5
    )
    assert np.abs(run_passes(models[name], [TEXT], 12, Dropout(seed=6)).logits - whole).max() > 1e-3


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_site_alone_scatters_the_prediction(name: str, models: dict[str, Classifier]) -> None:
    classifier = models[name]
    assert classifier.sites
    certain = predict(classifier, [TEXT], Condition(batch="alone")).logits
    for site in {site.name: site for site in classifier.sites if site.rate}.values():
        alone = run_passes(classifier, [TEXT], 8, Dropout(rate=0.5, sites=(site.name,)))
        assert np.abs(alone.logits - certain).max() > 1e-6, f"{site.name} does nothing"


@pytest.mark.parametrize("name", ["bert", "roberta", "distilbert", "bart", "modernbert", "xlnet", "electra", "mpnet"])
def test_head_dropout_runs_the_encoder_once_and_equals_full_passes(name: str, models: dict[str, Classifier]) -> None:
    classifier = models[name]
    head = Dropout(seed=2, sites=("head",))
    found = run_passes(classifier, [TEXT], 20, head)
    assert found.rows_run == 1
    assert found.logits.std(axis=0).max() > 1e-4
    whole = _together(classifier, classifier.model, found.encodings[0], range(20), head)
    np.testing.assert_allclose(found.logits[:, 0], whole, atol=1e-5)


def test_a_model_without_dropout_is_known_as_such(tmp_path: Path) -> None:
    classifier = loaded(save("modernbert", tmp_path / "modernbert"))
    assert classifier.sites
    assert acting(classifier.sites, Dropout()) == ()
    assert acting(classifier.sites, Dropout(rate=0.1)) == classifier.sites


def test_the_inventory_is_that_of_the_config(models: dict[str, Classifier]) -> None:
    bert = models["bert"]
    assert {site.kind for site in bert.sites} == {"embeddings", "attention", "hidden", "head"}
    assert {site.rate for site in bert.sites} == {0.1}
    assert len(bert.sites) == 1 + 2 * 3 + 1  # embeddings, three a layer, head
    assert {site.kind for site in models["deberta-v2"].sites} == {*KINDS}


@pytest.mark.parametrize("name", ["bert", "roberta", "gpt2", "bart", "llama", "modernbert", "albert"])
def test_without_dropout_our_kernel_is_stock_sdpa_bit_for_bit(name: str, tmp_path: Path) -> None:
    directory = save(name, tmp_path / name)
    classifier = loaded(directory)
    assert classifier.model.config._attn_implementation == "wobble_sdpa"
    stock = transformers.AutoModelForSequenceClassification.from_pretrained(
        directory, dtype=torch.float32, attn_implementation="sdpa"
    ).eval()
    inputs = model_inputs(classifier, classifier.encoder([TEXT]))
    with torch.inference_mode():
        assert torch.equal(stock(**inputs).logits, classifier.model(**inputs).logits)


@pytest.mark.slow
def test_twenty_threads_predict_while_twenty_run_dropout_and_nobody_notices(bert: Classifier) -> None:
    texts = ["This is a test.", TEXT, "The movie was not bad at all, it was wonderful!"]
    certain = predict(bert, texts).logits
    scattered = run_passes(bert, [TEXT], 10, Dropout(seed=7)).logits
    states = torch.get_rng_state().tolist(), np.random.get_state()[1].tolist()  # noqa: NPY002
    barrier = threading.Barrier(40)

    def ask(number: int) -> np.ndarray:
        barrier.wait()
        if number % 2:
            return run_passes(bert, [TEXT], 10, Dropout(seed=7)).logits
        return np.stack([predict(bert, texts).logits for _ in range(5)])

    with ThreadPoolExecutor(40) as pool:
        for number, answer in enumerate(pool.map(ask, range(40))):
            if number % 2:
                np.testing.assert_array_equal(answer, scattered)
            else:
                np.testing.assert_array_equal(answer, np.repeat(certain[None], 5, axis=0))
    assert not any(module.training for module in bert.model.modules())
    assert (torch.get_rng_state().tolist(), np.random.get_state()[1].tolist()) == states  # noqa: NPY002


def test_identical_encodings_run_once(bert: Classifier) -> None:
    found = run_passes(bert, ["A test.", "a TEST ."], 6)
    assert (found.rows_asked, found.rows_run) == (12, 6)
    np.testing.assert_array_equal(found.logits[:, 0], found.logits[:, 1])


def test_progress_is_told_and_can_cancel(bert: Classifier) -> None:
    told: list[tuple[int, int]] = []
    run_passes(bert, [TEXT], 10, chunk=4, progress=lambda done, total: told.append((done, total)))
    assert told == [(4, 10), (8, 10), (10, 10)]

    def cancel(_: int, __: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_passes(bert, [TEXT], 10, chunk=1, progress=cancel)
    # The thread that was cancelled predicts without dropout again.
    np.testing.assert_array_equal(predict(bert, [TEXT]).logits, predict(bert, [TEXT]).logits)


@pytest.mark.parametrize(
    ("passes", "dropout"),
    [
        (0, Dropout()),
        (1_000_000, Dropout()),
        (10, Dropout(rate=1.0)),
        (10, Dropout(rate=-0.1)),
        (10, Dropout(rate=float("nan"))),
        (10, Dropout(sites=("nonsense",))),
    ],
)
def test_what_cannot_be_run_is_refused_in_one_sentence(passes: int, dropout: Dropout, bert: Classifier) -> None:
    with pytest.raises(WobbleError) as caught:
        run_passes(bert, [TEXT], passes, dropout)
    assert str(caught.value).endswith(".")


def test_a_spread_says_what_its_passes_say() -> None:
    classifier = load()
    text = "Despite modest aspirations its occasional charms are not to be dismissed."
    found = run_passes(classifier, [text], 100, Dropout(seed=0))
    summary = spread(classifier, found.logits[:, 0], found.reference[0])
    assert (
        summary.flip_rate
        == sum(label != classifier.labels[summary.reference.argmax()] for label in summary.labels) / 100
    )
    assert summary.flip_interval is not None
    assert summary.flip_interval[0] <= summary.flip_rate <= summary.flip_interval[1]
    assert summary.entropy is not None and summary.mutual_information is not None
    assert summary.entropy >= summary.mutual_information >= 0


@pytest.mark.gpu
def test_chunks_agree_on_the_gpu(bert: Classifier) -> None:
    on_gpu = loaded(bert.source.directory, torch.device("cuda"))
    whole = run_passes(on_gpu, [TEXT], 40, Dropout(seed=5)).logits
    np.testing.assert_allclose(run_passes(on_gpu, [TEXT], 40, Dropout(seed=5), chunk=7).logits, whole, atol=1e-4)
