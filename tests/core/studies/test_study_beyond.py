"""Beyond the limit: what truncation cuts off is not tried, not counted, and said; edits are placed where the model reads."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from core.models.classifier import Classifier
from core.studies.study import Study, compare, profile
from core.studies.verdict import verdict
from core.text.perturb import custom
from tests.architectures import loaded, save, save_byt5

WORDS = " ".join(f"this is a test, isn't it {i}?" for i in range(60))
SIDES = pytest.mark.parametrize("side", ["right", "left"])


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Classifier]:
    """A classifier that reads 40 tokens, and cuts off a text's end or its beginning."""
    made: dict[str, Classifier] = {}

    def make(side: str) -> Classifier:
        if side not in made:
            directory = save("bert", tmp_path_factory.mktemp(side) / side)
            file = directory / "tokenizer_config.json"
            content = json.loads(file.read_text()) | {"model_max_length": 40, "truncation_side": side}
            file.write_text(json.dumps(content))
            made[side] = loaded(directory)
        return made[side]

    return make


@pytest.fixture(scope="module")
def profiles(cut: Callable[[str], Classifier]) -> dict[str, Study]:
    return {side: profile(cut(side), WORDS, passes=2) for side in ("right", "left")}


@SIDES
def test_the_fate_of_an_edit_is_where_it_lies(side: str, cut: Callable[[str], Classifier]) -> None:
    near, far = (f"zebra {WORDS}", f"{WORDS} zebra") if side == "right" else (f"{WORDS} zebra", f"zebra {WORDS}")
    erased = WORDS.replace("isn't", "ISN'T")
    found = compare(cut(side), WORDS, [custom(WORDS, text) for text in (near, far, erased)])
    fates = {case.text: case.fate for case in found.cases}
    assert fates[near] in ("flips", "reaches the model")
    assert (fates[far], fates[erased]) == ("beyond the limit", "absorbed")
    by = {case.text: case.absorbed_by or "" for case in found.cases}
    assert by[far] == "truncation: the edit lies beyond the limit of 40 tokens"
    assert "lower-case" in by[erased]
    (row,) = found.rows
    assert (row.tried, row.absorbed, row.beyond) == (2, 1, 1)
    assert found.tried == 2 and found.absorbed == 1
    assert len(row.shifts) == 2
    assert [case.fate for case in found.cases][1:] == [case.fate for case in found.cases if case.fate in (
        "absorbed", "beyond the limit")]  # fmt: skip


@SIDES
def test_what_lies_beyond_is_in_no_count_of_a_profile(side: str, profiles: dict[str, Study]) -> None:
    found = profiles[side]
    beyond = [case for case in found.cases if not case.tried]
    assert beyond, "a test of nothing"
    assert sum(row.beyond for row in found.rows) == len(beyond)
    for row in found.rows:
        assert row.tried == sum(case.tried for case in row.cases)
        assert row.absorbed == sum(case.fate == "absorbed" for case in row.cases)
        assert not any(case in row.moving or case in row.flipping for case in beyond)
        if row.flip_rate is not None and row.flips:
            assert row.flip_rate == row.flips / row.tried
    edits = [case for row in found.rows if row.factor.edits for case in row.cases]
    read = found.reference.encoding.read
    assert read is not None
    for case in beyond:
        assert case in edits and case.variant is not None
        # Nothing that the model reads was touched (an edit of the whole text is read where it is not erased).
        assert "truncation" in (case.absorbed_by or "")


@SIDES
def test_edits_that_are_drawn_are_placed_where_the_model_reads(side: str, profiles: dict[str, Study]) -> None:
    found = profiles[side]
    begin, end = found.reference.encoding.read or (0, 0)
    assert (begin == 0) == (side == "right") and (end == len(WORDS)) == (side == "left")
    drawn = [case.variant for case in found.cases if case.variant and case.variant.seed is not None]
    assert len(drawn) > 5
    for variant in drawn:
        for edit in variant.edits:
            assert begin <= edit.original[0] <= edit.original[1] <= end, variant.perturbation


@SIDES
def test_the_verdict_says_how_much_was_judged(side: str, profiles: dict[str, Study]) -> None:
    found = profiles[side]
    said = verdict(found)
    encoding = found.reference.encoding
    assert said.text.endswith(f"Only 40 of {encoding.full_length:,} tokens were judged: the model reads no more.")
    count = sum(row.beyond for row in found.rows)
    assert said.clauses[-1].evidence == f"{count} edits beyond the limit not tried"


def test_a_text_that_is_read_as_a_whole_has_nothing_beyond(cut: Callable[[str], Classifier]) -> None:
    found = profile(cut("right"), "This is a test, isn't it?", passes=2)
    assert sum(row.beyond for row in found.rows) == 0
    assert "judged" not in verdict(found).text


def test_a_tokenizer_written_in_python_knows_what_lies_beyond_too(tmp_path: Path) -> None:
    copy = save_byt5(tmp_path / "byt5")
    classifier = loaded(copy)
    found = compare(classifier, WORDS, [custom(WORDS, f"{WORDS}!"), custom(WORDS, f"!{WORDS}")])
    assert {case.text[-1]: case.fate == "beyond the limit" for case in found.cases} == {"!": True, "?": False}
    assert "truncation" in next(case.absorbed_by or "" for case in found.cases if not case.tried)
