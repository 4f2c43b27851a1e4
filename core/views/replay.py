"""Replay: a recorded profile is computed anew and compared, number by number.

The record is what `documents.profile_document` makes: model id, weights hash, versions, text, seeds, conditions, and every
number that was shown.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.base.errors import WobbleError
from core.base.versions import versions
from core.models import catalog
from core.studies.study import Options, options_of, study
from core.views.documents import PROFILE_RECORD, profile_document

TOLERANCE = 1e-5
"""Numbers that differ by at most this are equal: other batches and machines round differently (promise 3)."""

COMPARED = ("model", "reference", "noise_floor", "factors", "verdict", "mood")
"""The parts of a record that must be equal. Seconds, rows and versions may differ; versions are mentioned."""


@dataclass(frozen=True)
class Difference:
    """One place in which a record and its replay differ."""

    where: str
    """Like "factors.punctuation.cases.3.probabilities.positive"."""
    recorded: Any
    now: Any
    by: float | None
    """How far apart two numbers are; None for what is no number."""


@dataclass(frozen=True)
class Replay:
    """What a replay found."""

    equal: bool
    said: str
    """The finding in a sentence."""
    numbers: int
    """How many numbers were compared."""
    largest_difference: float
    """Of any two numbers, those within the tolerance too."""
    differences: tuple[Difference, ...]
    """Beyond the tolerance, in the order of the record."""
    notes: tuple[str, ...]
    """What else is other than it was, in sentences: versions of libraries."""


def read_record(path: str | Path) -> dict[str, Any]:
    """Read a record from a file.

    Raises:
        WobbleError: the file cannot be read, or is no record of a profile.
    """
    name = Path(path).name or str(path)
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise WobbleError(f"{name} cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise WobbleError(f"{name} is no JSON file.") from error
    if not isinstance(content, dict) or content.get("record") != PROFILE_RECORD:
        raise WobbleError(f"{name} is no record of a profile: make one with `python -m core profile TEXT --json`.")
    model = content.get("model")
    needed = {
        "text": isinstance(content.get("text"), str),
        "options": _options(content) is not None,
        "model": isinstance(model, dict) and isinstance(model.get("id"), str),
        **{part: part in content for part in COMPARED},
        "factors": _are_factors(content.get("factors")),
    }
    if missing := [part for part, good in needed.items() if not good]:
        raise WobbleError(f"{name} is a damaged record: its part {missing[0]!r} is missing or unreadable.")
    return content


def replay(record: dict[str, Any]) -> Replay:
    """Compute a recorded profile anew and compare.

    Args:
        record: what `read_record` or `documents.profile_document` gave.

    Raises:
        WobbleError: the model is not to be had, or the text cannot be predicted.
    """
    classifier = catalog.load(record["model"]["id"])
    # A record may be older than a factor.
    names = [row["factor"] for row in record["factors"]]
    found = study(classifier, record["text"], names, _options(record), temperature=record.get("temperature", 1.0))
    # Through JSON once, as the record went.
    now = json.loads(json.dumps(profile_document(found)))
    pairs = [pair for part in COMPARED for pair in _leaves(part, record[part], now[part])]
    apart = [abs(a - b) for _, a, b in pairs if _number(a) and _number(b)]
    # Written so that a number that is not one (NaN) is no number's equal.
    differences = tuple(
        Difference(where, a, b, abs(a - b) if _number(a) and _number(b) else None)
        for where, a, b in pairs
        if not (abs(a - b) <= TOLERANCE if _number(a) and _number(b) else type(a) is type(b) and a == b)
    )
    largest = max(apart, default=0.0)
    if differences:
        said = f"Different in {len(differences)} of {len(pairs)} places, numbers by up to {largest:.2g}."
    else:
        how = f"within {largest:.1g}" if largest else "exactly"
        said = f"Equal: {len(apart):,} numbers agree {how}."
    then = record.get("versions")
    recorded = then if isinstance(then, dict) else {}
    notes = tuple(
        f"{library} was {recorded[library]} and is {version} now."
        for library, version in versions().items()
        if library in recorded and recorded[library] != version
    )
    return Replay(not differences, said, len(apart), largest, differences, notes)


def _are_factors(rows: Any) -> bool:
    return isinstance(rows, list) and all(isinstance(row, dict) and isinstance(row.get("factor"), str) for row in rows)


def _options(record: dict[str, Any]) -> Options | None:
    """The options of a record's factors; None where they cannot be read."""
    options, seed, passes = record.get("options"), record.get("seed"), record.get("passes")
    if isinstance(options, dict) and all(isinstance(one, dict) for one in options.values()):
        # JSON has no tuples.
        return {
            factor: {name: tuple(value) if isinstance(value, list) else value for name, value in one.items()}
            for factor, one in options.items()
        }
    # Records said the seed and the passes alone as long as no factor had other options.
    return options_of(seed, passes) if type(seed) is int and type(passes) is int else None


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _leaves(where: str, recorded: Any, now: Any) -> Iterator[tuple[str, Any, Any]]:
    """The places of a record with what stands there now; None where nothing does. What is told only now was not recorded."""
    if isinstance(recorded, dict) and isinstance(now, dict):
        for key in recorded:
            yield from _leaves(f"{where}.{key}", recorded.get(key), now.get(key))
    elif isinstance(recorded, list) and isinstance(now, list):
        for i in range(max(len(recorded), len(now))):
            a = recorded[i] if i < len(recorded) else None
            b = now[i] if i < len(now) else None
            # Factors are named rather than numbered.
            name = next((x["factor"] for x in (a, b) if isinstance(x, dict) and "factor" in x), i)
            yield from _leaves(f"{where}.{name}", a, b)
    elif where.endswith(".seed"):
        yield where, str(recorded), str(now)  # a name, though written in digits: nothing lies between two of them
    else:
        yield where, recorded, now
