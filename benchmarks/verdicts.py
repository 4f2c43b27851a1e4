"""The verdict of every sentence of the example gallery, with its numbers: `python -m benchmarks.verdicts [MODEL ...]`."""

import json
import sys
from dataclasses import asdict
from typing import Any

from core.data.snippets import gallery
from core.models import catalog
from core.studies.study import profile
from core.studies.verdict import verdict


def of_the_gallery(id: str) -> list[dict[str, Any]]:
    """Each sentence's verdict with the evidence of its clauses, and flips, absorbed and tried of each factor."""
    classifier = catalog.load(id)
    rows = []
    for example in gallery():
        found = profile(classifier, example.text)
        said = verdict(found)
        rows.append(
            {
                "model": id,
                "text": example.text,
                "verdict": said.text,
                "margin": found.reference.margin,
                "noise_floor": found.noise_floor,
                "clauses": [asdict(clause) for clause in said.clauses],
                "factors": {
                    row.name: {"tried": row.tried, "absorbed": row.absorbed, "flips": row.flips} for row in found.rows
                },
            }
        )
    return rows


if __name__ == "__main__":
    models = sys.argv[1:] or [catalog.DEFAULT]
    print(json.dumps([row for id in models for row in of_the_gallery(id)], indent=2, ensure_ascii=False))
