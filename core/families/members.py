"""Families of training seeds: which ones there are, their members, and the texts that none of them was trained on."""

import re
from dataclasses import dataclass

from core.base.errors import WobbleError
from core.data.labelled import DataSource, Labelled, from_parquet, read
from core.models import catalog
from core.training.recipe import Seeds, members_of, one_seed
from core.training.runs import DATA, runs

MEMBER = re.compile(r"(?P<family>.+?)(?:-(?P<seed>\d+))?")
FIRST_SEED = 42
"""The seed of the member that carries an embedded family's own name."""


@dataclass(frozen=True)
class Member:
    """One fine-tuned classifier of a family."""

    id: str
    """In the catalog."""
    name: str
    """Its seed ("43"), or what differs from the first member ("head 43")."""
    seeds: Seeds


def families() -> tuple[str, ...]:
    """Ids of all families with at least two members: the embedded one first, then finished trainings, the newest first."""
    return tuple(id for id, found in _families().items() if len(found) > 1)


def _families() -> dict[str, tuple[Member, ...]]:
    """Members by family: models whose names match (`x`, `x-43`, `x-44`, …), then those of trainings (`runs/mine`)."""
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
    """The members of a family: those of a training (`runs/mine`), or models whose names match (`x`, `x-43`, `x-44`, …).

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
    named = ((id, {id, *(member.id for member in some)}) for id, some in _families().items() if len(some) > 1)
    return next((id for id, names in named if model in names), None)


def family_data(id: str) -> Labelled:
    """Labelled texts that no member of a family was trained on, with numbers that fit its labels.

    For a training the test split of its data, or where there is none its validation split; for others the embedded movie
    snippets of the test split.

    Raises:
        WobbleError: there is no such family, or what was kept beside it is damaged.
    """
    members(id)
    run = next((run for run in runs() if run.id == id), None)
    data = read(DataSource("movie")) if run is None else from_parquet(run.folder / DATA)
    return data.part("test" if "test" in data.split else "validation")
