"""The pin: kept in the state and in links, drawn beside whatever comes next, and never in the way."""

import json
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

from core.models.catalog import load
from core.studies import difference
from core.studies.study import compare
from core.text.perturb import variants
from pages.parts import pinned
from pages.store import Field, Pin, Store, read_pin
from tests.architectures import save
from tests.pages.test_pages import APP, HOSTILE, PAGES, app, no_model_runs, state_of, wished, words

TEXT, OTHER = "This is a test . ", "The movie was not bad at all, it was wonderful!"
PIN = Field(None, read_pin(0.001, 1e6))
OVERVIEW, PERTURB, TOKENS = "pages/overview.py", "pages/perturb.py", "pages/tokens.py"


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of a small classifier."""
    return saved(tmp_path, monkeypatch, "bert")


def saved(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, **config: object) -> str:
    """The id of a small classifier in a folder that models may be loaded from."""
    monkeypatch.setenv("WOBBLE_MODEL_DIRS", str(folder))
    save("bert", folder / name, **config)
    return f"{folder.name}/{name}"


def opened(link: str) -> Store:
    store = Store(fields={"pin": PIN})
    store.open("", parse_qs(link, keep_blank_values=True), first=True)
    return store


def ticks(test: AppTest) -> list[str]:
    """The names of the rows of the page's strip."""
    (strip,) = test.get("plotly_chart")
    return [str(name) for name in json.loads(strip.proto.spec)["layout"]["yaxis"]["ticktext"]]


# --- the state and links ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        HOSTILE,
        "a",
        " \t\r\n\u00a0a\u200b ",
        "&pin=x&sentence=y#%20+%",
        "\U0001f469\u200d\U0001f467",
        "\x00",
        "a" * 9000,
    ],
)
@pytest.mark.parametrize("model", ["minilm-uncased", "models/odd & co;=#", "a"])
def test_a_link_holds_any_pin(text: str, model: str) -> None:
    pin = Pin(text, model, 0.608)
    store = opened("")
    store.change(pin=pin)
    again = opened(store.query())
    assert again.get("pin") == pin and isinstance(again.get("pin"), Pin)
    assert again.query() == store.query()


@pytest.mark.parametrize(
    "link",
    ["pin=", "pin=a", "pin=a&pin=m", "pin=a&pin=m&pin=1&pin=2", "pin=&pin=m&pin=1", "pin=a&pin=+&pin=1", "pin=a&pin=m&pin=warm",
     "pin=a&pin=m&pin=nan", "pin=a&pin=m&pin=0", "pin=a&pin=m&pin=1e9"],
)  # fmt: skip
def test_what_is_no_pin_is_left_out_and_said(link: str) -> None:
    store = opened(link)
    assert store.get("pin") is None
    assert list(store.refused) == ["pin"]
    assert store.query() == ""


def test_without_a_pin_a_link_names_none() -> None:
    assert opened("").query() == ""
    store = opened("pin=a&pin=m&pin=1")
    store.change(pin=None)
    assert store.query() == ""


def test_a_bad_link_is_one_sentence() -> None:
    test = AppTest.from_file(APP, default_timeout=180)
    test.query_params.update({"sentence": "", "pin": ["This is a test.", "minilm-uncased", "warm"]})
    test.run()
    assert not test.exception and not test.error
    assert [one.value.replace("\\", "") for one in test.warning] == [
        "The link asks for pin = warm, which is not a sentence, a model and a temperature: it is left out.",
    ]


# --- pages -----------------------------------------------------------------------------------------------------------


def test_what_is_there_is_pinned_swapped_and_let_go(small: str) -> None:
    test = app(TOKENS, sentence=TEXT, model=[small], temperature=2.0)
    assert "Pinned:" not in words(test)
    pin = Pin(TEXT, small, 2.0)
    wished(test, pin=pin)
    assert "Pinned:" in words(test) and "The same as now" in words(test)
    assert "The pin says" not in words(test)
    state_of(test).change(sentence=OTHER, temperature=1.0)
    test.run()
    assert "at T = 2" in words(test) and "The same as now" not in words(test)
    wished(test, sentence=TEXT, temperature=2.0, model=[small], pin=Pin(OTHER, small, 1.0))
    found = state_of(test).snapshot
    assert found is not None and found.to_pin == pin and found.pin == Pin(OTHER, small, 1.0)
    wished(test, pin=None)
    assert "Pinned:" not in words(test) and "The pin says" not in words(test)


@pytest.mark.parametrize("page", [*PAGES, "pages/learn.py", "pages/train.py"])
def test_every_page_lives_with_a_pin(page: str, small: str) -> None:
    test = app(page, sentence=TEXT, model=[small], pin=Pin(HOSTILE, small, 2.0))
    assert not test.exception and not test.error
    said = words(test)
    assert "<b>Pinned:</b>" in said and "<script>alert" not in said
    assert said.count("The pin says") == (page in PAGES)


@pytest.mark.parametrize("page", [OVERVIEW, PERTURB, TOKENS])
def test_what_is_there_already_is_not_drawn_twice(page: str, small: str) -> None:
    test = app(page, sentence=TEXT, model=[small], pin=Pin(TEXT, small, 1.0))
    assert not test.exception and not test.error
    assert "The same as now" in words(test) and "The pin says" not in words(test)


def test_the_overview_draws_the_pin_on_its_strip_with_its_grade_and_the_difference_in_words(small: str) -> None:
    alone = app(OVERVIEW, sentence=TEXT, model=[small])
    assert not {"now", "pinned"} & set(ticks(alone)) and "Pinned" not in words(alone)
    test = app(OVERVIEW, sentence=TEXT, model=[small], pin=Pin(OTHER, small, 1.0))
    assert not test.exception and not test.error
    said, names = words(test), ticks(test)
    assert names.count("pinned") == sum(name.endswith("<br>now") for name in names) > 8
    assert "'>Now: " in said and "'>Pinned: " in said and said.count("class=w-grades") == 2
    assert "instead of" in said.partition("The pin says")[2].partition("</p>")[0]


def test_of_several_models_the_pin_is_told_by_its_name(
    small: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = [saved(tmp_path, monkeypatch, name) for name in "ab"]
    test = app(PERTURB, sentence=TEXT, model=models, pin=Pin(TEXT, small, 1.0))
    assert not test.exception and not test.error
    assert f"pinned: {small}"[:23] in "".join(ticks(test)) and f", {models[0]} says" in words(test)


def test_perturb_says_which_edits_flip_one_and_not_the_other() -> None:
    test = app(PERTURB, sentence=TEXT, model=["bpe-cased"], pin=Pin(TEXT, "minilm-uncased", 1.0))
    assert not test.exception and not test.error
    pin, now = (compare(load(model), TEXT, variants(TEXT)) for model in ("minilm-uncased", "bpe-cased"))
    (strip,) = test.get("plotly_chart")
    title = json.loads(strip.proto.spec)["layout"]["title"]["text"].replace("<br>", " ")
    assert title == difference.edits(pin, now)
    assert f"The pin says {pin.reference.label} ({pin.reference.probabilities.max():.3f})" in words(test)


def test_tokens_stand_side_by_side(small: str) -> None:
    test = app(
        TOKENS, sentence="This is a test.", model=["minilm-uncased"], pin=Pin("This  is a TEST.", "minilm-uncased", 1.0)
    )
    assert "Both are the same 7 tokens: the tokenizer absorbs the difference between the sentences." in words(test)
    assert "<b>Now</b>" in words(test) and "<b>Pinned</b>" in words(test)
    state_of(test).change(pin=Pin("This is a test.", small, 1.0))
    assert "by another tokenizer" in words(test.run())


@pytest.mark.parametrize("page", [OVERVIEW, PERTURB, TOKENS, "pages/numerics.py"])
def test_a_pin_that_cannot_be_drawn_is_one_sentence_and_all_else_works(page: str, small: str) -> None:
    test = app(page, sentence=TEXT, model=[small], pin=Pin(OTHER, "/etc", 1.0))
    assert not test.exception and not test.error
    said = [one.value for one in test.warning]
    assert len(said) == 1 and said[0].startswith("The pin cannot be drawn: ")
    assert "w-verdict" in words(test) and "The pin says" not in words(test)


@pytest.mark.parametrize("page", [OVERVIEW, PERTURB])
def test_a_value_and_a_label_are_said_and_not_drawn_on_one_axis(
    page: str, small: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = saved(tmp_path, monkeypatch, "value", labels=["score"], problem_type="regression")
    for now, pin in ((small, value), (value, small)):
        test = app(page, sentence=TEXT, model=[now], pin=Pin(OTHER, pin, 1.0))
        assert not test.exception and not test.error
        assert "a value and a label have no common measure" in words(test)
        assert "pinned" not in ticks(test)


def test_no_more_models_are_loaded_than_stay_in_memory(small: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pinned, "BESIDE", 0)
    test = app(TOKENS, sentence=TEXT, model=[small], pin=Pin(TEXT, "minilm-uncased", 1.0))
    assert not test.exception and not test.error
    assert any("to see the pin of another model beside them" in one.value for one in test.info)
    assert "The pin says" not in words(test)


def test_what_was_shown_is_not_computed_again_when_it_is_pinned(small: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pin, now = "A pinned one that was never seen before.", "A present one that was never seen before."
    app(OVERVIEW, sentence=now, model=[small])
    test = app(OVERVIEW, sentence=pin, model=[small])
    no_model_runs(monkeypatch)
    state_of(test).change(sentence=now, pin=Pin(pin, small, 1.0))
    test.run()
    assert not test.exception and "The pin says" in words(test)
    wished(test, sentence=pin, pin=Pin(now, small, 1.0))
    assert not test.exception and "The pin says" in words(test)
