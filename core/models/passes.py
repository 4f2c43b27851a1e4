"""Stochastic passes over one text, many in a batch, while the shared model stays as it is; see `core.models.sites`."""

import copy
import hashlib
from collections.abc import Mapping

import numpy as np
import torch
from torch import nn
from transformers.utils.generic import ModelOutput

from core.models.classifier import Classifier
from core.models.heads import Logits
from core.models.predict import model_inputs
from core.models.site import Kind
from core.models.sites import calling, masks
from core.text.tokens import Encoding


def together(
    classifier: Classifier,
    model: nn.Module,
    encoding: Encoding,
    rows: range,
    seed: int,
    rates: Mapping[tuple[str, Kind], float],
) -> Logits:
    """Some passes of one text in one batch: `[len(rows), n_labels]`.

    Args:
        model: the classifier's, or what `behind_the_encoder` made of it.
        rows: the numbers of the passes, from 0.
        rates: by the name and the kind of a site; nothing drops at any other.
    """
    # A pass depends on the seed, its number and the token ids, and on nothing else.
    keys = [hashlib.sha256(f"{seed}/{number}/{encoding.ids}".encode()).digest() for number in rows]
    generators = [torch.Generator(classifier.device).manual_seed(int.from_bytes(key[:8], "big") >> 1) for key in keys]

    def rate(name: str, kind: Kind, own: float) -> float:
        return rates.get((name, kind), 0.0)

    inputs = model_inputs(classifier, [encoding])
    inputs = {name: tensor.expand(len(rows), -1) for name, tensor in inputs.items()}
    with (
        torch.inference_mode(),
        calling(masks(generators, rate, classifier.family), classifier.model.base_model_prefix),
    ):
        return np.asarray(model(**inputs).logits.float().cpu())


class _Once(nn.Module):
    """Takes the place of the encoder: runs it at the first call, and repeats that answer for as many rows as are asked for."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder, self.config = encoder, encoder.config
        self.answer: ModelOutput | None = None

    def forward(self, input_ids: torch.Tensor, *args: object, **kwargs: object) -> ModelOutput:
        """The answer to the first call, expanded to the rows of `input_ids`."""
        if self.answer is None:
            self.answer = self.encoder(input_ids, *args, **kwargs)
        wide = {
            name: value.expand(len(input_ids), *value.shape[1:]) if isinstance(value, torch.Tensor) else value
            for name, value in self.answer.items()
        }
        return type(self.answer)(**wide)


def behind_the_encoder(classifier: Classifier, encoding: Encoding) -> nn.Module:
    """A model of the same modules in which the encoder of one text has already run; the shared model is left alone."""
    model = classifier.model
    clone = copy.copy(model)
    clone._modules = {**model._modules, model.base_model_prefix: _Once(getattr(model, model.base_model_prefix))}
    with torch.inference_mode():
        clone(**model_inputs(classifier, [encoding]))
    return clone
