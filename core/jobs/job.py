"""Jobs on disk: one folder per job below a root, and a worker process each.

Everything that is known of a job lies in its folder, so it survives a closed page, another page and a restarted app:

    recipe.json     what is to be done, and when it was asked for
    state.json      queued, running, done or failed, and why
    worker.json     the worker's process
    cancelled       an empty file: somebody wants it to stop
    progress.jsonl  what happened, one line an event
    worker.log      what the libraries said

What is not complete has a hidden folder or file, whose name begins with a dot. Only the worker writes how a job stands, so that
a cancellation neither overwrites that nor is overwritten. In what people read, a job is a run.
"""

import contextlib
import os
import shutil
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from filelock import AcquireReturnProxy, FileLock, Timeout

from core.base.errors import WobbleError
from core.base.files import draft_of, read_json, read_json_lines, write_json
from core.jobs import process

Found = TypeVar("Found")

State = Literal["queued", "running", "done", "failed", "cancelled", "killed"]
LIVE: tuple[State, ...] = ("queued", "running")

RECORD = "recipe.json"
STATE = "state.json"
CANCELLED = "cancelled"
PROGRESS = "progress.jsonl"
TURN = ".turn"
"""The file that the worker whose turn it is has locked.

The operating system holds the lock (`flock`; on Windows `LockFileEx`) and ends it with the process, however that ends. Not the
kind of lock that is a file's mere existence: a killed worker would keep the turn.
"""
SECONDS_TO_APPEAR = 30.0
"""A job without a worker after this long will not get one."""
MOST_QUEUED = 5
"""How many jobs of one root may wait or run at once: each waiting worker holds some memory."""
FREE_DISK = 200 * 2**20
"""Bytes that must stay free beside what a job will save."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is known of one job at one moment."""

    folder: Path
    created: float
    """Seconds since the epoch."""
    state: State
    message: str
    """Why it failed, in one sentence; empty otherwise."""
    ahead: int = 0
    """Jobs that will be done before this one, while it is queued."""

    @property
    def name(self) -> str:
        """Of its folder."""
        return self.folder.name


def create(
    root: Path, name: str, record: dict[str, Any], fill: Callable[[Path], None], worker: str, needed: int = 0
) -> Job:
    """Put a job into the queue of a root; its worker starts at once and works when it is its turn.

    Args:
        record: what is to be done, as plain JSON values.
        fill: writes into the folder whatever else the worker needs.
        worker: the module that does it, as `python -m WORKER FOLDER`.
        needed: bytes that will be saved.

    Raises:
        WobbleError: the name is taken, or there is no room for it.
    """
    if sum(job.state in LIVE for job in jobs_in(root)) >= MOST_QUEUED:
        raise WobbleError(f"{MOST_QUEUED} runs are waiting already: come back when one has ended, or cancel one.")
    folder = root / name
    try:
        root.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(root).free
        if free < needed + FREE_DISK:
            raise WobbleError(
                f"There is no room: the run needs {(needed + FREE_DISK) / 2**20:,.0f} MiB and {free / 2**20:,.0f} MiB are free."
            )
        draft = draft_of(folder)
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        try:
            fill(draft)
            write_json(draft / RECORD, {**record, "created": time.time()})
            announce(draft, "queued")
            if folder.exists():
                raise WobbleError(f"There is a run named {name} already: choose another name.")
            draft.rename(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        try:
            process.start_worker(worker, folder)
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    except OSError as error:
        raise WobbleError(f"The run cannot be started in {root.name}/: {error.strerror or error}.") from error
    return job_at(folder)


def announce(folder: Path, state: State, message: str = "") -> None:
    """Say how a job stands: from its worker, once that has started."""
    write_json(folder / STATE, {"state": state, "message": message})


def jobs_in(root: Path | None) -> tuple[Job, ...]:
    """All jobs below a root, the newest first."""
    if root is None or not root.is_dir():
        return ()
    folders = (folder for folder in root.iterdir() if not folder.name.startswith(".") and (folder / RECORD).is_file())
    found = sorted(readable(folders, job_at), key=lambda job: (-job.created, job.name))
    older = ((job, sum(other.state in LIVE for other in found[n:])) for n, job in enumerate(found, start=1))
    return tuple(replace(job, ahead=ahead) if job.state == "queued" else job for job, ahead in older)


def readable(places: Iterable[Any], read: Callable[[Any], Found]) -> list[Found]:
    """What can be read: one that is damaged, or that somebody has just deleted, does not hide the others."""
    found = []
    for place in places:
        with contextlib.suppress(WobbleError):
            found.append(read(place))
    return found


def job_at(folder: Path) -> Job:
    """What is known of the job in a folder.

    Raises:
        WobbleError: its record is damaged.
    """
    try:
        created = float(read_json(folder / RECORD)["created"])
    except (KeyError, TypeError, ValueError) as error:
        raise WobbleError(f"The record of the run {folder.name} is damaged.") from error
    now = {"message": "", **read_json(folder / STATE)}
    if now.get("state") not in get_args(State):
        now = {"state": "failed", "message": "The record of how this run stands is damaged."}
    state: State = now["state"]
    message = str(now["message"])
    if state in LIVE and (folder / CANCELLED).exists():
        state = "cancelled"
    elif (
        state in LIVE
        and process.worker_of(folder) is None
        and (read_json(folder / process.WORKER) or time.time() - created > SECONDS_TO_APPEAR)
    ):
        state = "killed"
        message = "Its process ended without a word: it was killed, most often because memory ran out."
    return Job(folder=folder, created=created, state=state, message=message)


def progress(job: Job) -> list[dict[str, Any]]:
    """What has happened so far, oldest first."""
    return read_json_lines(job.folder / PROGRESS)


def wait(job: Job, told: Callable[[dict[str, Any]], None], pause: float = 0.5) -> Job:
    """Wait for the end of a job, handing on what happens."""
    heard = 0
    while True:
        # The state is read before the events, so that none is missed when the job ends in between.
        job = job_at(job.folder)
        events = progress(job)
        for event in events[heard:]:
            told(event)
        heard = len(events)
        if job.state not in LIVE:
            return job
        time.sleep(pause)


def cancel(job: Job) -> None:
    """Stop a job that is queued or running; what it has finished stays.

    Raises:
        WobbleError: it cannot be cancelled.
    """
    if job.state not in LIVE:
        return
    # First of all: a worker that has only just appeared finds it and leaves.
    try:
        (job.folder / CANCELLED).touch()
    except OSError as error:
        raise WobbleError(f"{job.name} cannot be cancelled: {error.strerror or error}.") from error
    process.stop_worker(job.folder)
    tidy(job.folder)


def remove(job: Job) -> None:
    """Delete a job that has ended, with all that it made.

    Raises:
        WobbleError: it has not ended, or cannot be deleted.
    """
    if job.state in LIVE:
        raise WobbleError(f"{job.name} is {job.state}: cancel it first.")
    doomed = draft_of(job.folder)
    try:
        job.folder.rename(doomed)
    except OSError as error:
        raise WobbleError(f"{job.name} cannot be deleted: {error.strerror or error}.") from error
    shutil.rmtree(doomed, ignore_errors=True)


def tidy(folder: Path) -> None:
    """Remove what is not complete and never will be."""
    for hidden in folder.glob(".*"):
        if hidden.is_dir():
            shutil.rmtree(hidden, ignore_errors=True)


def free_name(root: Path | None, wanted: str) -> str:
    """The name, or the name with a number added where it is taken."""
    names = chain([wanted], (f"{wanted}-{number}" for number in count(2)))
    return next(name for name in names if root is None or not (root / name).exists())


def wait_for_turn(folder: Path, pause: float = 0.3) -> AcquireReturnProxy[FileLock] | None:
    """Wait, in the worker, until all older jobs have ended and nobody works; None if the job was cancelled meanwhile.

    Returns:
        What holds the turn until it is left, as a context.
    """
    turn = FileLock(folder.parent / TURN, thread_local=False, fallback_to_soft=False)
    while True:
        me = job_at(folder)
        if me.state != "queued":
            return None
        if not any(
            job.state in LIVE and (job.created, job.name) < (me.created, me.name) for job in jobs_in(folder.parent)
        ):
            with contextlib.suppress(Timeout):
                return turn.acquire(blocking=False)
        time.sleep(pause)


def work(folder: Path, do: Callable[[Path], None], explain: Callable[[Exception], str]) -> None:
    """Wait for the turn, do the work in a folder, and say how it ended.

    Args:
        do: the work; people read the text of a `WobbleError` that it raises.
        explain: any other error in one sentence.
    """
    process.appear(folder)
    if hasattr(os, "nice"):  # Windows has none
        with contextlib.suppress(OSError):
            os.nice(5)  # pages answer first
    turn = wait_for_turn(folder)
    if turn is None:
        return
    with turn:
        announce(folder, "running")
        for job in jobs_in(folder.parent):
            if job.state not in LIVE:
                tidy(job.folder)  # a worker that was killed could not
        outcome: tuple[State, str] = "done", ""
        try:
            do(folder)
        except WobbleError as error:
            outcome = "failed", str(error)
        except Exception as error:
            traceback.print_exc()
            outcome = "failed", explain(error)
        # First, since the disk may be full: saying how it ended takes room too.
        tidy(folder)
        announce(folder, *outcome)
