"""How charts behave on a page."""

from typing import Any

import streamlit as st


def dark() -> bool:
    """Whether the person looks at the dark theme."""
    return st.context.theme.type == "dark"


def chart(file_name: str) -> dict[str, Any]:
    """How charts behave; the camera saves a PNG of twice the size under this name."""
    return {"displaylogo": False, "toImageButtonOptions": {"filename": file_name, "scale": 2}}
