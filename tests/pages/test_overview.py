"""The overview: a verdict, a card for every factor, and everything one click away."""

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from core.base.errors import WobbleError
from core.data.snippets import Example, gallery
from core.factors.ask import Ask
from core.factors.case import Case
from core.factors.registry import factor, factors, unregister
from core.models.catalog import load
from core.models.classifier import Classifier
from core.studies.shortest import shortest_flip
from core.studies.study import Study, profile
from core.studies.verdict import GRADES, verdict
from pages.parts import results
from tests.architectures import save
from tests.pages.test_pages import PAGES, app, no_model_runs, state_of, wished, words

PAGE = "pages/overview.py"
TEXT = "Even in this less than magic kingdom, Reese rules."


def test_a_sentence_gets_its_verdict_and_a_card_for_every_factor() -> None:
    test = app(PAGE, sentence=TEXT)
    assert not test.exception and not test.error
    said = words(test)
    assert "On the edge." in said and "cases tried" in said
    for one in factors():
        assert f"<h3>{one.name}</h3>" in said
    assert "Rounding" not in said


def test_the_grade_stands_on_its_scale_with_the_rule_of_each() -> None:
    said = words(app(PAGE, sentence=TEXT))
    assert "<p class='w-verdict'>On the edge.</p>" in said
    assert re.findall(r"<li title='([^']*)'(?: aria-current=true)?>([^<]*)</li>", said) == [
        (html.escape(rule), grade.capitalize()) for grade, rule in GRADES.items()
    ]
    assert len(re.findall("aria-current=true>On the edge<", said)) == 1
    assert "accuracy 86.4% on the labelled movie snippets of the test split, says its card" in said


@pytest.mark.parametrize(("text", "agree"), [("This is a test . ", True), (TEXT, False)])
def test_models_that_disagree_are_said_to(text: str, agree: bool) -> None:
    models = ["minilm-uncased", "bpe-cased", "unigram-cased"]
    said = words(app(PAGE, sentence=text, model=models))
    found = [profile(load(model), text, passes=1).reference for model in models]
    assert (len({one.label for one in found}) == 1) == agree
    each = [
        f"{model} says {one.label} ({one.probabilities.max():.3f})" for model, one in zip(models, found, strict=True)
    ]
    assert f"The models {'agree' if agree else 'disagree'}: {', '.join(each)}." in said


def test_the_first_model_is_drawn_before_the_others_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    profiles_of = results.profiles_of

    def asked(classifier: Classifier, text: str, temperature: float) -> Iterator[Study]:
        if classifier.id == "bpe-cased":
            raise WobbleError("The second model was asked.")
        return profiles_of(classifier, text, temperature)

    monkeypatch.setattr(results, "profiles_of", asked)
    test = app(PAGE, sentence="A film that nobody had seen.", model=["minilm-uncased", "bpe-cased"])
    assert not test.exception and [error.value for error in test.error] == ["The second model was asked\\."]
    said = words(test)
    assert "minilm-uncased: " in said and "w-grades" in said and "The models" not in said
    assert "Still running: bpe-cased." in said.replace("\\", "")


@pytest.mark.parametrize("example", [one for one in gallery() if one.teaches], ids=lambda one: one.teaches)
def test_a_lesson_sets_the_sentence_the_model_and_the_edit_that_perturb_opens(example: Example) -> None:
    test = app(PAGE, sentence="a")
    wished(test, sentence=example.text, model=[example.model])
    edit = example.flips.get(example.model, "")
    assert (state_of(test).get("model"), state_of(test).values["variant"]) == ([example.model], edit)
    found = test.switch_page("pages/perturb.py").run()
    assert not found.exception and not found.error
    assert ("flips" in words(found).partition("w-badge")[2][:20]) == bool(edit)
    if example.teaches == "Nothing flips it":
        assert verdict(profile(load(example.model), example.text)).mood == "solid"
    if example.teaches == "Spaces are absorbed":
        row = profile(load(example.model), example.text, passes=1)["whitespace"]
        assert row.absorbed > row.tried / 2 and not row.flips


def cards(said: str) -> list[float]:
    """The flip rates of the cards in their order, as far as they have one."""
    return [float(rate) for rate in re.findall(r"class='said' title='Flip rate ([\d.]+)%", said)]


def test_the_cards_stand_in_the_order_of_their_flip_rates() -> None:
    # Streamlit lists the elements column by column: the cards go from left to right.
    test = app(PAGE, sentence=TEXT)
    columns = [[rate for e in column.get("html") for rate in cards(str(e.body))] for column in test.main.columns[-3:]]
    rates = [rate for row in zip_longest(*columns) for rate in row if rate is not None]
    assert len(rates) > 8
    assert rates == sorted(rates, reverse=True)


@dataclass(frozen=True)
class Nudge:
    """The reference's logits, turned round."""

    name = "nudge"
    said = "nudged a little"

    def document(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {}


def test_a_factor_that_is_registered_at_run_time_has_its_row_and_its_card() -> None:
    @factor("jelly", one="wobbly nudge", many="wobbly nudges")
    def jelly(ask: Ask) -> Iterator[Case]:
        ask.notes.append("Jelly is simulated.")
        yield from ask.measured([Nudge()], -ask.reference.logits[None])

    try:
        test = app(PAGE, sentence=TEXT, code=True)
    finally:
        unregister("jelly")
    assert not test.exception and not test.error
    said = words(test)
    assert "<h3>jelly</h3>" in said and "<b>1</b> of 1 flip" in said and "nudged a little" in said
    assert "Jelly is simulated" in said.replace("\\", "")
    (strip,) = test.get("plotly_chart")
    assert "<b>jelly</b>" in json.loads(strip.proto.spec)["layout"]["yaxis"]["ticktext"]
    assert not any("jelly" in str(link.proto) for link in test.get("page_link"))
    assert "jelly" not in words(app(PAGE, sentence=TEXT))


def test_a_long_text_is_judged_as_far_as_the_model_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WOBBLE_MODEL_DIRS", str(tmp_path))
    save("bert", tmp_path / "small")
    test = app(PAGE, model=[f"{tmp_path.name}/small"], sentence="a fine film, " * 100 + "and a dull end .")
    assert not test.exception and not test.error
    said = words(test)
    assert re.search(r"Only \d+ of [\d,]+ tokens were judged", said)
    assert re.search(r"of \d+ flip, \d+ beyond the limit", said)


def test_the_link_of_a_card_asks_for_its_worst_case() -> None:
    test = app(PAGE, sentence=TEXT)
    links = {link.proto.label: parse_qs(link.proto.query_string) for link in test.get("page_link")}
    assert links["Explain punctuation"] == {"factor": ["punctuation"], "variant": ["remove_all_punctuation"]}
    assert links["Explain casing"] == {"factor": ["casing"]}
    assert re.fullmatch(r"all that are on, pass \d+", links["Explain dropout"]["dot"][0])
    assert re.fullmatch(r"seed \d+", links["Explain seed"]["member"][0])
    assert links["Explain preprocessing"]["step"][0].startswith("chain_")
    assert re.fullmatch(r"draw \d+", links["Explain segmentation"]["cut"][0])
    assert set(links["Explain numerics"]) <= {"condition"}


def test_an_example_and_a_recent_sentence_are_one_click_away() -> None:
    test = app(PAGE, sentence=TEXT)
    wished(test, sentence=gallery()[2].text)
    assert not test.exception
    assert state_of(test).snapshot.sentence == gallery()[2].text
    wished(test, sentence=TEXT)
    assert state_of(test).snapshot.sentence == TEXT


def test_everything_is_at_the_temperature_of_the_sidebar() -> None:
    test = app(PAGE, sentence=TEXT, temperature=2.0, shortest=True, code=True, code_shortest=True)
    assert not test.exception and not test.error
    found = profile(load(), TEXT, temperature=2.0)
    margin, usual = found.reference.margin, profile(load(), TEXT).reference.margin
    assert margin is not None and usual is not None and abs(margin) < abs(usual)
    assert f"margin {margin:+.3f} at T = 2" in words(app(PAGES[0], sentence=TEXT, temperature=2.0))
    said = words(test)
    assert f"Predicted <b>{found.reference.label}</b> at T = 2 by" in said
    for clause in verdict(found).clauses:
        assert f"{clause.said[0].upper()}{clause.said[1:]}." in html.unescape(said)
    search = shortest_flip(load(), TEXT, temperature=2.0)
    for probability in (found.reference.probabilities.max(), search.flips[0].probabilities.max()):
        assert f"<span class='p'>{probability:.3f}</span>" in said
    # The strip's own line of the reference, and the scripts.
    (strip,) = test.get("plotly_chart")
    lines = [shape["x0"] for shape in json.loads(strip.proto.spec)["layout"]["shapes"]]
    assert any(x == pytest.approx(margin, abs=1e-5) for x in lines)
    scripts = [code.value for code in test.code]
    assert len(scripts) > 5
    assert all("temperature=2.0)" in one or "for temperature in (2.0" in one for one in scripts)


def test_two_models_are_compared_on_one_chart() -> None:
    test = app(PAGE, sentence=TEXT, model=["minilm-uncased", "bpe-cased"])
    assert not test.exception and not test.error
    assert "<b>bpe-cased</b>:" in words(test)
    assert "No seed family for this model" not in words(test)


def test_a_model_without_a_family_says_so_on_its_card() -> None:
    test = app(PAGE, sentence=TEXT, model=["bpe-cased"])
    assert "No seed family for this model: train one." in words(test).replace("\\", "")


def test_the_shortest_flip_is_searched_when_asked_for() -> None:
    test, finding = app(PAGE, sentence=TEXT), shortest_flip(load(), TEXT).finding
    assert "flips it" in finding and finding not in words(test)
    state_of(test).change(shortest=True)
    test.run()
    assert not test.exception
    assert finding in words(test) and "<mark>" in words(test)


def test_what_is_known_runs_no_model_again(monkeypatch: pytest.MonkeyPatch) -> None:
    test = app(PAGE, sentence="A sentence that was never seen before on the overview.")
    no_model_runs(monkeypatch)
    test.run()
    assert not test.exception
    state_of(test).change(sentence="Another one that was never seen before on the overview.")
    test.run()
    assert test.exception
