"""A factor that is registered in a test, and named nowhere else, stands in every view."""

from collections.abc import Iterator
from typing import Annotated

import numpy as np
import pytest

from core import figure
from core.factors.ask import Ask
from core.factors.case import Case, Trial
from core.factors.registry import Range, factor, unregister
from core.models.catalog import load
from core.studies.study import Study, profile, study
from core.studies.verdict import summary
from core.views import tables
from core.views.html import study_html
from core.views.report import report

TEXT = "A fine film."


def nudge(by: float) -> Trial:
    """What makes a case: the reference's logits, moved."""
    return Trial(f"nudge {by:g}", f"nudged by {by:g}", {"by": by})


@pytest.fixture(scope="module", autouse=True)
def toy() -> Iterator[None]:
    @factor("jelly", one="wobbly nudge", many="wobbly nudges")
    def jelly(ask: Ask, *, times: Annotated[int, Range("how often", 1, 9)] = 3) -> Iterator[Case]:
        ask.notes.append("Jelly is simulated.")
        ask.facts["flavour"] = "lemon"
        made = [nudge(2.0 * number) for number in range(1, times + 1)]
        towards = np.where(ask.reference.logits == ask.reference.logits.max(), -1, 1)
        yield from ask.measured(made, np.stack([ask.reference.logits + one.values["by"] * towards for one in made]))

    yield
    unregister("jelly")


@pytest.fixture(scope="module")
def found() -> Study:
    return profile(load(), TEXT, passes=3)


def test_it_stands_on_the_strip(found: Study) -> None:
    frame = tables.strip_frame(found)
    assert list(frame.loc[frame["row"] == "jelly", "variant"]) == ["nudge 6", "nudge 4", "nudge 2"]
    drawn = figure(found)
    assert "<b>jelly</b>" in drawn.layout.yaxis.ticktext
    assert sum(row[0].startswith("nudge") for trace in drawn.data for row in trace.customdata) == 3


def test_it_stands_in_the_tables(found: Study) -> None:
    frame = tables.cases_frame(found)
    assert list(frame.loc[frame["factor"] == "jelly", "name"]) == ["nudge 6", "nudge 4", "nudge 2"]
    entries = tables.side_by_side([found], factors=["jelly"])
    assert [entry["description"] for entry in entries] == ["Nudged by 6", "Nudged by 4", "Nudged by 2"]


def test_it_stands_in_a_notebook(found: Study) -> None:
    html = study_html(found)
    assert "<b>jelly</b>" in html and "nudged by 6" in html
    alone = study(load(), TEXT, ["jelly"], {"jelly": {"times": 1}})
    assert "of 1 wobbly nudge " in summary(alone) and summary(alone) in study_html(alone).replace("&quot;", '"')


def test_it_stands_in_the_report(found: Study) -> None:
    html = report(load(), found)
    assert "<section class='card' id='jelly'><h3>jelly</h3>" in html
    for said in ("nudged by 6", "Jelly is simulated.", "wobbly nudge", "times 3; flavour lemon"):
        assert said in html
