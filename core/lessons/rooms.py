"""Rooms: sessions that guess together. A room counts answers and keeps nothing else, and it is gone after two hours.

Whoever knows the code can vote. Nothing that a person types is kept: a vote is one of a lesson's choices.
"""

import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from core.base.errors import WobbleError
from core.base.words import duration
from core.lessons.guided import lessons

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""Without characters that look alike on a projector."""
LETTERS = 10
"""Length of a code: 31 ** 10 is 49 bits."""
LASTS = 2 * 60 * 60.0
"""Seconds until a room is gone."""
MOST_ROOMS = 100
MOST_VOTES = 20_000
"""Votes that one room accepts: memory stays bounded whatever anyone does."""


@dataclass
class _Room:
    until: float
    counts: Counter[tuple[str, int]] = field(default_factory=Counter)
    voted: set[tuple[str, str]] = field(default_factory=set)
    """Lesson and session of each vote, not how it went."""


class Rooms:
    """All rooms of a process; safe for threads."""

    def __init__(self, choices: Mapping[str, int], clock: Callable[[], float] = time.monotonic) -> None:
        """`choices`: how many each lesson has, by its id."""
        self._choices, self._clock, self._lock = dict(choices), clock, threading.Lock()
        self._rooms: dict[str, _Room] = {}

    def open(self) -> str:
        """A new room's code.

        Raises:
            WobbleError: there are as many rooms as allowed.
        """
        with self._lock:
            self._sweep()
            if len(self._rooms) >= MOST_ROOMS:
                wait = min(room.until for room in self._rooms.values()) - self._clock()
                raise WobbleError(
                    f"{MOST_ROOMS} rooms are open, and there is no room for more: the next one closes in {duration(wait)}."
                )
            code = "".join(secrets.choice(ALPHABET) for _ in range(LETTERS))
            self._rooms[code] = _Room(self._clock() + LASTS)
            return code

    def vote(self, code: str, lesson: str, choice: int, session: str) -> bool:
        """Count a guess; only the first guess of a session on a lesson counts.

        Returns:
            Whether it was counted.

        Raises:
            WobbleError: there is no such room (any more), or it has counted as many votes as it can.
            ValueError: the lesson has no such choice.
        """
        if not 0 <= choice < self._choices.get(lesson, 0):
            raise ValueError(f"{lesson} has no choice number {choice}")
        with self._lock:
            room = self._room(code)
            if (lesson, session) in room.voted:
                return False
            if len(room.voted) >= MOST_VOTES:
                raise WobbleError("This room has counted as many votes as it can: open another one.")
            room.voted.add((lesson, session))
            room.counts[lesson, choice] += 1
            return True

    def counts(self, code: str, lesson: str) -> tuple[int, ...]:
        """How many sessions chose each choice of a lesson.

        Raises:
            WobbleError: there is no such room (any more).
        """
        with self._lock:
            room = self._room(code)
            return tuple(room.counts[lesson, choice] for choice in range(self._choices.get(lesson, 0)))

    def left(self, code: str) -> float:
        """Seconds until a room is gone.

        Raises:
            WobbleError: there is no such room (any more).
        """
        with self._lock:
            return self._room(code).until - self._clock()

    def _sweep(self) -> None:
        now = self._clock()
        for code in [code for code, room in self._rooms.items() if room.until <= now]:
            del self._rooms[code]

    def _room(self, code: str) -> _Room:
        self._sweep()
        room = self._rooms.get(tidied(code))
        if room is None:
            raise WobbleError("There is no room with this code, or its two hours are over: ask for the code again.")
        return room


def tidied(code: str) -> str:
    """A typed code without spaces and dashes, in lower case."""
    return "".join(code.split()).replace("-", "").lower()


def spelled(code: str) -> str:
    """A code as it is read out: in two halves."""
    return f"{code[: LETTERS // 2]}-{code[LETTERS // 2 :]}"


ROOMS = Rooms({one.id: len(one.choices) for one in lessons()})
"""The rooms of this process."""
