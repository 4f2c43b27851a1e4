"""Trainings are jobs (`core.jobs.job`). Beside what every job has, the folder of a training holds

    recipe.json     the recipe, the versions, the fingerprint of the data
    data.parquet    the labelled texts with their splits
    seed-42/ …      the finished members

A member that is not finished has a hidden folder, which no catalog lists.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.base.errors import WobbleError
from core.base.files import read_json
from core.base.settings import settings
from core.base.versions import versions
from core.base.words import duration
from core.data.labelled import Labelled, to_parquet
from core.jobs import job as jobs
from core.training.recipe import MEMBER_RECORD, Recipe, check, members_of, recipe_of

WORKER = "core.training.worker"
DATA = "data.parquet"
MEASURED = ("accuracy", "loss", "tested_on", "weights", "seconds")
"""What is reported of each finished member."""


@dataclass(frozen=True, kw_only=True)
class Run(jobs.Job):
    """What is known of one training at one moment."""

    recipe: Recipe
    finished: tuple[str, ...]
    """Names of the members that are complete."""

    @property
    def id(self) -> str:
        """The family's id in the catalog."""
        return f"{self.folder.parent.name}/{self.name}"


def submit(recipe: Recipe, data: Labelled, needed: int = 0) -> Run:
    """Put a run into the queue; its worker starts at once and trains when it is its turn.

    Args:
        needed: bytes that will be saved.

    Raises:
        WobbleError: the recipe cannot be run, the name is taken, or there is no room for it.
    """
    check(recipe, data)
    root = settings().runs_dir
    if root is None:
        raise WobbleError("Training is switched off here: whoever runs Wobble can name a folder with WOBBLE_RUNS_DIR.")
    record = {
        "recipe": recipe.document(),
        "data_fingerprint": data.fingerprint,
        "notes": list(data.notes),
        "labels": list(data.names),
        "versions": versions(),
    }
    job = jobs.create(root, recipe.name, record, lambda folder: to_parquet(data, folder / DATA), WORKER, needed)
    return _run(job)


def runs() -> tuple[Run, ...]:
    """All runs, the newest first."""
    return tuple(jobs.readable(jobs.jobs_in(settings().runs_dir), _run))


def run_named(name: str) -> Run:
    """A run by its name.

    Raises:
        WobbleError: there is none.
    """
    for run in runs():
        if run.name == name:
            return run
    raise WobbleError(f"There is no run named {name[:48]!r}.")


def run_at(folder: Path) -> Run:
    """What is known of the run in a folder.

    Raises:
        WobbleError: its record is damaged.
    """
    return _run(jobs.job_at(folder))


def _run(job: jobs.Job) -> Run:
    try:
        recipe = recipe_of(read_json(job.folder / jobs.RECORD)["recipe"])
        return Run(
            **vars(job),
            recipe=recipe,
            finished=tuple(name for _, name, place in members_of(recipe, job.folder) if _result(place)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise WobbleError(f"The record of the run {job.name} is damaged.") from error


def _result(member: Path) -> dict[str, Any]:
    """The record of a finished member; empty where it is unfinished or damaged."""
    record = read_json(member / MEMBER_RECORD)
    return record if set(MEASURED) <= set(record) else {}


def results(run: Run) -> list[dict[str, Any]]:
    """One entry per finished member: accuracy, loss, where it was saved."""
    return [
        {
            "name": name,
            **asdict(seeds),
            **{key: record[key] for key in MEASURED},
            "saved": f"{run.id}/{folder.name}",
        }
        for seeds, name, folder in members_of(run.recipe, run.folder)
        if (record := _result(folder))
    ]


def wait(run: Run, told: Callable[[dict[str, Any]], None], pause: float = 0.5) -> Run:
    """Wait for the end of a run, handing on what happens."""
    return _run(jobs.wait(run, told, pause))


def event_said(event: dict[str, Any]) -> str:
    """An event in words."""
    member = f"{event['number']}. {event['member']}"
    if event["event"] == "step":
        return (
            f"{member}: step {event['step']:,} of {event['steps']:,}, loss {event['loss']:.4f}, "
            f"{event['examples_per_second']:.0f} examples/s, {event['seconds_left']:.0f} s left"
        )
    if event["event"] == "evaluated":
        return (
            f"{member}: epoch {event['epoch']:g}, held-out accuracy {event['accuracy']:.4f}, loss {event['loss']:.4f}"
        )
    return f"{member}: {event['event']}"


def so_far(events: Sequence[dict[str, Any]], members: int) -> tuple[float, str]:
    """How much of a run is done, from 0 to 1, and what it is doing now, in words.

    Args:
        events: as `core.jobs.job.progress` reads them.
        members: how many it trains.
    """
    told = [event for event in events if event["event"] in ("began", "step", "evaluated", "saved")]
    if not told:
        return 0.0, "starting …"
    last, seconds = told[-1], [event["seconds"] for event in told if event["event"] == "saved"]
    number, kind = int(last["number"]), last["event"]
    inside = 1.0 if kind == "saved" else last.get("step", 0) / max(1, last.get("steps", 1))
    said = f"model {number} of {members}: {last['member']}"
    if kind == "began":
        said += ", loading"
    elif kind == "evaluated" or (kind == "step" and inside == 1):
        said += ", predicting the held-out texts"
    elif kind == "step":
        said += f", step {last['step']:,} of {last['steps']:,}"
    if steps := [event for event in told if event["event"] == "step"]:
        a_model = sum(seconds) / len(seconds) if seconds else steps[-1]["seconds_left"] / max(1e-6, 1 - inside)
        left = duration((members - number + 1 - inside) * a_model)
        said += f", {steps[-1]['examples_per_second']:.0f} examples a second, about {left} left"
    return min((number - 1 + inside) / members, 1.0), said


def cancel(name: str) -> Run:
    """Stop a run that is queued or running; members that are finished stay.

    Raises:
        WobbleError: there is no such run.
    """
    run = run_named(name)
    jobs.cancel(run)
    return run_at(run.folder)


def remove(name: str) -> None:
    """Delete a run that has ended, with its members.

    Raises:
        WobbleError: there is no such run, or it has not ended.
    """
    jobs.remove(run_named(name))


def free_name(wanted: str) -> str:
    """The name, or the name with a number added where it is taken."""
    return jobs.free_name(settings().runs_dir, wanted)
