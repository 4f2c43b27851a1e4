"""Training seeds: the same recipe with another seed is another model. All of a family answer in one forward pass.

Where the members are LoRA adapters on one encoder, they are not merged into copies of it; their factors are stacked: a batch
holds every text once a seed, each linear layer runs once over all rows, and each seed's rows get their own low-rank term.
What a call adds is looked up in a context variable, so the shared encoder never changes. Members of other kinds (fine-tuned
as a whole, or of an architecture whose layers do not take rows first) answer one after the other.
"""

import json
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from core.base.errors import WobbleError
from core.families.members import Member, members
from core.models import catalog
from core.models.classifier import Classifier
from core.models.heads import Logits
from core.models.loading import PROBES, load_base
from core.models.predict import TOKEN_BUDGET, model_inputs, predict
from core.models.sites import ROW_DIMENSION
from core.models.source import Source
from core.text.tokens import Encoding

SCALED_OTHERWISE = ("use_rslora", "use_dora", "rank_pattern", "alpha_pattern")
"""Settings of peft under which an adapter is more than `alpha / r` times its two factors."""

Progress = Callable[[int, int], None]
"""Called with what is done and what was asked for; what it raises cancels."""


@dataclass(frozen=True, eq=False)
class Family:
    """Fine-tuned classifiers that differ by their training seeds alone."""

    id: str
    members: tuple[Member, ...]
    first: Classifier = field(repr=False)
    """Its tokenizer, labels, head and limits are those of all."""
    model: PreTrainedModel | None = field(repr=False)
    """The encoder without any adapter, with hooks that add the rows' own terms; None where members answer one by one."""
    stacks: dict[str, "Stack"] = field(repr=False)
    """By the path of the module; empty where members answer one by one."""
    alone: tuple[Classifier, ...] = field(default=(), repr=False)
    """The members as classifiers of their own; empty where they are stacked."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the members."""
        return tuple(member.name for member in self.members)


@dataclass(frozen=True, eq=False)
class Stack:
    """One linear layer of all members."""

    a: Tensor | None = None
    """`[n_seeds, in, rank]`: the first factors, transposed; None for a layer that is replaced as a whole."""
    b: Tensor | None = None
    """`[n_seeds, rank, out]`: the second factors, transposed and scaled."""
    weight: Tensor | None = None
    """`[n_seeds, in, out]`: whole weights, transposed (the classification head)."""
    bias: Tensor | None = None
    """`[n_seeds, 1, out]`; None for a layer without one."""


@dataclass(frozen=True, eq=False)
class FamilyPrediction:
    """Logits of all members for some texts, and what they cost."""

    encodings: tuple[Encoding, ...]
    logits: Logits
    """`[n_seeds, n_texts, n_labels]`"""
    rows_asked: int
    rows_run: int
    passes: int
    """Forward passes of an encoder."""


_stacks: ContextVar[dict[str, Stack] | None] = ContextVar("stacks", default=None)


# --- loading ---------------------------------------------------------------------------------------------------------


def load_family(id: str = catalog.DEFAULT) -> Family:
    """Load a family: its adapters on one encoder where that is possible, else each member.

    Raises:
        WobbleError: there is no such family, or a member cannot be loaded.
    """
    found = members(id)
    sources = [catalog.resolve(member.id) for member in found]
    first = catalog.load(found[0].id)
    adapters = [source.adapter for source in sources if source.adapter is not None]
    if (
        len(adapters) == len(sources)
        and all(source.directory == sources[0].directory for source in sources)
        and len({_labels(source) for source in sources}) == 1
        and _same_tokenizer(sources)
        and first.batching == "padded"
        and first.family not in ROW_DIMENSION
    ):
        model = load_base(sources[0], first.device)
        model.config.get_text_config().pad_token_id = first.model.config.get_text_config().pad_token_id
        stacks = _stack(adapters, first.device)
        if stacks is not None and _fits(model, stacks):
            for name in stacks:
                model.get_submodule(name).register_forward_hook(_hook(name))
            family = Family(id, found, first, model, stacks)
            if _takes_rows_first(family):
                return family
    alone = tuple(catalog.load(member.id) for member in found)
    for classifier in alone:
        if (classifier.labels, classifier.head) != (first.labels, first.head):
            raise WobbleError(
                f"{first.id} and {classifier.id} are named like one family but have different labels: rename one of them."
            )
    return Family(id, found, first, None, {}, alone)


def _labels(source: Source) -> str:
    """The label names as the config writes them."""
    return json.dumps(json.loads(source.config.read_text(encoding="utf-8")).get("id2label"))


def _same_tokenizer(sources: Sequence[Source]) -> bool:
    """Whether all read the same tokens from a text."""
    places = {source.tokenizer for source in sources if source.tokenizer is not None}
    files = [place / "tokenizer.json" for place in places]
    if len(places) == 1 or not all(file.is_file() for file in files):
        return len(places) == 1
    settings = [pieces(json.loads(file.read_text(encoding="utf-8"))) for file in files]
    return all(other == settings[0] for other in settings)


def pieces(settings: dict[str, Any]) -> dict[str, Any]:
    """A tokenizer without what each call decides anew."""
    return {name: value for name, value in settings.items() if name not in ("padding", "truncation")}


def _fits(model: PreTrainedModel, stacks: dict[str, Stack]) -> bool:
    """Whether all stacked layers are of a kind that the hook stands in for."""
    modules = [(model.get_submodule(name), stack) for name, stack in stacks.items()]
    return all(
        isinstance(module, nn.Linear) or (isinstance(module, Conv1D) and stack.weight is None)
        for module, stack in modules
    )


def _takes_rows_first(family: Family) -> bool:
    """Whether every stacked layer sees the rows of the batch as its first dimension, found out by trying.

    DeBERTa also asks the layers of its attention about relative positions, which belong to no row.
    """
    assert family.model is not None
    rows = len(family.members)
    seen: list[bool] = []
    hooks = [
        family.model.get_submodule(name).register_forward_pre_hook(
            lambda _, inputs: seen.append(inputs[0].shape[0] == rows and inputs[0].dim() in (2, 3))
        )
        for name in family.stacks
    ]
    inputs = {
        name: x.repeat(rows, 1) for name, x in model_inputs(family.first, family.first.encoder(PROBES[1:])).items()
    }
    try:
        with torch.inference_mode():
            family.model(**inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return all(seen)


def _stack(adapters: Sequence[Path], device: torch.device) -> dict[str, Stack] | None:
    """The factors and whole layers of some adapters, module by module; None where they are not of one shape."""
    tensors = [load_file(adapter / "adapter_model.safetensors") for adapter in adapters]
    configs = [json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8")) for adapter in adapters]
    scales = [config["lora_alpha"] / config["r"] for config in configs]
    if any(config.get(name) for config in configs for name in SCALED_OTHERWISE):
        return None
    shapes = [{key: tensor.shape for key, tensor in member.items()} for member in tensors]
    if any(shape != shapes[0] for shape in shapes):
        return None

    def stacked(key: str) -> Tensor:
        return torch.stack([member[key].float() for member in tensors]).to(device)

    stacks: dict[str, Stack] = {}
    taken: set[str] = set()
    for key in tensors[0]:
        path = key.removeprefix("base_model.model.")
        if path.endswith(".lora_A.weight"):
            name = path.removesuffix(".lora_A.weight")
            b = stacked(key.replace("lora_A", "lora_B")).transpose(1, 2)
            scale = torch.tensor(scales, device=device)[:, None, None]
            taken |= {key, key.replace("lora_A", "lora_B")}
            stacks[name] = Stack(a=stacked(key).transpose(1, 2), b=b * scale)
        elif path.endswith(".weight") and "lora_" not in path:
            name, bias = path.removesuffix(".weight"), f"{key.removesuffix('weight')}bias"
            if tensors[0][key].dim() != 2:
                return None
            stacks[name] = Stack(
                weight=stacked(key).transpose(1, 2), bias=stacked(bias)[:, None] if bias in tensors[0] else None
            )
            taken |= {key, bias}
    # What is neither (an embedding, a bias beside a frozen weight) would be lost.
    return stacks if set(tensors[0]) <= taken else None


def _hook(name: str) -> Any:
    def add(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor | None:
        stacks = _stacks.get()
        if stacks is None:
            return None
        stack, x = stacks[name], inputs[0]
        count = len(stack.a if stack.a is not None else stack.weight)  # type: ignore[arg-type]
        rows = x.reshape(count, -1, x.shape[-1])
        if stack.weight is not None:
            whole = rows @ stack.weight if stack.bias is None else torch.baddbmm(stack.bias, rows, stack.weight)
            return whole.reshape(*x.shape[:-1], -1)
        assert stack.a is not None and stack.b is not None
        own = output.reshape(count, -1, output.shape[-1])
        return torch.baddbmm(own, torch.bmm(rows, stack.a), stack.b).reshape(output.shape)

    return add


# --- predicting ------------------------------------------------------------------------------------------------------


def predict_family(family: Family, texts: Sequence[str], progress: Progress | None = None) -> FamilyPrediction:
    """Logits of every member for every text; where they are stacked, a batch goes through the encoder once for all seeds.

    Args:
        progress: called with the texts that are done and those asked for; what it raises cancels.

    Raises:
        WobbleError: a text cannot be encoded.
    """
    if family.model is not None:
        return predict_stacked(family, family.stacks, len(family.members), texts, progress)
    found = []
    for number, classifier in enumerate(family.alone, start=1):
        found.append(predict(classifier, classifier.encoder(texts)))
        if progress is not None:
            progress(number * len(texts), len(family.alone) * len(texts))
    ran = sum(prediction.rows_run for prediction in found)
    logits = np.stack([prediction.logits for prediction in found])
    return FamilyPrediction(found[0].encodings, logits, len(found) * len(texts), ran, passes=ran)


def predict_stacked(
    family: Family, stacks: dict[str, Stack], seeds: int, texts: Sequence[str], progress: Progress | None
) -> FamilyPrediction:
    assert family.model is not None
    first = family.first
    encodings = first.encoder(texts)
    for text, encoding in zip(texts, encodings, strict=True):
        if not encoding.ids:
            raise WobbleError(f"The tokenizer of {first.id} makes no token of {text[:40]!r}: nothing to predict.")
    distinct = list({encoding.ids: encoding for encoding in encodings}.values())
    # Longest first, so that the widest batch comes at once.
    distinct.sort(key=lambda encoding: len(encoding.ids), reverse=True)
    rows: dict[tuple[int, ...], NDArray[np.float32]] = {}
    at = passes = 0
    budget = TOKEN_BUDGET[first.device.type]
    while at < len(distinct):
        size = max(1, budget // (seeds * len(distinct[at].ids)))
        batch = distinct[at : at + size]
        inputs = {name: x.repeat(seeds, 1) for name, x in model_inputs(first, batch).items()}
        token = _stacks.set(stacks)
        try:
            with torch.inference_mode():
                logits = family.model(**inputs).logits.float().cpu().numpy()
        except ValueError:
            if len(batch) == 1:
                raise
            # As in `predict`: BART refuses texts that hold different numbers of </s> together.
            budget = 0
            continue
        finally:
            _stacks.reset(token)
        if not np.isfinite(logits).all():
            raise WobbleError(
                f"The family {family.id} answers with numbers that are not finite: its weights are damaged."
            )
        for i, encoding in enumerate(batch):
            rows[encoding.ids] = logits[i :: len(batch)]
        at += size
        passes += 1
        if progress is not None:
            progress(min(at, len(distinct)), len(distinct))
    stacked = [rows[encoding.ids] for encoding in encodings]
    logits = np.stack(stacked, axis=1) if stacked else np.empty((seeds, 0, len(first.labels)), np.float32)
    return FamilyPrediction(
        tuple(encodings), logits, rows_asked=seeds * len(texts), rows_run=seeds * len(distinct), passes=passes
    )
