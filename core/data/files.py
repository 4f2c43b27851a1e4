"""Tables in files that anyone may bring: CSV, JSONL and Parquet."""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.base.errors import WobbleError, first_line

if TYPE_CHECKING:
    import pandas as pd

FORMATS = ("csv", "jsonl", "parquet")
OTHER_FORMATS = ("json", "tsv", "txt", "xls", "xlsx", "zip")
"""Endings of file names in other formats, which are not data sets of the hub either."""


def read_table(content: bytes, name: str) -> "pd.DataFrame":
    """The table in a CSV, JSONL or Parquet file.

    Raises:
        WobbleError: the file is no such table.
    """
    import pandas as pd  # heavy, and needed only where data are read

    kind = Path(name).suffix.lstrip(".").lower()
    readers: dict[str, Callable[[io.BytesIO], pd.DataFrame]] = {
        "csv": lambda stream: pd.read_csv(stream, dtype=str, keep_default_na=False),
        "jsonl": lambda stream: pd.DataFrame(list(_objects(stream)), dtype=object),
        "parquet": pd.read_parquet,
    }
    if kind not in readers:
        raise WobbleError(f"{name} is not a CSV, JSONL or Parquet file: its name must end in .csv, .jsonl or .parquet.")
    try:
        table = readers[kind](io.BytesIO(content))
    except Exception as error:  # whatever a library says of a stranger's file, the file is what is wrong
        raise WobbleError(f"{name} is not a readable {kind.upper()} table in UTF-8: {first_line(error)}") from error
    if kind == "csv" and not isinstance(table.index, pd.RangeIndex):
        # pandas would take the first column for the names of the rows, and shift all the others by one.
        raise WobbleError(f"The rows of {name} have more fields than its header: texts with commas need quotes.")
    table = table.reset_index(drop=True)
    if table.empty:
        raise WobbleError(f"{name} holds no rows.")
    table.columns = table.columns.map(str)
    if not table.columns.is_unique:
        raise WobbleError(f"{name} has several columns of one name.")
    return table


def _objects(lines: io.BytesIO) -> Iterator[dict[str, Any]]:
    """The objects of a JSONL file, one a line; pandas' own reader guesses dates and mangles lone surrogates."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            found = json.loads(line)
            if not isinstance(found, dict):
                raise ValueError(f"line {number:,} is not an object of columns")
            yield found
