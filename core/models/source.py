"""Where a classifier's files are, and what can be known of them without loading any."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from safetensors import SafetensorError, safe_open

from core.base.errors import WobbleError

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
            else f"{directory.name} is no model: it holds no weights (no .safetensors file)."
        )
    for file in files:
        try:
            with safe_open(file, framework="pt") as tensors:
                tensors.keys()
        except (SafetensorError, OSError) as error:
            raise WobbleError(f"The weights file {directory.name}/{file.name} is damaged or cut short.") from error
    return files


def tensors(files: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """What the headers of weight files say of each tensor: its "dtype" and its "shape"."""
    for file in files:
        with file.open("rb") as stream:
            header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
        yield from (tensor for name, tensor in header.items() if name != "__metadata__")


def stored_dtypes(files: Sequence[Path]) -> str:
    """The dtypes that the weight files store, most frequent first ("F16", "F32, I64")."""
    return ", ".join(dtype for dtype, _ in Counter(tensor["dtype"] for tensor in tensors(files)).most_common())


def sha256(files: Sequence[Path]) -> str:
    """Of some files, one after the other: the sha256 of their own."""
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()
