"""Stochastic passes: the same text again and again with dropout on, as a property of the call.

The shared model stays in eval mode; see `core.models.sites` for how a call drops. Pass i of seed s draws from a generator of its
own, so it is the same whatever else is computed with it.
"""

import copy
import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from transformers.utils.generic import ModelOutput

from core.base.errors import WobbleError
from core.factors.temperature import Head, probabilities
from core.models.classifier import TOKEN_BUDGET, Classifier, Condition, Logits, Prediction, model_inputs, predict
from core.models.heads import (
    Probabilities,
    entropy,
    flip,
    label_name,
    margin,
    mutual_information,
    shift,
    variation_ratio,
    wilson,
)
from core.models.sites import KINDS, ROW_DIMENSION, Kind, Masks, Site, calling
from core.text.tokens import Encoding

MOST_PASSES = 1000


@dataclass(frozen=True)
class Dropout:
    """How passes drop."""

    seed: int = 0
    rate: float | None = None
    """One rate for all sites that act, in [0, 1); None: each site its own, from the checkpoint."""
    sites: tuple[str, ...] | None = None
    """Kinds of sites, or names of single ones; None: all."""


@dataclass(frozen=True, eq=False)
class Passes:
    """Logits of stochastic passes over some texts, and what they cost."""

    encodings: tuple[Encoding, ...]
    logits: Logits
    """`[n_passes, n_texts, n_labels]`"""
    reference: Logits
    """`[n_texts, n_labels]`: dropout off, each text alone."""
    dropout: Dropout
    rows_asked: int
    rows_run: int
    """Rows that went through the whole model; those that only the head saw are not counted."""


def check(classifier: Classifier, dropout: Dropout, passes: int) -> None:
    """Refuse what cannot be run.

    Raises:
        WobbleError: with one sentence that says why.
    """
    if not 1 <= passes <= MOST_PASSES:
        raise WobbleError(f"{passes:,} passes cannot be run: choose from 1 to {MOST_PASSES:,}.")
    if dropout.rate is not None and not 0 <= dropout.rate < 1:
        raise WobbleError(f"A dropout rate of {dropout.rate:g} is not in the range from 0 up to, but not including, 1.")
    known = {site.name for site in classifier.sites} | set(KINDS)
    if dropout.sites is not None and (unknown := [site for site in dropout.sites if site not in known]):
        raise WobbleError(f"{classifier.id} has no dropout site {unknown[0]!r}: choose from {', '.join(KINDS)}.")


def rate_at(site: Site, dropout: Dropout) -> float:
    """The rate with which a site acts in these passes; 0 where it is switched off."""
    if dropout.sites is not None and not {site.kind, site.name} & set(dropout.sites):
        return 0.0
    return site.rate if dropout.rate is None else dropout.rate


def acting(sites: Collection[Site], dropout: Dropout) -> tuple[Site, ...]:
    """The sites that drop anything at all in these passes."""
    return tuple(site for site in sites if rate_at(site, dropout) > 0)


def run_passes(
    classifier: Classifier,
    texts: Sequence[str],
    passes: int,
    dropout: Dropout | None = None,
    *,
    chunk: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    certain: Prediction | None = None,
) -> Passes:
    """Run stochastic passes over texts: many passes share a batch, identical encodings are computed once.

    Args:
        texts: any strings.
        passes: how many, from 1 to 1,000.
        chunk: passes of one text in a batch; by default as many as fill the device's token budget.
        progress: called with the passes that are done and those asked for, over all texts; what it raises cancels.
        certain: the texts alone in their batches, dropout off, as far as that is known.

    Raises:
        WobbleError: a text cannot be predicted, or there are no such passes, rates or sites.
    """
    dropout = dropout or Dropout()
    check(classifier, dropout, passes)
    certain = predict(classifier, texts, Condition(batch="alone"), known=certain)
    active = acting(classifier.sites, dropout)
    if not active:
        # Nothing drops, so every pass is the deterministic prediction, exactly.
        logits = np.repeat(certain.logits[None], passes, axis=0)
        return Passes(certain.encodings, logits, certain.logits, dropout, passes * len(texts), certain.rows_run)
    distinct = {encoding.ids: encoding for encoding in certain.encodings}
    total, done, ran = passes * len(distinct), 0, 0
    found: dict[tuple[int, ...], list[Logits]] = {ids: [] for ids in distinct}
    head_only = all(site.kind == "head" for site in active)
    for encoding in distinct.values():
        model: nn.Module = classifier.model
        if head_only:
            model = _behind_the_encoder(classifier, encoding)
            ran += 1
        size = chunk or max(1, TOKEN_BUDGET[classifier.device.type] // (1 if head_only else len(encoding.ids)))
        if any(site.shared for site in active):
            size = 1
        for begin in range(0, passes, size):
            rows = range(begin, min(passes, begin + size))
            found[encoding.ids].append(_together(classifier, model, encoding, rows, dropout))
            ran += 0 if head_only else len(rows)
            done += len(rows)
            if progress is not None:
                progress(done, total)
    by_ids = {ids: np.concatenate(chunks) for ids, chunks in found.items()}
    logits = np.stack([by_ids[encoding.ids] for encoding in certain.encodings], axis=1)
    return Passes(certain.encodings, logits, certain.logits, dropout, passes * len(texts), ran)


def _together(classifier: Classifier, model: nn.Module, encoding: Encoding, rows: range, dropout: Dropout) -> Logits:
    """Some passes of one text in one batch: `[len(rows), n_labels]`."""
    generators = [_generator(classifier, encoding, dropout.seed, number) for number in rows]
    rates = {(site.name, site.kind): rate_at(site, dropout) for site in classifier.sites}

    def rate(name: str, kind: Kind, own: float) -> float:
        return rates.get((name, kind), 0.0)

    masks = Masks(generators, rate, ROW_DIMENSION.get(classifier.family, 0))
    inputs = model_inputs(classifier, [encoding])
    inputs = {name: tensor.expand(len(rows), -1) for name, tensor in inputs.items()}
    with torch.inference_mode(), calling(masks, classifier.model.base_model_prefix):
        output = model(**inputs).logits
    logits: Logits = output.float().cpu().numpy()
    return logits


def _generator(classifier: Classifier, encoding: Encoding, seed: int, number: int) -> torch.Generator:
    """The generator of one pass: it depends on the seed, the number of the pass and the token ids, and on nothing else."""
    key = hashlib.sha256(f"{seed}/{number}/{encoding.ids}".encode()).digest()
    return torch.Generator(classifier.device).manual_seed(int.from_bytes(key[:8], "big") >> 1)


class _Listening(nn.Module):
    """The encoder, whose answer is kept."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder, self.config = encoder, encoder.config
        self.answer: ModelOutput | None = None

    def forward(self, *args: object, **kwargs: object) -> ModelOutput:
        """What the encoder answers."""
        self.answer = self.encoder(*args, **kwargs)
        return self.answer


class _Computed(nn.Module):
    """Stands where the encoder does and answers with what it said once, for as many rows as are asked."""

    def __init__(self, answer: ModelOutput, config: object) -> None:
        super().__init__()
        self.answer, self.config = answer, config

    def forward(self, input_ids: torch.Tensor, *_: object, **__: object) -> ModelOutput:
        """The known answer, expanded to the rows of `input_ids`."""
        rows = len(input_ids)
        wide = {
            name: value.expand(rows, *value.shape[1:]) if isinstance(value, torch.Tensor) else value
            for name, value in self.answer.items()
        }
        return type(self.answer)(**wide)


def _behind_the_encoder(classifier: Classifier, encoding: Encoding) -> nn.Module:
    """A model of the same modules in which the encoder of one text has already run; the shared model is left alone."""
    model = classifier.model
    clone = copy.copy(model)
    listening = _Listening(getattr(model, model.base_model_prefix))
    clone._modules = {**model._modules, model.base_model_prefix: listening}
    with torch.inference_mode():
        clone(**model_inputs(classifier, [encoding]))
    assert listening.answer is not None
    clone._modules[model.base_model_prefix] = _Computed(listening.answer, model.config)
    return clone


@dataclass(frozen=True, eq=False)
class Spread:
    """What stochastic passes over one text say beside its deterministic prediction."""

    reference: Probabilities
    """`[n_labels]`: dropout off."""
    samples: Probabilities
    """`[n_passes, n_labels]`"""
    labels: tuple[str, ...]
    """The prediction of each pass, in words."""
    margins: NDArray[np.float64] | None
    """`[n_passes]`; None for regression."""
    shifts: NDArray[np.float64]
    """`[n_passes]`"""
    flips: NDArray[np.bool_] | None
    """`[n_passes]`; None for regression."""
    head: Head

    @property
    def mean(self) -> Probabilities:
        """`[n_labels]`"""
        mean: Probabilities = self.samples.mean(axis=0)
        return mean

    @property
    def std(self) -> Probabilities:
        """`[n_labels]`: standard deviation over the passes (n in the denominator)."""
        std: Probabilities = self.samples.std(axis=0)
        return std

    @property
    def flip_rate(self) -> float | None:
        """Share of passes that predict something else than the reference."""
        return None if self.flips is None else float(self.flips.mean())

    @property
    def flip_interval(self) -> tuple[float, float] | None:
        """Wilson's 95 % interval of the flip rate."""
        return None if self.flips is None else wilson(int(self.flips.sum()), len(self.flips))

    @property
    def entropy(self) -> float | None:
        """Predictive entropy `H[mean p]` in nats."""
        return None if self.head == "regression" else float(entropy(self.mean, self.head))

    @property
    def mutual_information(self) -> float | None:
        """`H[mean p] - mean H[p]` in nats."""
        return None if self.head == "regression" else mutual_information(self.samples, self.head)

    @property
    def variation_ratio(self) -> float | None:
        """Share of the passes that the modal prediction does not get."""
        return None if self.head == "regression" else variation_ratio(self.samples, self.head)


def spread(classifier: Classifier, logits: Logits, reference: Logits, temperature: float = 1.0) -> Spread:
    """Summarise the passes of one text.

    Args:
        logits: `[n_passes, n_labels]`.
        reference: `[n_labels]`, dropout off.
        temperature: what all logits are divided by.
    """
    head = classifier.head
    p, q = probabilities(logits, head, temperature), probabilities(reference, head, temperature)
    return Spread(
        reference=q,
        samples=p,
        labels=tuple(label_name(row, head, classifier.labels) for row in p),
        margins=margin(p, q, head),
        shifts=shift(p, q, head),
        flips=flip(p, q, head),
        head=head,
    )
