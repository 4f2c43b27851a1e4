"""How charts behave on a page."""

from typing import Literal

import plotly.graph_objects as go
import streamlit as st


def dark() -> bool:
    """Whether the person looks at the dark theme."""
    return st.context.theme.type == "dark"


def show(figure: go.Figure, key: str, file_name: str, alt: str, opens: bool = False) -> None:
    """A chart.

    Args:
        file_name: under which the camera saves a PNG of twice the size.
        alt: what the chart shows, in words.
        opens: whether a click on a dot opens its case.
    """
    camera = {"displaylogo": False, "toImageButtonOptions": {"filename": file_name, "scale": 2}}
    select: Literal["rerun", "ignore"] = "rerun" if opens else "ignore"
    st.plotly_chart(figure, key=key, config=camera, alt=alt, on_select=select, selection_mode="points")
