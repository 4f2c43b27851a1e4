"""Live runs, each in a process of its own: one trains at a time, and however one ends, no half model is left."""

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from core.cli import main
from core.families.members import families, family_of
from core.jobs import job, process
from core.jobs.job import LIVE, progress
from core.models import catalog
from core.training import runs
from tests.architectures import save
from tests.trainings import data, recipe, trained


@pytest.fixture
def live(place: Path) -> Iterator[Path]:
    """Folders of models and runs, and no process left behind."""
    save("bert", place / "models" / "base")
    yield place
    for run in runs.runs():
        if run.state in LIVE:
            runs.cancel(run.name)

    def left() -> list[psutil.Process]:
        return [p for p in psutil.process_iter(["cmdline"]) if str(place) in " ".join(p.info["cmdline"] or [])]

    end = time.monotonic() + 20
    while left() and time.monotonic() < end:
        time.sleep(0.05)
    assert not left()


def until(run: runs.Run, condition: Callable[[runs.Run], bool], seconds: float = 120) -> runs.Run:
    end = time.monotonic() + seconds
    while not condition(run := runs.run_at(run.folder)):
        assert time.monotonic() < end, (run, (run.folder / process.LOG).read_text())
        assert run.state in LIVE, (run, (run.folder / process.LOG).read_text())
        time.sleep(0.05)
    return run


def steps(run: runs.Run) -> int:
    return sum(event["event"] == "step" for event in progress(run))


@pytest.mark.slow
def test_runs_take_turns_a_killed_one_leaves_no_half_model_and_equal_seeds_give_equal_weights(live: Path) -> None:
    doomed = runs.submit(recipe(name="doomed", epochs=50), data())
    waits = runs.submit(recipe(name="waits"), data())
    regret = runs.submit(recipe(name="regret"), data())
    assert [runs.run_named(name).ahead for name in ("doomed", "waits", "regret")] == [0, 1, 2]
    until(doomed, lambda run: run.finished == ("1",) and steps(run) > 160)
    assert runs.cancel("regret").state == "cancelled"
    waiting = runs.run_named("waits")
    assert waiting.state == "queued" and not progress(waiting), "nobody trains out of turn"
    worker = process.worker_of(doomed.folder)
    assert worker is not None
    worker.send_signal(signal.SIGKILL)
    end = time.monotonic() + 10
    while runs.run_at(doomed.folder).state != "killed":
        assert time.monotonic() < end
        time.sleep(0.05)
    assert "killed" in runs.run_at(doomed.folder).message
    assert {id for id in catalog.local_ids() if id.startswith("runs/")} == {"runs/doomed/seed-1"}

    told: list[dict[str, Any]] = []
    waits = runs.wait(waits, told.append)
    assert waits.state == "done"
    assert [event["event"] for event in told if event["event"] != "step"] == ["began", "evaluated", "saved"] * 2
    assert not list(doomed.folder.glob(".seed-*"))
    assert runs.run_at(regret.folder).state == "cancelled"
    assert {id for id in catalog.local_ids() if id.startswith("runs/")} == {
        "runs/doomed/seed-1", "runs/waits/seed-1", "runs/waits/seed-2",
    }  # fmt: skip
    assert families()[-1] == "runs/waits" and family_of("runs/waits/seed-2") == "runs/waits"
    rows = runs.results(waits)
    assert [row["saved"] for row in rows] == ["runs/waits/seed-1", "runs/waits/seed-2"]
    # Equal seeds, another process, another run.
    assert [row["weights"] for row in rows] == [trained(recipe(name="here"), i).weights for i in (0, 1)]
    assert rows[0]["weights"] != rows[1]["weights"]
    runs.remove("doomed")
    assert {run.name for run in runs.runs()} == {"waits", "regret"}


@pytest.mark.slow
def test_ctrl_c_while_it_trains_cancels_the_run(
    live: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"A {'good' if i % 2 else 'bad'} test {i}.,{i % 2}" for i in range(50)]
    (live / "mine.csv").write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    workers: list[psutil.Process | None] = []

    def press_ctrl_c_once_it_trains(_: float) -> None:
        time.sleep(0.05)
        run = runs.run_named("mine")
        assert run.state in LIVE
        if steps(run) > 5:
            workers.append(process.worker_of(run.folder))
            raise KeyboardInterrupt

    monkeypatch.setattr(job, "time", SimpleNamespace(time=time.time, sleep=press_ctrl_c_once_it_trains))
    arguments = ("--data", str(live / "mine.csv"), "--base", "models/base", "--examples", "20", "--epochs", "50")
    assert main(["train", *arguments]) == 2
    assert "The run mine was cancelled." in capsys.readouterr().err
    run = runs.run_named("mine")
    assert run.state == "cancelled"
    assert workers[0] is not None
    assert not workers[0].is_running() or workers[0].status() == psutil.STATUS_ZOMBIE
    assert not [path.name for path in run.folder.iterdir() if path.name.startswith(".") or path.is_dir()]
