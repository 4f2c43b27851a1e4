"""The strip is a pure function of a study: a dot per case, and no text becomes markup."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest

from core import figure
from core.factors.formatting import CUSTOM
from core.models.catalog import load
from core.studies.study import Study, arranged, compare, studies, study
from core.text.perturb import custom, variants
from core.views import style
from core.views.strip import counted, legend_html
from tests.architectures import loaded, save

TEXT = "This is a test . "


@pytest.fixture(scope="module")
def compared() -> Study:
    return compare(load(), TEXT, [*variants(TEXT), custom(TEXT, "<b>bold</b> $x$")])


def dots(drawn: go.Figure) -> dict[str, go.Scatter]:
    return {trace.name: trace for trace in drawn.data}


def counts(drawn: go.Figure) -> list[str]:
    """What stands at the end of each row."""
    return [annotation.text for annotation in drawn.layout.annotations if annotation.x == 1.01]


def test_every_case_is_one_dot_and_flips_lie_across_the_line(compared: Study) -> None:
    found = dots(figure(compared))
    assert sum(len(trace.x) for trace in found.values()) == len(compared.cases)
    assert len(found["flips the label"].x) == sum(row.flips for row in compared.rows) > 0
    assert (np.asarray(found["flips the label"].x) <= 0).all()
    assert (np.asarray(found["reaches the model"].x) >= 0).all()
    assert set(found["absorbed by the tokenizer"].x) == {compared.reference.margin}


def test_dots_of_a_row_keep_apart(compared: Study) -> None:
    for trace in figure(compared).data:
        points = list(zip(np.round(trace.x, 6), np.round(trace.y, 6), strict=True))
        assert len(points) == len(set(points))


def test_no_text_becomes_markup(compared: Study) -> None:
    row = replace(compared.rows[0], title="<img src=x> $x$")
    hostile = arranged(compared, [row, *compared.rows[1:]])
    drawn = figure(hostile, title="<script>alert(1)</script> $x$")
    for trace in drawn.data:
        assert "customdata[0]" not in trace.hovertemplate
        trace.customdata = [said[1:] for said in trace.customdata]  # the key that a click hands back is not shown
    shown = drawn.to_json()
    for raw in ("<script", "\\u003cscript", "$x$", "bold</b>", "bold\\u003c", "<img", "\\u003cimg"):
        assert raw not in shown


def test_a_label_with_markup_stays_a_label(tmp_path: Path) -> None:
    hostile = loaded(save("bert", tmp_path / "hostile", labels=["<i>a</i>", "$b$"]))
    drawn = figure(compare(hostile, TEXT, variants(TEXT))).to_json()
    for raw in ("<i>", "\\u003ci\\u003e", "$b$"):
        assert raw not in drawn


def test_an_empty_study_still_draws() -> None:
    assert figure(compare(load(), "?", [])).data == ()


def test_rows_stand_as_wanted_and_say_their_counts(compared: Study) -> None:
    drawn = figure(compared)
    height = dict(zip(drawn.layout.yaxis.ticktext, drawn.layout.yaxis.tickvals, strict=True))
    assert sorted(height, key=lambda name: -height[name]) == [f"<b>{name}</b>" for name in compared.wanted]
    for row, said in zip(compared.shown, counts(drawn), strict=True):
        assert said.startswith(f"<b>{row.flips}</b> of {row.tried} flip")
        assert (f"{row.absorbed} absorbed" in said) == (row.absorbed > 0)


def test_only_what_is_above_the_noise_floor_is_drawn_as_a_flip(compared: Study) -> None:
    deaf = arranged(compared, [replace(row, noise_floor=1.0) for row in compared.rows])
    assert compared.flips > 0 == deaf.flips
    assert "flips the label" not in dots(figure(deaf))


def test_what_lies_beyond_the_limit_is_hollow_and_counted_beside_its_row(tmp_path: Path) -> None:
    small = loaded(save("bert", tmp_path / "small"))
    text = "a fine film, " * 100 + "and a dull end ."
    found = compare(small, text, variants(text))
    beyond = sum(row.beyond for row in found.rows)
    drawn = figure(found)
    trace = dots(drawn)["beyond the limit, not tried"]
    assert len(trace.x) == beyond > 0
    assert trace.marker.symbol == "circle-open"
    for row, said in zip(found.shown, counts(drawn), strict=True):
        assert (f"{row.beyond} beyond the limit" in said) == (row.beyond > 0)
        assert f"of {row.tried} flip" in said


def test_a_value_has_no_line_to_cross_and_its_rows_name_their_unit(tmp_path: Path) -> None:
    value = loaded(save("bert", tmp_path / "value", labels=["score"], problem_type="regression"))
    drawn = figure(study(value, TEXT, ["whitespace", "numerics"]))
    assert "the label changes here" not in drawn.to_json()
    assert any("conditions" in said for said in counts(drawn)) and not any("flip" in said for said in counts(drawn))


def test_of_several_models_each_has_a_row_and_its_own_reference_in_every_factor() -> None:
    models = [load(), load("bpe-cased"), load("unigram-cased")]
    first, *others = [study(model, TEXT, ["whitespace", "casing"]) for model in models]
    drawn = figure(first, beside=others)
    assert sum(len(trace.x) for trace in drawn.data) == sum(len(one.cases) for one in (first, *others))
    ids = [model.id for model in models]
    names, heights = list(drawn.layout.yaxis.ticktext), list(drawn.layout.yaxis.tickvals)
    assert names == [f"<b>whitespace</b><br>{ids[0]}", *ids[1:], f"<b>casing</b><br>{ids[0]}", *ids[1:]]
    ticks = [shape for shape in drawn.layout.shapes if shape.type == "line" and shape.yref == "y"]
    assert [shape.x0 for shape in ticks] == [one.reference.value for one in (first, *others)] * 2
    assert all(shape.y0 < height < shape.y1 for shape, height in zip(ticks, heights, strict=True))
    assert all(
        f"{one.flips or 'none'} of {one.tried} under {one.model}" in " ".join(drawn.layout.title.text.split("<br>"))
        for one in (first, *others)
    )


@pytest.mark.parametrize("margin", [0.02, 0.673, 0.999])
def test_the_words_over_the_strip_never_meet(compared: Study, margin: float) -> None:
    logits = np.array([0.0, np.log((1 - margin) / (1 + margin))])
    near = replace(compared, reference=replace(compared.reference, logits=logits), rows=())
    changes, own = figure(near).layout.annotations[:2]
    assert own.text == f"your sentence {margin:+.3f}"
    assert (changes.x, changes.xanchor, own.xanchor) == (0, "right", "left")
    assert own.x == pytest.approx(margin)


def test_the_legend_names_what_occurs_and_nothing_else(compared: Study) -> None:
    said = legend_html(compared)
    assert "flips the label" in said and "absorbed by the tokenizer" in said and "your sentence" in said
    assert "beyond the limit" not in said and "under each model" not in said
    assert all(label in said for label in compared.labels)
    still = legend_html(arranged(compared, [replace(row, noise_floor=1.0) for row in compared.rows]))
    assert "flips the label" not in still
    assert "under each model" in legend_html(compared, compared)


def test_no_label_in_a_legend_becomes_markup(tmp_path: Path) -> None:
    hostile = loaded(save("bert", tmp_path / "hostile", labels=["<i>a</i>", "$b$"]))
    assert "<i>" not in legend_html(compare(hostile, TEXT, variants(TEXT)))


def test_a_profile_that_still_grows_draws_what_is_ready() -> None:
    begun = next(studies(load(), TEXT))
    assert sum(len(trace.x) for trace in figure(begun).data) == len(begun.cases)


def test_the_row_of_own_edits_has_the_name_of_their_factor(compared: Study) -> None:
    assert f"<b>{CUSTOM.name}</b>" in figure(compared).layout.yaxis.ticktext


def test_labels_keep_their_colour_whatever_stands_beside_them() -> None:
    two, three = style.label_colors(["negative", "positive"]), style.label_colors(["Positive", "other", "negative"])
    assert two["positive"] == three["Positive"]
    assert two["negative"] == three["negative"]
    assert len(set(three.values())) == 3


def test_long_text_is_cut() -> None:
    assert len(style.plain("x" * 1000)) == 90


def test_a_row_of_what_cannot_flip_has_a_dash_and_not_none_of_four() -> None:
    found = study(load(), "A good film.", ["casing", "temperature"])
    edits, temperatures = found.shown
    assert counted(edits)[0] == f"{edits.flips} of {edits.tried} flip"
    assert counted(temperatures) == ["–"]


def test_the_case_that_is_opened_has_a_ring_around_its_dot(compared: Study) -> None:
    key, (_, case) = next(iter(compared.keyed().items()))
    plain, ringed = dots(figure(compared)), dots(figure(compared, marked=key))
    assert "opened" not in plain and "opened" not in dots(figure(compared, marked="no such case"))
    ring = ringed["opened"]
    (at,) = [
        (x, y)
        for trace in plain.values()
        for x, y, said in zip(trace.x, trace.y, trace.customdata, strict=True)
        if said[0] == key
    ]
    assert (ring.x[0], ring.y[0]) == at and ring.x[0] == pytest.approx(case.value)
    assert ring.hoverinfo == "skip"
