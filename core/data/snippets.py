"""The embedded data: rated snippets and the example gallery."""

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datasets import Dataset

DATA = Path(__file__).parent.parent.parent / "assets" / "data"


@dataclass(frozen=True, eq=False)
class Example:
    """A sentence worth trying."""

    text: str
    why: str
    """What it shows, in a few words."""
    source: str
    flips: dict[str, str] = field(default_factory=dict)
    """By embedded model: a perturbation that flips the sentence there. A test checks each."""
    teaches: str = ""
    """What it teaches best, under `model`; empty for most."""
    model: str = ""


@cache
def snippets(split: str | None = None, domain: str | None = None, labelled: bool = False) -> "Dataset":
    """The rated snippets (Hutto and Gilbert, ICWSM 2014), as assets/data/README.md describes them.

    Args:
        split: "train", "validation" or "test"; None for all.
        domain: "movie", "product", "tweet" or "editorial"; None for all.
        labelled: only those whose mean rating is clear enough for a label.
    """
    from datasets import Dataset  # heavy, and needed only where data is read

    table = Dataset.from_parquet(str(DATA / "snippets.parquet"), keep_in_memory=True).with_format("arrow")[:]
    keep = [
        (split is None or row["split"] == split)
        and (domain is None or row["domain"] == domain)
        and (not labelled or row["label"] in (0, 1))
        for row in table.select(["split", "domain", "label"]).to_pylist()
    ]
    return Dataset(table.filter(keep))


@cache
def gallery() -> tuple[Example, ...]:
    """Sentences worth trying, each with what it shows."""
    return tuple(Example(**entry) for entry in json.loads((DATA / "gallery.json").read_text(encoding="utf-8")))
