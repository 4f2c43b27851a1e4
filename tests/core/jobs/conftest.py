"""A root of jobs, and jobs without a worker."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.jobs import process
from core.jobs.job import Job, State, announce, create, job_at

Queue = Callable[..., Job]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where jobs lie; it is made with the first one."""
    return tmp_path / "jobs"


@pytest.fixture
def queued(root: Path, monkeypatch: pytest.MonkeyPatch) -> Queue:
    """Puts a job into the queue, for which no process starts."""
    monkeypatch.setattr(process, "start_worker", lambda *_: None)

    def make(name: str = "mine", state: State = "queued") -> Job:
        job = create(root, name, {"what": "nothing"}, lambda folder: (folder / "text").write_text("x"), "no.module")
        announce(job.folder, state)
        return job_at(job.folder)

    return make
