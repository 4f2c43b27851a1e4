"""The embedded data: rated snippets and the example gallery."""

import io
import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import WobbleError

if TYPE_CHECKING:
    from datasets import Dataset

DATA = Path(__file__).parent.parent / "assets" / "data"


@dataclass(frozen=True, eq=False)
class Example:
    """A sentence worth trying."""

    text: str
    why: str
    """What it shows, in a few words."""
    source: str
    flips: dict[str, str] = field(default_factory=dict)
    """Embedded model: a perturbation that flips the sentence there. Tested."""


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


def labelled_csv(content: bytes, labels: tuple[str, ...]) -> tuple[list[str], list[int]]:
    """Texts and label numbers of a CSV file with the columns `text` and `label` (names of labels, or their numbers).

    Raises:
        WobbleError: the file is no such table.
    """
    import pandas as pd  # heavy, and needed only where data is read

    try:
        table = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)
    except (ValueError, UnicodeDecodeError) as error:
        raise WobbleError("The file is no readable CSV table in UTF-8.") from error
    if missing := {"text", "label"} - set(table.columns):
        raise WobbleError(f"The file has no column named {' and '.join(sorted(missing))}.")
    numbers = {name: i for i, name in enumerate(labels)} | {str(i): i for i in range(len(labels))}
    unknown = sorted({label for label in table["label"] if label not in numbers})
    if unknown:
        raise WobbleError(
            f"The file holds the label {unknown[0]!r}, which the model does not have: {', '.join(labels[:8])}."
        )
    return table["text"].tolist(), [numbers[label] for label in table["label"]]


@cache
def gallery() -> tuple[Example, ...]:
    """Sentences worth trying, each with what it shows."""
    return tuple(Example(**entry) for entry in json.loads((DATA / "gallery.json").read_text(encoding="utf-8")))
