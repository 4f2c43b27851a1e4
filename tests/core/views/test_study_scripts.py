"""The scripts of a study: one for each kind of row, and together they print its numbers."""

from pathlib import Path

import numpy as np

from core.models.catalog import load
from core.studies.study import profile, study
from core.views.scripts import case_script, scripts_of
from tests.architectures import loaded, save
from tests.scripts import rows_of

TEXT = "It's a modest, messy thriller's thriller."


def test_every_kind_of_row_has_its_script_and_the_edits_have_one_together() -> None:
    classifier = load()
    found = profile(classifier, TEXT, passes=3)
    made = scripts_of(classifier, found)
    warm = scripts_of(classifier, study(classifier, TEXT, ["temperature"], temperature=2.0))
    assert "for temperature in (2.0, 0.25, 0.5, 4.0):" in warm["temperature"]
    assert list(made) == ["edits", "segmentation", "dropout", "temperature", "seed", "numerics"]
    printed = {row["factor"]: row for row in rows_of(made["edits"])}
    for row in found.rows:
        if row.factor.edits and row.cases:
            ours = (row.tried, row.absorbed, row.flips)
            assert tuple(printed[row.name][name] for name in ("tried", "absorbed", "flips")) == ours
    passes = [one["probabilities"] for one in rows_of(made["dropout"]) if "probabilities" in one]
    np.testing.assert_allclose(passes, found["dropout"].probabilities, atol=1e-5)
    # Its lines stand in another order than the draws.
    drawn = {tuple(one["tokens"]): one["probabilities"] for one in rows_of(made["segmentation"])}
    ours = [drawn[case.encoding.tokens] for case in found["segmentation"].cases]
    np.testing.assert_allclose(ours, found["segmentation"].probabilities, atol=1e-5)


def test_what_has_no_case_has_no_script(tmp_path: Path) -> None:
    bert = loaded(save("modernbert", tmp_path / "none"))
    assert "dropout" not in scripts_of(bert, profile(bert, "a test", passes=3))
    assert scripts_of(bert, study(bert, "a test", ["seed"])) == {}


def test_the_script_of_one_case_prints_its_numbers() -> None:
    classifier = load()
    found = profile(classifier, TEXT, passes=3, temperature=2.0)
    for name in ("punctuation", "segmentation", "dropout", "temperature", "seed", "numerics"):
        row = found[name]
        case = row.cases[-1]
        rows = rows_of(case_script(classifier, found, row, case) or "")
        assert len(rows) <= 2
        np.testing.assert_allclose(rows[-1]["probabilities"], case.probabilities, atol=2e-5, err_msg=name)
