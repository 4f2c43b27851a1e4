"""The overview: a verdict, a card for every factor, and everything one click away."""

import sys

import pytest

from core.data.snippets import gallery
from core.studies.profile import FACTORS
from tests.pages.test_pages import app, state_of, wished, words

PAGE = "pages/overview.py"
TEXT = "Even in this less than magic kingdom, Reese rules."


def test_a_sentence_gets_its_verdict_and_a_card_for_every_factor() -> None:
    test = app(PAGE, sentence=TEXT)
    assert not test.exception and not test.error
    said = words(test)
    assert "On the edge." in said and "conditions tried" in said
    for factor in FACTORS:
        assert f"<h4>{factor}</h4>" in said
    assert "Rounding" not in said


def test_an_example_and_a_recent_sentence_are_one_click_away() -> None:
    test = app(PAGE, sentence=TEXT)
    wished(test, sentence=gallery()[2].text)
    assert not test.exception
    assert state_of(test).snapshot.sentence == gallery()[2].text
    wished(test, sentence=TEXT)
    assert state_of(test).snapshot.sentence == TEXT


def test_two_models_are_compared_on_one_chart() -> None:
    test = app(PAGE, sentence=TEXT, model=["minilm-uncased", "bpe-cased"])
    assert not test.exception and not test.error
    assert "<b>bpe-cased</b>:" in words(test)
    assert "No seed family for this model" not in words(test)


def test_a_model_without_a_family_says_so_on_its_card() -> None:
    test = app(PAGE, sentence=TEXT, model=["bpe-cased"])
    assert "No seed family for this model: train one." in words(test).replace("\\", "")


def test_the_shortest_flip_is_searched_when_asked_for() -> None:
    test = app(PAGE, sentence=TEXT)
    assert "edit flips it" not in words(test)
    state_of(test).change(shortest=True)
    test.run()
    assert not test.exception
    assert "flips it" in words(test).split("w-card")[-1]


def test_what_is_known_runs_no_model_again(monkeypatch: pytest.MonkeyPatch) -> None:
    test = app(PAGE, sentence="A sentence that was never seen before on the overview.")
    for module in ("core.studies.compare", "core.factors.numerics", "core.factors.dropout", "core.families.stacked"):
        monkeypatch.setattr(sys.modules[module], "predict", lambda *_, **__: pytest.fail("the model ran"))
    test.run()
    assert not test.exception
