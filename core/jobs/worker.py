"""The worker's side of a job: workers below one root take turns, one works and the others wait, oldest first."""

import contextlib
import os
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from filelock import AcquireReturnProxy, FileLock, Timeout

from core.base.errors import WobbleError
from core.jobs import process
from core.jobs.job import LIVE, State, announce, job_at, jobs_in, tidy

TURN = ".turn"
"""The file that the worker whose turn it is has locked.

The operating system holds the lock (`flock`; on Windows `LockFileEx`) and ends it with the process, however that ends. Not the
kind of lock that is a file's mere existence: a killed worker would keep the turn.
"""


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
        do: the work; a `WobbleError` of its is what people read.
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
        # First of all, for the disk may be full: saying how it ended takes room too.
        tidy(folder)
        announce(folder, *outcome)
