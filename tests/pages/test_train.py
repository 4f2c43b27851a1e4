"""The Train page: what may be started, what is refused, and how runs are shown."""

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.data.labelled import DataSource, read
from core.jobs import job, process
from core.training import runs
from core.training.recipe import Recipe, plan
from tests.pages.test_pages import app, state_of, words

PAGE = "pages/train.py"
DATA = read(DataSource("movie"))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Runs of the test alone; no worker starts."""
    monkeypatch.setenv("WOBBLE_RUNS_DIR", str(tmp_path / "runs"))
    monkeypatch.setattr(process, "start_worker", lambda *_: None)
    return tmp_path / "runs"


def submitted(name: str = "mine", **how: object) -> runs.Run:
    recipe = Recipe(name, "minilm", DataSource("movie"), plan((42, 43)), **how)
    return runs.submit(recipe, DATA)


def ended(run: runs.Run, state: str, message: str = "") -> None:
    (run.folder / "state.json").write_text(json.dumps({"state": state, "message": message}))


def button(test: AppTest, label: str) -> dict[str, Any]:
    """What a button that is shown is drawn with, and the name of its wish."""
    drawn = [json.loads(one.proto.json) for one in test.get("bidi_component") if one.proto.json]
    return next(data for data in drawn if data.get("label") == label)


def pressed(test: AppTest, label: str) -> dict[str, Any]:
    """The click of a button, after the run that hears it."""
    found = state_of(test)
    click = {"wish": button(test, label)["wish"], "number": found.heard + 1}
    found.grant([click])
    test.run()
    return click


def test_a_run_is_started_with_what_the_form_says() -> None:
    test = app(PAGE, seeds="7-9", vary="order")
    assert not test.exception and not test.error
    assert "4 models" not in words(test) and "3 models" in words(test)
    pressed(test, "Start")
    assert not test.exception and not test.error
    run = runs.run_named("movie")
    assert run.recipe.names == ("7", "order 8", "order 9")
    assert run.recipe.examples == 500
    assert "waiting" in words(test)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"seeds": "42, 42"}, "is given twice"),
        ({"seeds": "many"}, "is not a seed"),
        ({"seeds": "1", "vary": "head"}, "nothing to vary"),
        ({"base": "minilm-uncased"}, "is an adapter"),
        ({"base": "nobody/nothing"}, "cannot be reached"),
        ({"run_name": "../up"}, "is not a name for a family"),
    ],
)
def test_what_cannot_be_trained_is_one_sentence_and_loses_nothing(
    state: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    test = app(PAGE, **state)
    assert not test.exception
    assert len(test.error) == 1
    assert said in test.error[0].value.replace("\\", "")
    assert button(test, "Start")["disabled"]
    for key, value in state.items():
        assert state_of(test).get(key) == value


def test_a_wrong_seed_is_said_at_its_field() -> None:
    test = app(PAGE, seeds="many")
    column = [one for one in test.main.get("column") if any(field.label == "Seeds" for field in one.text_input)][-1]
    assert [error.value.replace("\\", "") for error in column.error] == [
        error.value.replace("\\", "") for error in test.error
    ]
    (place,) = [at for at, one in column.children.items() if one.type == "error"]
    assert column.children[place - 1].label == "Seeds"


def test_a_run_that_failed_says_why_and_can_be_removed() -> None:
    ended(submitted(), "failed", "The loss became nan at step 3: training stopped.")
    test = app(PAGE)
    assert "The loss became nan" in words(test).replace("\\", "")
    pressed(test, "Delete")
    assert not test.exception
    assert runs.runs() == ()


def test_a_waiting_run_can_be_cancelled() -> None:
    submitted()
    test = app(PAGE)
    pressed(test, "Cancel")
    assert not test.exception
    assert runs.run_named("mine").state == "cancelled"
    assert "Cancelled after 0 of 2 models" in words(test)


def test_a_click_starts_one_run_whatever_follows() -> None:
    test = app(PAGE)
    click = pressed(test, "Start")
    state_of(test).grant([click])
    for path in (PAGE, "pages/perturb.py", PAGE):
        test.switch_page(path).run()
    state_of(test).open("train", {}, history=True)
    test.run()
    assert not test.exception
    assert [run.name for run in runs.runs()] == ["movie"]
    assert "start" not in state_of(test).query()


def test_two_clicks_that_are_heard_together_both_count() -> None:
    submitted("one"), submitted("two")
    test = app(PAGE)
    found = state_of(test)
    names = [name for name, wish in found.wishes.items() if any(one.startswith("cancel ") for one in wish)]
    assert len(names) == 2
    found.grant([{"wish": name, "number": found.heard + 1 + at} for at, name in enumerate(names)])
    test.run()
    assert {run.state for run in runs.runs()} == {"cancelled"}


def test_losses_and_the_time_left_are_shown_while_it_trains() -> None:
    run = submitted()
    job.announce(run.folder, "running")
    step = {"member": "42", "number": 1, "event": "step", "step": 30, "steps": 60, "epoch": 0.5, "loss": 0.5}
    lines = [{"member": "42", "number": 1, "event": "began"}, {**step, "examples_per_second": 50, "seconds_left": 10}]
    (run.folder / "progress.jsonl").write_text("\n".join(map(json.dumps, lines)))
    test = app(PAGE)
    assert not test.exception
    said = [element.proto.text for element in test.main.get("progress")]
    assert any("step 30 of 60, 50 examples a second, about 30 seconds left" in text.replace("\\", "") for text in said)


def test_an_operator_can_switch_training_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WOBBLE_RUNS_DIR", "")
    test = app(PAGE)
    assert not test.exception
    assert "switched off" in words(test)
