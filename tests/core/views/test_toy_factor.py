"""A factor that is registered in a test, and named nowhere else, appears in every view."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import pytest

from core import figure
from core.base.errors import WobbleError
from core.factors.ask import Ask
from core.factors.case import Case, Trial
from core.factors.registry import Range, factor, unregister
from core.models.catalog import load
from core.studies.study import Study, profile, study
from core.studies.verdict import summary
from core.views import tables
from core.views.documents import profile_document, study_document
from core.views.html import study_html
from core.views.replay import read_record, replay
from core.views.report import report
from core.views.scripts import scripts_of
from tests.scripts import rows_of

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

    @factor("echo", one="echo", many="echoes")
    def echo(ask: Ask) -> Iterator[Case]:
        made = [Trial(f"echo {times}", f"said {times} times", {"times": times}) for times in (2, 3)]
        encodings = ask.encode([" ".join([ask.text] * one.values["times"]) for one in made])
        yield from ask.measured(made, ask.predict(encodings), encodings=encodings)

    yield
    unregister("jelly")
    unregister("echo")


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


def test_what_it_lets_the_model_read_has_a_script(found: Study) -> None:
    made = scripts_of(load(), found)
    # A jelly's numbers come from nowhere but itself.
    assert "jelly" not in made
    printed = {row["name"]: row for row in rows_of(made["echo"])}
    assert set(printed) == {"your sentence", "echo 2", "echo 3"}
    for case in found["echo"].cases:
        assert printed[case.name]["ids"] == list(case.encoding.ids)
        np.testing.assert_allclose(printed[case.name]["probabilities"], case.probabilities, atol=1e-5)
        assert printed[case.name]["shift"] == pytest.approx(case.shift, abs=1e-5)


def test_its_record_replays_in_a_profile_and_in_a_study_of_some_factors(found: Study, tmp_path: Path) -> None:
    file = tmp_path / "record.json"
    some = study(load(), TEXT, ["jelly", "echo"], {"jelly": {"times": 2}}, temperature=2.0)
    for document in (profile_document(found), study_document(some)):
        file.write_text(json.dumps(document), encoding="utf-8")
        again = replay(read_record(file))
        assert again.equal and again.numbers > 20, again.differences
    record = read_record(file)
    record["factors"][0]["cases"][1]["shift"] += 0.5
    assert [one.where for one in replay(record).differences] == ["factors.jelly.cases.1.shift"]
    del record["noise_floor"]
    file.write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(WobbleError, match="'noise_floor' is missing"):
        read_record(file)
