"""The worker's process: started apart from whoever asked, known by its number and its birth, and stopped."""

import contextlib
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import psutil

from core.base.files import read_json, write_json

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
        _note(folder, psutil.Process(process.pid))


def appear(folder: Path) -> None:
    """Say from the worker which process it is, in case that whoever started it was gone before saying so."""
    _note(folder, psutil.Process())


def _note(folder: Path, process: psutil.Process) -> None:
    # The number alone could be that of a later process.
    write_json(folder / WORKER, {"pid": process.pid, "began": process.create_time()})


def is_noted(folder: Path) -> bool:
    """Whether it is known which process works here, be it alive or not."""
    return bool(read_json(folder / WORKER))


def worker_of(folder: Path) -> psutil.Process | None:
    """The living process that works in a folder."""
    record: dict[str, Any] = read_json(folder / WORKER)
    try:
        process = psutil.Process(int(record["pid"]))
        same = abs(process.create_time() - float(record["began"])) < 1.0
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except (psutil.Error, KeyError, TypeError, ValueError):
        return None


def stop_worker(folder: Path) -> None:
    """End the process that works in a folder, if there is one, and wait until it is gone."""
    process = worker_of(folder)
    if process is None:
        return
    with contextlib.suppress(psutil.Error):  # it may end by itself at this very moment
        process.terminate()
        try:
            process.wait(SECONDS_TO_STOP)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(SECONDS_TO_STOP)
