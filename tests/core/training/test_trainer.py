"""Training: what is saved is what was trained, equal seeds make equal weights, and a run that ends badly leaves nothing behind."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForSequenceClassification

from core.base.errors import WobbleError
from core.data.labelled import DataSource, Labelled
from core.families import agreement, interpolation, members, stacked
from core.models import catalog
from core.models.classifier import drawn_from, predict
from core.training import runs, worker
from core.training import trainer as training
from core.training.recipe import Recipe, members_of, one_seed, plan
from core.training.trainer import Trained, train_member
from tests.architectures import SENTENCES, save

CPU = torch.device("cpu")
NAMES = ("bad", "fair", "good")
TEXTS = ["The movie was not bad at all.", "AN UPPER CASE SENTENCE", "do you like it?", "Few films are a test."]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The operator's folders of models and runs."""
    monkeypatch.setenv("WOBBLE_MODEL_DIRS", str(tmp_path / "models"))
    monkeypatch.setenv("WOBBLE_RUNS_DIR", str(tmp_path / "runs"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("WOBBLE_DEVICE", "cpu")
    return tmp_path


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """So small a model gains nothing from more, and loses much where the machine is busy."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def data(n: int = 44, labels: tuple[str, ...] = NAMES) -> Labelled:
    words = " ".join(SENTENCES).split()
    rng = np.random.default_rng(0)
    return Labelled(
        texts=tuple(" ".join(rng.choice(words, size=3 + i % 7)) + f" {i}" for i in range(n)),
        labels=np.arange(n, dtype=np.int64) % len(labels),
        names=labels,
        split=np.array(["validation" if i < 12 else "train" for i in range(n)]),
    )


def recipe(**changes: Any) -> Recipe:
    some = Recipe(
        name="mine",
        base="models/base",
        data=DataSource("mine.csv"),
        members=plan((1, 2)),
        examples=24,
        learning_rate=1e-2,
    )
    return replace(some, **changes)


def trained(
    some: Recipe,
    number: int = 0,
    texts: Labelled | None = None,
    told: Callable[[dict[str, Any]], None] = lambda _: None,
) -> Trained:
    """One member, in this process, whose random state stays what it is."""
    root = runs._root() / some.name
    root.mkdir(parents=True, exist_ok=True)
    seeds, name, folder = list(members_of(some, root))[number]
    with drawn_from(0):
        return train_member(some, texts or data(), seeds, name, folder, CPU, told)


# --- what is saved ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "method"),
    [
        *(
            (name, "lora")
            for name in ("bert", "roberta", "distilbert", "albert", "deberta-v2", "modernbert", "xlnet", "bart")
        ),
        *((name, "lora") for name in ("gpt2-with-pad", "llama")),
        *((name, "full") for name in ("bert", "distilbert", "xlnet", "gpt2-with-pad")),
    ],
)
def test_what_is_saved_predicts_as_what_was_trained(
    name: str, method: Any, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = save(name, place / "models" / "base", labels=["negative", "positive"])
    kept: list[Any] = []
    save_model = training._save
    monkeypatch.setattr(training, "_save", lambda model, *rest: (kept.append(model), save_model(model, *rest)))
    found = trained(recipe(method=method))
    assert found.folder.is_dir() and not list(found.folder.parent.glob(".*"))

    loaded = catalog.load("runs/mine/seed-1")
    assert loaded.labels == NAMES
    assert (loaded.loading.untrained, loaded.loading.mismatched) == ((), ())
    assert not any("trained" in note for note in loaded.notes)

    def answers(model: Any) -> np.ndarray:
        model.eval()
        with torch.inference_mode():
            return np.stack(
                [
                    model(**loaded.encoder._tokenizer(text, return_tensors="pt")).logits[0].float().numpy()
                    for text in TEXTS
                ]
            )

    ours = predict(loaded, TEXTS).logits
    assert np.ptp(ours, axis=0).max() > 1e-3
    np.testing.assert_allclose(ours, answers(kept[0]), atol=1e-5)
    if method == "lora":
        below = AutoModelForSequenceClassification.from_pretrained(
            base, num_labels=3, ignore_mismatched_sizes=True, dtype=torch.float32
        )
        below.config.pad_token_id = loaded.model.config.pad_token_id
        np.testing.assert_allclose(ours, answers(PeftModel.from_pretrained(below, found.folder)), atol=1e-5)


def refused(call: Callable[[], Any]) -> str:
    with pytest.raises(WobbleError) as caught:
        call()
    said = str(caught.value)
    assert "\n" not in said and said.endswith(".")
    return said


def test_everything_that_repeats_a_member_lies_beside_it(place: Path) -> None:
    save("bert", place / "models" / "base")
    events: list[dict[str, Any]] = []
    found = trained(recipe(epochs=2), told=events.append)
    record = json.loads((found.folder / "training.json").read_text(encoding="utf-8"))
    assert record["recipe"] == recipe(epochs=2).document()
    assert record["seeds"] == {"head": 1, "order": 1, "dropout": 1, "subset": 1}
    assert record["data_fingerprint"] == data().fingerprint
    assert (record["trained_on"], record["tested_on"]) == (24, 12)
    assert {"torch", "transformers"} <= set(record["versions"])
    assert record["weights"] == found.weights
    steps = [event for event in events if event["event"] == "step"]
    held_out = [event for event in events if event["event"] == "evaluated"]
    assert [event["step"] for event in steps] == [1, 2, 3, 4, 5, 6]
    assert all(np.isfinite([e["loss"], e["examples_per_second"], e["seconds_left"]]).all() for e in steps)
    assert [event["epoch"] for event in held_out] == [1, 2]
    assert (held_out[-1]["accuracy"], held_out[-1]["loss"]) == (found.accuracy, found.loss)
    assert all(runs.event_said({"number": 1, "member": "1", **event}) for event in events)


@pytest.mark.parametrize("method", ["lora", "full"])
def test_equal_seeds_give_equal_weights_and_any_other_seed_gives_others(place: Path, method: Any) -> None:
    save("bert", place / "models" / "base")
    members = plan((1, 2), "each")
    found = [trained(recipe(name=f"run-{i}", members=members, method=method), i).weights for i in range(len(members))]
    assert len(set(found)) == 1 + 4
    assert trained(recipe(name="again", members=members, method=method)).weights == found[0]


def test_the_order_of_members_does_not_matter(place: Path) -> None:
    save("bert", place / "models" / "base")
    first = trained(recipe(members=(one_seed(1), one_seed(2))), 1).weights
    random.random(), torch.rand(3)
    assert trained(recipe(name="alone", members=(one_seed(2),))).weights == first


# --- what cannot be trained ------------------------------------------------------------------------------------------


def nothing_left(some: Recipe = recipe()) -> bool:  # noqa: B008 - it is frozen
    return not [folder for folder in (runs._root() / some.name).iterdir() if not folder.name.startswith(".")]


def test_a_decoder_without_a_pad_token_is_refused_in_one_sentence(place: Path) -> None:
    save("gpt2", place / "models" / "base")
    assert "has no pad token" in refused(lambda: trained(recipe()))
    assert nothing_left()


def test_a_base_that_is_none_is_refused_in_one_sentence(place: Path) -> None:
    assert "There is no model at models/base" in refused(lambda: trained(recipe()))
    assert "is an adapter" in refused(lambda: trained(recipe(base="minilm-uncased-43")))
    save("bert", place / "models" / "base")
    (place / "models" / "base" / "tokenizer.json").unlink()
    (place / "models" / "base" / "tokenizer_config.json").unlink()
    assert "has no tokenizer" in refused(lambda: trained(recipe()))
    (place / "models" / "base" / "model.safetensors").write_bytes(b"cut")
    assert nothing_left()


def test_a_loss_that_is_no_number_stops_the_training_and_is_said(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save("bert", place / "models" / "base")
    plain = training.Trainer.compute_loss

    def spoiled(self: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
        loss = plain(self, model, *args, **kwargs)
        return loss * float("nan") if model.training and self.state.global_step == 1 else loss

    monkeypatch.setattr(training.Trainer, "compute_loss", spoiled)
    assert "The loss became nan at step 2" in refused(lambda: trained(recipe()))
    assert nothing_left()


def test_weights_that_the_last_step_spoils_are_not_kept(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save("bert", place / "models" / "base")

    def spoil(self: Any, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        if state.global_step == state.max_steps:
            for parameter in model.parameters():
                parameter.data.fill_(float("nan"))

    monkeypatch.setattr(training._Told, "on_step_end", spoil)
    assert "The loss became nan on the held-out texts after step 3" in refused(lambda: trained(recipe()))
    assert nothing_left()


# --- families --------------------------------------------------------------------------------------------------------


@pytest.fixture
def family(place: Path, request: pytest.FixtureRequest) -> stacked.Family:
    """Three labels on a base of two: `architecture method plan`, all members trained and recorded as a run."""
    architecture, method, vary = request.param.split()
    save(architecture, place / "models" / "base")
    some = recipe(members=plan((1, 2), vary), method=method)
    recorded(some)
    for number in range(len(some.members)):
        trained(some, number)
    return stacked.load_family("runs/mine")


def recorded(some: Recipe, state: str = "done", texts: Labelled | None = None) -> runs.Run:
    """A run without a worker."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "_start_worker", lambda folder: None)
        run = runs.submit(some, texts or data())
    runs.announce(run.folder, state)  # type: ignore[arg-type]
    return runs.run_at(run.folder)


FAMILIES = [
    ("bert lora", True),
    ("bart lora", True),
    ("bert full", False),
    ("deberta-v2 lora", False),
    ("xlnet lora", False),
]


@pytest.mark.parametrize(("family", "stacked"), [(f"{name} head", yes) for name, yes in FAMILIES], indirect=["family"])
def test_a_trained_family_answers_as_each_member_alone(family: stacked.Family, stacked: bool) -> None:
    assert (family.model is not None) == stacked
    assert (family.names, family.first.labels) == (("1", "head 2"), NAMES)
    texts = [*TEXTS, "word " * 60, "A </s> of </s> its own", TEXTS[0]]
    found = stacked.predict_family(family, texts)
    assert found.logits.shape == (2, len(texts), 3)
    alone = np.stack([predict(catalog.load(member.id), texts).logits for member in family.members])
    np.testing.assert_allclose(found.logits, alone, atol=1e-5)
    assert np.ptp(alone, axis=0).max() > 1e-3
    line = interpolation.predict_between(family, "1", "head 2", texts, points=3)
    assert line.shape == (3, len(texts), 3)
    np.testing.assert_allclose(line[[0, -1]], alone, atol=1e-5)
    held_out = members.family_data("runs/mine")
    assert held_out.texts == data().part("validation").texts
    between = interpolation.interpolate(family, held_out, "1", "head 2", points=3)
    tested = agreement.on_data(family, held_out)
    assert between.accuracy[[0, -1]].tolist() == tested.accuracy.tolist()


@pytest.mark.parametrize("family", ["bert lora each"], indirect=True)
def test_each_part_s_influence_comes_from_members_that_differ_in_it_alone(family: stacked.Family) -> None:
    assert family.names == ("1", "head 2", "order 2", "dropout 2", "subset 2")
    p = agreement.on_data(family, members.family_data("runs/mine")).probabilities
    influences = agreement.influences(family, p)
    for influence in influences:
        other = family.names.index(f"{influence.part} 2")
        assert influence.pairs == 1
        assert influence.shift.value == pytest.approx(0.5 * np.abs(p[0] - p[other]).sum(axis=-1).mean())
        assert influence.shift.low <= influence.shift.value <= influence.shift.high
    shifts = [influence.shift.value for influence in influences]
    assert {influence.part for influence in influences} == {"head", "order", "dropout", "subset"}
    assert shifts == sorted(shifts, reverse=True) and shifts[-1] > 0


@pytest.mark.parametrize("family", ["gpt2-with-pad lora head"], indirect=True)
def test_a_text_without_a_token_is_refused_by_a_family_too(family: stacked.Family) -> None:
    assert family.model is not None
    assert "makes no token" in refused(lambda: stacked.predict_family(family, ["A test.", ""]))


# --- runs on disk ----------------------------------------------------------------------------------------------------


def test_a_run_is_known_by_its_folder(place: Path) -> None:
    run = recorded(recipe(), "queued")
    assert (run.name, run.state, run.finished, run.fingerprint) == ("mine", "queued", (), data().fingerprint)
    assert run.recipe == recipe()
    assert runs.runs() == (run,) and runs.run_named("mine") == run
    assert runs.progress(run) == [] and runs.results(run) == []
    assert runs.free_name("mine") == "mine-2" and runs.free_name("other") == "other"


def test_submitting_touches_no_random_state(place: Path) -> None:
    before = random.getstate(), torch.get_rng_state(), np.random.get_state()[1].tolist()  # noqa: NPY002
    recorded(recipe())
    assert random.getstate() == before[0]
    assert torch.equal(torch.get_rng_state(), before[1])
    assert np.random.get_state()[1].tolist() == before[2]  # noqa: NPY002


def test_a_run_that_cannot_start_is_refused_and_leaves_nothing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def submit(**changes: Any) -> runs.Run:
        return runs.submit(recipe(**changes), data())

    assert "no name for a family" in refused(lambda: submit(name="../x"))
    assert not (place / "runs").exists()
    recorded(recipe())
    assert "There is a run named mine already" in refused(submit)
    with monkeypatch.context() as patch:
        patch.setattr("core.training.runs.shutil.disk_usage", lambda _: type("Usage", (), {"free": 10 * 2**20}))
        assert "There is no room: the run needs 200 MiB and 10 MiB are free" in refused(lambda: submit(name="more"))
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", str(place / "gone"))
        assert "cannot be started in runs/" in refused(lambda: submit(name="more"))
    with monkeypatch.context() as patch:
        patch.setenv("WOBBLE_RUNS_DIR", "")
        assert "Training is switched off here" in refused(lambda: submit(name="more"))
        assert runs.runs() == ()
        assert "models/base" not in catalog.local_ids()
    with monkeypatch.context() as patch:
        (place / "file").write_text("")
        patch.setenv("WOBBLE_RUNS_DIR", str(place / "file" / "runs"))
        assert "cannot be started in runs/" in refused(lambda: submit(name="more"))
    assert [folder.name for folder in (place / "runs").iterdir()] == ["mine"]


def test_at_most_five_runs_wait(place: Path) -> None:
    for number in range(5):
        recorded(recipe(name=f"run-{number}"), "queued")
    assert "5 runs are waiting already" in refused(lambda: runs.submit(recipe(), data()))
    assert [run.ahead for run in runs.runs()] == [4, 3, 2, 1, 0]
    runs.cancel("run-0")
    assert [run.ahead for run in runs.runs()] == [3, 2, 1, 0, 0]


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("recipe.json", "{"),
        ("recipe.json", "[]"),
        ("recipe.json", '{"recipe": 5, "created": 1}'),
        ("recipe.json", '{"recipe": {}, "created": 1}'),
        ("state.json", "{"),
        ("state.json", '{"state": "asleep"}'),
        ("state.json", '{"state": ["done"]}'),
        ("worker.json", "[1]"),
        ("progress.jsonl", "{\n\xff"),
        ("seed-1/training.json", "{}"),
        ("seed-1/training.json", "{"),
    ],
)
def test_a_damaged_run_hides_no_other_and_breaks_no_page(place: Path, file: str, content: str) -> None:
    save("bert", place / "models" / "base")
    recorded(recipe(name="good"))
    trained(recipe(name="good"))
    bad = recorded(recipe(name="bad"))
    (bad.folder / file).parent.mkdir(exist_ok=True)
    (bad.folder / file).write_bytes(content.encode("latin-1"))
    found = {run.name: run for run in runs.runs()}
    assert "good" in found and ("bad" in found) == (file != "recipe.json")
    for run in found.values():
        assert run.state in ("done", "failed")
        assert runs.results(run) is not None and runs.progress(run) == []
    assert "runs/good/seed-1" in {entry.id for entry in catalog.entries()}
    assert members.families() and members.family_of("runs/good/seed-1") is None
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


def test_a_worker_that_never_appears_or_is_gone_was_killed(place: Path) -> None:
    run = recorded(recipe(), "queued")
    record = json.loads((run.folder / "recipe.json").read_text(encoding="utf-8"))
    runs._write(run.folder / "recipe.json", {**record, "created": time.time() - 60})
    assert runs.run_at(run.folder).state == "killed"
    # However slow: a worker that lives has not been killed.
    runs.appear(run.folder)
    assert runs.run_at(run.folder).state == "queued"
    # Another process that got the number of a worker that is gone.
    runs._write(run.folder / "worker.json", {"pid": os.getpid(), "began": 1.0})
    assert runs.run_at(run.folder).state == "killed"
    assert "killed, most often because memory ran out" in runs.run_at(run.folder).message


def test_a_cancelled_run_stays_cancelled_whatever_its_worker_says(place: Path) -> None:
    run = recorded(recipe(), "queued")
    assert runs.cancel("mine").state == "cancelled"
    runs.appear(run.folder)
    assert runs.wait_for_turn(run.folder) is None
    runs.announce(run.folder, "running")
    assert runs.run_at(run.folder).state == "cancelled"
    assert runs.cancel("mine").state == "cancelled"


def test_one_has_the_turn_and_the_others_wait(place: Path) -> None:
    first, second = recorded(recipe(name="first"), "queued"), recorded(recipe(name="second"), "queued")
    turn = runs.wait_for_turn(first.folder)
    assert turn is not None
    runs.announce(first.folder, "done")
    begin = time.monotonic()
    holder = (
        "import fcntl, sys, time; f = open(sys.argv[1], 'ab'); fcntl.flock(f, 2); print(1, flush=True); time.sleep(60)"
    )
    file = place / "runs" / runs.TURN
    other = subprocess.Popen([sys.executable, "-c", holder, str(file)], stdout=subprocess.PIPE)
    try:
        turn.close()
        assert other.stdout is not None and other.stdout.readline() == b"1\n"
        # Killed: its turn ends with it.
        other.kill()
        other.wait()
        turn = runs.wait_for_turn(second.folder, pause=0.01)
        assert turn is not None and time.monotonic() - begin < 10
        turn.close()
    finally:
        other.kill()
        other.wait()


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
def test_a_run_that_fails_says_why_and_keeps_what_is_finished(
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
    runs._write(killed.folder / "worker.json", {"pid": 1, "began": 0.0})
    (killed.folder / ".seed-1").mkdir()
    # The killed run is older, and over.
    assert worker.main(run.folder) == 0
    now = runs.run_at(run.folder)
    assert now.state == "failed" and now.message.startswith(said)
    assert not [path for path in run.folder.iterdir() if path.name.startswith(".")]
    assert not (killed.folder / ".seed-1").exists()
    assert worker.main(run.folder) == 0, "a run that has ended is not run again"


# --- live ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def live(place: Path) -> Iterator[Path]:
    """Folders of models and runs, and no process left behind."""
    save("bert", place / "models" / "base")
    yield place
    for run in runs.runs():
        if run.state in runs.LIVE:
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
        assert time.monotonic() < end, (run, (run.folder / "worker.log").read_text())
        assert run.state in runs.LIVE, (run, (run.folder / "worker.log").read_text())
        time.sleep(0.05)
    return run


def steps(run: runs.Run) -> int:
    return sum(event["event"] == "step" for event in runs.progress(run))


def worker_of(run: runs.Run) -> psutil.Process:
    found = runs._process(json.loads((run.folder / "worker.json").read_text(encoding="utf-8")))
    assert found is not None
    return found


@pytest.mark.slow
def test_two_live_runs_take_turns_and_equal_seeds_give_equal_weights(live: Path) -> None:
    first = runs.submit(recipe(name="first"), data())
    second = runs.submit(recipe(name="second"), data())
    assert [runs.run_named(name).ahead for name in ("first", "second")] == [0, 1]
    told: list[dict[str, Any]] = []
    first, second = runs.wait(first, told.append), runs.wait(second, lambda _: None)
    assert (first.state, second.state) == ("done", "done")
    assert [event["event"] for event in told if event["event"] != "step"] == ["began", "evaluated", "saved"] * 2
    # The second trained only when the first had ended.
    assert (first.folder / "state.json").stat().st_mtime_ns <= (
        second.folder / "seed-1" / "config.json"
    ).stat().st_mtime_ns
    rows = [runs.results(run) for run in (first, second)]
    assert [row["weights"] for row in rows[0]] == [row["weights"] for row in rows[1]]
    assert rows[0][0]["weights"] != rows[0][1]["weights"]
    assert [row["saved"] for row in rows[0]] == ["runs/first/seed-1", "runs/first/seed-2"]
    assert {"runs/first/seed-1", "runs/second/seed-2"} <= set(catalog.local_ids())
    assert members.families()[-2:] == ("runs/second", "runs/first")
    assert members.family_of("runs/first/seed-2") == "runs/first"


@pytest.mark.slow
def test_a_killed_run_leaves_no_half_model_and_the_next_one_works(live: Path) -> None:
    doomed = runs.submit(recipe(name="doomed", epochs=50), data())
    waits = runs.submit(recipe(name="waits", members=plan((1,))), data())
    regret = runs.submit(recipe(name="regret"), data())
    until(doomed, lambda run: run.finished == ("1",) and steps(run) > 160)
    assert runs.cancel("regret").state == "cancelled"
    worker_of(doomed).send_signal(signal.SIGKILL)
    end = time.monotonic() + 10
    while runs.run_at(doomed.folder).state != "killed":
        assert time.monotonic() < end
        time.sleep(0.05)
    assert "killed" in runs.run_at(doomed.folder).message
    assert {id for id in catalog.local_ids() if id.startswith("runs/")} == {"runs/doomed/seed-1"}
    assert runs.wait(waits, lambda _: None).state == "done"
    assert not list(doomed.folder.glob(".seed-*"))
    assert runs.run_at(regret.folder).state == "cancelled"
    assert {id for id in catalog.local_ids() if id.startswith("runs/")} == {"runs/doomed/seed-1", "runs/waits/seed-1"}
    runs.remove("doomed")
    assert {run.name for run in runs.runs()} == {"waits", "regret"}


@pytest.mark.slow
def test_a_running_run_can_be_cancelled_and_a_failing_one_says_why(live: Path) -> None:
    save("gpt2", live / "models" / "mute")
    run = runs.submit(recipe(epochs=50), data())
    fails = runs.submit(recipe(name="fails", base="models/mute"), data())
    until(run, lambda run: steps(run) > 5)
    process = worker_of(run)
    assert runs.cancel("mine").state == "cancelled"
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    assert not [path.name for path in run.folder.iterdir() if path.name.startswith(".") or path.is_dir()]
    fails = runs.wait(fails, lambda _: None)
    assert fails.state == "failed" and "has no pad token" in fails.message
