"""Every page runs without a browser: its main job, its empty states, its errors."""

import json
import re
import sys
from pathlib import Path

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.scriptrunner import ScriptRunContext
from streamlit.testing.v1 import AppTest

from core.models import catalog
from pages import state, store
from tests.architectures import save

APP = str(Path(__file__).parent.parent.parent / "router.py")
PAGES = [
    "pages/perturb.py",
    "pages/overview.py",
    "pages/preprocessing.py",
    "pages/numerics.py",
    "pages/dropout.py",
    "pages/temperature.py",
    "pages/seeds.py",
    "pages/tokens.py",
]
HOSTILE = "<script>alert(1)</script> **bold** $x^2$ :red[red] [SEP] \u202eevil"


def app(page: str = PAGES[0], **values: object) -> AppTest:
    """A page whose state holds some values from the beginning."""
    test = AppTest.from_file(APP, default_timeout=180)
    test.session_state[state.KEY] = store.Store()
    state_of(test).change(**values)
    return test.switch_page(page).run()


def state_of(test: AppTest) -> store.Store:
    """The state of a test's session; what is changed in it the next run shows."""
    found: store.Store = test.session_state[state.KEY]
    return found


def wished(test: AppTest, **values: object) -> None:
    """Press the button that changes the state to some values."""
    found = state_of(test)
    name = next(name for name, wish in found.wishes.items() if values.items() <= wish.items())
    found.grant([{"wish": name, "number": found.heard + 1}])
    test.run()


def no_model_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on a page that asks a model shows an exception."""

    def refuse(*_: object, **__: object) -> None:
        # What pytest itself raises ends the thread that runs the page, and no test sees it.
        raise AssertionError("the model ran")

    for name in (
        "models.predict.forward",
        "factors.ask.predict",
        "factors.dropout.run_passes",
        "families.stacked.predict_family",
    ):
        module, _, function = f"core.{name}".rpartition(".")
        monkeypatch.setattr(sys.modules[module], function, refuse)


def words(test: AppTest) -> str:
    """Everything that the page says, as one string."""
    shown = [element.body for element in test.main.get("html")] if test.main.get("html") else []
    said = [e.value for kind in ("error", "info", "warning", "success", "caption") for e in getattr(test, kind)]
    return "\n".join([*map(str, shown), *map(str, said)])


def test_the_menu_is_never_taken_away_and_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    # A browser may draw what stands between two messages: the link that is clicked then has gone.
    drawn: list[tuple[list[int], str]] = []
    enqueue = ScriptRunContext.enqueue

    def noted(context: ScriptRunContext, message: ForwardMsg) -> None:
        if message.WhichOneof("type") == "delta":
            drawn.append((list(message.metadata.delta_path), str(message.delta.WhichOneof("type"))))
        enqueue(context, message)

    test = app(PAGES[3])
    monkeypatch.setattr(ScriptRunContext, "enqueue", noted)
    test.run()
    # The first place of the sidebar.
    assert [kind for place, kind in drawn if place == [1, 0]] == ["add_block"]
    assert [1, 0, 0] in [place for place, _ in drawn]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_does_its_main_job(page: str) -> None:
    test = app(page, sentence="This is a test . ")
    assert not test.exception
    assert not test.error
    assert "w-verdict" in words(test)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    "text", [HOSTILE, "a", "\U0001f469\u200d\U0001f467", "\u0645\u0631\u062d\u0628\u0627", "x" * 20_000]
)
def test_any_text_is_shown(page: str, text: str) -> None:
    test = app(page, sentence=text)
    assert not test.exception
    assert not test.error
    assert "<script>alert" not in words(test)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("text", ["", "   \n "])
def test_an_empty_text_gets_a_hint(page: str, text: str) -> None:
    test = app(page, sentence=text)
    assert not test.exception
    assert "Type a sentence" in words(test)


@pytest.mark.parametrize("page", PAGES)
def test_no_model_gets_a_hint(page: str) -> None:
    test = app(page, model=[])
    assert not test.exception
    assert "Choose a model" in words(test)


@pytest.mark.parametrize("page", PAGES)
def test_a_model_that_does_not_load_is_one_sentence_beside_those_that_do(
    page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    test = app(page, model=["/etc", "minilm-uncased", "nobody/nothing"])
    assert not test.exception
    assert len(test.error) == 2
    assert "w-verdict" in words(test)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_whose_models_do_not_load_offers_the_one_that_is_always_there(
    page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    test = app(page, model=["nobody/nothing"])
    assert not test.exception and len(test.error) == 1
    # No title promises what cannot come.
    assert "w-verdict" not in words(test)
    wished(test, model=[catalog.DEFAULT])
    assert not test.exception and not test.error
    assert "w-verdict" in words(test)


def test_a_download_that_was_stopped_can_go_on() -> None:
    test = app("pages/tokens.py", model=["someone/small"], stopped=("files", "someone/small", 0))
    assert not test.exception and not test.error
    assert [info.value for info in test.info] == ["Stopped."]
    buttons = [json.loads(one.proto.json) for one in test.main.get("bidi_component") if "label" in one.proto.json]
    assert [one["label"] for one in buttons] == ["Go on"]


HEADS = {
    "150 labels": {"num_labels": 150},
    "multi-label": {"num_labels": 3, "problem_type": "multi_label_classification"},
    "regression": {"num_labels": 1, "problem_type": "regression"},
    "one label": {"num_labels": 1},
}
LABELS = ["<script>alert(1)</script>", "$x$ **b**", "$x$ **b**"]


@pytest.fixture(scope="module")
def heads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small model of every kind of head, which all pages share."""
    folder = tmp_path_factory.mktemp("heads")
    for name, config in (*HEADS.items(), ("odd labels", {"labels": LABELS})):
        save("bert", folder / name, **config)
    return folder


@pytest.mark.parametrize("page", PAGES)
def test_labels_are_text(page: str, heads: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WOBBLE_MODEL_DIRS", str(heads))
    test = app(page, model=[f"{heads.name}/odd labels"])
    assert not test.exception and not test.error
    assert "<script>" not in words(test)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("head", HEADS)
def test_every_kind_of_head_has_its_page(page: str, head: str, heads: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WOBBLE_MODEL_DIRS", str(heads))
    test = app(page, model=[f"{heads.name}/{head}"])
    assert not test.exception
    assert not test.error
    if page == "pages/temperature.py" and head == "regression":
        assert "not a probability" in words(test)


def test_a_model_without_dropout_is_not_called_stable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WOBBLE_MODEL_DIRS", str(tmp_path))
    save("modernbert", tmp_path / "none")
    test = app("pages/dropout.py", model=[f"{tmp_path.name}/none"])
    assert "This model has no dropout" in words(test)
    test = app("pages/dropout.py", model=[f"{tmp_path.name}/none"], rate=0.2, passes=20)
    assert not test.exception
    assert "of 20 passes" in words(test)


@pytest.mark.parametrize(("page", "name", "given"), [
    ("pages/dropout.py", "rate", "5"),
    ("pages/dropout.py", "rate", "nan"),
    ("pages/dropout.py", "passes", "0"),
    ("pages/dropout.py", "passes", "1000000"),
    ("pages/dropout.py", "dot", "nonsense"),
    ("pages/temperature.py", "threshold", "5"),
    ("pages/temperature.py", "temperature", "1e-38"),
])  # fmt: skip
def test_what_a_link_may_not_ask_for_is_said_and_left_out(page: str, name: str, given: str) -> None:
    test = AppTest.from_file(APP, default_timeout=60)
    test.query_params[name] = given
    test.switch_page(page).run()
    assert not test.exception
    said = [warning.value for warning in test.warning]
    assert len(said) == 1
    assert said[0].replace("\\", "").startswith(f"The link asks for {name} = {given}, which is not ")
    assert "w-verdict" in words(test)


def test_the_temperature_page_shows_the_temperature_of_the_sidebar_and_has_no_other_control() -> None:
    test = app("pages/temperature.py", sentence="A modest, messy thriller.", temperature=2.5, code=True)
    said = words(test)
    assert "At T = 2.5 it still says" in said and "probability at T = 1, and at T = 2.5" in said
    assert "All at T = 1 and at T = 2.5" in said
    assert any("for temperature in (1.0, 2.5):" in code.value for code in test.code)
    assert [one.label for one in (*test.main.slider, *test.main.number_input)] == ["Act only above"]
    assert not test.main.select_slider and not test.main.text_input


def test_at_the_models_own_temperature_each_number_stands_once_and_another_one_is_offered() -> None:
    test = app("pages/temperature.py", sentence="A modest, messy thriller.")
    said = words(test)
    (head,) = re.findall(r"<tr><th.*?</tr>", said)
    assert head.count("</th>") == 4 and "class='tick'" not in said
    assert said.count("At T = 1 it") == 1 and "at T = 1 it <b>" not in said
    wished(test, temperature=2.0)
    assert "At T = 2 it still says" in words(test) and "class='tick'" in words(test)


@pytest.mark.parametrize(("problem", "bars"), [("single_label_classification", 1), ("multi_label_classification", 2)])
def test_of_two_labels_that_do_not_compete_both_are_shown(
    problem: str, bars: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WOBBLE_MODEL_DIRS", str(tmp_path))
    save("bert", tmp_path / "two", num_labels=2, problem_type=problem)
    said = words(app("pages/temperature.py", model=[f"{tmp_path.name}/two"], temperature=2.0))
    shown = re.findall(r"<div class='w-bars w-tempered'>(.*?)</div>", said)
    assert shown and {bar.count("class='tick'") for bar in shown} == {bars}


def test_a_pass_opens_beside_the_prediction_without_dropout() -> None:
    test = app("pages/dropout.py", sentence="A modest, messy thriller.", passes=5, dot="only head, pass 3")
    assert not test.exception
    assert "<b>Only head, pass 3</b>" in words(test) and "<b>Your sentence</b>" in words(test)


def test_a_rate_of_zero_is_not_called_stable() -> None:
    test = app("pages/dropout.py", rate=0.0)
    assert not test.exception
    assert "Nothing drops here" in words(test)


def test_a_page_for_one_model_says_which() -> None:
    for page in ("pages/dropout.py", "pages/temperature.py"):
        test = app(page, model=["minilm-uncased", "bpe-cased"])
        assert "the first of 2 chosen" in words(test)


def test_an_untrained_head_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WOBBLE_MODEL_DIRS", str(catalog.EMBEDDED))
    test = app(model=["models/minilm"])
    assert not test.exception
    assert "never trained" in words(test).replace("\\", "")


def test_several_models_stand_side_by_side() -> None:
    test = app(model=["minilm-uncased", "bpe-cased"], sentence="This is a test . ")
    assert not test.exception
    assert words(test).count("w-verdict") == 2


def test_own_edits_can_be_filtered_by_where_there_are_any() -> None:
    def offered(test: AppTest) -> list[str]:
        return next(list(group.options) for group in test.get("button_group") if "casing" in group.options)

    assert "custom" not in offered(app(sentence="A good film."))
    assert offered(app(sentence="A good film.", own="A bad film."))[-1] == "custom"


def test_own_edits_join_the_table() -> None:
    text, own = "A good film.", "A bad film.\nA good film.\\u200b"
    tried = []
    for typed in ("", own):
        test = app(sentence=text, own=typed)
        assert not test.exception
        ((_, every),) = re.findall(r"(\d+) of (\d+) variants, largest", words(test))
        tried.append(int(every))
    assert tried[1] == tried[0] + 2
    said = words(test)
    (counted, apart) = (int(re.search(rf"(\d+) {what}", said)[1]) for what in ("edits:", "edits that can change"))  # type: ignore[index]
    assert "2 own edits" in said and counted + apart + 2 == tried[1]


def test_what_lies_beyond_the_limit_is_a_fate_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WOBBLE_MODEL_DIRS", str(tmp_path))
    save("bert", tmp_path / "small")
    long = {"sentence": "a fine film, " * 100 + "and a dull end .", "model": [f"{tmp_path.name}/small"]}
    test = app(**long, fate=["beyond the limit"], variant="drop_final_period")
    assert not test.exception and not test.error
    said = words(test)
    ((beyond, every),) = re.findall(r"(\d+) of (\d+) variants, largest", said)
    assert 0 < int(beyond) < int(every)
    # Those that count, and those that do not.
    summary = re.search(r"<p class='w-verdict.*?</p>", said)
    assert summary and sum(map(int, re.findall(r"; (\d+) beyond the limit", summary.group()))) == int(beyond)
    assert "tokens were judged: the model reads no more" in said
    assert "<span class='w-badge beyond'>beyond the limit</span>" in said and "so it was not tried" in said


def test_models_that_read_a_long_text_to_different_ends_are_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WOBBLE_MODEL_DIRS", str(tmp_path))
    ids = [f"{tmp_path.name}/{save(name, tmp_path / name).name}" for name in ("bert", "roberta")]
    test = app(model=ids, sentence="a fine film, " * 100 + "and a dull end .")
    assert not test.exception and not test.error
    assert words(test).count("w-verdict") == 2


def test_a_second_sentence_is_compared() -> None:
    test = app("pages/tokens.py", sentence="This is a test.", second="This is a test . ")
    assert any("Same ids" in e.value for e in test.success)
    test = app("pages/tokens.py", sentence="This is a test.", second="This is a test!")
    assert any("Different ids" in e.value for e in test.warning)


def test_a_second_sentence_that_differs_beyond_the_limit_is_not_called_erased(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WOBBLE_MODEL_DIRS", str(tmp_path))
    save("bert", tmp_path / "small")
    long = "a fine film, " * 100
    test = app("pages/tokens.py", sentence=f"{long}good", second=f"{long}bad", model=[f"{tmp_path.name}/small"])
    assert not test.exception and not test.success
    assert [e.value for e in test.warning] == [
        "The difference lies beyond the limit, where the model does not read: nothing was compared."
    ]


def test_filtering_runs_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    test = app(sentence="A film that was never seen before, at all.")
    no_model_runs(monkeypatch)
    state_of(test).change(factor=["casing"])
    test.run()
    assert not test.exception
    assert "of 5" in "".join(caption.value for caption in test.caption)
    state_of(test).change(sentence="Another one that was never seen before.")
    test.run()
    assert test.exception


@pytest.mark.parametrize("page", PAGES)
def test_the_code_is_made_when_its_panel_is_open(page: str) -> None:
    text = "A modest, messy thriller."
    closed = {code.value for code in app(page, sentence=text).code}
    test = app(page, sentence=text, code=True)
    assert not test.exception
    shown = {code.value for code in test.code} - closed
    assert shown and all("import json" in script and text in script for script in shown)


def test_a_value_is_not_called_another_label(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WOBBLE_MODEL_DIRS", str(tmp_path))
    save("bert", tmp_path / "value", **HEADS["regression"])
    test = app("pages/dropout.py", model=[f"{tmp_path.name}/value"], forgot=True)
    assert not test.exception
    assert "each gives another value" in words(test) and "another label" not in words(test)


def test_a_wrong_setting_of_the_operators_is_one_sentence_and_not_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WOBBLE_MAX_MODELS", "many")
    test = AppTest.from_file(APP, default_timeout=60).run()
    assert not test.exception
    assert [error.value.replace("\\", "").partition(":")[0] for error in test.error] == ["WOBBLE_MAX_MODELS is 'many'"]
