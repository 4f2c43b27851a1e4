"""Replay: a recorded profile, or a study of some factors, is computed again and compared, number by number.

The record is what `documents.profile_document` or `documents.study_document` makes: model id, weights hash, versions, text,
seeds, conditions, and every number that was shown.
"""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from core.base.errors import WobbleError
from core.base.versions import versions
from core.base.words import plural
from core.models import catalog
from core.studies.study import Options, options_of, study
from core.views.documents import PROFILE_RECORD, STUDY_RECORD, profile_document, study_document

RECORDS = {PROFILE_RECORD: profile_document, STUDY_RECORD: study_document}
"""How each kind of record is made."""

TOLERANCE = 1e-5
"""Numbers that differ by at most this are equal: other batches and machines round differently (promise 3)."""

SAID = ("verdict", "mood")
"""The parts that only the record of a profile has."""

SENTENCES = ("verdict", "notes")
"""What is said of the numbers: other words for the same ones are mentioned, and are no difference."""

RATES = ("tried", "flip_rate", "flip_interval", "median_shift")
"""What follows from how many cases there are."""

COMPARED = ("model", "reference", "noise_floor", "factors", *SAID)
"""The parts of a record that must be equal. Seconds, rows and versions may differ; versions are mentioned."""


@dataclass(frozen=True)
class Difference:
    """One place in a record, and what its replay has there."""

    where: str
    """Like "factors.punctuation.cases.3.probabilities.positive"."""
    recorded: Any
    now: Any
    by: float | None
    """How far apart two numbers are; None for what is not a number."""


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
    """What else differs from the record, in sentences: versions of libraries."""


def read_record(path: str | Path) -> dict[str, Any]:
    """Read a record from a file.

    Raises:
        WobbleError: the file cannot be read, or is not the record of a study.
    """
    name = Path(path).name or str(path)
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise WobbleError(f"{name} cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise WobbleError(f"{name} is not a JSON file.") from error
    if not isinstance(content, dict) or (kind := _kind(content)) not in RECORDS:
        raise WobbleError(f"{name} is not the record of a run: make one with `python -m core profile TEXT --json`.")
    model, rows = content.get("model"), content.get("factors")
    needed = {
        "text": isinstance(content.get("text"), str),
        "options": _options(content) is not None,
        "model": isinstance(model, dict) and isinstance(model.get("id"), str),
        **{part: part in content for part in COMPARED if part not in SAID or kind == PROFILE_RECORD},
        "factors": isinstance(rows, list)
        and all(isinstance(row, dict) and isinstance(row.get("factor"), str) for row in rows),
    }
    if missing := [part for part, good in needed.items() if not good]:
        raise WobbleError(f"{name} is a damaged record: its part {missing[0]!r} is missing or unreadable.")
    return content


def replay(record: dict[str, Any]) -> Replay:
    """Compute a recorded study again and compare all parts that the record holds.

    Args:
        record: what `read_record`, `documents.profile_document` or `documents.study_document` gave.

    Raises:
        WobbleError: the model or a factor is not available, or the text cannot be predicted.
    """
    classifier = catalog.load(record["model"]["id"])
    # A record may be older than a factor.
    names = [row["factor"] for row in record["factors"]]
    found = study(classifier, record["text"], names, _options(record), temperature=record.get("temperature", 1.0))
    # Through JSON once, as the record went.
    now = json.loads(json.dumps(RECORDS[_kind(record)](found)))
    before, left_out = _without_the_reference(record, now)
    every = [place for part in COMPARED if part in before for place in _places(part, before[part], now[part])]
    reworded = [place for place in every if _is_sentence(place) and not _equal(place)]
    places = [place for place in every if place not in reworded]
    apart = [place.by for place in places if place.by is not None]
    differences = tuple(place for place in places if not _equal(place))
    largest = max(apart, default=0.0)
    how = f"within {largest:.1g}" if largest else "exactly"
    said = f"Equal: {len(apart):,} numbers agree {how}."
    if differences:
        said = f"Different in {len(differences)} of {len(places)} places, numbers by up to {largest:.2g}."
    recorded = record["versions"] if isinstance(record.get("versions"), dict) else {}
    notes = tuple(
        f"{library} was {recorded[library]} and is {version} now."
        for library, version in versions().items()
        if library in recorded and recorded[library] != version
    )
    if reworded:
        notes += (f"{plural(len(reworded), 'sentence is', 'sentences are')} worded otherwise now.",)
    return Replay(not differences, said, len(apart), largest, differences, (*left_out, *notes))


def _kind(record: dict[str, Any]) -> Any:
    """The kind that a record names; the first records of some factors named none."""
    return record.get("record", STUDY_RECORD if "factors" in record else None)


def _options(record: dict[str, Any]) -> Options | None:
    """The options of a record's factors; None where they cannot be read."""
    options, seed, passes = record.get("options"), record.get("seed"), record.get("passes")
    if isinstance(options, dict) and all(isinstance(one, dict) for one in options.values()):
        # JSON has no tuples.
        return {
            factor: {name: tuple(value) if isinstance(value, list) else value for name, value in one.items()}
            for factor, one in options.items()
        }
    # Old records hold only the seed and the passes, as no factor had other options.
    return options_of(seed, passes) if type(seed) is int and type(passes) is int else None


def _without_the_reference(record: dict[str, Any], now: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """A record without the reference among a row's cases, and what was left out, in sentences.

    Records counted a model with its seed family, so its own seed was one of those tried.
    """
    tried = {row["factor"]: {case["name"] for case in row["cases"]} for row in now["factors"]}
    rows, left_out = list(record["factors"]), []
    for number, row in enumerate(rows):
        cases = row.get("cases")
        own = [case for case in cases if _is_reference(case, tried[row["factor"]])] if isinstance(cases, list) else []
        if len(own) == 1:
            kept = {name: value for name, value in row.items() if name not in RATES}
            rows[number] = kept | {"cases": [case for case in cases if case is not own[0]]}
            left_out.append(
                f"The record counts the model itself, {own[0]['name']}, as a case: it and the rates are left out."
            )
    return record | {"factors": rows}, left_out


def _is_reference(case: Any, tried: Collection[str]) -> bool:
    """Whether a recorded case is the unchanged text by the unchanged model, and no longer tried."""
    return isinstance(case, dict) and case.get("shift") == 0 and "text" not in case and case.get("name") not in tried


def _is_sentence(place: Difference) -> bool:
    return any(part in SENTENCES for part in place.where.split("."))


def _equal(place: Difference) -> bool:
    if place.by is None:
        return type(place.recorded) is type(place.now) and place.recorded == place.now
    return place.by <= TOLERANCE  # which a number that is not one (NaN) is not


def _places(where: str, recorded: Any, now: Any) -> Iterator[Difference]:
    """The places of a record with what stands there now; None where nothing does. What only the replay has was not recorded."""
    if isinstance(recorded, dict) and isinstance(now, dict):
        for key in recorded:
            yield from _places(f"{where}.{key}", recorded.get(key), now.get(key))
    elif isinstance(recorded, list) and isinstance(now, list):
        for i, pair in enumerate(zip_longest(recorded, now)):
            # Factors are named rather than numbered.
            name = next((one["factor"] for one in pair if isinstance(one, dict) and "factor" in one), i)
            yield from _places(f"{where}.{name}", *pair)
    elif where.endswith(".seed"):
        # A name, though written in digits: nothing lies between two of them.
        yield Difference(where, str(recorded), str(now), None)
    else:
        numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (recorded, now))
        yield Difference(where, recorded, now, abs(recorded - now) if numbers else None)
