"""Jobs on disk: known by their folders, refused in one sentence, and never said to be alive when they are dead."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from core.base.files import read_json, write_json
from core.jobs import job as jobs
from core.jobs import process
from tests.trainings import refused

Queue = Callable[..., jobs.Job]


def test_a_job_is_known_by_its_folder(root: Path, queued: Queue) -> None:
    job = queued()
    assert (job.name, job.state, job.message, job.ahead) == ("mine", "queued", "", 0)
    assert jobs.jobs_in(root) == (job,) and jobs.jobs_in(None) == ()
    assert read_json(job.folder / jobs.RECORD) == {"what": "nothing", "created": job.created}
    assert (job.folder / "text").read_text() == "x"
    assert jobs.progress(job) == []
    assert jobs.free_name(root, "mine") == "mine-2" and jobs.free_name(root, "other") == "other"
    queued("mine-2")
    assert jobs.free_name(root, "mine") == "mine-3" and jobs.free_name(None, "mine") == "mine"


def test_a_job_that_cannot_start_is_refused_and_leaves_nothing(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def create(root: Path = root, name: str = "more", needed: int = 0) -> jobs.Job:
        return jobs.create(root, name, {}, lambda _: None, "no.module", needed)

    with monkeypatch.context() as patch:
        patch.setattr(process, "start_worker", lambda *_: None)
        create(name="mine")
        assert "There is a run named mine already" in refused(lambda: create(name="mine"))
    with monkeypatch.context() as patch:
        patch.setattr(jobs.shutil, "disk_usage", lambda _: SimpleNamespace(free=10 * 2**20))
        assert "There is no room: the run needs 300 MiB and 10 MiB are free" in refused(
            lambda: create(needed=100 * 2**20)
        )
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", str(tmp_path / "gone"))
        assert "cannot be started in jobs/" in refused(create)
    (tmp_path / "file").write_text("")
    assert "cannot be started in jobs/" in refused(lambda: create(tmp_path / "file" / "jobs"))
    assert [folder.name for folder in root.iterdir()] == ["mine"]


def test_at_most_five_jobs_wait_oldest_first(root: Path, queued: Queue) -> None:
    made = [queued(f"job-{number}") for number in range(5)]
    assert "5 runs are waiting already" in refused(queued)
    assert [(job.name, job.ahead) for job in jobs.jobs_in(root)] == [(f"job-{i}", i) for i in (4, 3, 2, 1, 0)]
    jobs.cancel(made[0])
    assert [job.ahead for job in jobs.jobs_in(root)] == [3, 2, 1, 0, 0]


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("recipe.json", "{"),
        ("recipe.json", "[]"),
        ("recipe.json", '{"created": "now"}'),
        ("state.json", "{"),
        ("state.json", '{"state": "asleep"}'),
        ("state.json", '{"state": ["done"]}'),
        ("worker.json", "[1]"),
        ("progress.jsonl", "{\n\xff"),
    ],
)
def test_a_damaged_job_hides_no_other(root: Path, queued: Queue, file: str, content: str) -> None:
    queued("good", "done")
    bad = queued("bad", "done")
    (bad.folder / file).write_bytes(content.encode("latin-1"))
    found = {job.name: job for job in jobs.jobs_in(root)}
    assert "good" in found and ("bad" in found) == (file != "recipe.json")
    for job in found.values():
        assert job.state == ("failed" if file == "state.json" and job.name == "bad" else "done")
        assert jobs.progress(job) == []
    if file == "recipe.json":
        assert "damaged" in refused(lambda: jobs.job_at(bad.folder))


def test_a_job_that_has_ended_can_be_removed_and_no_other(root: Path, queued: Queue) -> None:
    done, waits = queued("done", "done"), queued("waits")
    assert "waits is queued: cancel it first" in refused(lambda: jobs.remove(waits))
    jobs.remove(done)
    assert [path.name for path in root.iterdir()] == ["waits"]
    shutil.rmtree(waits.folder)
    assert "cannot be deleted" in refused(lambda: jobs.remove(jobs.replace(waits, state="done")))


def test_a_worker_that_never_appears_or_is_gone_was_killed(queued: Queue) -> None:
    folder = queued().folder
    write_json(folder / jobs.RECORD, {"created": time.time() - jobs.SECONDS_TO_APPEAR + 5})
    assert jobs.job_at(folder).state == "queued"
    write_json(folder / jobs.RECORD, {"created": time.time() - jobs.SECONDS_TO_APPEAR - 5})
    assert jobs.job_at(folder).state == "killed"
    # However slow: a worker that lives has not been killed.
    process.appear(folder)
    assert jobs.job_at(folder).state == "queued"
    # Another process that got the number of a worker that is gone.
    write_json(folder / process.WORKER, {"pid": os.getpid(), "began": 1.0})
    assert jobs.job_at(folder).state == "killed"
    assert "killed, most often because memory ran out" in jobs.job_at(folder).message


@pytest.mark.parametrize("stubborn", [False, True])
def test_cancelling_ends_the_worker_and_keeps_what_is_finished(
    queued: Queue, stubborn: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "SECONDS_TO_STOP", 0.3)
    job = queued(state="running")
    (job.folder / "finished").mkdir()
    (job.folder / ".half" / "work").mkdir(parents=True)
    ignore = "signal.signal(signal.SIGTERM, signal.SIG_IGN); " if stubborn else ""
    code = f"import signal, time; {ignore}print(1, flush=True); time.sleep(60)"
    worker = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    try:
        assert worker.stdout is not None and worker.stdout.readline() == b"1\n"
        began = psutil.Process(worker.pid).create_time()
        write_json(job.folder / process.WORKER, {"pid": worker.pid, "began": began})
        assert jobs.job_at(job.folder).state == "running"
        jobs.cancel(job)
        assert process.worker_of(job.folder) is None and worker.poll() is not None
    finally:
        worker.kill()
        worker.wait()
    assert jobs.job_at(job.folder).state == "cancelled"
    assert (job.folder / "finished").is_dir() and not (job.folder / ".half").exists()
    # What has ended stays what it is.
    done = queued("done", "done")
    jobs.cancel(done)
    assert jobs.job_at(done.folder) == done


def test_waiting_hands_on_every_event_once_and_ends_with_the_job(
    queued: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = queued(state="running")
    process.appear(job.folder)
    events = [{"step": number} for number in range(4)]
    written = 0

    def work(_: float) -> None:
        nonlocal written
        written += 2
        (job.folder / jobs.PROGRESS).write_text("\n".join(map(json.dumps, events[:written])), encoding="utf-8")
        if written == 4:
            jobs.announce(job.folder, "done")

    monkeypatch.setattr(jobs, "time", SimpleNamespace(time=time.time, sleep=work))
    told: list[dict[str, int]] = []
    assert jobs.wait(job, told.append).state == "done"
    assert told == events
