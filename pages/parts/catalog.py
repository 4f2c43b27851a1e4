"""The catalog: every model that this machine and the hub offer, each with a button that chooses it."""

from html import escape

import streamlit as st

from core.models.catalog import Entry, entries
from pages import state

MEANING = {
    "yes": "on this machine",
    "cached": "on this machine, from the hub",
    "downloadable": "fetched from the hub when it is chosen",
    "unreachable": "cannot be chosen: it is not on this machine, and the hub does not answer",
}
LABELS = 6
"""Labels of a model that are named."""


def dialog() -> None:
    """The catalog, where it was asked for; choosing a model closes it."""
    if state.unlinked("catalog", False):
        st.dialog("Catalog", width="large", on_dismiss=state.changing(catalog=False))(_catalog)()


def _catalog() -> None:
    with st.spinner("Asking the hub which models it has …"):
        found = entries()
    st.caption(
        "Any other model of the Hugging Face hub can be typed into *Models*. Local models are those under the folders of "
        "WOBBLE_MODEL_DIRS."
    )
    for entry in found:
        _line(entry)


def _line(entry: Entry) -> None:
    """One model: what it is, whether it is here, and the button that chooses it."""
    chosen = state.current().models == (entry.id,)
    rest = f" and {len(entry.labels) - LABELS} more" if len(entry.labels) > LABELS else ""
    facts = (
        entry.family,
        entry.tokenizer,
        f"{entry.parameters / 1e6:,.1f} million parameters" if entry.parameters else None,
        f"labels {', '.join(entry.labels[:LABELS])}{rest}" if entry.labels else None,
    )
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.html(
            f"<p class='w-line'><b>{escape(entry.id)}</b> {MEANING[entry.available]}</p>"
            f"<p class='w-line w-faint w-small'>{escape('; '.join(fact for fact in facts if fact))}</p>"
        )
        state.button(
            "In use" if chosen else "Use this model",
            f"use {entry.id}",
            f"Every page shows {entry.id}",
            disabled=chosen or entry.available == "unreachable",
            model=[entry.id],
            catalog=False,
        )
