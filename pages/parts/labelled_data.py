"""The choice of labelled data: embedded, a file, or a data set of the hub."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from core.data.files import FORMATS, read_table
from core.data.labelled import EMBEDDED, LABELS, SPLITS, TEXTS, DataSource, Labelled, read
from pages import controls
from pages.parts import markup, work

labelled = st.cache_resource(max_entries=16, show_spinner="Reading the data …")(read)


def labelled_data(key: str, embedded: Sequence[str] = tuple(EMBEDDED)) -> tuple[DataSource, Labelled] | None:
    """Lets a person choose labelled data: embedded, uploaded or on the hub; None while nothing usable is chosen.

    Args:
        key: tells several of them apart.
        embedded: names of the embedded data that fit here.
    """
    kind = controls.segments(
        "Data", f"{key}_data", [*(["Embedded"] if embedded else []), "Your file", "Hugging Face hub"]
    )
    source, content = None, None
    if kind == "Embedded":
        source = DataSource(
            controls.choice(
                "Embedded data", f"{key}_embedded", embedded, words=lambda name: f"{name}: {EMBEDDED[name]}"
            )
        )
    elif kind == "Hugging Face hub":
        id = controls.text("Data set of the hub", f"{key}_hub", placeholder="glue/sst2").strip()
        columns = _columns(f"{key}_hub")
        source = DataSource(id, *columns) if id else None
    elif file := controls.upload("A CSV, JSONL or Parquet file", f"{key}_file", FORMATS):
        content = file.getvalue()
        if (table := work.attempt(partial(read_table, content, file.name))) is not None:
            columns = _columns(key, list(map(str, table.columns)))
            if all(columns):
                source = DataSource(file.name, *columns)
            else:
                st.caption("Choose the two columns.")
    else:
        st.caption("One row per text, with a column of texts and a column of labels. Nothing leaves this machine.")
    found = source and work.attempt(partial(labelled, source, content))
    if not (source and found):
        return None
    counts = ", ".join(f"{int((found.split == part).sum()):,} {part}" for part in SPLITS if part in found.split)
    names = ", ".join(found.names[:6]) + (", …" if len(found.names) > 6 else "")
    own = "" if found.own_split else " The validation split was held out by the hash of the text."
    st.caption(
        markup.escape_markdown(f"{counts}; {len(found.names)} labels: {names}.{own} {' '.join(found.notes)}".rstrip())
    )
    return source, found


def _columns(key: str, offered: Sequence[str] | None = None) -> list[str | None]:
    """The columns of the texts and of the labels, chosen among those of a file or typed."""
    chosen: list[str | None] = []
    usual = ("texts", TEXTS, "text or sentence"), ("labels", LABELS, "label")
    for place, (what, names, hint) in zip(st.columns(2), usual, strict=True):
        said, name = f"Column of the {what}", f"{key}_{what[:-1]}"
        with place:
            if offered is None:
                chosen.append(controls.text(said, name, placeholder=hint).strip() or None)
            else:
                first = next((one for one in offered if one in names), None)
                nothing = None if first else "Choose an option"
                chosen.append(controls.choice(said, name, offered, first, nothing=nothing, linked=False) or None)
    return chosen
