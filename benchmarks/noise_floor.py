"""How the noise floor bounds what all conditions in fp32 do: `python -m benchmarks.noise_floor [TEXTS]` (1,000 per model).

The floor follows from two cheap conditions. Is any shift of the others, padding to the limit and 31 other texts included, more
than twice as large? And what do the two cost beside all?
"""

import json
import statistics
import sys
import time
from typing import Any

import numpy as np

from benchmarks import MODELS
from core.data.snippets import snippets
from core.factors.ask import Ask
from core.factors.conditions import conditions
from core.models import catalog

DOMAINS = ("movie", "product", "tweet", "editorial")
TEXTS = 1000


def bounds(id: str, texts: list[str]) -> dict[str, Any]:
    """The floor divided by the largest shift of all fp32 conditions, over some texts, and processor seconds of both."""
    classifier = catalog.load(id)
    parts, floors, cheap, wide = [], [], [], []
    for text in texts:
        ask = Ask(classifier, text)
        begun = time.process_time()
        floors.append(ask.noise_floor)
        cheap.append(time.process_time() - begun)
        every, _ = conditions(classifier, len(ask.reference.encoding.ids), dtypes=())
        # Those of the floor are remembered, so their share is added.
        largest = max(case.shift for condition in every for case in ask.under(condition))
        wide.append(time.process_time() - begun)
        parts.append(floors[-1] / largest if largest else np.inf)
    return {
        "model": id,
        "texts": len(texts),
        "floor_by_largest_shift": {
            "smallest": min(parts), "median": statistics.median(parts), "95%": float(np.percentile(parts, 95)),
        },
        "texts_with_a_shift_above_the_floor": sum(part < 1 for part in parts),
        "texts_with_a_shift_above_twice_the_floor": sum(part < 0.5 for part in parts),
        "noise_floor": {"median": statistics.median(floors), "largest": max(floors)},
        "processor_seconds": {"of_the_floor": statistics.median(cheap), "of_all_conditions": statistics.median(wide)},
    }  # fmt: skip


if __name__ == "__main__":
    data = [text for domain in DOMAINS for text in snippets("test", domain)["text"]]
    count = int(sys.argv[1]) if len(sys.argv) > 1 else TEXTS
    # Every n-th text, so that the sample covers all domains.
    chosen = data[:: max(1, len(data) // count)][:count]
    print(json.dumps([bounds(id, chosen) for id in MODELS], indent=2))
