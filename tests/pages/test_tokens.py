"""The Tokens page's other segmentations: those that are drawn, the nearest, and tokenizers that have none."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.factors.ask import Ask
from core.factors.segmentation import nearest
from core.models.catalog import load
from core.studies.study import study
from core.studies.verdict import summary
from core.text.resplit import resplits
from core.views.html import share
from tests.architectures import save, save_byt5
from tests.pages.test_pages import APP, app, state_of, words

PAGE = "pages/tokens.py"
TEXT = "A modest, messy thriller that nobody will remember."


def table(test: AppTest) -> list[dict[str, Any]]:
    """The rows of the table of segmentations."""
    shown = [json.loads(element.proto.json) for element in test.main.get("bidi_component") if element.proto.json]
    rows: list[dict[str, Any]] = next(data["rows"] for data in shown if "rows" in data)
    return rows


@pytest.mark.parametrize(("model", "rate"), [("minilm-uncased", {"p": 0.2}), ("unigram-cased", {"alpha": 0.1})])
def test_the_finding_of_the_draws_is_said_first_with_its_rate_and_what_was_left_out(
    model: str, rate: dict[str, float]
) -> None:
    test = app(PAGE, sentence=TEXT, model=[model], draws=30, segmentation_seed=3, **rate)
    assert not test.exception and not test.error
    found = study(load(model), TEXT, ["segmentation"], {"segmentation": {"draws": 30, "seed": 3, **rate}})
    (row,) = found.rows
    assert f"<p class='w-verdict small'>{summary(found)}</p>" in words(test)
    assert f"Flip rate {share(row, '95%: ')}" in words(test)
    assert f"{row.facts['rejected']} rejected" in words(test) and f"{row.facts['repeated']} gave" in words(test)
    # Draws of the same pieces share a row.
    assert len(table(test)) == len({case.encoding.ids for case in row.cases})


def test_the_nearest_are_listed_nearest_first_with_their_pieces_and_probabilities() -> None:
    classifier = load("bpe-cased")
    test = app(PAGE, sentence=TEXT, model=["bpe-cased"], cuts="nearest")
    cases = nearest(Ask(classifier, TEXT))
    rows = table(test)
    assert [row["key"] for row in rows] == [f"nearest {i}" for i in range(1, 21)]
    for row, case in zip(rows, cases, strict=True):
        (answer,) = row["answers"]
        assert tuple(id for _, id, state in answer["tokens"] if state != "removed") == case.encoding.ids
        assert {state for _, _, state in answer["tokens"]} & {"changed", "added", "removed"}
        assert [bar["value"] for bar in answer["bars"]] == [f"{p:.3f}" for p in case.probabilities]
    flips = sum(bool(case.flip) for case in cases)
    assert f"Of the 20 nearest {flips or 'none'} flip" in words(test)


def test_a_segmentation_opens_from_a_link() -> None:
    test = AppTest.from_file(APP, default_timeout=60)
    test.query_params.update({"sentence": TEXT, "cut": "nearest 2", "p": "0.3"})
    test.switch_page(PAGE).run()
    assert not test.exception
    assert state_of(test).get("p") == 0.3
    assert "Segmentation nearest 2" in words(test)


@pytest.mark.parametrize(("name", "given"), [("draws", "0"), ("draws", "1001"), ("p", "1.5"), ("p", "nan")])
def test_a_rate_or_number_that_cannot_be_drawn_is_said_and_left_out(name: str, given: str) -> None:
    test = AppTest.from_file(APP, default_timeout=60)
    test.query_params[name] = given
    test.switch_page(PAGE).run()
    assert not test.exception
    assert [w.value.replace("\\", "").partition(",")[0] for w in test.warning] == [
        f"The link asks for {name} = {given}"
    ]


def test_with_several_models_one_of_them_is_cut_otherwise() -> None:
    test = app(PAGE, sentence=TEXT, model=["minilm-uncased", "unigram-cased"])
    assert "minilm-uncased: MaxMatch-dropout" in words(test)
    state_of(test).change(cut_model="unigram-cased")
    test.run()
    assert not test.exception
    assert "unigram-cased: sampling from the lattice" in words(test)


def test_a_tokenizer_without_other_segmentations_says_so_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WOBBLE_MODEL_DIRS", str(tmp_path))
    save_byt5(tmp_path / "bytes")
    test = app(PAGE, sentence="a", model=[f"{tmp_path.name}/bytes"])
    assert not test.exception and not test.error
    assert [info.value for info in test.info if "No other segmentation" in info.value.replace("\\", "")]


def test_characters_tokens_and_ids_of_one_piece_share_a_name_and_one_token_is_a_stop_of_the_tab_key() -> None:
    said = words(test := app(PAGE, sentence="Na\u00efve  \U0001f469 thriller.", model=["bpe-cased", "minilm-uncased"]))
    assert not test.exception
    for number, id in enumerate(("bpe-cased", "minilm-uncased")):
        characters = re.findall(rf"<span class='\w+' data-piece='(text{number}\.\d+)'", said)
        tokens = re.findall(rf"role='option' tabindex='(-?\d)' data-piece='(text{number}\.t?\d+)'", said)
        found = load(id).encoder(["Na\u00efve  \U0001f469 thriller."])[0]
        assert len(tokens) == len(found.ids) and [stop for stop, _ in tokens].count("0") == 1
        # Every token has its characters but those that stand for none.
        assert len({*characters}) == len(characters)
        assert {name for _, name in tokens if ".t" not in name} == {*characters}
        assert sum(".t" in name for _, name in tokens) == sum(begin == end for begin, end in found.offsets or ())
    assert "18 characters, 22 bytes in UTF-8" in said


def test_every_character_shows_how_many_tokens_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "A modest thriller."
    said = words(app(PAGE, sentence=text))
    (heat,) = re.findall(r"<div class='w-heat'>(.*?)</div>", said)
    left_out, other_case = resplits(load().encoder, text)
    shown = [re.findall(r"<i class='h\d'>(\d+)</i>", cell) for cell in heat.split("<span>")[1:]]
    each = zip(left_out.changes, other_case.changes, strict=True)
    assert shown == [[str(one.tokens) for one in ways if one] for ways in each]
    assert f"<p class='w-line'>{left_out.said}</p>" in said
    assert "w-heat" not in words(app(PAGE, sentence=text, second="A modest thriller"))
    # The page asks the model too, and a small one is quick with long texts.
    monkeypatch.setenv("WOBBLE_MODEL_DIRS", str(tmp_path))
    small = [f"{tmp_path.name}/{save('bert', tmp_path / 'small').name}"]
    assert "The first 200 of 500 characters are tried." in words(app(PAGE, sentence="fine " * 100, model=small))
    assert "more than 2,000 characters" in words(app(PAGE, sentence="fine " * 500, model=small))


@pytest.mark.parametrize(
    ("page", "values"), [(PAGE, {"model": ["minilm-uncased", "bpe-cased"]}), ("pages/temperature.py", {})]
)
def test_no_two_panels_of_code_have_one_title(page: str, values: dict[str, Any]) -> None:
    titles = [one.label for one in app(page, sentence=TEXT, **values).expander if one.label.startswith("Show the code")]
    assert titles and len({*titles}) == len(titles) and all(title.startswith("Show the code: ") for title in titles)
