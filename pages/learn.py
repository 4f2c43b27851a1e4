"""Guided lessons for a class, and the article's claims, each run live."""

from collections.abc import Sequence
from functools import partial
from html import escape
from typing import Any

import pages.parts.engine  # noqa: F401 - before all else

import streamlit as st

from core.base.words import duration, plural
from core.lessons.claims import Result, claims
from core.lessons.guided import Lesson, Shown, lesson_named, lessons
from core.lessons.rooms import ROOMS, spelled, tidied
from core.views import strip
from core.views.style import PALETTE
from pages import _shell, controls, state
from pages.parts import markup, menu, plots, presenter, results, take_away, work
from pages.store import Field

PAGE = {
    "title": "Learn",
    "icon": ":material/school:",
    "question": "Short lessons: guess, then see it happen. And a much-read article, claim by claim.",
}

VIEWS = ("Lessons", "The article's claims")
NO_GUESS = -1
# Seconds between two looks at the votes of a room.
LOOK = 2.0
OUTCOMES = {"holds": "reaches", "does not hold": "flips", "depends": "absorbed", "not run": "absorbed"}


def leave() -> None:
    """Go to the page that shows a lesson at large, with its sentence, its models and what it opens there."""
    if (id := state.unlinked("opened", state.NOTHING)) == state.NOTHING:
        return
    opens = lesson_named(id).opens
    state.store().change(opened=state.NOTHING, sentence=opens.sentence, model=list(opens.models), temperature=1.0)
    st.switch_page(f"pages/{opens.page}.py", query_params=opens.values)


def guess_of(lesson: Lesson) -> int:
    """The choice that this session made."""
    guess: int = state.unlinked(f"guess {lesson.id}", NO_GUESS)
    return guess


def lesson_list(chosen: Lesson) -> None:
    """All lessons, the chosen one marked, and which have a guess."""
    with st.container(gap=None):
        for number, one in enumerate(lessons(), start=1):
            done = "check_circle" if guess_of(one) != NO_GUESS else "radio_button_unchecked"
            icon = "arrow_right_alt" if one is chosen else done
            state.button(f"{number}. {one.title}", f"lesson {one.id}", plain=True, icon=icon, lesson=one.id)


def room() -> str:
    """The code of the room that this session votes in; empty where there is none."""
    with st.expander("Guess as a class", icon=":material/groups:", expanded=bool(state.store().values.get("room"))):
        st.caption(
            "Open a room, show its code, and everyone's guesses are counted here. A room keeps counts per answer and nothing "
            "else, and is gone after two hours."
        )
        code: str = controls.text("Room code", "room", placeholder="ten letters and digits", max_chars=40)
        state.button("Open a room", "open a room", icon="add", open_room=True)
        if state.once("open_room") and (opened := work.attempt(ROOMS.open)):
            state.store().change(room=opened)
            st.rerun()
        if not code.strip():
            return ""
        left = work.attempt(partial(ROOMS.left, code))
        if left is None:
            return ""
        st.html(
            f"<p class='w-code'>{escape(spelled(tidied(code)))}</p><p class='w-line w-faint'>Open for another {duration(left)}. "
            "The address of this page holds the code: send it, and others join the room.</p>"
        )
    return code


def votes(lesson: Lesson, code: str, revealed: bool) -> None:
    """How the room guessed; before the reveal, only how many did."""
    counts = work.attempt(partial(ROOMS.counts, code, lesson.id))
    if counts is None:
        return
    total = sum(counts)
    if not revealed:
        st.html(f"<p class='w-line w-faint' role='status'>{plural(total, 'vote')} in this room so far.</p>")
        return
    bars = "".join(
        markup.bar_html(choice, count / max(1, total), PALETTE[0], str(count))
        for choice, count in zip(lesson.choices, counts, strict=True)
    )
    st.html(f"<p class='w-line'><b>The room</b>, {plural(total, 'vote')}:</p><div class='w-bars w-votes'>{bars}</div>")


def ask(lesson: Lesson, number: int, code: str) -> bool:
    """The question and its choices; whether the learner has guessed and wants to see."""
    guess = guess_of(lesson)
    st.html(
        f"<p class='w-line w-faint'>Lesson {number} of {len(lessons())}, on a sentence and models of its own</p>"
        f"<h2 class='w-verdict'>{escape(lesson.title)}</h2>"
        f"<p class='w-ask'>{escape(lesson.question)}</p>"
    )
    if guess == NO_GUESS:
        for place, choice in enumerate(lesson.choices):
            guessed: dict[str, Any] = {f"guess {lesson.id}": place}
            state.button(choice, f"guess {lesson.id} {place}", icon="radio_button_unchecked", **guessed)
    else:
        own = " class='own'"
        marks = (f"<p{own if place == guess else ''}>{escape(one)}</p>" for place, one in enumerate(lesson.choices))
        st.html(f"<div class='w-choices'>{''.join(marks)}</div>")
    if guess != NO_GUESS and code:
        # A vote is counted once, however often the page is drawn.
        work.attempt(partial(ROOMS.vote, code, lesson.id, guess, state.store().name))
    key = f"revealed {lesson.id}"
    revealed: bool = state.unlinked(key, False)
    if not revealed:
        help = "Guess first: you will remember the answer better." if guess == NO_GUESS else ""
        state.button(
            "Show what happens", key, help, primary=True, icon="visibility", disabled=guess == NO_GUESS, **{key: True}
        )
    return revealed


def reveal(lesson: Lesson, found: Shown) -> None:
    """What the experiment shows, why, and where to go on."""
    said = "You guessed it" if guess_of(lesson) == found.answer else "Not what you guessed"
    st.html(
        f"<div class='w-reveal'><p class='w-line'><b>{said}:</b> {escape(lesson.choices[found.answer])}.</p>"
        f"<p class='w-verdict small'>{escape(found.said)}</p></div>"
    )
    if found.study is not None:
        figure, legend = strip.figure(found.study, title="", dark=plots.dark()), strip.legend_html(found.study)
        plots.show(figure, f"strip {lesson.id}", f"wobble-{lesson.id}", found.said, legend=legend)
    st.html(
        markup.table_html([(column, "") for column in found.columns], [list(map(escape, row)) for row in found.rows])
    )
    st.html(f"<p class='w-line'><b>Why.</b> {escape(lesson.why)}</p>")
    read = ", ".join(f"[{markup.escape_markdown(title)}]({address})" for title, address in lesson.read)
    st.markdown(f"**Read more:** {read}")
    page = next(entry for entry in menu.ENTRIES if entry.file == f"pages/{lesson.opens.page}.py")
    state.button(
        f"Open it on the page {page.title}", f"open {lesson.id}",
        "With this sentence and these models, which become yours on every page", icon="arrow_forward", opened=lesson.id,
    )  # fmt: skip


def read_lesson(given: Sequence[str]) -> str:
    """A lesson's id, as a link says it."""
    if given[-1] not in {one.id for one in lessons()}:
        raise ValueError(given[-1])
    return given[-1]


def guided() -> None:
    """The list of lessons and the chosen one."""
    every = lessons()
    store = state.store()
    store.declare("lesson", Field(every[0].id, read_lesson, frozenset({store.page or ""})))
    presenter.steps("lesson", [one.id for one in every], "lesson")
    chosen = lesson_named(store.get("lesson"))
    # The lesson comes first, so that it does on a phone too.
    left, right = st.columns([3, 1.1], gap="large")
    with right:
        lesson_list(chosen)
        code = room()
    with left:
        number = every.index(chosen) + 1
        revealed = ask(chosen, number, code)
        if code:
            st.fragment(run_every=LOOK)(votes)(chosen, code, revealed)
        if revealed:
            found = work.attempt(partial(results.learned, chosen.id))
            if found is not None:
                reveal(chosen, found)
                if number < len(every):
                    state.button("Next lesson", "next lesson", icon="navigate_next", lesson=every[number].id)


def badge(outcome: str) -> str:
    """An outcome as a badge."""
    return f"<span class='w-badge {OUTCOMES[outcome]}'>{outcome}</span>"


def unsaid(result: Result) -> None:
    """The claim that the article makes without saying so, large."""
    finding, _, numbers = result.evidence.partition(". ")
    with st.container(border=True):
        st.html(
            f"<p class='w-line w-faint'>{result.id}, which the article does not say: its own code does it</p>"
            f"<p class='w-big'>{escape(finding)}.</p><p class='w-line'>{escape(numbers)}</p>"
            f"<p class='w-line'>{escape(result.truth)}</p>"
        )
        st.code(result.code, language="python", wrap_lines=True)


def claimed() -> None:
    """The article's claims, and the outcome of each here."""
    st.html(
        "<p class='w-verdict'>A much-read article says why classifiers are inconsistent. What of it holds?</p>"
        "<p class='w-line w-faint'>Sixteen claims, each run here on the embedded models, and on bert-base-uncased where the "
        "hub answers. One of them trains a few small models, in processes of its own.</p>"
    )
    run = controls.switch("Run all sixteen: about a minute on two cores, once", "claims")
    if not run:
        rows = [(one.id, escape(one.says), escape(one.truth)) for one in claims()]
        st.html(markup.table_html([("claim", ""), ("the article says", ""), ("what is true", "")], rows))
        return
    found = work.needed(results.claimed)
    for one in found:
        if one.unsaid:
            unsaid(one)
    st.html(
        markup.table_html(
            [
                ("claim", ""),
                ("the article says", ""),
                ("outcome", "Of the experiment on this machine"),
                ("what was measured", ""),
            ],
            [(one.id, escape(one.claim), badge(one.outcome), escape(one.evidence)) for one in found],
        )
    )
    for said in dict.fromkeys(one.on_base for one in found):
        st.caption(markup.escape_markdown(f"{', '.join(one.id for one in found if one.on_base == said)}: {said}."))
    by_id = {one.id: one for one in found}
    id = controls.choice("Corrected code", "claim", list(by_id), words=lambda id: f"{id}: {by_id[id].claim}")
    st.html(f"<p class='w-line'>{escape(by_id[id].truth)}</p>")
    st.code(by_id[id].code, language="python", wrap_lines=True)
    take_away.downloads(("JSON", "wobble-claims.json", lambda: [vars(one) for one in found]))


_shell.through_router()
leave()
view = controls.segments("Show", "show", VIEWS, label_visibility="collapsed")
if view == VIEWS[0]:
    guided()
else:
    claimed()
