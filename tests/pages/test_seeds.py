"""The Seeds page: every view of the embedded family, and families of other kinds."""

import json
import re
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.data.snippets import snippets
from core.families.agreement import on_data
from core.families.interpolation import interpolate
from core.families.members import family_data
from core.families.stacked import load_family
from core.models.catalog import load
from pages.parts import results
from tests.architectures import save
from tests.pages.test_pages import app, state_of, wished, words

PAGE = "pages/seeds.py"


def test_the_sentence_view_counts_votes_and_opens_a_seed() -> None:
    test = app(PAGE, sentence="Even in this less than magic kingdom, Reese rules.")
    assert not test.exception and not test.error
    assert "of the 7 other seeds disagree with seed 42" in words(test) and "Votes:" in words(test)
    state_of(test).change(member="seed 45")
    test.run()
    assert "<b>Seed 45</b>" in words(test) and "seed · seed 45" in words(test)


def test_the_interpolation_says_whether_there_is_a_barrier_and_what_the_sentence_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    some = family_data("minilm-uncased").rows(np.arange(0, 1500, 100))
    monkeypatch.setattr(results, "family_data", lambda _: some)
    test = app(PAGE, sentence="A fine film.", view="From seed to seed")
    assert not test.exception and not test.error
    family = load_family("minilm-uncased")
    found = interpolate(family, some, *family.names[:2])
    between = f"The loss rises by {found.barrier:.3f} nats" if found.has_barrier else "There is no barrier"
    assert f"<p class='w-verdict'>{between}" in words(test)
    assert "your sentence keeps its label" in words(test)
    state_of(test).change(to_seed="42")
    test.run()
    assert "Choose two different seeds" in words(test)


def test_the_data_view_shows_level_accuracies_and_takes_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    some = family_data("minilm-uncased").rows(np.arange(0, 1500, 75))
    monkeypatch.setattr(results, "family_data", lambda _: some)
    test = app(PAGE, view="On data")
    assert not test.exception and not test.error
    found = on_data(load_family("minilm-uncased"), some)
    spread, apart = found.accuracy.max() - found.accuracy.min(), found.disagreement
    assert (
        f"within {100 * spread:.1f} percentage points; two seeds disagree on {apart.value:.1%} of the texts"
        in words(test)
    )
    assert f"bootstrap interval ({apart.low:.1%} to {apart.high:.1%})" in words(test)
    # All of so few texts are asked at once.
    assert "on 20 labelled texts" in words(test) and "drawn" not in words(test)
    wished(test, view="This sentence")
    assert state_of(test).snapshot.sentence in set(snippets("test", "movie")["text"])
    assert "Votes:" in words(test)


def test_the_data_view_begins_with_some_texts_and_a_button_asks_for_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WOBBLE_MODEL_DIRS", str(tmp_path))
    for name in ("quick", "quick-43"):
        save("bert", tmp_path / name, labels=["negative", "positive"])
    data = family_data("minilm-uncased").rows(np.arange(0, 1500, 5))
    monkeypatch.setattr(results, "family_data", lambda _: data)
    test = app(PAGE, view="On data", model=[f"{tmp_path.name}/quick"])
    assert not test.exception and not test.error
    assert "on 200 of the 300 labelled texts that no member was trained on, drawn with seed 0" in words(test)
    assert any(one.startswith("Run all 300 texts, about ") for one in labels(test))
    shown = [one.partition(": ")[2] for one in labels(test) if re.match("[12] of 2 say ", one)]
    assert len(shown) == 10 and any(one.endswith("…") for one in shown)
    for one in shown:
        # A whole sentence, or whole words of one.
        assert any(text == one or text.startswith(f"{one[:-1]} ") for text in data.texts)
    wished(test, all_texts=True)
    assert "on 300 labelled texts that no member was trained on." in words(test)
    assert not any(one.startswith("Run all") for one in labels(test))


def labels(test: AppTest) -> list[str]:
    """What stands on the buttons of a page."""
    data = [json.loads(one.proto.json) for one in test.main.get("bidi_component") if one.proto.json]
    return [one["label"] for one in data if "label" in one]


def test_a_family_whose_seeds_vary_together_says_how_to_separate_them() -> None:
    test = app(PAGE, view="Which seed matters")
    assert not test.exception
    assert "each in turn" in words(test)
    (link,) = (one.proto for one in test.get("page_link") if one.proto.label == "Train such a family")
    assert parse_qs(link.query_string) == {"vary": ["each"]}
    train = app("pages/train.py", **{name: value for name, (value,) in parse_qs(link.query_string).items()})
    assert not train.exception and state_of(train).get("vary") == "each"


def test_a_model_without_a_family_is_said_and_the_embedded_one_is_shown() -> None:
    test = app(PAGE, model=["bpe-cased"])
    assert not test.exception
    said = words(test).replace("\\", "")
    assert "no seed family for bpe-cased" in said and "models of the family minilm-uncased" in said


def test_edits_beyond_the_limit_are_not_in_the_grid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WOBBLE_MODEL_DIRS", str(tmp_path))
    for name in ("small", "small-43"):
        save("bert", tmp_path / name)
    text = "a fine film, " * 100 + "and a dull end ."
    edits = results.compared(load(f"{tmp_path.name}/small"), text, (), 1.0)
    tried = {case.text for row in edits.counted for case in row.cases if case.tried}
    assert 0 < len(tried) < len({case.text for case in edits.cases})
    test = app(PAGE, model=[f"{tmp_path.name}/small"], sentence=text)
    assert not test.exception and not test.error
    titles = [json.loads(chart.proto.spec)["layout"]["title"]["text"] for chart in test.get("plotly_chart")]
    assert any(re.match(rf"\w+ of {len(tried)} different texts ", title) for title in titles), titles


@pytest.mark.parametrize("problem", ["multi_label_classification", "regression"])
def test_families_of_other_heads_have_their_page(problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WOBBLE_MODEL_DIRS", str(tmp_path))
    labels = 1 if problem == "regression" else 3
    for name in ("odd", "odd-43"):
        save("bert", tmp_path / name, num_labels=labels, problem_type=problem)
    test = app(PAGE, model=[f"{tmp_path.name}/odd"])
    assert not test.exception and not test.error
    assert state_of(test).get("family") == f"{tmp_path.name}/odd"
    state_of(test).change(view="On data")
    test.run()
    assert not test.exception
    assert "need a softmax head" in words(test)
    # The page stops early, and its state is in the address all the same, the first time too.
    test = app(PAGE, model=[f"{tmp_path.name}/odd"], view="On data")
    told = [json.loads(one.proto.json) for one in test.sidebar.get("bidi_component") if one.proto.json]
    assert "view=On+data" in next(data["query"] for data in told if "query" in data)
