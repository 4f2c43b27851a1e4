"""A case is opened at one place on every page, with the same parts in one order."""

import re

import pytest

from core.data.snippets import gallery
from tests.pages.test_pages import app, state_of, wished, words

TEXT = gallery()[0].text
OPENED = {
    "pages/overview.py": {"case": "drop_final_period"},
    "pages/perturb.py": {"variant": "drop_final_period"},
    "pages/preprocessing.py": {"step": "chain_glue"},
    "pages/tokens.py": {"cut": "draw 1"},
    "pages/dropout.py": {"dot": "all that are on, pass 3"},
    "pages/temperature.py": {"at_T": "drop_final_period"},
    "pages/seeds.py": {"member": "seed 43"},
    "pages/numerics.py": {"condition": "bfloat16"},
}
"""A case that a link names on each page."""
PARTS = (
    "<span class='w-badge",
    "<b>Your sentence</b>: ",
    "<div class='w-tokens'>",
    "<div class='w-bars'",
    "<b>What made it.</b>",
)


@pytest.mark.parametrize("page", OPENED)
def test_a_case_shows_the_same_parts_in_one_order_on_every_page(page: str) -> None:
    ((opens, key),) = OPENED[page].items()
    test = app(page, sentence=TEXT, **{opens: key, f"code_{opens}": True})
    assert not test.exception and not test.error
    said = words(test)
    # The badge of the case is the last one before what made it.
    places = [said.rindex(PARTS[0], 0, said.index(PARTS[-1]))]
    for part in PARTS[1:]:
        places.append(said.index(part, places[-1]))
    assert re.search(rf"What made it\.</b> [^<]+<span class='w-small w-faint'>[^<]*{re.escape(key)}", said)
    assert any("import json" in code.value for code in test.code)
    own = [wish for wish in state_of(test).wishes.values() if wish.get(opens) == "" and "sentence" in wish]
    # Only a case of another text can become the sentence.
    assert len(own) == (page not in ("pages/tokens.py", "pages/dropout.py", "pages/seeds.py", "pages/numerics.py"))


def test_the_text_of_a_case_becomes_the_sentence_and_the_case_is_closed() -> None:
    test = app("pages/perturb.py", sentence="A film .", variant="upper")
    wished(test, sentence="A FILM .")
    assert state_of(test).snapshot.sentence == "A FILM ."
    assert "What made it" not in words(test)


def test_under_several_models_each_answers_and_the_text_stands_once() -> None:
    test = app("pages/perturb.py", sentence="A film .", variant="upper", model=["minilm-uncased", "bpe-cased"])
    said = words(test)
    shown = said[said.index("<span class='w-badge") :]
    assert shown.count("<b>Your sentence</b>: ") == 2
    assert shown.count("<p class=w-text>") == 2


def seen(test: object, name: str) -> int:
    """How often what is followed by a name was to be brought into sight."""
    return int(state_of(test).get(f"sight {name}")[1])  # type: ignore[arg-type]


def test_what_is_chosen_is_brought_into_sight_once_and_nothing_else_is() -> None:
    test = app("pages/perturb.py", sentence="A film .", variant="upper")
    test.run()
    assert (seen(test, "sentence"), seen(test, "variant")) == (0, 0)
    state_of(test).change(variant="lower")
    test.run()
    test.run()
    assert (seen(test, "sentence"), seen(test, "variant")) == (0, 1)
    state_of(test).change(sentence="Another film .")
    test.run()
    assert (seen(test, "sentence"), seen(test, "variant")) == (1, 1)


def test_a_case_that_a_link_within_the_app_opens_is_brought_into_sight() -> None:
    test = app("pages/overview.py", sentence="A film .")
    state_of(test).change(variant="upper")
    test.switch_page("pages/perturb.py").run()
    assert seen(test, "variant") == 1


def test_a_header_that_says_what_runs_does_not_stay_above_an_answer_or_an_error() -> None:
    test = app("pages/perturb.py", sentence="A film .")
    assert "Running the edits" not in words(test)
    test = app("pages/perturb.py", sentence="A film .", model=["/etc"])
    assert test.error and "Running the edits" not in words(test)
