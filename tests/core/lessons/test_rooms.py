"""Rooms: counts and nothing else, for two hours, and never more than fit."""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.base.errors import WobbleError
from core.lessons import rooms
from core.lessons.guided import lessons
from core.lessons.rooms import ALPHABET, LASTS, LETTERS, MOST_ROOMS, ROOMS, Rooms, spelled, tidied

CHOICES = {"spaces": 3, "capitals": 2}


class Clock:
    """A time that a test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Callable[[], float]) -> Rooms:
    return Rooms(CHOICES, clock)


def test_a_code_is_random_and_has_at_least_forty_bits(store: Rooms) -> None:
    codes = {store.open() for _ in range(50)}
    assert len(codes) == 50
    assert all(len(code) == LETTERS and set(code) <= set(ALPHABET) for code in codes)
    assert LETTERS * math.log2(len(set(ALPHABET))) >= 40


def test_votes_are_counted_by_lesson_and_choice(store: Rooms) -> None:
    code = store.open()
    assert store.counts(code, "spaces") == (0, 0, 0)
    for session, choice in (("a", 2), ("b", 2), ("c", 0)):
        assert store.vote(code, "spaces", choice, session)
    assert store.counts(code, "spaces") == (1, 0, 2)
    assert store.counts(code, "capitals") == (0, 0)


def test_a_session_has_one_vote_on_each_lesson(store: Rooms) -> None:
    code = store.open()
    assert store.vote(code, "spaces", 0, "a")
    assert not store.vote(code, "spaces", 1, "a")
    assert store.vote(code, "capitals", 1, "a")
    assert store.counts(code, "spaces") == (1, 0, 0)


def test_one_room_knows_nothing_of_another(store: Rooms) -> None:
    first, second = store.open(), store.open()
    store.vote(first, "spaces", 0, "a")
    assert store.counts(second, "spaces") == (0, 0, 0)
    assert store.vote(second, "spaces", 1, "a")


def test_a_room_is_gone_after_two_hours(store: Rooms, clock: Clock) -> None:
    code = store.open()
    clock.now += LASTS - 1
    assert store.vote(code, "spaces", 0, "a")
    assert store.left(code) == pytest.approx(1)
    clock.now += 1
    for ask in (
        lambda: store.vote(code, "spaces", 0, "b"),
        lambda: store.counts(code, "spaces"),
        lambda: store.left(code),
    ):
        with pytest.raises(WobbleError, match="no room with this code"):
            ask()
    assert not store._rooms, "nothing of it is kept"


def test_there_are_never_more_rooms_than_fit(store: Rooms, clock: Clock) -> None:
    for _ in range(MOST_ROOMS):
        store.open()
        clock.now += 1
    with pytest.raises(WobbleError, match=r"100 rooms are open.*closes in 2\.0 hours"):
        store.open()
    clock.now += LASTS - MOST_ROOMS
    assert store.open(), "the oldest has closed"


def test_a_room_takes_no_more_votes_than_fit(store: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "MOST_VOTES", 3)
    code = store.open()
    for session in "abc":
        store.vote(code, "spaces", 0, session)
    with pytest.raises(WobbleError, match="as many votes as it can"):
        store.vote(code, "spaces", 0, "d")
    assert not store.vote(code, "spaces", 0, "a")


@pytest.mark.parametrize(("lesson", "choice"), [("spaces", 3), ("spaces", -1), ("a text of one's own", 0)])
def test_only_the_choices_of_a_lesson_can_be_voted_for(store: Rooms, lesson: str, choice: int) -> None:
    with pytest.raises(ValueError, match="has no choice number"):
        store.vote(store.open(), lesson, choice, "a")


@pytest.mark.parametrize("code", ["", "nope", "<script>", "x" * 10_000])
def test_an_unknown_code_is_one_sentence(store: Rooms, code: str) -> None:
    with pytest.raises(WobbleError, match="There is no room with this code"):
        store.counts(code, "spaces")


def test_a_code_may_be_typed_as_it_is_read(store: Rooms) -> None:
    code = store.open()
    assert tidied(f" {spelled(code).upper()} ") == code
    assert store.vote(spelled(code).upper(), "spaces", 0, "a")


def test_many_sessions_vote_at_once_and_each_is_counted_once(store: Rooms) -> None:
    code = store.open()
    with ThreadPoolExecutor(16) as pool:
        counted = list(pool.map(lambda n: store.vote(code, "spaces", n % 3, str(n // 2)), range(600)))
    assert sum(counted) == 300
    assert sum(store.counts(code, "spaces")) == 300


def test_the_rooms_of_the_app_know_every_lesson() -> None:
    code = ROOMS.open()
    for one in lessons():
        assert len(ROOMS.counts(code, one.id)) == len(one.choices)
