"""The scripts of the Seeds and Train pages run without Wobble and print the numbers that Wobble shows."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.families.stacked import load_family, predict_family
from core.training import runs
from core.training.recipe import plan
from core.views.scripts import article_script, seeds_script, training_script
from tests.architectures import save
from tests.scripts import output_of, rows_of
from tests.trainings import recipe, recorded, trained

TEXT = "Even in this less than magic kingdom, Reese rules."


def test_the_seeds_script_prints_every_seed() -> None:
    family = load_family()
    rows = rows_of(seeds_script(family, TEXT, temperature=1.5))
    assert [row["seed"] for row in rows] == list(family.names)
    ours = family.first.head.probabilities(predict_family(family, [TEXT]).logits[:, 0], 1.5)
    np.testing.assert_allclose([row["probabilities"] for row in rows], ours, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["lora", "full"])
def test_the_training_script_trains_the_same_models(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WOBBLE_MODEL_DIRS", str(tmp_path / "models"))
    monkeypatch.setenv("WOBBLE_RUNS_DIR", str(tmp_path / "runs"))
    save("bert", tmp_path / "models" / "base")
    some = recipe(members=plan((1, 2), "order"), epochs=2, method=method)
    run = recorded(some)
    for number in range(2):
        trained(some, number)
    run = runs.run_at(run.folder)
    rows = rows_of(training_script(run))
    for row, ours in zip(rows, runs.results(run), strict=True):
        assert row["seed"] == ours["name"]
        assert row["accuracy"] == pytest.approx(ours["accuracy"], abs=1e-9)
        assert row["loss"] == pytest.approx(ours["loss"], abs=1e-5)
    assert rows[0]["loss"] != rows[1]["loss"]
    # The script that prints each seed's probabilities knows trained families too.
    family = load_family(run.id)
    ours = family.first.head.probabilities(predict_family(family, [TEXT]).logits[:, 0])
    np.testing.assert_allclose([row["probabilities"] for row in rows_of(seeds_script(family, TEXT))], ours, atol=1e-5)


@pytest.mark.slow
def test_the_articles_script_runs_with_todays_transformers(tmp_path: Path) -> None:
    """On a small model and a small data set of the same columns, since the hub may be out of reach."""
    save("bert", tmp_path / "tiny")
    (tmp_path / "sst2").mkdir()
    for split, rows in (("train", 60), ("validation", 30)):
        frame = pd.DataFrame(
            {"sentence": [f"A film number {i}." for i in range(rows)], "label": [i % 2 for i in range(rows)]}
        )
        frame.to_parquet(tmp_path / "sst2" / f"{split}.parquet")
    script = article_script()
    for theirs, ours in (
        ('"google-bert/bert-base-uncased"', repr(str(tmp_path / "tiny"))),
        ('load_dataset("nyu-mll/glue", "sst2")', f"load_dataset({str(tmp_path / 'sst2')!r})"),
        ("runs/article", str(tmp_path / "article")),
    ):
        assert theirs in script
        script = script.replace(theirs, ours)
    printed = output_of(script, tmp_path)
    assert "accuracy [" in printed and "the two disagree on" in printed
