"""How many formatting edits flip a sentence: `python -m benchmarks.shortest`. 200 test snippets, each embedded model."""

import json
import random
import time
from collections.abc import Sequence
from typing import Any

from benchmarks import MODELS
from core.data.snippets import snippets
from core.models import catalog
from core.studies.shortest import BUDGET, MOST_EDITS, Search, shortest_flip

TEXTS = 200


def sizes(found: Sequence[Search]) -> dict[int, int]:
    """How many texts flip within one, two, … edits."""
    return {
        edits: sum(one.size is not None and one.size <= edits for one in found) for edits in range(1, MOST_EDITS + 1)
    }


def flips_within(id: str) -> dict[str, Any]:
    """How many of the snippets flip within one, two and three edits, and what the search took."""
    texts = list(snippets("test", "movie", labelled=True)["text"])
    random.Random(0).shuffle(texts)
    classifier = catalog.load(id)
    begin = time.perf_counter()
    found = [shortest_flip(classifier, text) for text in texts[:TEXTS]]
    seconds = time.perf_counter() - begin
    return {
        "model": id,
        "texts": len(found),
        "flip_within_edits": sizes(found),
        "none_found_within": {"edits": MOST_EDITS, "budget": BUDGET, "texts": sum(one.size is None for one in found)},
        "sequences": sum(one.sequences for one in found),
        "seconds": seconds,
    }


if __name__ == "__main__":
    print(json.dumps([flips_within(id) for id in MODELS], indent=2))
