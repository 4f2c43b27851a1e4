"""Training seeds: the same recipe with another seed is another model. All of a family answer in one forward pass.

Where the members are LoRA adapters on one encoder, they are not merged into copies of it; their factors are stacked: a batch
holds every text once per seed, each linear layer runs once over all rows, and each seed's rows get their own low-rank term.
What a call adds is looked up in a context variable, so the shared encoder never changes. Members of other kinds (fine-tuned
as a whole, or of an architecture whose layers do not take rows first) answer one after the other.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from core.base.errors import WobbleError
from core.base.files import read_json
from core.families.members import Member, members
from core.models import catalog
from core.models.classifier import Classifier, Source
from core.models.loading import PROBES, load_base
from core.models.predict import TOKEN_BUDGET, Prediction, model_inputs, predict
from core.models.sites import ROW_DIMENSION

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
    """One linear layer of all members: its factors, one after the other, add to what the frozen layer gives or replace it."""

    factors: tuple[Tensor, ...]
    """`[n_seeds, in, rank]` and `[n_seeds, rank, out]`, transposed and scaled; of a layer that is replaced as a whole (the
    classification head) its weights alone, `[n_seeds, in, out]`.
    """
    bias: Tensor | None = None
    """Of a layer that is replaced as a whole, `[n_seeds, 1, out]`; None for one that is added to."""


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
    labels = [read_json(source.config).get("id2label") for source in sources]
    adapters = [source.adapter for source in sources if source.adapter is not None]
    if (
        len(adapters) == len(sources)
        and all(source.directory == sources[0].directory for source in sources)
        and all(own == labels[0] for own in labels)
        and _same_tokenizer(sources)
        and first.batching == "padded"
        and first.family not in ROW_DIMENSION
    ):
        model = load_base(sources[0], first.device)
        model.config.get_text_config().pad_token_id = first.model.config.get_text_config().pad_token_id
        family = Family(id, found, first, model, _stack(adapters, first.device) or {})
        if family.stacks and _fits(model, family):
            _install(model, family.stacks)
            return family
    alone = tuple(catalog.load(member.id) for member in found)
    for classifier in alone:
        if (classifier.labels, classifier.head) != (first.labels, first.head):
            raise WobbleError(
                f"{first.id} and {classifier.id} are named like one family but have different labels: rename one of them."
            )
    return Family(id, found, first, None, {}, alone)


def _same_tokenizer(sources: Sequence[Source]) -> bool:
    places = {source.tokenizer for source in sources if source.tokenizer is not None}
    settings = [pieces(read_json(place / "tokenizer.json")) for place in places]
    return len(places) == 1 or all(other and other == settings[0] for other in settings)


def pieces(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings of a tokenizer without those that each call decides."""
    return {name: value for name, value in settings.items() if name not in ("padding", "truncation")}


def _fits(model: PreTrainedModel, family: Family) -> bool:
    """Whether the hooks can stand in for every stacked layer: its kind, and whether it sees the rows of the batch as its first
    dimension, found out by trying.

    DeBERTa also asks the layers of its attention about relative positions, which belong to no row.
    """
    fitting: list[bool] = []

    def look(stack: Stack, module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        known = isinstance(module, nn.Linear) or (isinstance(module, Conv1D) and stack.bias is None)
        fitting.append(known and inputs[0].shape[0] == len(family.members) and inputs[0].dim() in (2, 3))

    with ExitStack() as hooks, torch.inference_mode():
        for name, stack in family.stacks.items():
            hooks.enter_context(model.get_submodule(name).register_forward_pre_hook(partial(look, stack)))
        model(**model_inputs(family.first, family.first.encoder(PROBES[1:]) * len(family.members)))
    return all(fitting)


def _stack(adapters: Sequence[Path], device: torch.device) -> dict[str, Stack] | None:
    """The factors and whole layers of some adapters, module by module; None where they are not of one shape."""
    tensors = [load_file(adapter / "adapter_model.safetensors") for adapter in adapters]
    configs = [read_json(adapter / "adapter_config.json") for adapter in adapters]
    shapes = [{key: tensor.shape for key, tensor in member.items()} for member in tensors]
    if any(shape != shapes[0] for shape in shapes) or any(c.get(name) for c in configs for name in SCALED_OTHERWISE):
        return None

    def stacked(key: str) -> Tensor:
        return torch.stack([member[key].float() for member in tensors]).to(device)

    stacks: dict[str, Stack] = {}
    taken: set[str] = set()
    scale = torch.tensor([config["lora_alpha"] / config["r"] for config in configs], device=device)[:, None, None]
    for key, tensor in tensors[0].items():
        name, _, kind = key.removeprefix("base_model.model.").removesuffix(".weight").partition(".lora_")
        if kind == "A":
            second = key.replace("lora_A", "lora_B")
            stacks[name] = Stack((stacked(key).transpose(1, 2), stacked(second).transpose(1, 2) * scale))
            taken |= {key, second}
        elif not kind and key.endswith(".weight") and tensor.dim() == 2:
            weight, bias = stacked(key).transpose(1, 2), f"{key.removesuffix('weight')}bias"
            stacks[name] = Stack(
                (weight,), stacked(bias)[:, None] if bias in tensors[0] else weight.new_zeros(len(tensors), 1, 1)
            )
            taken |= {key, bias}
    # What is neither (an embedding, a bias beside a frozen weight) would be lost.
    return stacks if set(tensors[0]) <= taken else None


def _install(model: PreTrainedModel, stacks: dict[str, Stack]) -> None:
    """Hooks on a model of our own: each of its rows is run once a seed where the current call has stacks."""

    def once_a_seed(_: nn.Module, __: Any, inputs: dict[str, Tensor]) -> Any:
        current = _stacks.get()
        return None if current is None else ((), {name: x.repeat(_seeds(current), 1) for name, x in inputs.items()})

    def by_text(_: nn.Module, __: Any, output: Any) -> None:
        if current := _stacks.get():
            output.logits = output.logits.unflatten(0, (_seeds(current), -1)).transpose(0, 1)

    def add(name: str, _: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor | None:
        current = _stacks.get()
        if current is None:
            return None
        stack, x = current[name], inputs[0]
        rows = x.reshape(_seeds(current), -1, x.shape[-1])
        start = output.reshape(*rows.shape[:2], -1) if stack.bias is None else stack.bias
        for factor in stack.factors[:-1]:
            rows = torch.bmm(rows, factor)
        return torch.baddbmm(start, rows, stack.factors[-1]).reshape(*x.shape[:-1], -1)

    model.register_forward_pre_hook(once_a_seed, with_kwargs=True)
    model.register_forward_hook(by_text)
    for name in stacks:
        model.get_submodule(name).register_forward_hook(partial(add, name))


def _seeds(stacks: dict[str, Stack]) -> int:
    return len(next(iter(stacks.values())).factors[0])


# --- predicting ------------------------------------------------------------------------------------------------------


def predict_family(family: Family, texts: Sequence[str], progress: Progress | None = None) -> Prediction:
    """Logits of every member for every text, `[n_seeds, n_texts, n_labels]`; where they are stacked, a batch goes through the
    encoder once for all seeds.

    Args:
        progress: called with the texts that are done and those asked for; what it raises cancels.

    Raises:
        WobbleError: a text cannot be encoded.
    """
    if family.model is not None:
        return predict_stacked(family, family.stacks, texts, progress)
    found = []
    for number, classifier in enumerate(family.alone, start=1):
        found.append(predict(classifier, classifier.encoder(texts)))
        if progress is not None:
            progress(number * len(texts), len(family.alone) * len(texts))
    return replace(
        found[0],
        logits=np.stack([prediction.logits for prediction in found]),
        rows_asked=len(found) * len(texts),
        rows_run=sum(prediction.rows_run for prediction in found),
    )


def predict_stacked(
    family: Family, stacks: dict[str, Stack], texts: Sequence[str], progress: Progress | None
) -> Prediction:
    """As `predict_family`, of the models that some stacks make of a family's encoder."""
    assert family.model is not None
    # A classifier of this call alone, all of whose seeds answer at once: nothing is remembered under it.
    together = replace(
        family.first, model=family.model, source=replace(family.first.source, id=f"the family {family.id}")
    )
    seeds = _seeds(stacks)
    budget = max(1, TOKEN_BUDGET[together.device.type] // seeds)
    token = _stacks.set(stacks)
    try:
        found = predict(together, together.encoder(texts), token_budget=budget, progress=progress)
    finally:
        _stacks.reset(token)
    logits = np.ascontiguousarray(found.logits.reshape(len(texts), seeds, len(together.labels)).swapaxes(0, 1))
    return replace(found, logits=logits, rows_asked=seeds * found.rows_asked, rows_run=seeds * found.rows_run)
