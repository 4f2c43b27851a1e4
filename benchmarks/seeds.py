"""The embedded family of training seeds: `python -m benchmarks.seeds`. Accuracy, disagreement, and speed."""

import json
import random
from typing import Any

import numpy as np

from benchmarks.timing import medians
from core.data.snippets import snippets
from core.families.agreement import on_data
from core.families.members import family_data
from core.families.stacked import load_family, predict_family
from core.models import catalog
from core.models.loading import load_classifier
from core.models.predict import predict

TEXTS = 200


def on_the_test_split() -> dict[str, Any]:
    """Accuracy of each seed, their mean and spread, and the mean pairwise disagreement."""
    family = load_family()
    found = on_data(family, family_data(family.id))
    return {
        "accuracy": dict(zip(family.names, found.accuracy.tolist(), strict=True)),
        "mean": float(found.accuracy.mean()),
        "standard_deviation": float(found.accuracy.std()),
        "range": float(np.ptp(found.accuracy)),
        "mean_pairwise_disagreement": found.disagreement.value,
        "texts": len(found.texts),
    }


def all_seeds_against_each_alone(rounds: int = 3) -> dict[str, Any]:
    """All seeds on 200 texts in one family against loading and running each alone."""
    texts = list(snippets("test", "movie")["text"])
    random.Random(0).shuffle(texts)
    texts = texts[:TEXTS]
    ids = [member.id for member in load_family().members]

    def alone() -> np.ndarray:
        rows = []
        for id in ids:
            classifier = load_classifier(catalog.resolve(id))
            rows.append(predict(classifier, classifier.encoder(texts)).logits)
        return np.stack(rows)

    def together() -> np.ndarray:
        return predict_family(load_family(), texts).logits

    warm = load_family()
    difference = float(np.abs(alone() - together()).max())
    seconds = medians(
        {
            "each_loaded_and_run": alone,
            "family_loaded_and_run": together,
            "family_run": lambda: predict_family(warm, texts),
        },
        rounds,
    )
    return {
        "benchmark": f"{len(ids)} seeds on {TEXTS} texts",
        "largest_difference": difference,
        "seconds": seconds,
        "times_as_fast": seconds["each_loaded_and_run"] / seconds["family_loaded_and_run"],
    }


if __name__ == "__main__":
    print(json.dumps([on_the_test_split(), all_seeds_against_each_alone()], indent=2))
