"""Training seeds: the same recipe with another seed is another model. All of a family answer in one forward pass.

The members are LoRA adapters on one encoder. Instead of merging each into a copy of the encoder, their factors are stacked:
a batch holds every text once a seed, each linear layer runs once over all rows, and each seed's rows get their own low-rank
term. What a call adds is looked up in a context variable, so the shared encoder never changes.
"""

import json
import re
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import PreTrainedModel

from core import catalog
from core.classifier import TOKEN_BUDGET, Classifier, Logits, load_base, model_inputs
from core.data import snippets
from core.errors import WobbleError
from core.metrics import Probabilities, predicted
from core.temperature import Head, probabilities
from core.tokens import Encoding

MEMBER = re.compile(r"(?P<family>.+?)(?:-(?P<seed>\d+))?")
FIRST_SEED = 42
"""The seed of the member that carries the family's own name."""


@dataclass(frozen=True, eq=False)
class Family:
    """Fine-tuned classifiers that differ by their training seed alone."""

    id: str
    members: tuple[str, ...]
    """Ids of the catalog, in the order of their seeds."""
    seeds: tuple[int, ...]
    first: Classifier = field(repr=False)
    """The member that carries the family's name: its tokenizer, labels, head and limits are those of all."""
    model: PreTrainedModel = field(repr=False)
    """The encoder without any adapter, with hooks that add the rows' own terms."""
    stacks: dict[str, "Stack"] = field(repr=False)
    """By the path of the module."""


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
    """`[n_seeds, 1, out]`"""


@dataclass(frozen=True, eq=False)
class FamilyPrediction:
    """Logits of all members for some texts, and what they cost."""

    encodings: tuple[Encoding, ...]
    logits: Logits
    """`[n_seeds, n_texts, n_labels]`"""
    rows_asked: int
    rows_run: int
    passes: int
    """Forward passes of the encoder."""


_stacks: ContextVar[dict[str, Stack] | None] = ContextVar("stacks", default=None)


def members(id: str) -> dict[int, str]:
    """The members of a family by seed, read from the names of local models: `x`, `x-43`, `x-44`, …

    Raises:
        WobbleError: there is no such family, or only one member.
    """
    found = {}
    for candidate in catalog.local_ids():
        match = MEMBER.fullmatch(candidate)
        if match and match["family"] == id:
            found[int(match["seed"] or FIRST_SEED)] = candidate
    if len(found) < 2:
        raise WobbleError(
            f"There is no seed family named {id}: a family is a model x with others beside it named x-43, x-44, …"
        )
    return dict(sorted(found.items()))


def load_family(id: str = catalog.DEFAULT) -> Family:
    """Load the adapters of a family on one encoder.

    Raises:
        WobbleError: there is no such family, or its members are no LoRA adapters on one encoder.
    """
    by_seed = members(id)
    sources = [catalog.resolve(member) for member in by_seed.values()]
    first = catalog.load(next(iter(by_seed.values())))
    if any(source.adapter is None or source.directory != sources[0].directory for source in sources):
        raise WobbleError(f"The members of {id} are no LoRA adapters on one encoder.")
    model = load_base(sources[0], first.device)
    stacks = _stack([source.adapter for source in sources if source.adapter], first.device)
    for name in stacks:
        model.get_submodule(name).register_forward_hook(_hook(name))
    return Family(id, tuple(by_seed.values()), tuple(by_seed), first, model, stacks)


def _stack(adapters: Sequence[Path], device: torch.device) -> dict[str, Stack]:
    """The factors and whole layers of some adapters, module by module."""
    tensors = [load_file(adapter / "adapter_model.safetensors") for adapter in adapters]
    configs = [json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8")) for adapter in adapters]
    scales = [config["lora_alpha"] / config["r"] for config in configs]

    def stacked(key: str) -> Tensor:
        return torch.stack([member[key].float() for member in tensors]).to(device)

    stacks: dict[str, Stack] = {}
    for key in tensors[0]:
        path = key.removeprefix("base_model.model.")
        if path.endswith(".lora_A.weight"):
            name = path.removesuffix(".lora_A.weight")
            b = stacked(key.replace("lora_A", "lora_B")).transpose(1, 2)
            scale = torch.tensor(scales, device=device)[:, None, None]
            stacks[name] = Stack(a=stacked(key).transpose(1, 2), b=b * scale)
        elif path.endswith(".weight") and "lora_" not in path:
            name = path.removesuffix(".weight")
            stacks[name] = Stack(
                weight=stacked(key).transpose(1, 2), bias=stacked(key.removesuffix("weight") + "bias")[:, None]
            )
    return stacks


def _hook(name: str) -> Any:
    def add(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor | None:
        stacks = _stacks.get()
        if stacks is None:
            return None
        stack, x = stacks[name], inputs[0]
        count = len(stack.a if stack.a is not None else stack.weight)  # type: ignore[arg-type]
        rows = x.reshape(count, -1, x.shape[-1])
        if stack.weight is not None and stack.bias is not None:
            return (rows @ stack.weight + stack.bias).reshape(*x.shape[:-1], -1)
        assert stack.a is not None and stack.b is not None
        return output + (rows @ stack.a @ stack.b).reshape(output.shape)

    return add


def predict_family(family: Family, texts: Sequence[str]) -> FamilyPrediction:
    """Logits of every member for every text: each batch goes through the encoder once for all seeds.

    Raises:
        WobbleError: a text cannot be encoded.
    """
    first, seeds = family.first, len(family.seeds)
    encodings = first.encoder(texts)
    distinct = list({encoding.ids: encoding for encoding in encodings}.values())
    # Longest first, so that the widest batch comes at once.
    distinct.sort(key=lambda encoding: len(encoding.ids), reverse=True)
    rows: dict[tuple[int, ...], NDArray[np.float32]] = {}
    at = passes = 0
    while at < len(distinct):
        size = max(1, TOKEN_BUDGET[first.device.type] // (seeds * len(distinct[at].ids)))
        batch = distinct[at : at + size]
        inputs = {name: x.repeat(seeds, 1) for name, x in model_inputs(first, batch).items()}
        token = _stacks.set(family.stacks)
        try:
            with torch.inference_mode():
                logits = family.model(**inputs).logits.float().cpu().numpy()
        finally:
            _stacks.reset(token)
        for i, encoding in enumerate(batch):
            rows[encoding.ids] = logits[i :: len(batch)]
        at += size
        passes += 1
    stacked = [rows[encoding.ids] for encoding in encodings]
    logits = np.stack(stacked, axis=1) if stacked else np.empty((seeds, 0, len(first.labels)), np.float32)
    return FamilyPrediction(
        tuple(encodings), logits, rows_asked=seeds * len(texts), rows_run=seeds * len(distinct), passes=passes
    )


def between(family: Family, first: int, second: int, points: int = 11) -> Family:
    """Models on the straight line from one seed's weights to another's, as a family whose "seeds" are the points.

    The weights at share t of the way are `W + (1 - t) * B1 A1 + t * B2 A2`: one term of twice the rank. The way between two
    minima that a barrier of loss parts is what "different local minima" means (Frankle et al., arXiv 1912.05671).

    Raises:
        WobbleError: a seed is not in the family, or the two are the same.
    """
    for seed in (first, second):
        if seed not in family.seeds:
            raise WobbleError(
                f"The family {family.id} has no seed {seed}: choose from {', '.join(map(str, family.seeds))}."
            )
    if first == second or points < 2:
        raise WobbleError("A way leads from one seed to another one, over at least two points.")
    i, j = family.seeds.index(first), family.seeds.index(second)
    t = torch.linspace(0.0, 1.0, points, device=family.first.device)[:, None, None]

    def mixed(stack: Stack) -> Stack:
        if stack.weight is not None and stack.bias is not None:
            return Stack(
                weight=(1 - t) * stack.weight[i] + t * stack.weight[j], bias=(1 - t) * stack.bias[i] + t * stack.bias[j]
            )
        assert stack.a is not None and stack.b is not None
        a = torch.cat([stack.a[i], stack.a[j]], dim=-1).expand(points, -1, -1)
        return Stack(a=a, b=torch.cat([(1 - t) * stack.b[i], t * stack.b[j]], dim=1))

    stacks = {name: mixed(stack) for name, stack in family.stacks.items()}
    names = tuple(f"{100 * k // (points - 1)} % of the way from seed {first} to {second}" for k in range(points))
    return replace(family, members=names, seeds=tuple(range(points)), stacks=stacks)


@dataclass(frozen=True, eq=False)
class Way:
    """Loss, accuracy and one sentence along the straight line between two seeds."""

    shares: NDArray[np.float64]
    """`[points]`: 0 at the first seed, 1 at the second."""
    loss: NDArray[np.float64]
    """`[points]`: mean NLL in nats on the labelled texts."""
    accuracy: NDArray[np.float64]
    """`[points]`"""
    sentence: Probabilities
    """`[points, n_labels]`"""
    texts: int

    @property
    def barrier(self) -> float:
        """How far the loss on the way rises above the straight line between its two ends; at most 0 without a barrier."""
        line = (1 - self.shares) * self.loss[0] + self.shares * self.loss[-1]
        return float((self.loss - line).max())


def way(family: Family, text: str, first: int, second: int, points: int = 11, texts: int = 300) -> Way:
    """Walk from one seed to another, over the first labelled movie snippets of the test split.

    Raises:
        WobbleError: there is no such seed, or the text cannot be predicted.
    """
    line = between(family, first, second, points)
    data = snippets("test", "movie", labelled=True)
    labels = np.array(data["label"][:texts], dtype=np.int64)
    logits = predict_family(line, [text, *list(data["text"])[:texts]]).logits
    p = probabilities(logits, family.first.head)
    likely = p[:, 1:][:, np.arange(len(labels)), labels]
    return Way(
        shares=np.linspace(0.0, 1.0, points),
        loss=-np.log(np.maximum(likely, 1e-300)).mean(axis=1),
        accuracy=(p[:, 1:].argmax(axis=-1) == labels).mean(axis=1),
        sentence=p[:, 0],
        texts=len(labels),
    )


def pairwise_disagreement(p: Probabilities, head: Head) -> float:
    """Mean over pairs of members, and over texts, of `1[label a ≠ label b]` (churn; Launch and Iterate, NIPS 2016).

    Args:
        p: `[n_seeds, n_texts, n_labels]`.
    """
    labels = predicted(p, head)
    pairs = [
        (labels[i] != labels[j]).any(axis=-1).mean() for i in range(len(labels)) for j in range(i + 1, len(labels))
    ]
    return float(np.mean(pairs))


@dataclass(frozen=True, eq=False)
class OnData:
    """A family on labelled texts."""

    texts: tuple[str, ...]
    labels: NDArray[np.int64]
    """`[n_texts]`"""
    rating_std: NDArray[np.float64]
    """`[n_texts]`: how much people disagree."""
    probabilities: Probabilities
    """`[n_seeds, n_texts, n_labels]`"""
    accuracy: NDArray[np.float64]
    """`[n_seeds]`"""
    disagreement: float
    """Mean pairwise disagreement."""
    prediction: FamilyPrediction = field(repr=False)

    @property
    def split(self) -> NDArray[np.float64]:
        """`[n_texts]`: share of the pairs of seeds that disagree on a text."""
        counts = votes(self.probabilities, "softmax")
        total = len(self.accuracy)
        same = (counts * (counts - 1)).sum(axis=-1)
        shares: NDArray[np.float64] = 1.0 - same / (total * (total - 1))
        return shares


def on_data(family: Family, split: str = "test", domain: str = "movie") -> OnData:
    """All members on the embedded labelled snippets of a split and domain."""
    data = snippets(split, domain, labelled=True)
    texts, labels = list(data["text"]), np.array(data["label"], dtype=np.int64)
    prediction = predict_family(family, texts)
    p = probabilities(prediction.logits, family.first.head)
    return OnData(
        texts=tuple(texts),
        labels=labels,
        rating_std=np.array(data["rating_std"], dtype=np.float64),
        probabilities=p,
        accuracy=(p.argmax(axis=-1) == labels).mean(axis=-1),
        disagreement=pairwise_disagreement(p, family.first.head),
        prediction=prediction,
    )


def votes(p: Probabilities, head: Head) -> NDArray[np.int64]:
    """How many members predict each label: `[n_texts, n_labels]` from `[n_seeds, n_texts, n_labels]`."""
    counts: NDArray[np.int64] = predicted(p, head).sum(axis=0)
    return counts
