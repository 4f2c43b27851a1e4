"""A loaded text classifier.

It is loaded once and shared by all threads of the process: nothing on it changes afterwards. Whatever can vary from call to
call is a `core.models.predict.Condition` of the call.
"""

from dataclasses import dataclass, field
from typing import Literal

import torch
from transformers import PreTrainedModel

from core.base.errors import WobbleError
from core.base.settings import settings
from core.models.heads import Head
from core.models.sites import Site
from core.models.source import Source
from core.text.tokens import TextEncoder

Batching = Literal["padded", "equal lengths", "one by one"]
"""How texts may share a batch."""


@dataclass(frozen=True)
class LoadingReport:
    """What `from_pretrained` found when it put the checkpoint into the model."""

    missing: tuple[str, ...] = ()
    """Parameters of the model that the checkpoint does not have."""
    unexpected: tuple[str, ...] = ()
    """Tensors of the checkpoint that the model does not use."""
    mismatched: tuple[str, ...] = ()
    """Tensors whose shape is another one: left out."""
    untrained: tuple[str, ...] = ()
    """Parameters that were drawn at random at loading and that change the prediction: the model is not usable as it is."""


@dataclass(frozen=True, eq=False)
class Classifier:
    """A text classifier in eval mode and fp32, never changed after loading, shared by all threads."""

    source: Source
    model: PreTrainedModel = field(repr=False)
    encoder: TextEncoder = field(repr=False)
    labels: tuple[str, ...]
    head: Head
    limit: int
    """Tokens at the most, special ones included; longer texts are truncated, and that is shown."""
    device: torch.device
    parameters: int
    weights_hash: str
    """sha256 over the weight files, adapter last."""
    checkpoint_dtype: str
    """The dtype in which the checkpoint stores its weights; they are always computed with in fp32."""
    loading: LoadingReport
    sites: tuple[Site, ...]
    """Where dropout can act, in the order in which it does, with the checkpoint's own rates."""
    batching: Batching
    """Padding is trusted only where a check at loading showed that it changes nothing."""
    notes: tuple[str, ...] = ()
    """What a user should know before trusting this model, in sentences."""

    @property
    def id(self) -> str:
        """The catalog's id."""
        return self.source.id

    @property
    def architecture(self) -> str:
        """The name of the transformers class."""
        return type(self.model).__name__

    @property
    def family(self) -> str:
        """The model type of transformers ("bert", "roberta", ...)."""
        return str(self.model.config.model_type)


def best_device() -> torch.device:
    """The operator's `WOBBLE_DEVICE`, else CUDA, else MPS, else the CPU."""
    if chosen := settings().device:
        try:
            device = torch.device(chosen)
            torch.empty(0, device=device)
        except (RuntimeError, AssertionError) as error:
            raise WobbleError(f"WOBBLE_DEVICE is {chosen!r}, which this machine cannot use.") from error
        return device
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")
