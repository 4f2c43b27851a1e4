"""What tables say is what the comparison found."""

import pandas as pd
import pytest

from core import tables
from core.catalog import load
from core.compare import Comparison, compare
from core.perturb import custom, variants

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
