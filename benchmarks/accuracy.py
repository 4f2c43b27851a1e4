"""Accuracy of the embedded models, and their size on disk: `python -m benchmarks.accuracy`."""

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from core.data.snippets import snippets
from core.models import catalog
from core.models.predict import predict

ROOT = Path(__file__).parent.parent


def accuracy(id: str, split: str = "test", domain: str = "movie") -> dict[str, Any]:
    """Share of the labelled snippets of a split that a model gets right, in fp32."""
    classifier = catalog.load(id)
    data = snippets(split, domain, labelled=True)
    labels = np.array(data["label"])
    right = predict(classifier, classifier.encoder(list(data["text"]))).logits.argmax(-1) == labels
    return {
        "model": id,
        "split": split,
        "domain": domain,
        "texts": len(labels),
        "accuracy": float(right.mean()),
        "standard_error": float(right.std() / np.sqrt(len(right))),
    }


def sizes() -> dict[str, float]:
    """MiB of assets/ and of everything that git tracks."""
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    files = [ROOT / name for name in tracked.split("\0") if name and (ROOT / name).exists()]
    return {
        "assets_mib": sum(f.stat().st_size for f in files if f.is_relative_to(ROOT / "assets")) / 2**20,
        "tracked_mib": sum(f.stat().st_size for f in files) / 2**20,
    }


if __name__ == "__main__":
    models = [accuracy(entry.id) for entry in catalog.entries() if entry.source == "embedded"]
    print(json.dumps({"models": models, "sizes": sizes()}, indent=2))
