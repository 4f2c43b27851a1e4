"""Training seeds: the same recipe with another seed is another model. All of a family answer in one forward pass.

Where the members are LoRA adapters on one encoder, they are not merged into copies of it; their factors are stacked: a batch
holds every text once a seed, each linear layer runs once over all rows, and each seed's rows get their own low-rank term.
What a call adds is looked up in a context variable, so the shared encoder never changes. Members of other kinds (fine-tuned
as a whole, or of an architecture whose layers do not take rows first) answer one after the other.
"""

import copy
import json
import re
from collections.abc import Callable, Iterator, Sequence
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
from transformers.pytorch_utils import Conv1D

from core.base.errors import WobbleError
from core.data.labelled import DataSource, Labelled, from_parquet, read
from core.factors.temperature import Head, probabilities
from core.models import catalog
from core.models.classifier import PROBES, TOKEN_BUDGET, Classifier, Logits, Source, load_base, model_inputs, predict
from core.models.heads import Estimate, Probabilities, bootstrap_mean, predicted, shift
from core.models.sites import ROW_DIMENSION
from core.text.tokens import Encoding
from core.training.recipe import PARTS, Part, Seeds, members_of, one_seed
from core.training.runs import runs

MEMBER = re.compile(r"(?P<family>.+?)(?:-(?P<seed>\d+))?")
SCALED_OTHERWISE = ("use_rslora", "use_dora", "rank_pattern", "alpha_pattern")
"""Settings of peft under which an adapter is more than `alpha / r` times its two factors."""
FIRST_SEED = 42
"""The seed of the member that carries an embedded family's own name."""

Progress = Callable[[int, int], None]
"""Called with what is done and what was asked for; what it raises cancels."""


@dataclass(frozen=True)
class Member:
    """One fine-tuned classifier of a family."""

    id: str
    """In the catalog."""
    name: str
    """Its seed ("43"), or what differs from the first member ("head 43")."""
    seeds: Seeds


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


# --- which families there are ----------------------------------------------------------------------------------------


def families() -> tuple[str, ...]:
    """Ids of all families with at least two members: the embedded one first, then finished trainings, the newest first."""
    return tuple(id for id, found in _families().items() if len(found) > 1)


def _families() -> dict[str, tuple[Member, ...]]:
    """Members by family: models that are named alike (`x`, `x-43`, `x-44`, …), then those of trainings (`runs/mine`)."""
    trained = runs()
    named: dict[str, dict[int, str]] = {}
    for id in catalog.local_ids():
        if not any(id.startswith(f"{run.id}/") for run in trained) and (match := MEMBER.fullmatch(id)):
            # `x` comes before `x-42`, which would be another model of the same seed.
            named.setdefault(match["family"], {}).setdefault(int(match["seed"] or FIRST_SEED), id)
    found = {
        family: tuple(Member(by_seed[seed], str(seed), one_seed(seed)) for seed in sorted(by_seed))
        for family, by_seed in named.items()
    }
    for run in trained:
        found[run.id] = tuple(
            Member(f"{run.id}/{folder.name}", name, seeds)
            for seeds, name, folder in members_of(run.recipe, run.folder)
            if name in run.finished
        )
    return found


def members(id: str) -> tuple[Member, ...]:
    """The members of a family: those of a training (`runs/mine`), or models that are named alike (`x`, `x-43`, `x-44`, …).

    Raises:
        WobbleError: there is no such family, or only one member.
    """
    found = _families().get(id, ())
    if len(found) < 2:
        raise WobbleError(
            f"There is no seed family named {id}: a family is a training with at least two finished seeds, or a model x with "
            "others beside it named x-43, x-44, …"
        )
    return found


def family_of(model: str) -> str | None:
    """The family that a model belongs to, if any: by name, without loading anything."""
    found = {id: members for id, members in _families().items() if len(members) > 1}
    return next((id for id, some in found.items() if model == id or model in {member.id for member in some}), None)


def family_data(id: str) -> Labelled:
    """Labelled texts that no member of a family was trained on, with numbers that fit its labels.

    For a training the test split of its data, or where there is none its validation split; for others the embedded movie
    snippets of the test split.

    Raises:
        WobbleError: there is no such family, or what was kept beside it is damaged.
    """
    members(id)
    run = next((run for run in runs() if run.id == id), None)
    data = read(DataSource("movie")) if run is None else from_parquet(run.folder / "data.parquet")
    return data.part("test" if "test" in data.split else "validation")


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
    settings = [_pieces(json.loads(file.read_text(encoding="utf-8"))) for file in files]
    return all(other == settings[0] for other in settings)


def _pieces(settings: dict[str, Any]) -> dict[str, Any]:
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
        return _predict_stacked(family, family.stacks, len(family.members), texts, progress)
    found = []
    for number, classifier in enumerate(family.alone, start=1):
        found.append(predict(classifier, texts))
        if progress is not None:
            progress(number * len(texts), len(family.alone) * len(texts))
    ran = sum(prediction.rows_run for prediction in found)
    logits = np.stack([prediction.logits for prediction in found])
    return FamilyPrediction(found[0].encodings, logits, len(found) * len(texts), ran, passes=ran)


def _predict_stacked(
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


# --- the way from one seed to another --------------------------------------------------------------------------------


def predict_between(
    family: Family, first: str, second: str, texts: Sequence[str], points: int = 11, progress: Progress | None = None
) -> Logits:
    """Logits of the models on the straight line from one member's weights to another's: `[points, n_texts, n_labels]`.

    At share t of the way an adapted layer weighs `W + (1 - t) * B1 A1 + t * B2 A2`: one term of twice the rank. Members that
    were trained as a whole are mixed parameter by parameter, in a copy.

    Raises:
        WobbleError: a member is not in the family, or the two are the same or read other tokens.
    """
    for name in (first, second):
        if name not in family.names:
            raise WobbleError(f"The family {family.id} has no seed {name}: choose from {', '.join(family.names)}.")
    if first == second or points < 2:
        raise WobbleError("A way leads from one seed to another one, over at least two points.")
    i, j = family.names.index(first), family.names.index(second)
    if family.model is not None:
        stacks = {name: _mixed(stack, i, j, points) for name, stack in family.stacks.items()}
        return _predict_stacked(family, stacks, points, texts, progress).logits
    if _pieces(family.alone[i].encoder.settings) != _pieces(family.alone[j].encoder.settings):
        raise WobbleError(f"{first} and {second} of {family.id} have different tokenizers: no way leads between them.")
    logits = []
    for number, model in enumerate(_mixtures(family.alone[i].model, family.alone[j].model, points), start=1):
        logits.append(predict(replace(family.alone[i], model=model), texts).logits)
        if progress is not None:
            progress(number * len(texts), points * len(texts))
    return np.stack(logits)


def _mixed(stack: Stack, i: int, j: int, points: int) -> Stack:
    """A layer at each point of the way from member i to member j."""
    some = stack.weight if stack.weight is not None else stack.a
    assert some is not None
    t = torch.linspace(0.0, 1.0, points, device=some.device)[:, None, None]
    if stack.weight is not None:
        return Stack(
            weight=(1 - t) * stack.weight[i] + t * stack.weight[j],
            bias=None if stack.bias is None else (1 - t) * stack.bias[i] + t * stack.bias[j],
        )
    assert stack.a is not None and stack.b is not None
    a = torch.cat([stack.a[i], stack.a[j]], dim=-1).expand(points, -1, -1)
    return Stack(a=a, b=torch.cat([(1 - t) * stack.b[i], t * stack.b[j]], dim=1))


def _mixtures(one: PreTrainedModel, other: PreTrainedModel, points: int) -> Iterator[PreTrainedModel]:
    """One private copy, whose parameters move from those of one model to those of the other."""
    model = copy.deepcopy(one)
    ends = list(zip(model.parameters(), one.parameters(), other.parameters(), strict=True))
    for t in np.linspace(0.0, 1.0, points):
        with torch.no_grad():
            for mixed, a, b in ends:
                mixed.copy_(torch.lerp(a, b, float(t)))
        yield model


@dataclass(frozen=True, eq=False)
class Way:
    """Loss and accuracy along the straight line between the weights of two members."""

    shares: NDArray[np.float64]
    """`[points]`: 0 at the first member, 1 at the second."""
    loss: NDArray[np.float64]
    """`[points]`: mean NLL in nats on the labelled texts."""
    accuracy: NDArray[np.float64]
    """`[points]`"""
    texts: int

    @property
    def barrier(self) -> float:
        """How far the loss on the way rises above the straight line between its two ends, in nats; 0 where it nowhere does.

        A barrier between two minima is what "different local minima" means (Frankle et al., arXiv 1912.05671).
        """
        line = (1 - self.shares) * self.loss[0] + self.shares * self.loss[-1]
        return float((self.loss - line).max())


MOST_ON_THE_WAY = 300
"""Labelled texts along a way: enough to see a barrier, few enough to wait for."""


def way(
    family: Family, data: Labelled, first: str, second: str, points: int = 11, progress: Progress | None = None
) -> Way:
    """Walk from one member to another over some labelled texts (drawn, where there are many).

    Raises:
        WobbleError: there is no such member, or a text cannot be predicted.
    """
    some = data.rows(np.sort(np.random.default_rng(0).permutation(len(data.texts))[:MOST_ON_THE_WAY]))
    labels = some.numbered_as(family.first.labels)
    p = probabilities(predict_between(family, first, second, some.texts, points, progress), family.first.head)
    likely = p[:, np.arange(len(labels)), labels]
    return Way(
        shares=np.linspace(0.0, 1.0, points),
        loss=-np.log(np.maximum(likely, 1e-300)).mean(axis=1),
        accuracy=(p.argmax(axis=-1) == labels).mean(axis=1),
        texts=len(labels),
    )


# --- how much members differ -----------------------------------------------------------------------------------------


def pairwise_disagreement(p: Probabilities, head: Head) -> float:
    """Mean over pairs of members, and over texts, of `1[label a ≠ label b]` (churn; Launch and Iterate, NIPS 2016).

    Args:
        p: `[n_seeds, n_texts, n_labels]`.
    """
    return float(_disagreement(p, head, _pairs(len(p))).mean())


def _pairs(count: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(count) for j in range(i + 1, count)]


def _disagreement(p: Probabilities, head: Head, pairs: Sequence[tuple[int, int]]) -> NDArray[np.float64]:
    """`[n_texts]`: share of some pairs of members that predict different labels."""
    labels = predicted(p, head)
    result: NDArray[np.float64] = np.mean([(labels[i] != labels[j]).any(axis=-1) for i, j in pairs], axis=0)
    return result


def votes(p: Probabilities, head: Head) -> NDArray[np.int64]:
    """How many members predict each label: `[n_texts, n_labels]` from `[n_seeds, n_texts, n_labels]`."""
    counts: NDArray[np.int64] = predicted(p, head).sum(axis=0)
    return counts


@dataclass(frozen=True, eq=False)
class OnData:
    """A family on labelled texts that it was not trained on."""

    texts: tuple[str, ...]
    labels: NDArray[np.int64]
    """`[n_texts]`"""
    rating_std: NDArray[np.float64] | None
    """`[n_texts]`: how much people disagree, where that is known."""
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
        return _disagreement(self.probabilities, "softmax", _pairs(len(self.accuracy)))


def on_data(family: Family, data: Labelled, progress: Progress | None = None) -> OnData:
    """All members on labelled texts.

    Raises:
        WobbleError: the data hold labels that the family does not have.
    """
    labels = data.numbered_as(family.first.labels)
    prediction = predict_family(family, data.texts, progress)
    p = probabilities(prediction.logits, family.first.head)
    return OnData(
        texts=data.texts,
        labels=labels,
        rating_std=data.rating_std,
        probabilities=p,
        accuracy=(p.argmax(axis=-1) == labels).mean(axis=-1),
        disagreement=pairwise_disagreement(p, family.first.head),
        prediction=prediction,
    )


@dataclass(frozen=True)
class Influence:
    """What one source of chance does while all others are held."""

    part: Part
    pairs: int
    """Pairs of members that differ in this part alone."""
    disagreement: Estimate
    """Mean over the pairs and the texts; the interval is over the texts."""
    shift: Estimate
    """Likewise, in total variation distance."""


def influences(family: Family, p: Probabilities) -> tuple[Influence, ...]:
    """Which seed moves the predictions most: for each part the pairs of members that differ in it alone, largest shift first.

    Dodge et al. (arXiv 2002.06305) ask this of the head's initialisation and the order of the data. Empty where no two members
    differ in one part alone.

    Args:
        p: `[n_seeds, n_texts, n_labels]`.
    """
    head = family.first.head
    found = []
    for part in PARTS:
        pairs = [(i, j) for i, j in _pairs(len(family.members)) if _differ_in(family, i, j) == [part]]
        if pairs:
            shifts = np.mean([shift(p[i], p[j], head) for i, j in pairs], axis=0)
            found.append(
                Influence(part, len(pairs), bootstrap_mean(_disagreement(p, head, pairs)), bootstrap_mean(shifts))
            )
    return tuple(sorted(found, key=lambda influence: -influence.shift.value))


def _differ_in(family: Family, i: int, j: int) -> list[Part]:
    one, other = family.members[i].seeds, family.members[j].seeds
    return [part for part in PARTS if getattr(one, part) != getattr(other, part)]


@dataclass(frozen=True)
class HumanBin:
    """Texts on which people disagree about as much, and how often two seeds disagree on them."""

    low: float
    high: float
    """Range of the raters' standard deviation."""
    texts: int
    disagreement: Estimate


def against_people(found: OnData, bins: int = 5) -> tuple[HumanBin, ...]:
    """Seed disagreement over human disagreement: bins of about equally many texts, from agreed to disputed.

    Raises:
        ValueError: nobody rated these texts.
    """
    if found.rating_std is None:
        raise ValueError("these texts have no ratings")
    order = np.argsort(found.rating_std, kind="stable")
    split = found.split
    return tuple(
        HumanBin(
            float(found.rating_std[part].min()),
            float(found.rating_std[part].max()),
            len(part),
            bootstrap_mean(split[part]),
        )
        for part in np.array_split(order, bins)
        if len(part)
    )
