"""Calibration before and after temperature scaling: `python -m benchmarks.calibration [MODEL ...]`."""

import json
import sys
from dataclasses import asdict
from typing import Any

from benchmarks import MODELS
from core.data.labelled import DataSource, read
from core.models import catalog
from core.studies.calibration import Scores, calibrate_on


def _scores(found: Scores) -> dict[str, Any]:
    return {
        "accuracy": found.accuracy,
        "ece": asdict(found.ece),
        "nll": asdict(found.nll),
        "brier": asdict(found.brier),
    }


def calibration(id: str) -> dict[str, Any]:
    """The temperature fitted on the movie validation split, and the scores on the test split, with 95% intervals."""
    found = calibrate_on(catalog.load(id), read(DataSource("movie")))
    return {
        "model": id,
        "temperature": found.temperature,
        "fitted_on": found.fitted_on,
        "tested_on": found.tested_on,
        "before": _scores(found.before),
        "after": _scores(found.after),
    }


if __name__ == "__main__":
    print(json.dumps([calibration(id) for id in sys.argv[1:] or MODELS], indent=2))
