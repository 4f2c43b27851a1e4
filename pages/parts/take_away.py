"""What can be taken away: downloads, and the code that prints the numbers."""

from collections.abc import Callable, Mapping

import plotly.graph_objects as go
import streamlit as st

from pages import controls
from pages.parts import markup


def download(label: str, file_name: str, make: Callable[[], bytes | str]) -> None:
    """A button that makes a file when it is clicked; the page does not run again."""
    st.download_button(
        markup.escape_markdown(label),
        make,
        file_name,
        on_click="ignore",
        icon=":material/download:",
        key=f"download {label} {file_name}",
    )


def chart(label: str, file_name: str, make: Callable[[], go.Figure]) -> None:
    """A button that makes a chart as a page of its own, which opens where there is no network."""
    download(label, file_name, lambda: make().to_html(include_plotlyjs=True))


def code(make: Callable[[], str | Mapping[str, str]], beside: str = "", name: str = "") -> None:
    """The "show the code" panel; the script is made and sent when the panel is open.

    Args:
        make: gives one script, or several by the names of their tabs.
        beside: name of the file that the script reads, a download of the same page.
        name: tells several panels of a page apart.
    """
    panel = controls.panel("Show the code", f"code_{name}" if name else "code", ":material/code:")
    if not panel.open:
        return
    with panel:
        reads = f", with the download {markup.escape_markdown(beside)} beside it," if beside else ""
        st.caption(
            f"Plain transformers, without Wobble: run it in Wobble's folder{reads} and it prints the numbers on this page."
        )
        script = make()
        if isinstance(script, str):
            st.code(script, language="python")
            return
        for tab, one in zip(st.tabs(list(script)), script.values(), strict=True):
            tab.code(one, language="python")
