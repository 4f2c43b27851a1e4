"""A profile, after loading: `python -m benchmarks.profile`. Ten test snippets of about 20 tokens, each for the first time."""

import json
import statistics
import time
from typing import Any

from benchmarks import MODELS
from core.data.snippets import snippets
from core.factors.dropout import PASSES
from core.models import catalog
from core.studies.study import prepare, profile
from core.studies.verdict import verdict

TEXTS = 10
TOKENS = range(18, 24)


def ten_profiles(id: str) -> dict[str, Any]:
    """Seconds of the profile itself and of what it needs loaded, and the rows asked and run."""
    start = time.perf_counter()
    classifier = catalog.load(id)
    prepare(classifier)
    loading = time.perf_counter() - start
    texts = []
    for text in snippets("test", "movie", labelled=True)["text"]:
        if len(classifier.encoder([text])[0].ids) in TOKENS:
            texts.append(text)
        if len(texts) == TEXTS:
            break
    found = [profile(classifier, text) for text in texts]
    seconds = [one.seconds for one in found]
    return {
        "benchmark": f"profile of {TEXTS} snippets of {TOKENS[0]} to {TOKENS[-1]} tokens, {PASSES} dropout passes",
        "model": id,
        "device": str(classifier.device),
        "loading_seconds": loading,
        "seconds": {
            "first": seconds[0], "median": statistics.median(seconds), "largest": max(seconds), "each": seconds,
        },
        "rows_asked": statistics.median(one.rows_asked for one in found),
        "rows_run": statistics.median(one.rows_run for one in found),
        "seeds": found[0]["seed"].tried,
        "verdicts": {text: verdict(one).text for text, one in zip(texts, found, strict=True)},
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps([ten_profiles(id) for id in MODELS], indent=2, ensure_ascii=False))
