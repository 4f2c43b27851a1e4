"""The state of a session: whose answer counts, what a link means, and what is never lost."""

import json
from collections.abc import Mapping
from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

from core.data.snippets import gallery
from core.models import catalog
from pages.state import NOTHING
from pages.store import Field, Store, read_number, read_text, read_texts, written
from tests.pages.test_pages import APP, app, state_of, wished

SHARED = {
    "model": Field(["usual"], read_texts(4)),
    "sentence": Field("A usual one.", read_text),
    "temperature": Field(1.0, read_number(0.001, 1000.0)),
}


def opened(page: str = "", link: str = "", first: bool = True) -> Store:
    """The state of a session that began with a link."""
    store = Store(fields=dict(SHARED))
    store.open(page, asked(link), first=first)
    return store


def asked(link: str) -> Mapping[str, list[str]]:
    return parse_qs(link, keep_blank_values=True)


def shared(store: Store) -> tuple[object, ...]:
    return tuple(store.get(name) for name in SHARED)


def test_an_answer_to_the_current_revision_is_a_persons_choice() -> None:
    store = opened()
    assert store.answer("temperature", 2.0, store.revision("temperature"))
    assert store.get("temperature") == 2.0


def test_an_answer_that_is_behind_does_not_count() -> None:
    store = opened()
    behind = store.revision("temperature")
    store.change(temperature=0.608)
    assert not store.answer("temperature", 1.0, behind)
    assert store.get("temperature") == 0.608


def test_fields_are_merged_one_by_one() -> None:
    store = opened()
    behind = {name: store.revision(name) for name in SHARED}
    store.change(temperature=0.608)
    for name, value in (("temperature", 1.0), ("sentence", "Typed."), ("model", ["other"])):
        store.answer(name, value, behind[name])
    assert shared(store) == (["other"], "Typed.", 0.608)


def test_a_change_gives_the_widget_another_key_and_an_answer_does_not() -> None:
    store = opened()
    key = store.key("sentence")
    store.answer("sentence", "Typed.", store.revision("sentence"))
    assert store.key("sentence") == key
    store.change(sentence="Taken.")
    assert store.key("sentence") != key
    assert Store().key("sentence") != Store().key("sentence"), "a session does not hear what another was told"


def test_quick_changes_all_count() -> None:
    store = opened()
    for value in (2.0, 3.0, 4.0):
        assert store.answer("temperature", value, store.revision("temperature"))
    store.change(sentence="One.")
    store.change(model=["two"])
    assert shared(store) == (["two"], "One.", 4.0)


def test_a_click_that_a_browser_repeats_is_granted_once() -> None:
    store = opened()
    first, second = store.wish(temperature=0.608), store.wish(sentence="Taken.")
    clicks = [{"wish": first, "number": 5}, {"wish": second, "number": 6}]
    store.grant(clicks[:1])
    store.answer("temperature", 3.0, store.revision("temperature"))
    store.grant(clicks)
    assert shared(store) == (["usual"], "Taken.", 3.0)
    store.grant([{"wish": "of another session", "number": 7}])
    assert shared(store) == (["usual"], "Taken.", 3.0)


def test_a_wish_keeps_its_name_and_old_ones_are_forgotten() -> None:
    store = opened()
    name = store.wish(sentence="Kept.")
    for number in range(600):
        store.wish(temperature=float(number))
        assert store.wish(sentence="Kept.") == name
    assert len(store.wishes) == 500 and name in store.wishes


def test_a_link_says_everything_when_a_session_begins() -> None:
    store = opened("perturb", "sentence=Own.&temperature=2&model=a&model=b&variant=upper")
    assert shared(store) == (["a", "b"], "Own.", 2.0)
    store.declare("variant", Field("", read_text, frozenset({"perturb"})))
    assert store.get("variant") == "upper"
    assert asked(store.query()) == asked("sentence=Own.&temperature=2&model=a&model=b&variant=upper")


@pytest.mark.parametrize("history", [False, True])
def test_what_a_link_does_not_name_is_the_default(history: bool) -> None:
    store = opened("tokens")
    if history:
        store.change(sentence="Typed.", temperature=2.0, model=["other"])
        store.open("", {}, history=True)
    assert shared(store) == (["usual"], "A usual one.", 1.0)


def test_going_back_wins_over_what_the_widgets_show() -> None:
    store = opened("perturb")
    behind = store.revision("sentence")
    store.answer("sentence", "Typed.", behind)
    store.open("", asked("sentence=Earlier."), history=True)
    assert not store.answer("sentence", "Typed.", behind)
    assert store.get("sentence") == "Earlier."


def test_going_back_restores_what_the_page_itself_had() -> None:
    store = opened("dropout", "passes=20")
    store.declare("passes", passes := Field(100, read_number(1, 1000), frozenset({"dropout"})))
    store.open("tokens", {})
    store.open("dropout", {}, history=True)
    assert store.get("passes") == 100
    store.open("dropout", asked("passes=20"), history=True)
    store.declare("passes", passes)
    assert store.get("passes") == 20


def test_going_back_keeps_what_no_link_holds_and_hears_no_widget_that_is_behind() -> None:
    store = opened("temperature")
    store.declare("recent", Field([]))
    store.declare("file", Field(None, pages=frozenset({"temperature"})))
    store.change(recent=["One."], file="own.csv")
    behind = store.revision("file")
    store.open("temperature", {}, history=True)
    assert (store.get("recent"), store.get("file")) == (["One."], "own.csv")
    assert not store.answer("file", None, behind)


def test_a_link_cannot_ask_for_what_no_link_holds() -> None:
    store = opened("perturb", "recent=a&file=b")
    store.declare("recent", Field([]))
    store.declare("file", Field(None, pages=frozenset({"perturb"})))
    assert (store.get("recent"), store.get("file"), store.query()) == ([], None, "")
    assert not {"recent", "file"} & store.values.keys()


def test_a_link_cannot_choose_an_example_nor_press_a_button() -> None:
    test = AppTest.from_file(APP, default_timeout=60)
    for name in ("example", "start", "catalog"):
        test.query_params[name] = "3"
    test.switch_page("pages/tokens.py").run()
    assert not test.exception and not test.error
    found = state_of(test)
    assert found.snapshot.sentence == gallery()[0].text
    assert found.values.get("example", NOTHING) == NOTHING and not found.get("catalog")
    assert "example" not in found.query()


def test_the_session_holds_nothing_that_pages_set_but_the_store() -> None:
    test = app("pages/overview.py")
    test.switch_page("pages/train.py").run()
    found = state_of(test)
    assert not [name for name in ("recent", "going", "start", "run") if name in test.session_state]
    assert {"recent", "going", "start", "run"} <= found.fields.keys()
    assert found.values.keys() <= found.fields.keys()


def test_the_catalog_stays_open_until_it_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    test = app("pages/tokens.py")
    assert not test.get("dialog")
    wished(test, catalog=True)
    test.run()
    assert not test.exception and len(test.get("dialog")) == 1
    state_of(test).change(catalog=False)
    assert not test.run().get("dialog")


def test_a_model_of_the_catalog_is_taken_by_its_button_and_an_unreachable_one_cannot_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    test = app("pages/tokens.py")
    wished(test, catalog=True)
    drawn = [json.loads(one.proto.json) for one in test.get("bidi_component") if one.proto.json]
    buttons = {
        one["help"].removeprefix("Every page shows "): one for one in drawn if "Every page shows" in one.get("help", "")
    }
    assert {catalog.DEFAULT, "bpe-cased", catalog.CURATED[0][0]} <= buttons.keys()
    assert {id for id, one in buttons.items() if one["disabled"]} == {
        catalog.DEFAULT,
        *(id for id, _ in catalog.CURATED),
    }
    said = "\n".join(one.body for one in test.get("html"))
    assert said.count("cannot be chosen: it is not on this machine, and the hub does not answer") == len(
        catalog.CURATED
    )
    wished(test, model=["bpe-cased"], catalog=False)
    assert not test.exception and not test.get("dialog")
    assert state_of(test).get("model") == ["bpe-cased"]


def test_a_link_between_pages_opens_its_case_and_cannot_bring_back_what_was_shared() -> None:
    store = opened("", "sentence=Own.")
    store.declare("variant", variant := Field("", read_text, frozenset({"perturb"})))
    store.change(temperature=0.608)
    store.open("perturb", asked("sentence=Older.&temperature=1&variant=upper"))
    store.declare("variant", variant)
    assert shared(store) == (["usual"], "Own.", 0.608)
    assert store.get("variant") == "upper"


def test_a_run_of_the_same_page_does_not_read_its_address_again() -> None:
    store = opened("perturb", "sentence=Own.")
    store.answer("sentence", "Typed.", store.revision("sentence"))
    store.open("perturb", asked("sentence=Own."))
    assert store.get("sentence") == "Typed."


@pytest.mark.parametrize("given", ["0", "nan", "1e9", "warm", ""])
def test_what_a_link_may_not_ask_for_is_left_out_and_remembered(given: str) -> None:
    store = opened("", f"temperature={given}")
    assert store.get("temperature") == 1.0
    assert store.refused == {"temperature": given}
    store.answer("temperature", 1.0, store.revision("temperature"))
    assert store.refused, "a widget that is mounted says its default"
    store.answer("temperature", 2.0, store.revision("temperature"))
    assert not store.refused


def test_texts_of_a_link_are_those_that_are_offered() -> None:
    read = read_texts(2, among=["a", "b", "c"])
    assert read(["a", "x", "a", "b", "c"]) == ["a", "b"]
    assert read([""]) == []
    with pytest.raises(ValueError, match="x"):
        read(["x"])


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (True, ["true"]),
        (0.608, ["0.608"]),
        (7, ["7"]),
        (None, [""]),
        ([], [""]),
        (["a", "b"], ["a", "b"]),
        ("·", ["·"]),
    ],
)
def test_values_are_written_as_links_say_them(value: object, said: list[str]) -> None:
    assert written(value) == said
