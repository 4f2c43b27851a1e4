"""JSON files that one process writes while others read them."""

import contextlib
import json
import os
import threading
from pathlib import Path
from typing import Any


def draft_of(place: Path) -> Path:
    """A hidden place beside another, for this process and thread alone: once complete, it is renamed."""
    return place.with_name(f".{place.name}.{os.getpid()}.{threading.get_ident()}")


def write_json(file: Path, content: Any) -> None:
    """Replace a file as a whole: whoever reads it sees the old one or the new one.

    Raises:
        OSError: it cannot be written; the old one is still there.
    """
    draft = draft_of(file)
    draft.write_text(json.dumps(content, indent=2), encoding="utf-8")
    draft.replace(file)


def read_json(file: Path) -> dict[str, Any]:
    """The object in a file; empty where there is none, or where it is damaged."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def read_json_lines(file: Path) -> list[Any]:
    """One value per line; the last line may be half written, and is left out then."""
    values = []
    with contextlib.suppress(OSError, ValueError):
        for line in file.read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(ValueError):
                values.append(json.loads(line))
    return values
