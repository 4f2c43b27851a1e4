"""Labelled texts to learn from and to be tested on: the embedded snippets, a data set of the hub, or a file.

Wherever they come from, they end up as texts with numbered labels, without empty and repeated rows, in fixed splits and
with a fingerprint, so that a training on them can be repeated.
"""

import hashlib
import re
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.base.errors import WobbleError, first_line
from core.base.hub import HUB_ID, hub_answers
from core.base.words import plural, verb
from core.data.files import FORMATS, OTHER_FORMATS, read_table
from core.data.snippets import snippets
from core.text.visible import LONE_SURROGATE

if TYPE_CHECKING:
    import pandas as pd

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")

EMBEDDED = {
    "movie": "movie-review snippets",
    "product": "product-review snippets",
    "tweet": "tweets",
    "editorial": "newspaper editorials",
    "all": "all four domains",
}
"""Embedded data: names and descriptions."""

HUB = {"glue": "nyu-mll/glue"}
"""Short names of data sets that the hub has renamed."""

TEXTS = ("text", "sentence")
LABELS = ("label", "labels")
"""What columns of texts and of labels are usually named."""

MOST_ROWS = 100_000
"""The most rows that are read; a data set on the hub may hold millions."""
MOST_LABELS = 1_000
FEWEST_LABELS = 5
"""Up to this many different labels are never mistaken for texts, however few rows there are."""
WHOLE = re.compile(r"([+-]?\d{1,18})\.0+", re.ASCII)
"""A whole number as written in a table whose column has gaps: `1.0`."""
HELD_OUT = 0.2
"""Share of the texts held out for validation where the data have no split of their own."""
MOST_HELD_OUT = 2_000


@dataclass(frozen=True)
class DataSource:
    """Where labelled texts come from, as a recipe keeps it."""

    name: str
    """An embedded name, a hub id with its configuration behind it (`glue/sst2`), or the name of a file."""
    text_column: str | None = None
    """None: the only column of text, or the one named `text` or `sentence`."""
    label_column: str | None = None
    """None: the one named `label`."""


@dataclass(frozen=True, eq=False)
class Labelled:
    """Texts with numbered labels."""

    texts: tuple[str, ...]
    labels: NDArray[np.int64]
    """`[n_texts]`: positions in `names`."""
    names: tuple[str, ...]
    split: NDArray[np.str_]
    """`[n_texts]`: "train", "validation" or "test"."""
    own_split: bool = True
    """Whether the splits are the data's own; False where Wobble held some texts out by their hash."""
    rating_std: NDArray[np.float64] | None = None
    """`[n_texts]`: how much people disagreed, where that is known."""
    notes: tuple[str, ...] = ()
    """What was left out, in sentences."""

    @property
    def fingerprint(self) -> str:
        """sha256 over names, texts, labels and splits, in order: equal data have equal fingerprints."""
        digest = hashlib.sha256()
        rows = zip(self.texts, map(str, self.labels), map(str, self.split), strict=True)
        for part in (str(len(self.names)), *self.names, *chain.from_iterable(rows)):
            # Each part is preceded by its length, so that no character within it can pass for its end.
            encoded = part.encode("utf-8", "surrogatepass")
            digest.update(len(encoded).to_bytes(8) + encoded)
        return digest.hexdigest()

    def part(self, split: Split) -> "Labelled":
        """The texts of one split."""
        return self.rows(np.flatnonzero(self.split == split))

    def rows(self, index: NDArray[np.integer]) -> "Labelled":
        """Some of the texts, in the order of `index` `[n]`."""
        return replace(
            self,
            texts=tuple(self.texts[i] for i in index),
            labels=self.labels[index],
            split=self.split[index],
            rating_std=None if self.rating_std is None else self.rating_std[index],
        )

    def drawn(self, most: int) -> "Labelled":
        """At most this many of the texts, drawn with seed 0, in their order: the same at each call."""
        return self.rows(np.sort(np.random.default_rng(0).permutation(len(self.texts))[:most]))

    def numbered_as(self, labels: Sequence[str]) -> NDArray[np.int64]:
        """The labels `[n_texts]` as positions in a model's own label names (or its numbers: "0", "1", …).

        Raises:
            WobbleError: the data hold a label that the model does not have.
        """
        known = {name: i for i, name in enumerate(labels)}
        by_number = {str(i): i for i in range(len(labels))}
        chosen = known if set(self.names) <= set(known) else by_number if set(self.names) <= set(by_number) else None
        if chosen is None:
            unknown = next(name for name in self.names if name not in known)
            raise WobbleError(
                f"The data hold the label {unknown[:40]!r}, which the model does not have: its labels are "
                f"{', '.join(labels[:8])}{', …' if len(labels) > 8 else ''}."
            )
        return np.array([chosen[name] for name in self.names], dtype=np.int64)[self.labels]


def read(source: DataSource, content: bytes | None = None, files: bool = False) -> Labelled:
    """Read labelled texts.

    Args:
        content: of a file named `source.name`; without it the name is an embedded one or a hub id.
        files: whether the name may be the path of a file on this machine: for its owner, never for a visitor.

    Raises:
        WobbleError: there are no such data, or they are unusable; the sentence says why.
    """
    if content is None and source.name in EMBEDDED:
        rated = snippets(domain=None if source.name == "all" else source.name, labelled=True)
        return Labelled(
            texts=tuple(rated["text"]),
            labels=np.array(rated["label"], dtype=np.int64),
            names=("negative", "positive"),
            split=np.array(rated["split"]),
            rating_std=np.array(rated["rating_std"], dtype=np.float64),
        )
    kind = Path(source.name).suffix.lstrip(".").lower()
    if content is None and kind in (*FORMATS, *OTHER_FORMATS):
        if not files:
            raise WobbleError(f"{source.name[:80]!r} names a file, not a data set of the hub: upload the file itself.")
        try:
            content = Path(source.name).read_bytes()
        except (OSError, ValueError) as error:  # ValueError: a name that no file can have
            raise WobbleError(
                f"{source.name!r} cannot be read: {getattr(error, 'strerror', None) or first_line(error).rstrip('.')}."
            ) from error
    return _hub(source) if content is None else _cleaned(read_table(content, source.name), source)


def _hub(source: DataSource) -> Labelled:
    import datasets  # heavy, and needed only where data are read

    parts = source.name.strip("/").split("/")
    if not all(map(HUB_ID.fullmatch, parts)) or len(parts) > 3:
        raise WobbleError(
            f"{source.name[:80]!r} names no data: give {', '.join(EMBEDDED)}, a file (.csv, .jsonl, .parquet) or a hub id."
        )
    id, configuration = (
        (HUB[parts[0]], "/".join(parts[1:]) or None)
        if parts[0] in HUB
        else ("/".join(parts[:2]), parts[2] if len(parts) == 3 else None)
    )
    if Path(id).exists():
        # datasets would read the folder instead, whatever lies in it.
        raise WobbleError(f"{id} is a folder here, not a data set of the hub: give one file (.csv, .jsonl, .parquet).")
    reachable = hub_answers()
    try:
        with _asking(reachable):
            found = datasets.load_dataset(id, configuration)
    except Exception as error:  # a missing data set, a missing network and a broken file all end here
        if not reachable:
            raise WobbleError(
                f"The Hugging Face hub cannot be reached, and the data set {source.name} is not on this machine."
            ) from error
        raise WobbleError(f"The data set {source.name} cannot be loaded from the hub: {first_line(error)}") from error
    if not isinstance(found, datasets.DatasetDict) or "train" not in found:
        raise WobbleError(f"The data set {source.name} has no split named train.")
    import pandas as pd

    frames = []
    for split, names in (("train", ("train",)), ("validation", ("validation", "validation_matched", "dev", "test"))):
        if (name := next((name for name in names if name in found), None)) is not None:
            rows = found[name].select(range(min(len(found[name]), MOST_ROWS)))
            frame = rows.to_pandas()
            for column, feature in rows.features.items():
                if isinstance(feature, datasets.ClassLabel):
                    # Labels of -1 stand for hidden ones; where one is missing, all are floats.
                    frame[column] = [feature.names[int(i)] if i >= 0 else "" for i in frame[column]]
            frames.append(frame.assign(split=split))
    table = pd.concat(frames, ignore_index=True)
    cut = f"The first {MOST_ROWS:,} of {len(found['train']):,} training rows were read."
    labelled = _cleaned(table, source)
    return replace(labelled, notes=(*labelled.notes, cut)) if len(found["train"]) > MOST_ROWS else labelled


_offline = threading.Lock()


@contextmanager
def _asking(hub: bool) -> Iterator[None]:
    """Let datasets ask the hub, or only its own cache: by itself it asks a silent hub for half a minute."""
    import datasets

    if hub:
        yield
        return
    with _offline:
        before = datasets.config.HF_HUB_OFFLINE
        datasets.config.HF_HUB_OFFLINE = True
        try:
            yield
        finally:
            datasets.config.HF_HUB_OFFLINE = before


def _column(table: "pd.DataFrame", chosen: str | None, usual: Sequence[str], what: str) -> str:
    columns = [column for column in table.columns if column != "split"]
    found = next((name for name in (usual if chosen is None else (chosen,)) if name in columns), None)
    if found is not None:
        return found
    if chosen is not None:
        raise WobbleError(f"The data have no column named {chosen!r}: their columns are {', '.join(columns[:12])}.")
    raise WobbleError(
        f"The data have no column named {' or '.join(usual)}: name the column of the {what}s, out of {', '.join(columns[:12])}."
    )


def _word(value: Any) -> str:
    """A label as a word: `1.0` and `1` are one label; empty where there is none.

    Raises:
        WobbleError: the value is not a label but, say, a list.
    """
    if isinstance(value, float | np.floating):
        return "" if np.isnan(value) else str(int(value)) if float(value).is_integer() else str(value)
    if isinstance(value, list | tuple | dict | np.ndarray):
        raise WobbleError("The column of labels holds lists: each text needs one label.")
    if value is None or type(value).__name__ in ("NAType", "NaTType"):  # of pandas, which is imported with data only
        return ""
    word = str(value).strip()
    whole = WHOLE.fullmatch(word)
    return str(int(whole[1])) if whole else word


def _place(name: str) -> tuple[int, str]:
    """Numbers in their own order, before words."""
    number = name.isascii() and name.lstrip("-").isdigit() and len(name) <= 18
    return (int(name), "") if number else (10**18, name)


def _cleaned(table: "pd.DataFrame", source: DataSource) -> Labelled:
    """Texts and numbered labels of a table, without empty and repeated rows, in splits.

    Raises:
        WobbleError: a column is missing, or nothing is left to learn from.
    """
    text_column = _column(table, source.text_column, TEXTS, "text")
    label_column = _column(table, source.label_column, LABELS, "label")
    if text_column == label_column:
        raise WobbleError(f"Text and label cannot be the same column, {text_column!r}.")
    splits, notes = ["train"] * len(table), []
    if "split" in table.columns:
        own = list(map(str, table["split"]))
        if set(own) <= set(SPLITS):
            splits = own
        else:
            notes.append(f"The column 'split' was not used: it holds other values than {', '.join(SPLITS)}.")
    rows: dict[tuple[str, str], str] = {}
    home: dict[str, str] = {}
    counts = dict.fromkeys(("without a text", "without a label", "with broken characters", "like another one"), 0)
    for text, label, split in zip(table[text_column], map(_word, table[label_column]), splits, strict=True):
        if not isinstance(text, str) or not text.strip():
            counts["without a text"] += 1
        elif not label:
            counts["without a label"] += 1
        elif LONE_SURROGATE.search(text + label):
            counts["with broken characters"] += 1
        elif (text, label) in rows:
            counts["like another one"] += 1
        else:
            # A text stays in the split in which it came first, whatever its label there: no text is in two splits.
            rows[text, label] = home.setdefault(text, split)
    left_out = {what: count for what, count in counts.items() if count}
    notes += [
        f"{plural(count, 'row')} {what} {verb(count, 'was', 'were')} left out." for what, count in left_out.items()
    ]
    if both := sum(count > 1 for count in Counter(text for text, _ in rows).values()):
        notes.append(f"{plural(both, 'text has', 'texts have')} more than one label.")
    names = sorted({label for _, label in rows}, key=_place)
    if len(names) < 2:
        raise WobbleError(
            f"The column {label_column!r} holds {f'one label only, {names[0][:40]!r}' if names else 'no label'}: "
            "there is nothing to tell apart."
        )
    if len(names) > MOST_LABELS or (len(names) > FEWEST_LABELS and len(names) > len(rows) / 2):
        raise WobbleError(
            f"The column {label_column!r} holds {len(names):,} different values in {len(rows):,} rows: that is not a column of "
            "labels."
        )
    numbers = {name: i for i, name in enumerate(names)}
    texts = tuple(text for text, _ in rows)
    where: NDArray[np.str_] = np.array(list(rows.values()))
    return Labelled(
        texts=texts,
        labels=np.array([numbers[label] for _, label in rows], dtype=np.int64),
        names=tuple(names),
        split=where if "validation" in rows.values() else _held_out(texts, where),
        own_split="validation" in rows.values(),
        notes=tuple(notes),
    )


def _held_out(texts: Sequence[str], split: NDArray[np.str_]) -> NDArray[np.str_]:
    """Move a share of the training texts to validation, chosen by their hash: equal texts stay together."""
    train = {text for text, name in zip(texts, split, strict=True) if name == "train"}
    order = sorted(train, key=lambda text: hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
    chosen = set(order[: min(max(1, round(HELD_OUT * len(order))), MOST_HELD_OUT, len(order) - 1)])
    return np.array(
        ["validation" if name == "train" and text in chosen else name for text, name in zip(texts, split, strict=True)]
    )


def to_parquet(data: Labelled, file: Path) -> None:
    """Keep labelled texts beside the models trained on them."""
    import pandas as pd

    frame = pd.DataFrame({"text": data.texts, "label": data.labels, "split": data.split})
    if data.rating_std is not None:
        frame["rating_std"] = data.rating_std
    frame.attrs = {"names": list(data.names), "own_split": data.own_split}
    frame.to_parquet(file, index=False)


def from_parquet(file: Path) -> Labelled:
    """What `to_parquet` wrote.

    Raises:
        WobbleError: the file is missing or damaged.
    """
    import pandas as pd

    try:
        frame = pd.read_parquet(file)
        return Labelled(
            texts=tuple(frame["text"]),
            labels=frame["label"].to_numpy(dtype=np.int64),
            names=tuple(frame.attrs["names"]),
            split=frame["split"].to_numpy(dtype=str),
            own_split=bool(frame.attrs["own_split"]),
            rating_std=frame["rating_std"].to_numpy(dtype=np.float64) if "rating_std" in frame else None,
        )
    except Exception as error:  # as for files of strangers
        raise WobbleError(f"The data that were kept at {file.name} cannot be read: {first_line(error)}") from error
