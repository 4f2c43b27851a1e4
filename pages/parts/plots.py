"""How charts behave on a page."""

from typing import Literal

import plotly.graph_objects as go
import streamlit as st

from core.views.style import enlarged
from pages.parts import presenter


def dark() -> bool:
    """Whether the person looks at the dark theme."""
    return st.context.theme.type == "dark"


def show(figure: go.Figure, key: str, file_name: str, alt: str, opens: bool = False, legend: str = "") -> None:
    """A chart; its title is its own, but on a phone, where that would be cut, it stands over the chart and wraps.

    Args:
        file_name: under which the camera saves a PNG of twice the size.
        alt: what the chart shows, in words.
        opens: whether a click on a dot opens its case.
        legend: what stands below it, as HTML.
    """
    camera = {"displaylogo": False, "toImageButtonOptions": {"filename": file_name, "scale": 2}}
    select: Literal["rerun", "ignore"] = "rerun" if opens else "ignore"
    if presenter.is_on():
        figure = enlarged(figure, presenter.LARGER)
    # What Plotly shows as text is text in HTML too.
    if title := figure.layout.title.text:
        st.html(f"<p class='w-title'>{title.replace('<br>', ' ')}</p>")
    st.plotly_chart(figure, key=key, config=camera, alt=alt, on_select=select, selection_mode="points")
    if legend:
        st.html(legend)
