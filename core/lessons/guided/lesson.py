"""What a lesson is, and how one is declared."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from core.base.errors import WobbleError
from core.studies.study import Study

Value = float | int | str | bool


@dataclass(frozen=True, eq=False)
class Shown:
    """What an experiment shows.

    Args:
        answer: which of the lesson's choices it bears out, counted from 0.
        said: the finding, in one or two sentences with the numbers that it rests on.
        columns: of the table of what was measured.
        rows: its cells, already written.
        study: what the margin strip shows, where the experiment is a study of one sentence.
        measured: the numbers that answer and finding rest on, by name.
    """

    answer: int
    said: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    study: Study | None = None
    measured: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Opens:
    """The full page that shows the same thing, and what is set there.

    Args:
        page: name of its file.
        models: that are chosen there.
        values: more of what its link says, by name.
    """

    page: str
    sentence: str
    models: tuple[str, ...]
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Lesson:
    """A question, a guess, an experiment.

    Args:
        id: in links and votes.
        right: which of the choices the experiment bears out on the embedded models.
        why: one paragraph.
        read: where to read more: titles and addresses.
    """

    id: str
    title: str
    question: str
    choices: tuple[str, ...]
    right: int
    why: str
    read: tuple[tuple[str, str], ...]
    opens: Opens
    experiment: Callable[[], Shown]


_lessons: dict[str, Lesson] = {}


def lesson(
    id: str,
    title: str,
    question: str,
    choices: tuple[str, ...],
    *,
    right: int,
    why: str,
    read: tuple[tuple[str, str], ...],
    opens: Opens,
) -> Callable[[Callable[[], Shown]], Callable[[], Shown]]:
    """Declare a lesson: the decorated function runs its experiment. See `Lesson` for the arguments.

    Raises:
        ValueError: another lesson has the id, or the right choice is none of the choices.
    """

    def declared(experiment: Callable[[], Shown]) -> Callable[[], Shown]:
        if id in _lessons:
            raise ValueError(f"two lessons are named {id}")
        if not 0 <= right < len(choices):
            raise ValueError(f"{id} has no choice number {right}")
        _lessons[id] = Lesson(id, title, question, choices, right, why, read, opens, experiment)
        return experiment

    return declared


def lessons() -> tuple[Lesson, ...]:
    """All lessons, in the order in which they are taught."""
    return tuple(_lessons.values())


def lesson_named(id: str) -> Lesson:
    """A lesson by its id.

    Raises:
        WobbleError: there is none.
    """
    if id not in _lessons:
        raise WobbleError(f"There is no lesson named {id[:40]!r}: choose from {', '.join(_lessons)}.")
    return _lessons[id]
