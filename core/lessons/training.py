"""A training small enough to watch: the same recipe twice, each in a process of its own, and the hashes of their weights."""

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from core.base.errors import WobbleError
from core.base.settings import settings
from core.data.labelled import DataSource, Labelled, read, to_parquet
from core.jobs import job as jobs
from core.lessons.material import ENCODER
from core.models.classifier import best_device
from core.training.recipe import Recipe, default_precision, plan
from core.training.runs import DATA, WORKER, results, run_at

EXAMPLES, HELD_OUT = 48, 24
SEEDS = (42, 43)


@dataclass(frozen=True)
class Twice:
    """sha256 of the weights of three trainings."""

    first: str
    again: str
    """The same seed, in another process."""
    other: str
    """The other seed."""


def train_twice() -> Twice:
    """Train a few steps with two seeds, and with the first of them again. Nothing is kept.

    Not in this process: training seeds the process-wide random state.

    Raises:
        WobbleError: training is switched off, or did not end well.
    """
    if settings().runs_dir is None:
        raise WobbleError("Training is switched off here, and this claim needs it.")
    movies = read(DataSource("movie"))
    some = np.concatenate(
        [np.flatnonzero(movies.split == "train")[:EXAMPLES], np.flatnonzero(movies.split == "validation")[:HELD_OUT]]
    )
    data = movies.rows(some)
    recipe = Recipe(
        "first",
        ENCODER,
        DataSource("movie"),
        plan(SEEDS),
        examples=EXAMPLES,
        precision=default_precision(best_device()),
    )
    with TemporaryDirectory(prefix="wobble-") as folder:
        begun = [
            _begin(one, data, Path(folder)) for one in (recipe, replace(recipe, name="again", members=plan(SEEDS[:1])))
        ]
        try:
            first, other, again = (weights for job in begun for weights in _weights(jobs.wait(job, lambda _: None)))
        finally:
            for job in begun:
                jobs.cancel(jobs.job_at(job.folder))
    return Twice(first, again, other)


def _begin(recipe: Recipe, data: Labelled, root: Path) -> jobs.Job:
    record = {"recipe": recipe.document()}
    return jobs.create(root, recipe.name, record, lambda folder: to_parquet(data, folder / DATA), WORKER)


def _weights(job: jobs.Job) -> list[str]:
    if job.state != "done":
        raise WobbleError(job.message or f"The training was {job.state}.")
    return [member["weights"] for member in results(run_at(job.folder))]
