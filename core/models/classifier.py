"""A loaded text classifier, where its files are, and what can be known about them without loading any.

A classifier is loaded once and shared by all threads of the process: nothing on it changes afterwards. Whatever can vary from
call to call is a `core.models.predict.Condition` of the call.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from safetensors import SafetensorError, safe_open

from core.base.errors import WobbleError
from core.base.settings import settings
from core.models.heads import Head
from core.models.site import Site
from core.text.tokens import TextEncoder

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
    "vocab.json",
    "spiece.model",
    "tokenizer.model",
    "sentencepiece.bpe.model",
)


PICKLES = (".bin", ".pt", ".pth", ".ckpt")

Kind = Literal["embedded", "local", "hub"]


@dataclass(frozen=True)
class Source:
    """Where a classifier's files are. `directory` is what transformers loads; `adapter` is a LoRA adapter on it (peft)."""

    id: str
    kind: Kind
    directory: Path
    adapter: Path | None = None

    @property
    def top(self) -> Path:
        """The directory that carries the name: the adapter where there is one."""
        return self.adapter or self.directory

    @property
    def config(self) -> Path:
        """The config.json: the adapter's own, which knows its labels, else its base model's."""
        own = self.top / "config.json"
        return own if own.is_file() else self.directory / "config.json"

    @property
    def tokenizer(self) -> Path | None:
        """The directory that holds the tokenizer: the adapter's own, else its base model's; None where neither does."""
        places = dict.fromkeys((self.top, self.directory))
        return next((place for place in places if any((place / name).is_file() for name in TOKENIZER_FILES)), None)


Batching = Literal["padded", "equal lengths", "one by one"]
"""How texts may share a batch."""


@dataclass(frozen=True, eq=False)
class Classifier:
    """A text classifier in eval mode and fp32, never changed after loading, shared by all threads."""

    source: Source
    model: "PreTrainedModel" = field(repr=False)
    encoder: TextEncoder = field(repr=False)
    labels: tuple[str, ...]
    head: Head
    limit: int
    """The most tokens, special ones included; longer texts are truncated, and that is shown."""
    device: "torch.device"
    parameters: int
    weights_hash: str
    """sha256 over the weight files, adapter last."""
    checkpoint_dtype: str
    """The dtype in which the checkpoint stores its weights; computation is always in fp32."""
    untrained: tuple[str, ...]
    """Parameters that were drawn at random during loading and that change the prediction: the model is not usable as it is."""
    sites: tuple[Site, ...]
    """Where dropout can act, in the order in which it does, with the checkpoint's own rates."""
    batching: Batching
    """Padding is trusted only where a check during loading showed that it changes nothing."""
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


def best_device() -> "torch.device":
    """The operator's `WOBBLE_DEVICE`, else CUDA, else MPS, else the CPU.

    Raises:
        WobbleError: this machine cannot use the operator's.
    """
    import torch

    if chosen := settings().device:
        try:
            device = torch.device(chosen)
            torch.empty(0, device=device)
        except (RuntimeError, AssertionError) as error:
            raise WobbleError(f"WOBBLE_DEVICE is {chosen!r}, which this machine cannot use.") from error
        return device
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    return torch.device(next(name for name, answers in there.items() if answers))


def weight_files(directory: Path) -> list[Path]:
    """The safetensors files of a model or adapter directory, in order.

    Raises:
        WobbleError: there is none, or one cannot be read.
    """
    files = sorted(directory.glob("*.safetensors"))
    if not files:
        pickles = sorted(file.name for file in directory.iterdir() if file.suffix in PICKLES)
        raise WobbleError(
            f"{directory.name} holds its weights only as a pickle ({pickles[0]}), which can run code when it is opened; "
            "convert it to safetensors."
            if pickles
            else f"{directory.name} is not a model: it holds no weights (no .safetensors file)."
        )
    for file in files:
        try:
            with safe_open(file, framework="pt") as tensors:
                tensors.keys()
        except (SafetensorError, OSError) as error:
            raise WobbleError(f"The weights file {directory.name}/{file.name} is damaged or cut short.") from error
    return files


def tensors(files: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """What the headers of weight files say about each tensor: its "dtype" and its "shape"."""
    for file in files:
        with file.open("rb") as stream:
            header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
        yield from (tensor for name, tensor in header.items() if name != "__metadata__")


def stored_dtypes(files: Sequence[Path]) -> str:
    """The dtypes that the weight files store, most frequent first ("F16", "F32, I64")."""
    return ", ".join(dtype for dtype, _ in Counter(tensor["dtype"] for tensor in tensors(files)).most_common())


def sha256(files: Sequence[Path]) -> str:
    """One sha256 over the sha256 of each of some files."""
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()
