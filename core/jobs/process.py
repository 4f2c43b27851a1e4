"""The worker's process: started apart from whoever asked, known by its number and its birth, and stopped.

It says how it stands by JSON files, which one process writes while others read them.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parent.parent.parent
WORKER = "worker.json"
LOG = "worker.log"
SECONDS_TO_STOP = 5.0
"""What a worker gets for ending by itself before it is killed."""


def start_worker(module: str, folder: Path) -> None:
    """Start `python -m MODULE FOLDER`, which outlives the page, the session and the app.

    Raises:
        OSError: there is no such process.
    """
    with (folder / LOG).open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", module, str(folder)],
            # Not in another directory: what is asked for may name files by a relative path.
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
    # Somebody has to take note of its end, or it would stay behind as a zombie.
    threading.Thread(target=process.wait, daemon=True).start()
    # Not left to the worker: its imports take seconds, and many where the machine is busy.
    with contextlib.suppress(psutil.Error):
        appear(folder, process.pid)


def appear(folder: Path, pid: int | None = None) -> None:
    """Note which process works in a folder; without a number this one, in case that who started it was gone before noting it."""
    # The number alone could be that of a later process.
    process = psutil.Process(pid)
    write_json(folder / WORKER, {"pid": process.pid, "began": process.create_time()})


def worker_of(folder: Path) -> psutil.Process | None:
    """The living process that works in a folder."""
    try:
        record = read_json(folder / WORKER)
        process = psutil.Process(int(record["pid"]))
        same = abs(process.create_time() - float(record["began"])) < 1.0
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except (psutil.Error, KeyError, TypeError, ValueError):
        return None


def stop_worker(folder: Path) -> None:
    """End the process that works in a folder, if there is one, and wait until it is gone."""
    if process := worker_of(folder):
        for stop in (process.terminate, process.kill):
            with contextlib.suppress(psutil.Error):  # it may end by itself at this very moment, or not in time
                stop()
                process.wait(SECONDS_TO_STOP)


def draft_of(place: Path) -> Path:
    """A hidden place beside another, for this process and thread alone: what is complete is then renamed."""
    return place.with_name(f".{place.name}.{os.getpid()}.{threading.get_ident()}")


def write_json(file: Path, content: Any) -> None:
    """Replace a file as a whole: whoever reads it sees the old one or the new one.

    Raises:
        OSError: it cannot be written; the old one is still there.
    """
    draft = draft_of(file)
    draft.write_text(json.dumps(content, indent=2), encoding="utf-8")
    draft.replace(file)


def read_json(file: Path) -> dict[str, Any]:
    """The object in a file; empty where there is none, or where it is damaged."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def read_json_lines(file: Path) -> list[Any]:
    """One value a line; the last line may be half written, and is left out then."""
    values = []
    with contextlib.suppress(OSError, ValueError):
        for line in file.read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(ValueError):
                values.append(json.loads(line))
    return values
