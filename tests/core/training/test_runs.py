"""Runs on disk: known by their folders, refused in one sentence, and a damaged one breaks nothing."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.base.errors import WobbleError
from core.base.files import read_json, write_json
from core.families.members import families, family_of
from core.jobs import process
from core.jobs.job import RECORD, progress
from core.models import catalog
from core.training import runs, worker
from core.training.recipe import MEMBER_RECORD
from tests.architectures import save
from tests.trainings import data, recipe, recorded, refused, trained


def test_a_run_is_known_by_its_folder(place: Path) -> None:
    run = recorded(recipe(), "queued")
    assert (run.name, run.id, run.state, run.finished) == ("mine", "runs/mine", "queued", ())
    assert run.recipe == recipe()
    assert read_json(run.folder / RECORD)["data_fingerprint"] == data().fingerprint
    assert runs.runs() == (run,) and runs.run_named("mine") == run
    assert progress(run) == [] and runs.results(run) == []
    assert runs.free_name("mine") == "mine-2" and runs.free_name("other") == "other"
    assert runs.cancel("mine").state == runs.run_named("mine").state == "cancelled"
    assert runs.cancel("mine").state == "cancelled"


def test_submitting_touches_no_random_state(place: Path) -> None:
    before = random.getstate(), torch.get_rng_state(), np.random.get_state()[1].tolist()  # noqa: NPY002
    recorded(recipe())
    assert random.getstate() == before[0]
    assert torch.equal(torch.get_rng_state(), before[1])
    assert np.random.get_state()[1].tolist() == before[2]  # noqa: NPY002


def test_a_run_that_cannot_start_is_refused_and_leaves_nothing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "not a name for a family" in refused(lambda: runs.submit(recipe(name="../x"), data()))
    assert not (place / "runs").exists()
    with monkeypatch.context() as patch:
        patch.setenv("WOBBLE_RUNS_DIR", "")
        assert "Training is switched off here" in refused(lambda: runs.submit(recipe(name="more"), data()))
        assert runs.runs() == ()
        assert "models/base" not in catalog.local_ids()
    recorded(recipe())
    assert "There is a run named mine already" in refused(lambda: runs.submit(recipe(), data()))
    assert [folder.name for folder in (place / "runs").iterdir()] == ["mine"]


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("recipe.json", "{"),
        ("recipe.json", '{"recipe": 5, "created": 1}'),
        ("recipe.json", '{"recipe": {}, "created": 1}'),
        ("state.json", "{"),
        (f"seed-1/{MEMBER_RECORD}", "{}"),
        (f"seed-1/{MEMBER_RECORD}", "{"),
    ],
)
def test_a_damaged_run_hides_no_other_and_breaks_no_page(place: Path, file: str, content: str) -> None:
    good = recorded(recipe(name="good"))
    save("bert", good.folder / "seed-1")
    record = {"accuracy": 0.5, "loss": 0.7, "tested_on": 12, "weights": "", "seconds": 1.0}
    write_json(good.folder / "seed-1" / MEMBER_RECORD, record)
    bad = recorded(recipe(name="bad"))
    (bad.folder / file).parent.mkdir(exist_ok=True)
    (bad.folder / file).write_text(content, encoding="utf-8")
    found = {run.name: run for run in runs.runs()}
    assert "good" in found and ("bad" in found) == (file != "recipe.json")
    for run in found.values():
        assert run.state in ("done", "failed")
        assert len(runs.results(run)) == len(run.finished) == (run.name == "good")
    assert "runs/good/seed-1" in {entry.id for entry in catalog.entries()}
    assert families() and family_of("runs/good/seed-1") is None
    assert runs.free_name("bad") == "bad-2"
    if file == "recipe.json":
        assert "There is no run named 'bad'" in refused(lambda: runs.remove("bad"))
        assert "damaged" in refused(lambda: runs.run_at(bad.folder))


def test_a_run_that_has_ended_can_be_removed_and_nothing_else_can(place: Path) -> None:
    (place / "precious").mkdir()
    recorded(recipe(name="done"))
    recorded(recipe(name="waits"), "queued")
    for name in ("../precious", "..", "", ".", "/", str(place / "precious"), "done/../../precious", "nothing"):
        assert "There is no run named" in refused(lambda name=name: runs.remove(name))
        assert "There is no run named" in refused(lambda name=name: runs.cancel(name))
    assert "waits is queued: cancel it first" in refused(lambda: runs.remove("waits"))
    runs.remove("done")
    assert sorted(path.name for path in place.iterdir()) == ["precious", "runs"]
    assert [path.name for path in (place / "runs").iterdir()] == ["waits"]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (WobbleError("The loss became nan."), "The loss became nan."),
        (OSError(28, "No space left on device"), "The disk is full"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "Memory ran out"),
        (torch.OutOfMemoryError("CUDA out of memory"), "Memory ran out"),
        (KeyError("x"), "Training failed with KeyError: see worker.log"),
    ],
)
def test_a_run_that_fails_says_why_and_leaves_no_half_member(
    place: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    run = recorded(recipe(), "queued")

    def fail(folder: Path) -> None:
        assert runs.run_at(folder).state == "running"
        (folder / ".seed-2" / "work").mkdir(parents=True)
        raise error

    monkeypatch.setattr(worker, "_train", fail)
    monkeypatch.setattr("os.nice", lambda _: 0)
    killed = recorded(recipe(name="killed"), "running")
    write_json(killed.folder / process.WORKER, {"pid": 1, "began": 0.0})
    (killed.folder / ".seed-1").mkdir()
    assert worker.main(run.folder) == 0
    now = runs.run_at(run.folder)
    assert now.state == "failed" and now.message.startswith(said)
    assert not [path for path in run.folder.iterdir() if path.name.startswith(".")]
    assert not (killed.folder / ".seed-1").exists()


def test_a_worker_trains_every_member_that_is_not_finished(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save("bert", place / "models" / "base")
    run = recorded(recipe(), "queued")
    first = trained(recipe())
    calls: list[dict[str, Any]] = []
    monkeypatch.setattr("os.nice", lambda _: 0)
    monkeypatch.setattr("torch.use_deterministic_algorithms", lambda *_, **how: calls.append(how))
    state = torch.get_rng_state()
    assert worker.main(run.folder) == 0
    torch.set_rng_state(state)
    assert calls == [{"warn_only": True}]
    run = runs.run_at(run.folder)
    assert (run.state, run.finished) == ("done", ("1", "2"))
    assert {event["member"] for event in progress(run)} == {"2"}, "the first one was finished already"
    rows = runs.results(run)
    assert rows[0]["weights"] == first.weights
    assert [row["saved"] for row in rows] == ["runs/mine/seed-1", "runs/mine/seed-2"]
    assert all(runs.event_said(event).startswith("2. 2: ") for event in progress(run))


def test_a_base_that_cannot_be_trained_fails_in_one_sentence(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save("gpt2", place / "models" / "mute")
    run = recorded(recipe(base="models/mute"), "queued")
    monkeypatch.setattr("os.nice", lambda _: 0)
    monkeypatch.setattr("torch.use_deterministic_algorithms", lambda *_, **__: None)
    state = torch.get_rng_state()
    assert worker.main(run.folder) == 0
    torch.set_rng_state(state)
    run = runs.run_at(run.folder)
    assert run.state == "failed" and "has no pad token" in run.message
    assert run.finished == ()


def test_what_is_done_so_far_counts_finished_members_and_steps_and_says_what_goes_on() -> None:
    step = {"member": "42", "number": 1, "event": "step", "step": 30, "steps": 60}
    step |= {"examples_per_second": 50, "seconds_left": 10}
    saved = {"member": "42", "number": 1, "event": "saved", "seconds": 30.0}
    began = {"member": "43", "number": 2, "event": "began"}
    assert runs.so_far([], 2) == (0.0, "starting …")
    assert runs.so_far([step], 2) == (
        0.25, "model 1 of 2: 42, step 30 of 60, 50 examples a second, about 30 seconds left"
    )  # fmt: skip
    assert "predicting the held-out texts" in runs.so_far([step | {"step": 60}], 2)[1]
    assert runs.so_far([step, saved], 2)[0] == 0.5
    assert runs.so_far([step, saved, began], 2) == (
        0.5, "model 2 of 2: 43, loading, 50 examples a second, about 30 seconds left"
    )  # fmt: skip
