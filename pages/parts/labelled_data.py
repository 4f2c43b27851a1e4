"""The choice of labelled data: embedded, a file, or a data set of the hub."""

from collections.abc import Sequence

import streamlit as st

from core.data.files import FORMATS, read_table
from core.data.labelled import EMBEDDED, LABELS, SPLITS, TEXTS, DataSource, Labelled, read
from pages import controls
from pages.parts import markup, work


@st.cache_resource(max_entries=16, show_spinner="Reading the data …")
def labelled(source: DataSource, content: bytes | None) -> Labelled:
    """Labelled texts; read once."""
    return read(source, content)


def labelled_data(key: str, embedded: Sequence[str] = tuple(EMBEDDED)) -> tuple[DataSource, Labelled] | None:
    """Lets a person choose labelled data: embedded, uploaded or on the hub; None while nothing usable is chosen.

    Args:
        key: tells several of them apart.
        embedded: names of the embedded data that fit here.
    """
    kinds = [*(["Embedded"] if embedded else []), "Your file", "Hugging Face hub"]
    kind = controls.segments("Data", f"{key}_data", kinds)
    if kind == "Embedded":
        name = controls.choice(
            "Embedded data", f"{key}_embedded", embedded, words=lambda name: f"{name}: {EMBEDDED[name]}"
        )
        source, content = DataSource(name), None
    elif kind == "Your file":
        file = st.file_uploader("A CSV, JSONL or Parquet file", type=list(FORMATS), key=f"{key}_file")
        if file is None:
            st.caption("One row a text, with a column of texts and a column of labels. Nothing leaves this machine.")
            return None
        uploaded = content = file.getvalue()
        table = work.attempt(lambda: read_table(uploaded, file.name))
        if table is None:
            return None
        columns = [str(column) for column in table.columns]
        usual = [next((i for i, c in enumerate(columns) if c in names), None) for names in (TEXTS, LABELS)]
        left, right = st.columns(2)
        text_column = left.selectbox("Column of the texts", columns, index=usual[0], key=f"{key}_text")
        label_column = right.selectbox("Column of the labels", columns, index=usual[1], key=f"{key}_label")
        if text_column is None or label_column is None:
            st.caption("Choose the two columns.")
            return None
        source = DataSource(file.name, text_column, label_column)
    else:
        id = controls.text("Data set of the hub", f"{key}_hub", placeholder="glue/sst2").strip()
        left, right = st.columns(2)
        with left:
            text_column = controls.text("Column of the texts", f"{key}_hub_text", placeholder="text or sentence")
        with right:
            label_column = controls.text("Column of the labels", f"{key}_hub_label", placeholder="label")
        if not id:
            return None
        source, content = DataSource(id, text_column.strip() or None, label_column.strip() or None), None
    found: Labelled | None = work.attempt(lambda: labelled(source, content))
    if found is not None:
        counts = ", ".join(f"{int((found.split == part).sum()):,} {part}" for part in SPLITS if part in found.split)
        names = ", ".join(found.names[:6]) + (", …" if len(found.names) > 6 else "")
        own = "" if found.own_split else " The validation split was held out by the hash of the text."
        st.caption(
            markup.escape_markdown(
                f"{counts}; {len(found.names)} labels: {names}.{own} {' '.join(found.notes)}".rstrip()
            )
        )
    return None if found is None else (source, found)
