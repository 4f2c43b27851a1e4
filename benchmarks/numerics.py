"""The noise floor of the embedded models over a split: `python -m benchmarks.numerics [TEXTS]`, by default the whole of it."""

import json
import statistics
import sys
import time
from typing import Any

from benchmarks import MODELS
from core.data.snippets import snippets
from core.factors.numerics import DTYPES, REFERENCE, noise_floor, numerics
from core.models import catalog
from core.models.classifier import predict


def floors(id: str, texts: list[str]) -> dict[str, Any]:
    """Median and maximum of the noise floor, and what half precision can flip and flips."""
    classifier = catalog.load(id)
    found_floors, seconds = [], []
    flips = dict.fromkeys(DTYPES, 0)
    can_flip = dict.fromkeys(DTYPES, 0)
    fp32_flips = 0
    for text in texts:
        reference = predict(classifier, [text], REFERENCE)
        start = time.perf_counter()
        found_floors.append(noise_floor(classifier, text, reference=reference))
        seconds.append(time.perf_counter() - start)
        found = numerics(classifier, text, reference=reference)
        fp32_flips += any(run.flip for run in found.runs if run.fp32)
        for dtype in DTYPES:
            can_flip[dtype] += found.can_flip(dtype)
            flips[dtype] += any(run.flip for run in found.runs if run.condition.dtype == dtype)
    return {
        "model": id,
        "device": str(classifier.device),
        "texts": len(texts),
        "noise_floor": {"median": statistics.median(found_floors), "maximum": max(found_floors)},
        "median_seconds_of_a_floor": statistics.median(seconds),
        "fp32_flips": fp32_flips,
        "can_flip": can_flip,
        "flips": flips,
    }


if __name__ == "__main__":
    data = list(snippets("test", "movie")["text"])
    count = int(sys.argv[1]) if len(sys.argv) > 1 else len(data)
    # Every n-th text, so that a sample covers the whole split.
    chosen = data[:: max(1, len(data) // count)][:count]
    print(json.dumps([floors(id, chosen) for id in MODELS], indent=2))
