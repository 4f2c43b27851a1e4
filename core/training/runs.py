"""Trainings on disk: one folder a run below the operator's folder, and a worker process each.

Everything that is known of a run lies in its folder, so it survives a closed page, another page and a restarted app:

    recipe.json     the recipe, the versions, the fingerprint of the data
    data.parquet    the labelled texts with their splits
    state.json      queued, running, done or failed, and why
    worker.json     the worker's process
    cancelled       an empty file: somebody wants it to stop
    progress.jsonl  what happened, one line an event
    worker.log      what the libraries said
    seed-42/ …      the finished members; one that is not finished has a hidden folder, which no catalog lists

Workers take turns: one trains, the others wait, oldest first. Only the worker writes how a run stands, so that whoever cancels
it never overwrites that, nor is overwritten.
"""

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, Literal, get_args

import psutil

from core.base.errors import WobbleError
from core.base.settings import settings
from core.base.versions import versions
from core.data.labelled import Labelled, to_parquet
from core.training.recipe import Recipe, check, members_of, recipe_of

State = Literal["queued", "running", "done", "failed", "cancelled", "killed"]
LIVE: tuple[State, ...] = ("queued", "running")

ROOT = Path(__file__).parent.parent.parent
CANCELLED = "cancelled"
TURN = ".turn"
"""The file that the worker whose turn it is has locked; the lock ends with its process, however that ends."""
SECONDS_TO_APPEAR = 30.0
"""A run without a worker after this long will not get one."""
MOST_QUEUED = 5
"""Runs that may wait or train at once: each waiting worker holds some memory."""
FREE_DISK = 200 * 2**20
"""Bytes that must stay free beside what a run will save."""


@dataclass(frozen=True)
class Run:
    """What is known of one run at one moment."""

    name: str
    folder: Path
    recipe: Recipe
    fingerprint: str
    notes: tuple[str, ...]
    created: float
    """Seconds since the epoch."""
    state: State
    message: str
    """Why it failed, in one sentence; empty otherwise."""
    finished: tuple[str, ...]
    """Names of the members that are complete."""
    ahead: int = 0
    """Runs that will be trained before this one, while it is queued."""

    @property
    def id(self) -> str:
        """The family's id in the catalog."""
        return f"{self.folder.parent.name}/{self.name}"


def _root() -> Path:
    root = settings().runs_dir
    if root is None:
        raise WobbleError("Training is switched off here: whoever runs Wobble can name a folder with WOBBLE_RUNS_DIR.")
    return root


def _write(file: Path, content: Any) -> None:
    """Replace a file as a whole: who reads it sees the old one or the new one."""
    draft = file.with_name(f".{file.name}.{os.getpid()}.{threading.get_ident()}")
    draft.write_text(json.dumps(content, indent=2), encoding="utf-8")
    draft.replace(file)


def _read(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def submit(recipe: Recipe, data: Labelled, needed: int = 0) -> Run:
    """Put a run into the queue; its worker starts at once and trains when it is its turn.

    Args:
        needed: bytes that will be saved.

    Raises:
        WobbleError: the recipe cannot be run, the name is taken, or there is no room for it.
    """
    check(recipe, data)
    root = _root()
    if sum(run.state in LIVE for run in runs()) >= MOST_QUEUED:
        raise WobbleError(f"{MOST_QUEUED} runs are waiting already: come back when one has ended, or cancel one.")
    try:
        root.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(root).free
        if free < needed + FREE_DISK:
            raise WobbleError(
                f"There is no room: the run needs {(needed + FREE_DISK) / 2**20:,.0f} MiB and {free / 2**20:,.0f} MiB are free."
            )
        folder = root / recipe.name
        draft = root / f".{recipe.name}.{os.getpid()}.{threading.get_ident()}"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        try:
            to_parquet(data, draft / "data.parquet")
            record = {
                "recipe": recipe.document(),
                "data_fingerprint": data.fingerprint,
                "notes": list(data.notes),
                "labels": list(data.names),
                "versions": versions(),
                "created": time.time(),
            }
            _write(draft / "recipe.json", record)
            _write(draft / "state.json", {"state": "queued", "message": ""})
            if folder.exists():
                raise WobbleError(f"There is a run named {recipe.name} already: choose another name.")
            draft.rename(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        _start_worker(folder)
    except OSError as error:
        raise WobbleError(f"The run cannot be started in {root.name}/: {error.strerror or error}.") from error
    return run_at(folder)


def _start_worker(folder: Path) -> None:
    """A process that outlives the page, the session and the app.

    Raises:
        OSError: there is none; the run is gone.
    """
    try:
        with (folder / "worker.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "core.training.worker", str(folder)],
                # Not in another directory: a recipe may name its base by a relative path.
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
                    "PYTHONUNBUFFERED": "1",
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    # Somebody has to take note of its end, or it would stay behind as a zombie.
    threading.Thread(target=process.wait, daemon=True).start()
    # Not left to the worker: its imports take seconds, and many where the machine is busy.
    with contextlib.suppress(psutil.Error):
        _write(folder / "worker.json", _identity(psutil.Process(process.pid)))


def runs() -> tuple[Run, ...]:
    """All runs, the newest first."""
    root = settings().runs_dir
    if root is None or not root.is_dir():
        return ()
    found = []
    for folder in root.iterdir():
        if not folder.name.startswith(".") and (folder / "recipe.json").is_file():
            # One that is damaged, or that somebody has just deleted, does not hide the others.
            with contextlib.suppress(WobbleError):
                found.append(run_at(folder))
    found.sort(key=lambda run: (-run.created, run.name))
    live = [run for run in reversed(found) if run.state in LIVE]
    places = {run.name: place for place, run in enumerate(live)}
    return tuple(replace(run, ahead=places[run.name]) if run.state == "queued" else run for run in found)


def run_named(name: str) -> Run:
    """A run by its name.

    Raises:
        WobbleError: there is none.
    """
    found = next((run for run in runs() if run.name == name), None)
    if found is None:
        raise WobbleError(f"There is no run named {name[:48]!r}.")
    return found


def run_at(folder: Path) -> Run:
    """What is known of the run in a folder.

    Raises:
        WobbleError: its record is damaged.
    """
    record, now = _read(folder / "recipe.json"), _read(folder / "state.json")
    try:
        recipe = recipe_of(record["recipe"])
        created = float(record["created"])
        notes = tuple(map(str, record.get("notes", ())))
    except (KeyError, TypeError, ValueError) as error:
        raise WobbleError(f"The record of the run {folder.name} is damaged.") from error
    state: State = now.get("state", "")
    message = str(now.get("message", ""))
    if state not in get_args(State):
        state, message = "failed", "The record of how this run stands is damaged."
    worker = _read(folder / "worker.json")
    if state in LIVE and (folder / CANCELLED).exists():
        state = "cancelled"
    elif state in LIVE and _process(worker) is None and (worker or time.time() - created > SECONDS_TO_APPEAR):
        state = "killed"
        message = "The training process ended without a word: it was killed, most often because memory ran out."
    return Run(
        name=folder.name,
        folder=folder,
        recipe=recipe,
        fingerprint=str(record.get("data_fingerprint", "")),
        notes=notes,
        created=created,
        state=state,
        message=message,
        finished=tuple(name for _, name, place in members_of(recipe, folder) if _result(place)),
    )


def _result(member: Path) -> dict[str, Any]:
    """The record of a finished member; empty where it is unfinished or damaged."""
    record = _read(member / "training.json")
    return record if {"accuracy", "loss", "tested_on", "weights", "seconds"} <= set(record) else {}


def _identity(process: psutil.Process) -> dict[str, Any]:
    """What tells a process from a later one of the same number."""
    return {"pid": process.pid, "began": process.create_time()}


def _process(record: dict[str, Any]) -> psutil.Process | None:
    """The living process that a record names."""
    try:
        process = psutil.Process(int(record["pid"]))
        same = abs(process.create_time() - float(record["began"])) < 1.0
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except (psutil.Error, KeyError, TypeError, ValueError):
        return None


def progress(run: Run) -> list[dict[str, Any]]:
    """What has happened so far, oldest first."""
    try:
        lines = (run.folder / "progress.jsonl").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return []
    events = []
    for line in lines:
        try:
            events.append(json.loads(line))
        except ValueError:
            continue  # the last line may be half written
    return events


def results(run: Run) -> list[dict[str, Any]]:
    """One entry a finished member: accuracy, loss, where it was saved."""
    rows = []
    for seeds, name, folder in members_of(run.recipe, run.folder):
        record = _result(folder)
        if record:
            rows.append(
                {
                    "name": name,
                    "head": seeds.head,
                    "order": seeds.order,
                    "dropout": seeds.dropout,
                    "subset": seeds.subset,
                    "accuracy": record["accuracy"],
                    "loss": record["loss"],
                    "tested_on": record["tested_on"],
                    "weights": record["weights"],
                    "seconds": record["seconds"],
                    "saved": f"{run.id}/{folder.name}",
                }
            )
    return rows


def wait(run: Run, told: Callable[[dict[str, Any]], None], pause: float = 0.5) -> Run:
    """Wait for the end of a run, handing on what happens."""
    heard = 0
    while True:
        # The state is read before the events, so that none is missed when the run ends in between.
        run = run_at(run.folder)
        events = progress(run)
        for event in events[heard:]:
            told(event)
        heard = len(events)
        if run.state not in LIVE:
            return run
        time.sleep(pause)


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


def cancel(name: str) -> Run:
    """Stop a run that is queued or running; members that are finished stay.

    Raises:
        WobbleError: there is no such run.
    """
    run = run_named(name)
    if run.state not in LIVE:
        return run
    # First of all: a worker that has only just appeared finds it and leaves.
    try:
        (run.folder / CANCELLED).touch()
    except OSError as error:
        raise WobbleError(f"{name} cannot be cancelled: {error.strerror or error}.") from error
    process = _process(_read(run.folder / "worker.json"))
    if process is not None:
        with contextlib.suppress(psutil.Error):  # it may end by itself at this very moment
            process.terminate()
            try:
                process.wait(5)
            except psutil.TimeoutExpired:
                process.kill()
                process.wait(5)
    tidy(run.folder)
    return run_at(run.folder)


def remove(name: str) -> None:
    """Delete a run that has ended, with its members.

    Raises:
        WobbleError: there is no such run, or it has not ended.
    """
    run = run_named(name)
    if run.state in LIVE:
        raise WobbleError(f"{name} is {run.state}: cancel it first.")
    doomed = run.folder.with_name(f".{run.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        run.folder.rename(doomed)
    except OSError as error:
        raise WobbleError(f"{name} cannot be deleted: {error.strerror or error}.") from error
    shutil.rmtree(doomed, ignore_errors=True)


def tidy(folder: Path) -> None:
    """Remove what an unfinished member left."""
    for hidden in folder.glob(".*"):
        if hidden.is_dir():
            shutil.rmtree(hidden, ignore_errors=True)


def free_name(wanted: str) -> str:
    """The name, or the name with a number behind it where it is taken."""
    root = settings().runs_dir
    return next(name for name in _numbered(wanted) if root is None or not (root / name).exists())


def _numbered(wanted: str) -> Iterator[str]:
    yield wanted
    number = 2
    while True:
        yield f"{wanted}-{number}"
        number += 1


# --- the worker's side -----------------------------------------------------------------------------------------------


def appear(folder: Path) -> None:
    """Say from the worker which process it is, in case that whoever started it was gone before saying so."""
    _write(folder / "worker.json", _identity(psutil.Process()))


def announce(folder: Path, state: State, message: str = "") -> None:
    """Say from the worker how a run stands."""
    _write(folder / "state.json", {"state": state, "message": message})


def wait_for_turn(folder: Path, pause: float = 0.3) -> IO[bytes] | None:
    """Wait, in the worker, until all older runs have ended and nobody trains; None if the run was cancelled meanwhile.

    Returns:
        What holds the turn until it is closed.
    """
    turn = (folder.parent / TURN).open("ab")
    while True:
        me = run_at(folder)
        if me.state != "queued":
            turn.close()
            return None
        if not any(run.state in LIVE and (run.created, run.name) < (me.created, me.name) for run in runs()):
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return turn
        time.sleep(pause)
