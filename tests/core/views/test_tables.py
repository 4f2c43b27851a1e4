"""What tables say is what the study found."""

from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.base.statistics import wilson
from core.factors.case import Row, measured
from core.factors.dropout import one_pass
from core.factors.registry import factors
from core.models.catalog import load
from core.models.heads import SOFTMAX
from core.studies.study import EDITS, Study, arranged, compare, in_one_row, study
from core.text.perturb import custom, variants
from core.views import documents, tables, terminal
from core.views.html import study_html
from core.views.tables import tempered_frame
from tests.architectures import loaded, save

TEXT = "Few films this year have been as resolute in their emotional nakedness."


@pytest.fixture(scope="module")
def compared() -> Study:
    return compare(load(), TEXT, [*variants(TEXT), custom(TEXT, "Few films, \u00bd as good.")])


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Edits of a text that is longer than the model reads."""
    model = loaded(save("bert", tmp_path_factory.mktemp("small")))
    text = "a fine film, " * 100 + "and a dull end ."
    return compare(model, text, variants(text))


def test_the_frame_has_a_row_a_case_and_adds_up(compared: Study) -> None:
    frame = tables.cases_frame(compared)
    assert len(frame) == len(compared.cases) == frame["variant"].nunique()
    assert frame[["p(negative)", "p(positive)"]].sum(axis=1).to_numpy() == pytest.approx(1)
    assert frame["flip"].sum() == (frame["fate"] == "flips").sum() == sum(row.flips for row in compared.rows)
    assert (frame["fate"] == "absorbed").sum() == sum(row.absorbed for row in compared.rows)
    assert set(frame["seed"].dropna()) == {
        case.variant.seed for case in compared.cases if case.variant and case.variant.seed is not None
    }


def test_the_frame_survives_csv_and_parquet(compared: Study, tmp_path: Path) -> None:
    frame = tables.cases_frame(compared, study(load(), TEXT, ["temperature", "seed", "numerics"]))
    text = frame.to_csv(index=False)
    assert pd.read_csv(StringIO(text))["shift"].to_numpy() == pytest.approx(frame["shift"].to_numpy())
    frame.to_parquet(tmp_path / "cases.parquet", index=False)
    assert len(pd.read_parquet(tmp_path / "cases.parquet")) == len(frame)


def test_a_seed_is_a_whole_number_or_nothing_in_csv_and_parquet(compared: Study, tmp_path: Path) -> None:
    frame, seeds = tables.cases_frame(compared), [case.variant.seed for case in compared.cases if case.variant]
    assert None in seeds and any(seeds)
    said = pd.read_csv(StringIO(frame.to_csv(index=False)), dtype=str, keep_default_na=False)["seed"]
    assert list(said) == ["" if seed is None else str(seed) for seed in seeds]
    frame.to_parquet(tmp_path / "cases.parquet", index=False)
    kept = pd.read_parquet(tmp_path / "cases.parquet")["seed"]
    assert kept.dtype == "Int64" and [None if pd.isna(seed) else seed for seed in kept] == seeds
    assert tables.cases_frame(compare(load(), TEXT, [])).empty


def test_strip_and_cases_hold_the_same_cases_with_the_same_fates(compared: Study, small: Study) -> None:
    for found in (compared, small):
        strip, cases = tables.strip_frame(found), tables.cases_frame(found)
        assert strip[["row", "variant", "fate", "shift"]].equals(cases[["row", "variant", "fate", "shift"]])
        assert list(strip["variant"]) == list(found.keyed())
        assert strip["row"].nunique() == len(found.rows)
    assert (cases["fate"] == "beyond the limit").sum() == sum(row.beyond for row in small.rows) > 0


def test_every_view_says_a_flip_below_the_noise_floor_only_where_the_floor_does_not_apply(compared: Study) -> None:
    row = replace(next(row for row in compared.rows if row.flips), factor=EDITS)
    deaf = replace(row, noise_floor=1.0)
    numb = replace(deaf, factor=replace(row.factor, floor_applies=False))
    for one, fate in ((row, "flips"), (deaf, "reaches the model"), (numb, "flips")):
        found = arranged(compared, [replace(one, cases=(row.flipping[0],))])
        assert found.flips == (fate == "flips")
        csv = tables.cases_frame(found).iloc[0]
        assert (csv["fate"], csv["flip"]) == (fate, fate == "flips")
        assert tables.side_by_side([found])[0]["answers"][0]["fate"] == fate
        compare_document = documents.comparison_document(found)
        study_document = documents.study_document(found)
        for case in (compare_document["variants"][0], study_document["factors"][0]["cases"][0]):
            assert (case["fate"], case["flip"]) == (fate, fate == "flips")
        for parts in (terminal.comparison(compare_document), terminal.cases(study_document)):
            cells = [cell for part in parts if not isinstance(part, str) for line in part[1] for cell in line]
            assert ("FLIPS" in cells) == (fate == "flips")
        assert f">{fate}<" in study_html(found)


def test_filters_narrow_and_order_by_shift(compared: Study) -> None:
    everything = tables.side_by_side([compared])
    assert {row["key"] for row in everything} == set(compared.keyed())
    casing = tables.side_by_side([compared], factors=["casing"])
    assert {row["factor"] for row in casing} == {"casing"}
    erased = tables.side_by_side([compared], fates=["absorbed"])
    assert len(erased) == compared.absorbed
    assert tables.side_by_side([compared], factors=["casing"], fates=["flips"]) == []
    shifts = [abs(row["order"][1]) for row in everything]
    assert shifts == sorted(shifts, reverse=True)


def test_side_by_side_says_what_was_never_tried(small: Study) -> None:
    beyond = tables.side_by_side([small], fates=["beyond the limit"])
    assert len(beyond) == sum(row.beyond for row in small.rows)
    assert {answer["said"] for row in beyond for answer in row["answers"]} == {
        "not tried: the model does not read so far"
    }
    untried = next(case for case in small.cases if not case.tried)
    assert "not tried" in tables.explanation(untried, small)


def test_keys_mean_the_same_variant_under_every_model(compared: Study) -> None:
    made = [case.variant for case in compared.cases if case.variant]
    other = compare(load("bpe-cased"), TEXT, made)
    mine, theirs = ({key: case.text for key, (_, case) in one.keyed().items()} for one in (compared, other))
    assert mine == theirs
    both = tables.side_by_side([compared, other])
    assert all(len(row["answers"]) == 2 for row in both)


def test_marked_text_is_the_visible_variant(compared: Study) -> None:
    for case in compared.cases:
        assert case.variant is not None
        pieces = tables.marked_text(case.text, compared.reference.text, 10_000, case.variant)
        assert "".join(piece for piece, _ in pieces) == tables.visible(case.text)
        inserted = any(edit.variant[0] < edit.variant[1] for edit in case.variant.edits)
        assert any(edited for _, edited in pieces) == inserted


def test_token_states_hold_every_token_of_the_variant(compared: Study) -> None:
    for case in compared.cases:
        states = tables.token_states(case, compared.reference)
        assert tuple(id for _, id, state in states if state != "removed") == case.encoding.ids
        assert case.absorbed == ({state for _, _, state in states} <= {"same", "special"})


def test_an_explanation_says_the_new_label_only_of_a_flip(compared: Study) -> None:
    for case in compared.cases:
        said = tables.explanation(case, compared)
        assert (f"becomes {case.label}" in said) == bool(case.flip)
        assert ("tokenizer absorbed" in said) == case.absorbed


def test_an_explanation_calls_no_shift_at_the_noise_floor_a_flip(compared: Study) -> None:
    row, flipped = next((row, case) for row in compared.rows for case in row.flipping)

    def under(noise_floor: float) -> Study:
        return arranged(compared, [replace(row, noise_floor=noise_floor)])

    assert "becomes" in tables.explanation(flipped, under(0.99 * flipped.shift))
    said = tables.explanation(flipped, under(flipped.shift))
    assert "becomes" not in said and said.endswith("it counts as none.")


def test_own_edits_are_read_line_by_line() -> None:
    assert tables.own_edits("a\\nb\n\\u00a0c\\\\n\n\na\\nb") == ("a\nb", "\u00a0c\\n")
    assert tables.own_edits("") == ()


def test_every_pass_is_one_dot_that_names_its_tokens(compared: Study) -> None:
    found = study(load(), TEXT, ["dropout"], {"dropout": {"passes": 30, "seed": 1}})
    row = replace(found["dropout"], title="all")
    frame = tables.strip_frame(replace(found, rows=(row,), wanted=("all",)))
    assert frame["variant"].nunique() == len(frame) == 30
    assert "all, pass 30" in set(frame["variant"])
    assert (frame["tokens"].str.startswith("[CLS] few films")).all()
    edited, absent = in_one_row(compared, "formatting"), replace(row, cases=(), title="absent")
    scatter = tables.scatter_frame([row, absent, edited])
    assert list(scatter["row"]) == ["all", "formatting"]
    first = scatter.iloc[0]
    assert (first["flips"], first["dots"]) == (row.flips, 30)
    assert (first["low"], first["high"]) == pytest.approx(wilson(row.flips or 0, 30))
    assert first["mean_shift"] == pytest.approx(row.shifts.mean())
    assert scatter.iloc[1]["dots"] == compared.tried
    said = tables.scatter_finding({}, row, edited)
    assert f"mean shift of {row.shifts.mean():.3f}; edits: {edited.shifts.mean():.3f}" in said


def test_the_finding_names_the_kinds_that_matter_most_and_least(compared: Study) -> None:
    reference, passes = compared.reference, factors(["dropout"])[0]

    def row(difference: float) -> Row:
        logits = reference.logits[None] + np.array([[difference, 0]], np.float32)
        return Row(passes, tuple(measured(reference, [one_pass(1)], logits)), 0.0)

    said = tables.scatter_finding({"attention": row(2), "hidden": row(1), "head": row(0.1)}, row(3), row(0))
    assert said.index("attention") < said.index("most") < said.index("head") < said.index("least")
    assert "hidden" not in said and said.endswith(": 0.000")


def test_the_tempered_frame_holds_every_text_at_both_temperatures(compared: Study) -> None:
    frame = tempered_frame(compared, 3.0)
    assert len(frame) == len(compared.cases) + 1
    logits = np.stack([compared.reference.logits, *(case.logits for case in compared.cases)])
    for at, temperature in (("T = 1", 1.0), ("T", 3.0)):
        columns = [f"p({label}) at {at}" for label in compared.labels]
        np.testing.assert_allclose(frame[columns], SOFTMAX.probabilities(logits, temperature), atol=1e-12)
    assert (frame["label at T"] == frame["label at T = 1"]).all()
    assert (frame["entropy at T"] >= frame["entropy at T = 1"]).all()
    assert frame["margin at T = 1"].iloc[0] == pytest.approx(compared.reference.margin)


def test_a_case_is_called_by_what_was_done_and_never_by_its_identifier(compared: Study) -> None:
    called = {key: case.called(key) for key, (_, case) in compared.keyed().items()}
    assert len(set(called.values())) == len(called)
    assert called["upper"] == "Every letter in capitals"
    assert called["space_inside_word 2"] == "A space inside one word (2)"
    assert not any("_" in words for words in called.values())
    passes = study(load(), TEXT, ["dropout"], {"dropout": {"passes": 2}}).keyed()
    assert [case.called(key) for key, (_, case) in passes.items()] == list(passes)
