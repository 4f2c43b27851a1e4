"""What all pages share: the groups of the sidebar, the examples, the link and presenter mode."""

import json

import pytest
import streamlit as st
from streamlit import net_util
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import NumberInput, TextArea

from core.data.snippets import gallery
from core.lessons.guided import lessons
from pages.parts import copy_link
from tests.pages.test_pages import app, state_of, wished

EXAMPLES = [example.text for example in gallery()]


def sent(test: AppTest, name: str) -> list[dict[str, object]]:
    """What each component that is told a name is told."""
    found = [json.loads(one.proto.json) for one in test.get("bidi_component") if one.proto.json]
    return [data for data in found if name in data]


def test_an_example_is_found_as_one_types_it_and_says_why_it_is_worth_trying() -> None:
    offered = app("pages/train.py").sidebar.selectbox[0].options
    assert (
        "This is a test . (The article's example: spaces that BERT's tokenizer absorbs and byte-level BPE does not)"
        in offered
    )
    assert "A charming but slight comedy. (A no-break space is enough for byte-level BPE)" in offered
    assert len(set(offered)) == len(EXAMPLES) + 1


def test_a_page_s_own_controls_stand_among_what_is_tested() -> None:
    for page, own in (("pages/perturb.py", "Your own edits"), ("pages/dropout.py", "Passes")):
        labels = [one.label for one in app(page).sidebar if isinstance(one, TextArea | NumberInput)]
        assert labels.index("Sentence") < labels.index(own) < labels.index("Temperature")


def test_the_copied_link_names_model_and_sentence_also_where_they_are_the_defaults() -> None:
    (told,) = sent(app("pages/train.py"), "always")
    assert told["always"] == {"model": ["minilm-uncased"], "sentence": [EXAMPLES[0]]}


@pytest.mark.parametrize(
    ("listens", "found", "said"),
    [
        (None, "192.168.1.5", "192.168.1.5:8501"),
        ("0.0.0.0", "192.168.1.5", "192.168.1.5:8501"),
        ("localhost", "192.168.1.5", ""),
        (None, "127.0.0.1", ""),
        (None, None, ""),
    ],
)
def test_the_address_for_others_is_named_only_where_the_server_listens_there(
    monkeypatch: pytest.MonkeyPatch, listens: str | None, found: str | None, said: str
) -> None:
    options = {"server.address": listens, "server.port": 8501}
    monkeypatch.setattr(st, "get_option", options.get)
    monkeypatch.setattr(net_util, "get_internal_ip", lambda: found)
    assert copy_link.network_host() == said


def test_the_arrows_of_presenter_mode_go_through_the_sentences_and_escape_leaves_it() -> None:
    test = app("pages/tokens.py")
    assert not sent(test, "wishes")
    wished(test, presenter=True)
    leave, steps = (told["wishes"] for told in sent(test, "wishes"))
    found = state_of(test)
    assert {key: found.wishes[wish] for key, wish in (leave | steps).items()} == {
        "Escape": {"presenter": False},
        "ArrowLeft": {"sentence": EXAMPLES[-1]},
        "ArrowRight": {"sentence": EXAMPLES[1]},
    }
    assert found.parameters(["presenter"]) == {"presenter": ["true"]}
    wished(test, sentence=EXAMPLES[1])
    assert test.sidebar.text_area[0].value == EXAMPLES[1]
    wished(test, presenter=False)
    assert not sent(test, "wishes")


def test_the_arrows_of_presenter_mode_go_through_the_lessons_on_learn() -> None:
    ids = [one.id for one in lessons()]
    test = app("pages/learn.py", presenter=True)
    wished(test, lesson=ids[1])
    steps = sent(test, "wishes")[1]
    assert steps["said"] == f"← → for another lesson (2 of {len(ids)}), Esc to leave"
    assert [state_of(test).wishes[wish] for wish in steps["wishes"].values()] == [
        {"lesson": ids[0]},
        {"lesson": ids[2]},
    ]
