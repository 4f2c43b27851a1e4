"""Learn: a guess before the reveal, votes of a room, the full page that shows it, and the article's claims."""

from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from core.lessons.claims.claim import Result
from core.lessons.guided import lesson_named, lessons
from core.lessons.rooms import ROOMS
from pages.parts import results
from tests.pages.test_pages import HOSTILE, app, state_of, wished, words

PAGE = "pages/learn.py"
PERIOD = "final-period"


@pytest.fixture
def code() -> str:
    return ROOMS.open()


def guessed(test: AppTest, id: str, choice: int) -> None:
    wished(test, **{f"guess {id}": choice})


def test_nothing_is_told_before_the_guess() -> None:
    test = app(PAGE, lesson=PERIOD)
    assert not test.exception and not test.error
    assert lesson_named(PERIOD).question.partition("”")[2] in words(test)
    assert "Why." not in words(test) and "says negative instead" not in words(test)


def test_a_guess_is_kept_and_the_reveal_shows_live_figures() -> None:
    test = app(PAGE, lesson=PERIOD)
    guessed(test, PERIOD, 1)
    assert "class='own'>The probabilities move a little" in words(test)
    assert "Why." not in words(test), "the learner asks for it"
    wished(test, **{f"revealed {PERIOD}": True})
    assert not test.exception
    shown = words(test)
    assert "Not what you guessed" in shown and "says negative instead of positive" in shown
    assert "the final period dropped" in shown and "Why." in shown
    # Another lesson, and back: the guess and what was revealed are still there.
    wished(test, lesson="capitals")
    assert "Caps Lock" in words(test) and "Why." not in words(test)
    wished(test, lesson=PERIOD)
    assert "Not what you guessed" in words(test)


def test_who_guessed_it_is_told_so() -> None:
    test = app(PAGE, lesson="temperature")
    guessed(test, "temperature", 2)
    wished(test, **{"revealed temperature": True})
    assert "You guessed it" in words(test)


def test_a_room_counts_each_session_once_and_shows_how_it_guessed_only_after_the_reveal(code: str) -> None:
    ROOMS.vote(code, PERIOD, 2, "someone")
    test = app(PAGE, lesson=PERIOD, room=code.upper())
    assert "1 vote in this room so far" in words(test)
    guessed(test, PERIOD, 0)
    test.run()
    assert ROOMS.counts(code, PERIOD) == (1, 0, 1)
    assert "2 votes in this room so far" in words(test) and "w-votes" not in words(test)
    wished(test, **{f"revealed {PERIOD}": True})
    assert "The room</b>, 2 votes" in words(test) and "w-votes" in words(test)
    assert ROOMS.counts(code, PERIOD) == (1, 0, 1)


def test_opening_a_room_puts_its_code_into_the_link() -> None:
    test = app(PAGE)
    wished(test, open_room=True)
    code = state_of(test).get("room")
    assert ROOMS.left(code) > 7000
    assert f"room={code}" in state_of(test).query()


@pytest.mark.parametrize("code", ["nonsense", HOSTILE])
def test_a_room_that_is_not_there_is_one_sentence_and_the_lesson_goes_on(code: str) -> None:
    test = app(PAGE, lesson=PERIOD, room=code)
    assert not test.exception
    (error,) = test.error
    assert "There is no room with this code" in error.value
    assert "Is the final period noise?" in words(test)


@pytest.mark.slow
@pytest.mark.parametrize("id", [one.id for one in lessons()])
def test_a_lesson_opens_its_page_in_the_state_that_it_speaks_of(id: str) -> None:
    opens = lesson_named(id).opens
    test = app(PAGE, lesson=id, temperature=2.0)
    guessed(test, id, 0)
    wished(test, **{f"revealed {id}": True})
    wished(test, opened=id)
    assert not test.exception and not test.error
    found = state_of(test)
    assert found.page == ("" if opens.page == "overview" else opens.page)
    assert (found.get("sentence"), found.get("model")) == (opens.sentence, list(opens.models))
    assert found.get("temperature") == 1.0
    for name, value in opens.values.items():
        assert str(found.get(name)) == value, name


def some_results() -> Iterator[Result]:
    for id, outcome in (("C1", "holds"), ("C4", "depends"), ("C14", "does not hold")):
        yield Result(id, f"<b>{id}</b>", outcome, "Evidence.", "Truth.", "print(1)\n", "not run: offline", 1.0)
    yield Result(
        "C16", "claim", "does not hold", "Big finding. Numbers", "Why.", "print(16)\n", "not run: offline", 1.0, True
    )


def test_the_claims_stand_there_before_anything_is_run() -> None:
    test = app(PAGE, show="The article's claims")
    assert not test.exception
    assert all(f">C{number}</td>" in words(test) for number in range(1, 17))


def test_the_claims_show_outcomes_code_and_what_the_article_does_not_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "claimed", lambda: tuple(some_results()))
    test = app(PAGE, show="The article's claims", claims=True)
    assert not test.exception
    shown = words(test)
    assert "<p class='w-big'>Big finding.</p>" in shown
    assert "&lt;b&gt;C1&lt;/b&gt;" in shown and "does not hold</span>" in shown and "depends</span>" in shown
    assert "C1, C4, C14, C16: not run: offline" in shown.replace("\\", "")
    assert [code.value for code in test.code] == ["print(16)", "print(1)"]
