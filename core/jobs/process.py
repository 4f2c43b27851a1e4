"""The worker's process: started independently of whoever asked, identified by its number and its start time, and stopped.

Its state is in JSON files, which one process writes while others read them.
"""

import contextlib
import os
import subprocess
import sys
import threading
from pathlib import Path

import psutil

from core.base.files import read_json, write_json

ROOT = Path(__file__).parent.parent.parent
WORKER = "worker.json"
LOG = "worker.log"
SECONDS_TO_STOP = 5.0
"""How long a worker has to end by itself before it is killed."""


def start_worker(module: str, folder: Path) -> None:
    """Start `python -m MODULE FOLDER`, which outlives the page, the session and the app.

    Raises:
        OSError: there is no such process.
    """
    with (folder / LOG).open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", module, str(folder)],
            # In the same directory: a recipe may name files by a relative path.
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
    # Somebody has to take note of its end, or it would remain as a zombie.
    threading.Thread(target=process.wait, daemon=True).start()
    # Not left to the worker: its imports take seconds, and many where the machine is busy.
    with contextlib.suppress(psutil.Error):
        appear(folder, process.pid)


def appear(folder: Path, pid: int | None = None) -> None:
    """Note which process works in a folder; without a number this one, in case the starter was gone before noting it."""
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
