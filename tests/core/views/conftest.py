"""What holds for every view that a test makes."""

from typing import Any

import plotly.graph_objects as go
import pytest

Figure = go.Figure


class Checked(Figure):
    """A figure that refuses what Plotly does not know, and what it could not be read back from."""

    def __init__(self, *data: Any, _validate: bool = True, **more: Any) -> None:
        super().__init__(*data, **more)
        if not _validate:
            Figure(*data, **more, _validate=False).layout.xaxis.range  # noqa: B018 - reading it is the check


@pytest.fixture(autouse=True)
def checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """`style.drawn` leaves it to the tests to check the properties of its figures."""
    monkeypatch.setattr(go, "Figure", Checked)
