"""Trainings on disk: one folder a run below the operator's folder, and a worker process each.

Everything that is known of a run lies in its folder, so it survives a closed page, another page and a restarted app:

    recipe.json     the recipe, the versions, the fingerprint of the data
    data.parquet    the labelled texts with their splits
    state.json      queued, running, done, failed or cancelled, and the worker's process
    progress.jsonl  what happened, one line an event
    worker.log      what the libraries said
    seed-42/ …      the finished members; one that is not finished has a hidden folder, which no catalog lists

Workers take turns: one trains, the others wait, oldest first.
"""

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
from typing import Any, Literal

import psutil

from core.errors import WobbleError
from core.labelled import Labelled, to_parquet
from core.recipe import Recipe, check, members_of, recipe_of, runs_root
from core.versions import versions

State = Literal["queued", "running", "done", "failed", "cancelled", "killed"]
LIVE: tuple[State, ...] = ("queued", "running")

ROOT = Path(__file__).parent.parent
TURN = ".turn"
"""The file that the worker whose turn it is holds."""
SECONDS_TO_APPEAR = 30.0
"""A worker that has not said a word after this long was killed before it could."""
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
    root = runs_root()
    if root is None:
        raise WobbleError("Training is switched off here: whoever runs Wobble can name a folder with WOBBLE_RUNS_DIR.")
    return root


def _write(file: Path, content: Any) -> None:
    """Replace a file as a whole: who reads it sees the old one or the new one."""
    draft = file.with_name(f".{file.name}.{os.getpid()}.{threading.get_ident()}")
    draft.write_text(json.dumps(content, ensure_ascii=False, indent=2), encoding="utf-8")
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
            try:
                draft.rename(folder)
            except OSError as error:
                raise WobbleError(f"There is a run named {recipe.name} already: choose another name.") from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        raise WobbleError(f"The run cannot be written to {root.name}/: {error.strerror or error}.") from error
    _start_worker(folder)
    return run_at(folder)


def _start_worker(folder: Path) -> None:
    """A process that outlives the page, the session and the app."""
    with (folder / "worker.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "core.worker", str(folder)],
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    # Somebody has to take note of its end, or it would stay behind as a zombie.
    threading.Thread(target=process.wait, daemon=True).start()


def runs() -> tuple[Run, ...]:
    """All runs, the newest first."""
    root = runs_root()
    if root is None or not root.is_dir():
        return ()
    found = [
        run_at(folder)
        for folder in root.iterdir()
        if not folder.name.startswith(".") and (folder / "recipe.json").is_file()
    ]
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
    except (KeyError, TypeError, ValueError) as error:
        raise WobbleError(f"The record of the run {folder.name} is damaged.") from error
    state: State = now.get("state", "failed")
    message = str(now.get("message", ""))
    if state in LIVE and _process(now) is None and ("pid" in now or time.time() - created > SECONDS_TO_APPEAR):
        state = "killed"
        message = "The training process ended without a word: it was killed, most often because memory ran out."
    return Run(
        name=folder.name,
        folder=folder,
        recipe=recipe,
        fingerprint=str(record.get("data_fingerprint", "")),
        notes=tuple(record.get("notes", ())),
        created=created,
        state=state,
        message=message,
        finished=tuple(name for _, name, place in members_of(recipe, folder) if (place / "training.json").is_file()),
    )


def _process(record: dict[str, Any]) -> psutil.Process | None:
    """The living process that a record names; another one that was given the same number later does not count."""
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
    except OSError:
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
        record = _read(folder / "training.json")
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
    # The state first: a worker that starts just now finds it and leaves.
    now = _read(run.folder / "state.json")
    _write(run.folder / "state.json", {**now, "state": "cancelled"})
    process = _process(now)
    if process is not None:
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
    run.folder.rename(doomed)
    shutil.rmtree(doomed, ignore_errors=True)


def tidy(folder: Path) -> None:
    """Remove what an unfinished member left."""
    for hidden in folder.glob(".*"):
        if hidden.is_dir():
            shutil.rmtree(hidden, ignore_errors=True)


def free_name(wanted: str) -> str:
    """The name, or the name with a number behind it where it is taken."""
    taken = {run.name for run in runs()}
    return next(name for name in _numbered(wanted) if name not in taken)


def _numbered(wanted: str) -> Iterator[str]:
    yield wanted
    number = 2
    while True:
        yield f"{wanted}-{number}"
        number += 1


# --- the worker's side -----------------------------------------------------------------------------------------------


def announce(folder: Path, state: State, message: str = "") -> None:
    """Say from the worker how a run stands."""
    me = psutil.Process()
    _write(folder / "state.json", {"state": state, "message": message, "pid": me.pid, "began": me.create_time()})


def wait_for_turn(folder: Path, pause: float = 0.3) -> bool:
    """Wait, in the worker, until all older runs have ended and nobody trains; False if the run was cancelled meanwhile."""
    turn = folder.parent / TURN
    while True:
        if _read(folder / "state.json").get("state") != "queued":
            return False
        me = run_at(folder)
        waiting = [run for run in runs() if run.state in LIVE and (run.created, run.name) < (me.created, me.name)]
        if not waiting:
            holder = _read(turn)
            if holder and _process(holder) is None:
                turn.unlink(missing_ok=True)  # its worker was killed
            try:
                with turn.open("x", encoding="utf-8") as stream:
                    process = psutil.Process()
                    json.dump({"pid": process.pid, "began": process.create_time()}, stream)
            except FileExistsError:
                pass
            else:
                return True
        time.sleep(pause)


def end_turn(folder: Path) -> None:
    """Let the next one train."""
    (folder.parent / TURN).unlink(missing_ok=True)
