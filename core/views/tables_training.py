"""Labelled texts, trainings and the seeds of a family as frames: plain values, ready for a figure or a download."""

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from core.base.statistics import Estimate
from core.data.labelled import Labelled
from core.families.agreement import HumanBin, Influence, OnData
from core.families.interpolation import Interpolation
from core.families.stacked import Family
from core.models.classifier import Classifier
from core.models.heads import Probabilities
from core.studies.calibration import fit_and_test
from core.training.recipe import PARTS
from core.views.documents import unique


def texts_frame(family: Family, data: Labelled) -> pd.DataFrame:
    """One row per labelled text, with the name of its label as the family has it."""
    names = unique(family.first.labels)
    return pd.DataFrame({"text": data.texts, "label": [names[i] for i in data.numbered_as(family.first.labels)]})


def on_data_frame(family: Family, found: OnData) -> pd.DataFrame:
    """One row per text, for a download: its label, what each member predicts and how sure it is."""
    names = unique(family.first.labels)
    columns: dict[str, Any] = {
        "text": found.texts,
        "label": [names[i] for i in found.labels],
        "split": found.split,
    }
    if found.rating_std is not None:
        columns["rating_std"] = found.rating_std
    for name, p in zip(family.names, found.probabilities, strict=True):
        columns[f"label({name})"] = [names[i] for i in p.argmax(axis=-1)]
        columns[f"p({name})"] = p.max(axis=-1)
    return pd.DataFrame(columns)


def interpolation_frame(found: Interpolation, sentence: Probabilities, labels: tuple[str, ...]) -> pd.DataFrame:
    """One row per point of the interpolation, for a download.

    Args:
        sentence: `[points, n_labels]`.
    """
    return pd.DataFrame(
        {
            "share": found.shares,
            "loss": found.loss,
            "accuracy": found.accuracy,
            **{f"p({name})": sentence[:, i] for i, name in enumerate(unique(labels))},
        }
    )


def accuracies_frame(family: Family, found: OnData) -> pd.DataFrame:
    """One row per member, for `charts_training.level_bars`: `seed`, `accuracy`, and Wilson's interval of it as `low` and `high`."""
    low, high = zip(*found.accuracy_intervals, strict=True)
    return pd.DataFrame({"seed": family.names, "accuracy": found.accuracy, "low": low, "high": high})


def people_frame(bins: Sequence[HumanBin]) -> pd.DataFrame:
    """Texts by how much people disagree on them, for `charts_training.share_bars`: how often two members do."""
    return _shares((f"{one.low:.2f} to {one.high:.2f}", one.disagreement, f"{one.texts} texts") for one in bins)


def influences_frame(found: Sequence[Influence]) -> pd.DataFrame:
    """The sources of chance that vary alone, for `charts_training.share_bars`: how often two members disagree."""
    return _shares(
        (PARTS[one.part], one.disagreement, f"mean shift {one.shift.value:.4f}, {one.pairs} pairs") for one in found
    )


def _shares(bars: Iterable[tuple[str, Estimate, str]]) -> pd.DataFrame:
    records = [(name, share.value, share.low, share.high, said) for name, share, said in bars]
    return pd.DataFrame(records, columns=["name", "value", "low", "high", "said"])


def calibration_frame(classifier: Classifier, data: Labelled) -> pd.DataFrame:
    """The labelled texts of a calibration, for a download: text, number of the label, and "fit" or "test"."""
    return pd.concat(
        [
            pd.DataFrame({"text": part.texts, "label": part.numbered_as(classifier.labels), "part": name})
            for name, part in zip(("fit", "test"), fit_and_test(data), strict=True)
        ],
        ignore_index=True,
    )
