"""Dropout as a property of the call: real, repeatable, and invisible to everyone else."""

import copy
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from core.base.cache import forget
from core.base.errors import WobbleError
from core.factors.dropout import Dropout, acting, over_passes, rate_at, run_passes
from core.factors.registry import factors
from core.models.catalog import load
from core.models.classifier import Classifier
from core.models.heads import Logits
from core.models.passes import together
from core.models.predict import Condition, model_inputs, predict
from core.models.site import KINDS
from core.studies.study import study
from tests.architectures import ARCHITECTURES, loaded

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
def models(tiny: Callable[..., Classifier]) -> dict[str, Classifier]:
    """One small classifier an architecture, each with dropout."""
    return {name: tiny(name, **RATES.get(name, {})) for name in ARCHITECTURES}


def passes_of(
    classifier: Classifier, passes: int, dropout: Dropout, text: str = TEXT, **options: Any
) -> tuple[Logits, int]:
    """Passes that nobody remembers: their logits `[n_passes, n_labels]` and the rows that were run."""
    forget(classifier)
    return run_passes(classifier, classifier.encoder([text])[0], passes, dropout, **options)


def certain(classifier: Classifier, *texts: str) -> Logits:
    """`[n_texts, n_labels]` without dropout, each text alone."""
    return predict(classifier, classifier.encoder(texts or [TEXT]), Condition(batch="alone")).logits


@pytest.fixture(scope="module")
def bert(models: dict[str, Classifier]) -> Classifier:
    return models["bert"]


def trained_loop(classifier: Classifier, passes: int, together: int) -> np.ndarray:
    """What people do: `model.train()`, and pass after pass, some in a batch. `[passes, n_labels]`"""
    model = copy.deepcopy(classifier.model).train()
    inputs = model_inputs(classifier, classifier.encoder([TEXT]) * together)
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        return np.concatenate([model(**inputs).logits.numpy() for _ in range(passes // together)])


@pytest.mark.slow
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_mean_and_spread_agree_with_model_train(name: str, models: dict[str, Classifier]) -> None:
    """Within 4.5 standard errors of the mean, and five of the spread (its relative one is about 1 / sqrt(passes))."""
    one_by_one = any(site.shared for site in models[name].sites)
    passes = 200 if one_by_one else 600
    theirs = trained_loop(models[name], passes, together=1 if one_by_one else 100)
    ours, _ = passes_of(models[name], passes, Dropout(seed=1))
    assert theirs.std() > 1e-3
    error = np.sqrt((ours.var(axis=0) + theirs.var(axis=0)) / passes)
    assert (np.abs(ours.mean(axis=0) - theirs.mean(axis=0)) < 4.5 * error).all()
    np.testing.assert_allclose(ours.std(axis=0), theirs.std(axis=0), rtol=5 / np.sqrt(passes))


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_rates_of_zero_equal_the_deterministic_result_and_are_never_called_stable(
    name: str, models: dict[str, Classifier]
) -> None:
    classifier = models[name]
    logits = together(classifier, classifier.model, classifier.encoder([TEXT])[0], range(1), 0, {})
    # Our own matrix products stand for sdpa: rounding.
    np.testing.assert_allclose(logits, certain(classifier), atol=5e-6)
    with pytest.raises(WobbleError, match="every pass would be the same"):
        passes_of(classifier, 3, Dropout(rate=0.0))
    row = study(classifier, TEXT, ["dropout"], {"dropout": {"p": 0.0}})["dropout"]
    assert (row.tried, row.flip_rate) == (0, None)
    assert len(row.notes) == 1


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_pass_i_of_a_seed_is_the_same_whatever_the_chunk_size(name: str, models: dict[str, Classifier]) -> None:
    classifier = models[name]
    whole, _ = passes_of(classifier, 12, Dropout(seed=5))
    for chunk in (1, 5):
        np.testing.assert_allclose(passes_of(classifier, 12, Dropout(seed=5), chunk=chunk)[0], whole, atol=1e-5)
    np.testing.assert_allclose(passes_of(classifier, 4, Dropout(seed=5))[0], whole[:4], atol=1e-5)
    assert np.abs(passes_of(classifier, 12, Dropout(seed=6))[0] - whole).max() > 1e-3


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_site_alone_scatters_the_prediction(name: str, models: dict[str, Classifier]) -> None:
    classifier = models[name]
    assert classifier.sites
    expected = certain(classifier)
    for site in {site.name: site for site in classifier.sites if site.rate}.values():
        alone, _ = passes_of(classifier, 8, Dropout(rate=0.5, sites=(site.name,)))
        assert np.abs(alone - expected).max() > 1e-6, f"{site.name} does nothing"


@pytest.mark.parametrize("name", ["bert", "roberta", "distilbert", "bart", "modernbert", "xlnet", "electra", "mpnet"])
def test_head_dropout_runs_the_encoder_once_and_equals_full_passes(name: str, models: dict[str, Classifier]) -> None:
    classifier = models[name]
    head = Dropout(seed=2, sites=("head",))
    found, ran = passes_of(classifier, 20, head)
    assert ran == 1
    assert found.std(axis=0).max() > 1e-4
    rates = {(site.name, site.kind): rate_at(site, head) for site in classifier.sites}
    whole = together(classifier, classifier.model, classifier.encoder([TEXT])[0], range(20), 2, rates)
    np.testing.assert_allclose(found, whole, atol=1e-5)


def test_a_model_without_dropout_is_known_as_such(tiny: Callable[..., Classifier]) -> None:
    classifier = tiny("modernbert")
    assert classifier.sites
    assert acting(classifier.sites, Dropout()) == ()
    assert acting(classifier.sites, Dropout(rate=0.1)) == classifier.sites
    (factor,) = factors(["dropout"])
    said = "This model has no dropout: {}, so a pass cannot differ. That says nothing about stability."
    # A rate of one's own helps where every rate is zero, and nothing helps where there is no site.
    assert factor.missing(classifier) is None
    assert study(classifier, TEXT, ["dropout"])["dropout"].notes == (said.format("every rate is zero"),)
    assert study(classifier, TEXT, ["dropout"], {"dropout": {"p": 0.1}})["dropout"].tried
    none = replace(classifier, sites=())
    assert factor.missing(none) == said.format("it drops nothing anywhere")
    assert study(none, TEXT, ["dropout"], {"dropout": {"p": 0.1}})["dropout"].notes == (factor.missing(none),)


def test_the_inventory_is_that_of_the_config(models: dict[str, Classifier]) -> None:
    bert = models["bert"]
    assert {site.kind for site in bert.sites} == {"embeddings", "attention", "hidden", "head"}
    assert {site.rate for site in bert.sites} == {0.1}
    assert len(bert.sites) == 1 + 2 * 3 + 1  # embeddings, three a layer, head
    assert {site.kind for site in models["deberta-v2"].sites} == {*KINDS}


@pytest.mark.parametrize("name", ["bert", "roberta", "gpt2", "bart", "llama", "modernbert", "albert"])
def test_without_dropout_our_kernel_is_stock_sdpa_bit_for_bit(name: str, tiny: Callable[..., Classifier]) -> None:
    classifier = tiny(name)
    assert classifier.model.config._attn_implementation == "wobble_sdpa"
    stock = transformers.AutoModelForSequenceClassification.from_pretrained(
        classifier.source.directory, dtype=torch.float32, attn_implementation="sdpa"
    ).eval()
    inputs = model_inputs(classifier, classifier.encoder([TEXT]))
    with torch.inference_mode():
        assert torch.equal(stock(**inputs).logits, classifier.model(**inputs).logits)


@pytest.mark.slow
def test_twenty_threads_predict_while_twenty_run_dropout_and_nobody_notices(bert: Classifier) -> None:
    texts = ["This is a test.", TEXT, "The movie was not bad at all, it was wonderful!"]
    expected = certain(bert, *texts)
    scattered = {seed: passes_of(bert, 10, Dropout(seed=seed))[0] for seed in range(20)}
    forget(bert)
    states = torch.get_rng_state().tolist(), np.random.get_state()[1].tolist()  # noqa: NPY002
    barrier = threading.Barrier(40)

    def ask(number: int) -> np.ndarray:
        barrier.wait()
        if number % 2:
            return run_passes(bert, bert.encoder([TEXT])[0], 10, Dropout(seed=number // 2))[0]
        found = []
        for again in range(5):
            if again:  # or all but the first would come from memory
                forget(bert)
            found.append(certain(bert, *texts))
        return np.stack(found)

    with ThreadPoolExecutor(40) as pool:
        for number, answer in enumerate(pool.map(ask, range(40))):
            if number % 2:
                np.testing.assert_array_equal(answer, scattered[number // 2])
            else:
                np.testing.assert_array_equal(answer, np.repeat(expected[None], 5, axis=0))
    assert not any(module.training for module in bert.model.modules())
    assert (torch.get_rng_state().tolist(), np.random.get_state()[1].tolist()) == states  # noqa: NPY002


def test_passes_run_once_and_more_of_them_go_on_where_they_ended(bert: Classifier) -> None:
    first, ran = passes_of(bert, 6, Dropout(seed=3))
    (encoding, respelled) = bert.encoder([TEXT, TEXT.upper()])
    assert ran == 6 and encoding.key == respelled.key
    for again, passes, rows in ((encoding, 6, 0), (respelled, 4, 0), (encoding, 9, 3)):
        found, ran = run_passes(bert, again, passes, Dropout(seed=3))
        assert (len(found), ran) == (passes, rows)
        np.testing.assert_array_equal(found[: min(6, passes)], first[:passes])
    np.testing.assert_allclose(found, passes_of(bert, 9, Dropout(seed=3))[0], atol=1e-5)


def test_other_seeds_rates_sites_and_texts_are_remembered_apart(bert: Classifier) -> None:
    forget(bert)
    (encoding, other) = bert.encoder([TEXT, "Another."])
    asked = [
        (encoding, Dropout()),
        (encoding, Dropout(seed=1)),
        (encoding, Dropout(rate=0.3)),
        (encoding, Dropout(sites=("hidden",))),
        (other, Dropout()),
    ]
    assert [run_passes(bert, text, 2, dropout)[1] for text, dropout in asked] == [2] * 5
    assert [run_passes(bert, text, 2, dropout)[1] for text, dropout in asked] == [0] * 5


def test_passes_of_the_head_alone_run_together_however_long_the_text_is(bert: Classifier) -> None:
    told: list[tuple[int, int]] = []
    passes_of(bert, 200, Dropout(rate=0.5, sites=("head",)), TEXT * 9, progress=lambda *counts: told.append(counts))
    assert told == [(200, 200)]
    # What is known is not run again, the encoder neither.
    known = bert.encoder([TEXT * 9])[0]
    assert run_passes(bert, known, 200, Dropout(rate=0.5, sites=("head",)))[1] == 0
    passes_of(bert, 200, Dropout(rate=0.5), TEXT * 9, progress=lambda *counts: told.append(counts))
    assert len(told) > 2


def test_progress_is_told_and_can_cancel(bert: Classifier) -> None:
    told: list[tuple[int, int]] = []
    passes_of(bert, 10, Dropout(), chunk=4, progress=lambda done, total: told.append((done, total)))
    assert told == [(4, 10), (8, 10), (10, 10)]
    expected = certain(bert)

    def cancel(_: int, __: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        passes_of(bert, 10, Dropout(), chunk=1, progress=cancel)
    # The thread that was cancelled predicts without dropout again.
    forget(bert)
    np.testing.assert_array_equal(certain(bert), expected)


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
        passes_of(bert, passes, dropout)
    assert str(caught.value).endswith(".")


def test_a_row_of_passes_says_what_they_say() -> None:
    classifier = load()
    text = "Despite modest aspirations its occasional charms are not to be dismissed."
    row = study(classifier, text, ["dropout"])["dropout"]
    logits, _ = run_passes(classifier, classifier.encoder([text])[0], 100, Dropout(seed=0))
    p = classifier.head.probabilities(logits)
    top = classifier.head.probabilities(certain(classifier, text)[0]).argmax()
    np.testing.assert_array_equal(row.probabilities, p)
    assert row.flip_rate == (p.argmax(axis=1) != top).mean()
    assert row.flip_interval is not None
    assert row.flip_interval[0] <= row.flip_rate <= row.flip_interval[1]
    assert [case.made.document() for case in row.cases] == [{"pass": number} for number in range(1, 101)]
    said = over_passes(p, classifier.head)
    assert said["entropy"] >= said["mutual_information"] >= 0
    assert said["entropy"] == classifier.head.entropy(p.mean(axis=0))


def test_the_row_of_a_factor_runs_what_was_asked_for(bert: Classifier) -> None:
    how = {"passes": 7, "seed": 4, "p": 0.3, "sites": ("hidden", "head")}
    row = study(bert, TEXT, ["dropout"], {"dropout": how})["dropout"]
    expected, _ = passes_of(bert, 7, Dropout(4, 0.3, ("hidden", "head")))
    np.testing.assert_array_equal([case.logits for case in row.cases], expected)


def test_a_regression_spreads_and_has_no_entropy(tiny: Callable[..., Classifier]) -> None:
    value = tiny("bert", num_labels=1, problem_type="regression")
    samples = value.head.probabilities(passes_of(value, 5, Dropout())[0])
    assert samples.std(axis=0).max() > 0
    assert set(over_passes(samples, value.head).values()) == {None}


@pytest.mark.gpu
def test_chunks_agree_on_the_gpu(bert: Classifier) -> None:
    on_gpu = loaded(bert.source.directory, torch.device("cuda"))
    whole, _ = passes_of(on_gpu, 40, Dropout(seed=5))
    np.testing.assert_allclose(passes_of(on_gpu, 40, Dropout(seed=5), chunk=7)[0], whole, atol=1e-4)
