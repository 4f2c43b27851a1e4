"""The noise floor of the embedded models over a split: `python -m benchmarks.numerics [TEXTS]`, by default all of it."""

import json
import statistics
import sys
import time
from typing import Any

from benchmarks import MODELS
from core.data.snippets import snippets
from core.factors.ask import Ask
from core.factors.conditions import DTYPES
from core.factors.numerics import can_flip, dtype_of
from core.models import catalog
from core.studies.study import study


def floors(id: str, texts: list[str]) -> dict[str, Any]:
    """Median and maximum of the noise floor, and how many texts half precision can flip and does flip."""
    classifier = catalog.load(id)
    found_floors, seconds = [], []
    flips = dict.fromkeys(DTYPES, 0)
    risky = dict.fromkeys(DTYPES, 0)
    fp32_flips = 0
    for text in texts:
        ask = Ask(classifier, text)
        start = time.perf_counter()
        found_floors.append(ask.noise_floor)
        seconds.append(time.perf_counter() - start)
        cases = study(classifier, text, ["numerics"])["numerics"].cases
        fp32_flips += any(case.flip for case in cases if dtype_of(case) == "float32")
        for dtype in DTYPES:
            risky[dtype] += can_flip(ask.reference, cases, dtype)
            flips[dtype] += any(case.flip for case in cases if dtype_of(case) == dtype)
    return {
        "model": id,
        "device": str(classifier.device),
        "texts": len(texts),
        "noise_floor": {"median": statistics.median(found_floors), "maximum": max(found_floors)},
        "median_seconds_of_a_floor": statistics.median(seconds),
        "fp32_flips": fp32_flips,
        "can_flip": risky,
        "flips": flips,
    }


if __name__ == "__main__":
    data = list(snippets("test", "movie")["text"])
    count = int(sys.argv[1]) if len(sys.argv) > 1 else len(data)
    # Every n-th text, so that a sample covers the whole split.
    chosen = data[:: max(1, len(data) // count)][:count]
    print(json.dumps([floors(id, chosen) for id in MODELS], indent=2))
