"""What one training is: the recipe, its seeds, and what it will cost. Nothing here trains.

Head initialisation, data order and dropout are three separate sources of chance (Dodge et al., arXiv 2002.06305); which
examples are drawn is a fourth. Each has a seed of its own, so that three can be held while one varies.
"""

import re
import timeit
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from core.base.errors import WobbleError, first_line
from core.data.labelled import DataSource, Labelled

if TYPE_CHECKING:
    import torch

Part = Literal["head", "order", "dropout", "subset"]
PARTS: dict[Part, str] = {
    "head": "head initialisation",
    "order": "data order",
    "dropout": "dropout",
    "subset": "data subset",
}
"""What a training draws at random. New factors of LoRA are drawn with the head."""

Vary = Literal["together", "each", "head", "order", "dropout", "subset"]
Method = Literal["lora", "full"]

LEARNING_RATE: dict[Method, float] = {"lora": 2e-3, "full": 1e-4}
"""What suits small encoders and few examples; chosen on the validation split of the embedded movie snippets."""

RANK, ALPHA = 8, 32
"""Of LoRA, as in the embedded family."""

MOST_SEEDS = 16
MOST_MEMBERS = 32
MOST_SEED = 2**31 - 1
FEWEST_EXAMPLES = 10
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,47}", re.ASCII)
MEMBER_RECORD = "training.json"
"""In the folder of a finished member: how it was trained, and how well it does."""
LIMIT = 128
"""The most tokens of a training example; the trained model can read longer texts."""


@dataclass(frozen=True)
class Seeds:
    """The seeds of one training."""

    head: int
    order: int
    dropout: int
    subset: int


def one_seed(seed: int) -> Seeds:
    """All of chance from one seed, as usual."""
    return Seeds(seed, seed, seed, seed)


@dataclass(frozen=True)
class Recipe:
    """Everything that fixes a training of several members on one machine."""

    name: str
    """Of the family: a folder below the operator's folder of runs."""
    base: str
    """A catalog id: an embedded encoder or classifier, a local directory, a hub id."""
    data: DataSource
    members: tuple[Seeds, ...]
    examples: int = 500
    """Training texts, drawn from the train split by the seed of the subset."""
    epochs: int = 1
    batch: int = 8
    learning_rate: float = 2e-3
    method: Method = "lora"
    precision: Literal["bf16", "fp32"] = "fp32"
    """Of the arithmetic while training (bf16 under autocast); what is saved is fp32."""

    @property
    def names(self) -> tuple[str, ...]:
        """A short name for each member: its seed, or the part that differs from the first member's ("head 43").

        Equal names mean equal seeds.
        """
        first = self.members[0]

        def name(seeds: Seeds) -> str:
            if seeds.head == seeds.order == seeds.dropout and (seeds.head != first.head or seeds == first):
                return str(seeds.head) if seeds.subset == first.subset else f"{seeds.head} subset {seeds.subset}"
            different = [part for part in PARTS if getattr(seeds, part) != getattr(first, part)]
            # Nothing differs where the first member itself has several seeds.
            return " ".join(f"{part} {getattr(seeds, part)}" for part in different) or str(first.head)

        return tuple(map(name, self.members))

    def document(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {**asdict(self), "members": [asdict(seeds) for seeds in self.members]}


def default_name(data: str) -> str:
    """A name for a family that learns from some data."""
    return re.sub(r"[^a-z0-9._-]+", "-", Path(data).stem.lower()).strip("-._")[:40] or "mine"


def recipe_of(document: dict[str, Any]) -> Recipe:
    """What `Recipe.document` wrote.

    Raises:
        WobbleError: the document is no recipe.
    """
    try:
        members = tuple(Seeds(**member) for member in document["members"])
        recipe = Recipe(**{**document, "data": DataSource(**document["data"]), "members": members})
    except (TypeError, KeyError) as error:
        raise WobbleError(f"This is not the record of a training: {first_line(error)}") from error
    kinds = {"name": str, "base": str, "examples": int, "epochs": int, "batch": int, "learning_rate": float | int}
    wrong = [name for name, kind in kinds.items() if not isinstance(getattr(recipe, name), kind)]
    if wrong or not members or not all(type(seed) is int for seeds in members for seed in asdict(seeds).values()):
        raise WobbleError(f"This is not the record of a training: {(wrong or ['members'])[0]} cannot be read.")
    return recipe


def parse_seeds(text: str) -> tuple[int, ...]:
    """Seeds from a list like "42, 43" or a range like "42-45".

    Raises:
        WobbleError: something in it is not a seed, or is given twice.
    """
    seeds: list[int] = []
    for part in (part.strip() for part in text.split(",")):
        match = re.fullmatch(r"(\d{1,10})(?:\s*-\s*(\d{1,10}))?", part, re.ASCII)
        if match is None:
            raise WobbleError(f"{part[:40]!r} is not a seed: give whole numbers like 42, 43 or a range like 42-45.")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first or last - first >= MOST_SEEDS:
            raise WobbleError(f"{part} is not a range of at most {MOST_SEEDS} seeds.")
        seeds += range(first, last + 1)
    repeated = min((seed for seed in seeds if seeds.count(seed) > 1), default=None)
    _refuse(
        (repeated is not None, f"The seed {repeated} is given twice: it would train the same model again."),
        (len(seeds) > MOST_SEEDS, f"{len(seeds)} seeds are more than the {MOST_SEEDS} that one run may have."),
        (max(seeds) > MOST_SEED, f"A seed is at most {MOST_SEED:,}."),
    )
    return tuple(seeds)


def plan(seeds: Sequence[int], vary: Vary = "together") -> tuple[Seeds, ...]:
    """The members that some seeds make.

    Args:
        seeds: the first one is held where something else varies.
        vary: "together": head, order and dropout follow the seed, the texts stay; one part: the others stay at the first
            seed; "each": for each part one member per seed, besides the one that has the first seed everywhere.

    Raises:
        WobbleError: there is nothing to vary, or there would be too many members.
    """
    _refuse(
        (vary not in get_args(Vary), f"{vary!r} cannot be varied: choose from {', '.join(get_args(Vary))}."),
        (not seeds, "No seed is given."),
        (vary != "together" and len(seeds) < 2, "One seed has nothing to vary: give at least two."),
    )
    first = one_seed(seeds[0])
    every: list[tuple[str, ...]] = [(part,) for part in PARTS if vary in ("each", part)]
    varied = [("head", "order", "dropout")] if vary == "together" else every
    made = [first, *(replace(first, **dict.fromkeys(parts, seed)) for parts in varied for seed in seeds[1:])]
    if len(made) > MOST_MEMBERS:
        raise WobbleError(f"That makes {len(made)} models, more than the {MOST_MEMBERS} that one run may have.")
    return tuple(made)


def _refuse(*wrong: tuple[object, str]) -> None:
    for holds, sentence in wrong:
        if holds:
            raise WobbleError(sentence)


def check(recipe: Recipe, data: Labelled) -> None:
    """Refuse a training that cannot be run.

    Raises:
        WobbleError: with one sentence that says why.
    """
    train, members = data.part("train"), recipe.members
    _refuse(
        (
            not NAME.fullmatch(recipe.name),
            f"{recipe.name[:48]!r} is not a name for a family: use lower-case letters, digits, dots, dashes and underscores.",
        ),
        (
            recipe.examples < FEWEST_EXAMPLES,
            f"{recipe.examples:,} examples are too few: give at least {FEWEST_EXAMPLES}.",
        ),
        (
            len(train.texts) < FEWEST_EXAMPLES,
            f"The data hold {len(train.texts)} texts to train on (the others are held out): at least {FEWEST_EXAMPLES} are needed.",
        ),
        (
            len(set(train.labels.tolist())) < 2,
            "The texts to train on have one label only: there is nothing to tell apart.",
        ),
        (not 1 <= recipe.epochs <= 50, f"{recipe.epochs:,} epochs cannot be run: choose from 1 to 50."),
        (not 1 <= recipe.batch <= 512, f"A batch of {recipe.batch:,} texts cannot be run: choose from 1 to 512."),
        (
            not 0 < recipe.learning_rate <= 1,
            f"A learning rate of {recipe.learning_rate:g} is not usable: it must be above 0 and at most 1.",
        ),
        (recipe.method not in get_args(Method), f"{recipe.method!r} is not a method: choose lora or full."),
        (recipe.precision not in ("bf16", "fp32"), f"{recipe.precision!r} is not a precision: choose bf16 or fp32."),
        (not 1 <= len(members) <= MOST_MEMBERS, f"A run trains 1 to {MOST_MEMBERS} models, not {len(members)}."),
        (len(set(members)) < len(members), "The members of a run need different seeds."),
        (
            any(not 0 <= seed <= MOST_SEED for seeds in members for seed in asdict(seeds).values()),
            f"A seed is at least 0 and at most {MOST_SEED:,}.",
        ),
    )


def drawn(data: Labelled, count: int, seed: int) -> Labelled:
    """At most so many of the texts, drawn, because data may be sorted, but kept in their own order."""
    return data.rows(np.sort(np.random.default_rng(seed).permutation(len(data.texts))[:count]))


def default_precision(device: "torch.device") -> Literal["bf16", "fp32"]:
    """bf16 where the device computes it fast; no timing decides that, so equal machines choose equally."""
    import torch

    fast = (device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)) or (
        device.type == "cpu" and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    )
    return "bf16" if fast else "fp32"


@dataclass(frozen=True)
class Estimate:
    """About what a training will cost."""

    seconds: float
    """All members together."""
    memory: int
    """Bytes at the peak."""
    disk: int
    """Bytes of what is saved."""


SECONDS_TO_START = 10.0
"""Imports and loading, once a run."""
REACHED = {"bf16": 0.38, "fp32": 0.65}
"""Share of the speed of one large matrix product that training small encoders reaches (measured on two CPU cores)."""
BYTES_TO_START = 1100 * 2**20
"""What the libraries and the data hold in memory before the model does (likewise)."""


def estimate(recipe: Recipe, data: Labelled, parameters: int, width: int, device: "torch.device") -> Estimate:
    """About what a training will cost: six operations a parameter and token (Kaplan et al., arXiv 2001.08361), at the speed
    that a matrix product reaches here; four numbers a trained parameter (weight, gradient, Adam's two moments).

    Args:
        parameters: of the base model.
        width: of its hidden states.
    """
    train = data.part("train")
    count = min(recipe.examples, len(train.texts))
    words = sum(len(text.split()) for text in train.texts[:200]) / max(1, min(200, len(train.texts)))
    tokens = min(LIMIT, 1.4 * words + 2)
    held_out = min(len(data.part("validation").texts), MOST_EVALUATED)
    # Embeddings, about two fifths, are looked up, not multiplied.
    operations = 0.6 * parameters * tokens * recipe.epochs * (6 * count + 2 * held_out) * len(recipe.members)
    trained = parameters if recipe.method == "full" else int(0.016 * parameters)
    activations = int(recipe.batch * tokens * width * 4 * 200)
    return Estimate(
        seconds=SECONDS_TO_START + operations / (REACHED[recipe.precision] * _speed(device.type, recipe.precision)),
        memory=4 * parameters + 12 * trained + activations + BYTES_TO_START,
        disk=4 * trained * len(recipe.members),
    )


MOST_EVALUATED = 500
"""Held-out texts that are predicted after each epoch."""


@cache
def _speed(device: str, precision: str) -> float:
    """Operations a second of one large matrix product: the fastest of several, for others may use the machine as well."""
    import torch

    size, times = (1024, 20) if device == "cpu" else (4096, 5)
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    a = torch.ones(size, size, device=device, dtype=dtype)
    # The first one also loads the kernel; reading a number waits for the device.
    seconds = timeit.repeat(lambda: float((a @ a)[0, 0]), number=1, repeat=times + 1)
    return 2 * size**3 / min(seconds[1:])


def members_of(recipe: Recipe, folder: Path) -> Iterator[tuple[Seeds, str, Path]]:
    """The members of a run: seeds, name and folder; that of "42" is `seed-42`, of "head 43" it is `head-43`."""
    for seeds, name in zip(recipe.members, recipe.names, strict=True):
        yield seeds, name, folder / (f"seed-{name}" if name.isdigit() else name.replace(" ", "-"))
