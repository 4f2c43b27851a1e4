"""The golden record that the tests compare the present engine with: a small one, of what is the same on every machine."""

import gzip
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.golden import new
from benchmarks.golden.recorder import Record, record
from benchmarks.golden.texts import FIXTURE_TINY, all_texts, fixture_jobs, save_tiny

FILE = Path(__file__).parents[2] / "tests" / "golden" / "record.json.gz"
DIGITS = 8
HALF = ("bfloat16", "float16")
OF_ROUNDING = ("noise_floor", "above_noise_floor", "can_flip", "evidence", "rows_asked", "forward_rows")
"""Keys of what follows from rounding, which differs between processors, and of how much was computed."""


def portable(value: Any) -> Any:
    """A record without what depends on the processor: half precision, the noise floor and counts that depend on it."""
    if isinstance(value, dict):
        if set(value) == {"order", "items"}:
            order = [name for name in value["order"] if name not in HALF and name != "numerics"]
            return {"order": order, "items": {name: portable(value["items"][name]) for name in order}}
        return {key: portable(item) for key, item in value.items() if key not in OF_ROUNDING}
    if isinstance(value, list):
        return [portable(item) for item in value]
    return round(value, DIGITS) if isinstance(value, float) else value


def present() -> Record:
    """What the present engine says of the fixture's texts."""
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        with _settings(WOBBLE_MODEL_DIRS=str(save_tiny(folder, FIXTURE_TINY)), WOBBLE_RUNS_DIR="", WOBBLE_DEVICE="cpu"):
            return portable(record(new, fixture_jobs(), all_texts()))


def read() -> Record:
    """The committed record."""
    found: Record = json.loads(gzip.decompress(FILE.read_bytes()))
    return found


def write() -> Path:
    """Record the present engine into the committed file.

    Returns:
        The file.
    """
    text = json.dumps(present(), separators=(",", ":"))
    FILE.parent.mkdir(parents=True, exist_ok=True)
    # Without a time in it, so that an equal record is an equal file.
    FILE.write_bytes(gzip.compress(text.encode("utf-8"), compresslevel=9, mtime=0))
    return FILE


@contextmanager
def _settings(**settings: str) -> Iterator[None]:
    """Set variables of the environment for a while."""
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value
