"""The one way in which a case is opened, at the same place on every page: directly below the strip that shows it."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from html import escape
from typing import Any

import numpy as np
import streamlit as st

from core.base.words import capital
from core.factors.case import Case, Reference, Row
from core.models.classifier import Classifier
from core.studies.study import Study
from core.views import scripts, tables
from core.views.html import visible_html
from pages import controls, state
from pages.parts import markup, sight, take_away

Answer = tuple[Study, Row, Case]
"""A case, with the study of one model and the row in it that hold the case."""
Script = Callable[[Study, Row, Case], str | None]
"""The script that reproduces a case; None where there is none."""
LONGEST = 2000
"""Characters of a text that are shown."""


def answers(studies: Sequence[Study]) -> dict[str, list[Answer]]:
    """The cases of some studies of one text, by their keys; each with the answers of the models that have it."""
    found: dict[str, list[Answer]] = {}
    for study in studies:
        for key, (row, case) in study.keyed().items():
            found.setdefault(key, []).append((study, row, case))
    return found


def scripts_of(*models: Classifier) -> Script:
    """The scripts of cases under some models."""
    by_id = {model.id: model for model in models}
    return lambda study, row, case: scripts.case_script(by_id[study.model], study, row, case)


def section(
    studies: Sequence[Study],
    draw: Callable[[str], None],
    script: Script,
    *,
    charts: Sequence[str],
    opens: str,
    table: str = "",
    texts: Callable[[Case], str] | None = None,
) -> str:
    """The strip, and below it the case that is opened: by a click on its dot or its row of a table, by name, or by a link.

    It belongs in a fragment that ends with `state.address`: opening a case runs nothing else.

    Args:
        studies: of one text, under several models or under one.
        draw: draws the strip with a ring around the case of a key, if there is such a case.
        charts: keys of the charts that it draws.
        opens: the value that holds the key of the opened case.
        table: key of the component below, whose rows open a case too.
        texts: draws how a case cuts the sentence as HTML, where it varies that; otherwise the two texts stand side by side.

    Returns:
        The key of the case that is opened; nothing where none is.
    """
    for chart in charts:
        _pointed(chart, opens)
    if table:
        _picked(table, opens)
    found = answers(studies)
    # Drawn when the link's case is known, which the choice below takes from it.
    picture = st.container()
    key: str = controls.choice(
        "Open a case", opens, list(found), nothing="none: click a dot, or choose here", width=420,
        words=lambda key: named(key, found[key][0][2]) if key in found else key,
    )  # fmt: skip
    with picture:
        draw(key)
    if key:
        with st.container(border=True):
            at_large(key, found[key], script, opens, texts)
    else:
        sight.follow(opens, key)
    return key


def at_large(
    key: str, found: Sequence[Answer], script: Script, opens: str, texts: Callable[[Case], str] | None = None
) -> None:
    """A case at large: text, tokens, probabilities, what made it, the code, and the way to make it the sentence.

    Args:
        found: the case under each model.
        script: that reproduces it.
        opens: the value that holds its key.
        texts: as for `section`.
    """
    for answer in found:
        _answer(key, answer, len(found) > 1, texts, answer is found[0])
    study, row, case = found[0]
    st.html(
        f"<p class='w-line'><b>What made it.</b> {escape(tables.described(case))} "
        f"<span class='w-small w-faint'>{escape(identified(key, row, case))}</span></p>"
    )
    take_away.code(partial(_code, found, script), "this case", name=opens)
    if case.text != study.reference.text:
        closed: dict[str, Any] = {opens: state.NOTHING}
        help = "Every page then starts from this text"
        state.button("Make it my sentence", f"make {opens} mine", help, sentence=case.text, **closed)
    sight.follow(opens, key)


def _answer(key: str, answer: Answer, several: bool, texts: Callable[[Case], str] | None, first: bool) -> None:
    """What one model makes of a case, named where there are several; the texts stand once, over the first."""
    study, row, case = answer
    model = f"<b>{escape(study.model)}</b> " if several else ""
    said = tables.explanation(case, study)
    st.html(f"<p class='w-line'>{model}{markup.badge_html(row.fate(case))} {escape(said)}</p>")
    if texts is not None:
        st.html(texts(case))
    compared(study.reference, case, named(key, case), with_text=texts is None and first)


def named(key: str, case: Case) -> str:
    """The name of a case among cases of all kinds: that of a draw, a pass or a seed alone does not say of what."""
    return case.called(key) if case.variant or key != case.name else capital(case.made.said)


def identified(key: str, row: Row, case: Case) -> str:
    """The identifiers of a case in small print: its factor, its key in links, and the seed that it was drawn with."""
    seed = None if case.variant is None else case.variant.seed
    return " · ".join([row.made_by(case), key, *([] if seed is None else [f"seed {seed}"])])


def _code(found: Sequence[Answer], script: Script) -> Mapping[str, str]:
    made = {study.model: script(study, row, case) for study, row, case in found}
    return {model: one for model, one in made.items() if one}


def compared(reference: Reference, case: Case, title: str, limit: int = 400, *, with_text: bool = True) -> None:
    """Text, tokens and probabilities: the sentence's left, the case's right, with what it changes marked.

    Args:
        title: over the case.
        limit: tokens that are shown.
        with_text: whether the texts are shown too.
    """
    changed = tables.changed_positions(reference.encoding, case.encoding)
    edited = markup.changed_html(case.text, reference.text, LONGEST, case.variant)
    largest = np.maximum(reference.probabilities, case.probabilities)
    shown: tuple[tuple[str, str, Reference | Case], ...] = (
        ("Your sentence", visible_html(reference.text), reference),
        (capital(title), edited, case),
    )
    for column, (said, text, one), marked in zip(st.columns(2), shown, changed, strict=True):
        column.html(
            f"<p class='w-line'><b>{escape(said)}</b>: {escape(one.label)}</p>"
            f"{f'<p class=w-text>{text}</p>' if with_text else ''}"
            f"{markup.tokens_html(one.encoding, marked, limit)}<div style='height:.6rem'></div>"
            f"{markup.bars_html(reference.labels, one.probabilities, reference.head, top=8, by=largest)}"
        )


def _pointed(chart: str, name: str) -> None:
    """Before a value's widget: what was clicked on a chart is the value, once for each click.

    Args:
        chart: key of a Plotly chart whose points hold the value first in their custom data.
        name: the value.
    """
    seen = f"clicked {chart}"
    shown = st.session_state.get(chart)
    points = [] if shown is None else shown.selection.points
    clicked = points[0]["customdata"][0] if points else state.NOTHING
    if clicked != state.unlinked(seen, state.NOTHING):
        state.store().change(**{seen: clicked} | ({name: clicked} if clicked else {}))


def _picked(component: str, name: str) -> None:
    """Before a value's widget: what was picked in a component is the value, once for each click.

    Args:
        component: key of a component that says `{"key": value, "number": of the click}` as `chosen`.
        name: the value.
    """
    seen = f"picked {component}"
    chosen = (st.session_state.get(component) or {}).get("chosen")
    if chosen and chosen["number"] != state.unlinked(seen, None):
        state.store().change(**{seen: chosen["number"], name: chosen["key"]})
