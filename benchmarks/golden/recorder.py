"""Writes what an engine says of some texts as one canonical JSON: `python -m benchmarks.golden.recorder old PLAN FILE`.

A record knows nothing of an engine's classes. Lists of named things become `{"order": names, "items": by name}`, so that one
that is missing or elsewhere is one difference and not a hundred.
"""

import hashlib
import importlib
import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks.golden.texts import Job

Record = dict[str, Any]

NOT_A_RESULT = ("versions", "device", "seconds", "record", "weights")
"""Keys that say where and when something was computed."""
LONGEST = 300
"""Characters; longer texts are replaced by their hash, or one text of 5,000 words with its variants would be most of the record."""


def _edits(candidate: Mapping[str, Any]) -> str:
    return " + ".join(edit["perturbation"] for edit in candidate["edits"])


NAMED: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "variants": lambda item: (
        f"{item['perturbation']} {item['seed']}" if item["seed"] is not None else item["perturbation"]
    ),
    "conditions": lambda item: str(item["condition"]),
    "factors": lambda item: str(item["factor"]),
    "cases": lambda item: str(item["name"]),
    "seeds": lambda item: str(item["seed"]),
    "temperatures": lambda item: f"T = {item['temperature']:g}",
    "flips": _edits,
}
"""Lists of named things by their key in a document, and what an item's name is."""


def canonical(value: Any, key: str = "") -> Any:
    """A document as it is recorded: results only, named things by name, long texts by their hash."""
    if isinstance(value, Mapping):
        return {name: canonical(item, name) for name, item in value.items() if name not in NOT_A_RESULT}
    if isinstance(value, list | tuple):
        items = [canonical(item) for item in value]
        named = key in NAMED and all(isinstance(item, dict) for item in items)
        return by_name(items, NAMED[key]) if named else items
    if isinstance(value, str) and len(value) > LONGEST:
        return f"{len(value)} characters, sha256 {hashlib.sha256(value.encode('utf-8', 'surrogatepass')).hexdigest()}"
    return value


def by_name(items: Sequence[dict[str, Any]], name: Callable[[Mapping[str, Any]], str]) -> dict[str, Any]:
    """Items by name with their order; a repeated name gets a number."""
    found: dict[str, Any] = {}
    for item in items:
        said = base = name(item)
        number = 1
        while said in found:
            number += 1
            said = f"{base} ({number})"
        found[said] = item
    return {"order": list(found), "items": found}


def record(
    engine: ModuleType, jobs: Iterable[Job], texts: Mapping[str, str], progress: Callable[[str], None] = lambda _: None
) -> Record:
    """What an engine says: by model, then by the name of the text, then by kind.

    Args:
        engine: `benchmarks.golden.old` or `benchmarks.golden.new`.
        texts: by name.
        progress: called with a line now and then.
    """
    found: Record = {}
    start = time.perf_counter()
    for job in jobs:
        classifier = engine.load(job.model)
        said: Record = {}
        for number, name in enumerate(job.texts, start=1):
            kinds = engine.KINDS | ({"shortest": engine.shortest} if name in job.shortest else {})
            documents = {kind: _said(engine, call, classifier, texts[name]) for kind, call in kinds.items()}
            said[name] = {kind: document for kind, document in documents.items() if document is not None}
            if number % 10 == 0 or number == len(job.texts):
                progress(f"{job.model}: {number} of {len(job.texts)} texts, {time.perf_counter() - start:.0f} s")
        if job.calibrate:
            said["calibration"] = {"calibration": _said(engine, engine.calibration, classifier)}
        found[job.model] = said
    return found


def _said(engine: ModuleType, call: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return canonical(call(*arguments))
    except engine.Refusal as refusal:
        return {"error": str(refusal)}
    except Exception as defect:  # it is a difference like any other, and must not end the run
        return {"defect": f"{type(defect).__name__}: {defect}"}


def main(arguments: Sequence[str]) -> None:
    """Record by the engine "old" or "new" what a plan says, into a file."""
    which, plan_file, out = arguments
    engine = importlib.import_module(f"benchmarks.golden.{which}")
    plan = json.loads(Path(plan_file).read_text(encoding="utf-8"))
    jobs = [Job(**job) for job in plan["jobs"]]
    found = record(engine, jobs, plan["texts"], lambda line: print(f"{which}: {line}", file=sys.stderr, flush=True))
    Path(out).write_text(json.dumps(found), encoding="utf-8")


def plan(jobs: Iterable[Job], texts: Mapping[str, str]) -> str:
    """What `main` reads."""
    return json.dumps({"jobs": [asdict(job) for job in jobs], "texts": dict(texts)})


if __name__ == "__main__":
    main(sys.argv[1:])
