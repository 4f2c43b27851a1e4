"""Workers take turns: one works, the others wait, a turn ends with its process, and how a job ended is said."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from core.base.errors import WobbleError
from core.base.files import write_json
from core.jobs import job as jobs
from core.jobs import process

Queue = Callable[..., jobs.Job]


@pytest.fixture(autouse=True)
def _this_process_stays_as_nice_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "nice", lambda _: 0)


def test_a_cancelled_job_stays_cancelled_whatever_its_worker_says(queued: Queue) -> None:
    job = queued()
    jobs.cancel(job)
    process.appear(job.folder)
    assert jobs.wait_for_turn(job.folder) is None
    jobs.announce(job.folder, "running")
    assert jobs.job_at(job.folder).state == "cancelled"


def test_older_jobs_come_first(queued: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = queued("first"), queued("second")
    pauses = 0

    def pause(_: float) -> None:
        nonlocal pauses
        pauses += 1
        if pauses == 3:
            jobs.announce(first.folder, "done")

    monkeypatch.setattr(jobs, "time", SimpleNamespace(time=time.time, sleep=pause))
    turn = jobs.wait_for_turn(second.folder)
    assert turn is not None and pauses == 3
    turn.lock.release()


def test_while_another_process_has_the_turn_nobody_gets_it_and_it_ends_with_that_process(
    root: Path, queued: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = queued()
    # Kept in a variable: a lock that nobody refers to is released.
    code = "import filelock, sys, time; turn = filelock.FileLock(sys.argv[1]).acquire(); print(1, flush=True); time.sleep(60)"
    other = subprocess.Popen([sys.executable, "-c", code, str(root / jobs.TURN)], stdout=subprocess.PIPE)
    pauses = 0

    def pause(_: float) -> None:
        nonlocal pauses
        pauses += 1
        if pauses == 3:
            # Killed: nothing in it has a say.
            other.kill()
            other.wait()

    monkeypatch.setattr(jobs, "time", SimpleNamespace(time=time.time, sleep=pause))
    try:
        assert other.stdout is not None and other.stdout.readline() == b"1\n"
        turn = jobs.wait_for_turn(job.folder)
        assert turn is not None and pauses == 3
        turn.lock.release()
    finally:
        other.kill()
        other.wait()


def test_the_turn_is_held_while_the_work_is_done_and_no_longer(queued: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = queued("first"), queued("second")

    class StillWaiting(Exception):
        pass

    def never(_: float) -> None:
        raise StillWaiting

    def do(_: Path) -> None:
        # As if the first job had already said that it is over: the turn alone keeps the second one waiting.
        jobs.announce(first.folder, "done")
        with monkeypatch.context() as patch:
            patch.setattr(jobs, "time", SimpleNamespace(time=time.time, sleep=never))
            with pytest.raises(StillWaiting):
                jobs.wait_for_turn(second.folder)

    jobs.work(first.folder, do, str)
    assert jobs.job_at(first.folder).state == "done"
    turn = jobs.wait_for_turn(second.folder)
    assert turn is not None
    turn.lock.release()


@pytest.mark.parametrize(
    ("error", "said"),
    [(WobbleError("The loss became nan."), "The loss became nan."), (KeyError("x"), "explained: KeyError('x')")],
)
def test_a_job_that_fails_says_why_and_keeps_what_is_finished(queued: Queue, error: Exception, said: str) -> None:
    job = queued()
    killed = queued("killed", "running")
    write_json(killed.folder / process.WORKER, {"pid": 1, "began": 0.0})
    (killed.folder / ".half").mkdir()

    def fail(folder: Path) -> None:
        assert jobs.job_at(folder).state == "running"
        assert not (killed.folder / ".half").exists(), "what a killed worker left is gone"
        (folder / "finished").mkdir()
        (folder / ".half" / "work").mkdir(parents=True)
        raise error

    jobs.work(job.folder, fail, lambda error: f"explained: {error!r}")
    now = jobs.job_at(job.folder)
    assert (now.state, now.message) == ("failed", said)
    assert (job.folder / "finished").is_dir()
    assert not [path for path in job.folder.iterdir() if path.name.startswith(".")]
    jobs.work(job.folder, lambda _: pytest.fail("a job that has ended is not done again"), str)
