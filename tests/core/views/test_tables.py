"""What tables say is what the comparison found."""

import numpy as np
import pandas as pd
import pytest

from core.factors.dropout import Dropout, run_passes, spread
from core.factors.temperature import probabilities
from core.models.catalog import load
from core.models.heads import wilson
from core.studies.compare import Comparison, compare
from core.text.perturb import custom, variants
from core.views import tables

TEXT = "Few films this year have been as resolute in their emotional nakedness."


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return compare(load(), TEXT, [*variants(TEXT), custom(TEXT, "Few films, \u00bd as good.")])


def test_the_frame_has_a_row_a_variant_and_adds_up(comparison: Comparison) -> None:
    frame = tables.variants_frame(comparison)
    assert len(frame) == len(comparison.rows) == frame["variant"].nunique()
    assert frame[["p(negative)", "p(positive)"]].sum(axis=1).to_numpy() == pytest.approx(1)
    assert frame["flip"].sum() == comparison.flips
    assert (frame["fate"] == "absorbed").sum() == comparison.absorbed


def test_the_frame_survives_csv_and_parquet(comparison: Comparison, tmp_path: object) -> None:
    frame = tables.variants_frame(comparison)
    text = frame.to_csv(index=False)
    assert pd.read_csv(__import__("io").StringIO(text))["shift"].to_numpy() == pytest.approx(frame["shift"].to_numpy())


def test_filters_narrow_and_order_by_shift(comparison: Comparison) -> None:
    everything = tables.side_by_side([comparison])
    assert {row["key"] for row in everything} == set(tables.keys(comparison))
    casing = tables.side_by_side([comparison], factors=["casing"])
    assert {row["factor"] for row in casing} == {"casing"}
    erased = tables.side_by_side([comparison], fates=["absorbed"])
    assert len(erased) == comparison.absorbed
    assert tables.side_by_side([comparison], factors=["casing"], fates=["flips"]) == []


def test_keys_mean_the_same_variant_under_every_model(comparison: Comparison) -> None:
    made = [row.variant for row in comparison.rows]
    other = compare(load("bpe-cased"), TEXT, made)
    mine, theirs = tables.keys(comparison), tables.keys(other)
    assert {key: row.variant.text for key, row in mine.items()} == {
        key: row.variant.text for key, row in theirs.items()
    }


def test_marked_text_is_the_visible_variant(comparison: Comparison) -> None:
    for row in comparison.rows:
        pieces = tables.marked_text(row, 10_000)
        assert "".join(piece for piece, _ in pieces) == tables.visible(row.variant.text)
        inserted = any(edit.variant[0] < edit.variant[1] for edit in row.variant.edits)
        assert any(edited for _, edited in pieces) == inserted


def test_token_states_hold_every_token_of_the_variant(comparison: Comparison) -> None:
    for row in comparison.rows:
        states = tables.token_states(row, comparison.reference.encoding)
        assert tuple(id for _, id, state in states if state != "removed") == row.encoding.ids
        assert row.absorbed == ({state for _, _, state in states} <= {"same", "special"})


def test_own_edits_are_read_line_by_line() -> None:
    assert tables.own_edits("a\\nb\n\\u00a0c\\\\n\n\na\\nb") == ("a\nb", "\u00a0c\\n")
    assert tables.own_edits("") == ()


def test_every_pass_is_one_dot_that_names_its_tokens(comparison: Comparison) -> None:
    classifier = load()
    passes = run_passes(classifier, [TEXT], 30, Dropout(seed=1))
    found = spread(classifier, passes.logits[:, 0], passes.reference[0])
    frame = tables.passes_strip_frame("all", TEXT, passes.encodings[0], found, classifier.labels)
    assert frame["variant"].nunique() == len(frame) == 30
    assert (frame["tokens"].str.startswith("[CLS] few films")).all()
    formatting = tables.strip_frame(comparison).assign(row="formatting")
    scatter = tables.scatter_frame(pd.concat([frame, formatting]), ["all", "absent", "formatting"])
    assert list(scatter["row"]) == ["all", "formatting"]
    first = scatter.iloc[0]
    assert found.flips is not None
    assert (first["flips"], first["dots"]) == (found.flips.sum(), 30)
    assert (first["low"], first["high"]) == pytest.approx(wilson(int(found.flips.sum()), 30))
    assert first["mean_shift"] == pytest.approx(found.shifts.mean())
    assert "formatting edits" in tables.scatter_finding(scatter, "formatting")


def test_the_finding_names_the_kinds_that_matter_most_and_least() -> None:
    scatter = pd.DataFrame(
        {"row": ["all that are on", "only attention", "only head", "edits"], "mean_shift": [0.3, 0.2, 0.01, 0.1]}
    )
    said = tables.scatter_finding(scatter, "edits")
    assert said.index("attention") < said.index("most") < said.index("head") < said.index("least")
    assert said.endswith("formatting edits: 0.100")


def test_the_tempered_frame_holds_every_text_at_both_temperatures(comparison: Comparison) -> None:
    frame = tables.tempered_frame(comparison, 3.0)
    assert len(frame) == len(comparison.rows) + 1
    named = tables.keys(comparison)
    logits = np.stack([comparison.reference.logits, *(row.logits for row in named.values())])
    for at, temperature in (("T = 1", 1.0), ("T", 3.0)):
        columns = [f"p({label}) at {at}" for label in comparison.labels]
        np.testing.assert_allclose(frame[columns], probabilities(logits, "softmax", temperature), atol=1e-12)
    assert (frame["label at T"] == frame["label at T = 1"]).all()
    assert (frame["entropy at T"] >= frame["entropy at T = 1"]).all()
