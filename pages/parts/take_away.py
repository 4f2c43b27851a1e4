"""What can be taken away: downloads, and the code that prints the numbers."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from pages import controls
from pages.parts import markup, work


def downloads(*files: tuple[str, str, Callable[[], Any]]) -> None:
    """Buttons in a row, each of which makes a file when it is clicked; the page does not run again.

    Args:
        files: label, file name, and what makes the content: a frame becomes CSV or Parquet, a figure a page of its own that
            opens where there is no network, a text stays as it is, and all else is JSON.
    """
    with st.container(horizontal=True):
        for label, file_name, make in files:
            st.download_button(
                markup.escape_markdown(label), partial(_content, file_name, make), file_name, on_click="ignore",
                icon=":material/download:", key=f"download {label} {file_name}",
            )  # fmt: skip


def _content(file_name: str, make: Callable[[], Any]) -> bytes | str:
    made = make()
    if isinstance(made, pd.DataFrame):
        parquet = file_name.endswith(".parquet")
        return made.to_parquet(index=False) if parquet else made.to_csv(index=False).encode()
    if isinstance(made, go.Figure):
        return str(made.to_html(include_plotlyjs=True))
    return made if isinstance(made, str) else json.dumps(made, ensure_ascii=False, allow_nan=False).encode()


def code(make: Callable[[], str | Mapping[str, str]], what: str, beside: str = "", name: str = "") -> None:
    """The "show the code" panel; the script is made and sent when the panel is open.

    Args:
        make: gives one script, or several by the names of their tabs.
        what: it prints, in a few words, by which a person tells several panels apart.
        beside: name of the file that the script reads, a download of the same page.
        name: tells several panels of a page apart.
    """
    panel = controls.panel(
        f"Show the code: {markup.escape_markdown(what)}", f"code_{name}" if name else "code", ":material/code:"
    )
    if not panel.open:
        return
    with panel:
        reads = f", with the download {markup.escape_markdown(beside)} beside it," if beside else ""
        st.caption(
            f"Plain transformers, without Wobble: run it in Wobble's folder{reads} and it prints the numbers on this page."
        )
        made = work.attempt(make)
    found = {what: made} if isinstance(made, str) else made
    if found is None:
        return
    if not found:
        panel.caption("No script: plain transformers cannot repeat this.")
    places = panel.tabs(list(found)) if len(found) > 1 else [panel] * len(found)
    for place, script in zip(places, found.values(), strict=True):
        place.code(script, language="python", wrap_lines=True)
