"""The example notebook runs as it stands, and is small enough to read in a diff."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parent.parent.parent / "docs" / "example.ipynb"


@pytest.mark.slow
def test_the_example_notebook_runs_and_shows_what_it_promises() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(NOTEBOOK.parent)}})
    # In a thread of its own: the browser tests leave an event loop in this one.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(client.execute).result()
    shown = [output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])]
    assert sum("text/html" in data for data in shown) >= 2
    assert any("application/vnd.plotly.v1+json" in data for data in shown)


def test_the_stored_notebook_is_executed_and_small() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert not [o for cell in cells for o in cell.outputs if o.output_type == "error" or o.get("name") == "stderr"]
    stored = NOTEBOOK.read_text(encoding="utf-8")
    assert len(stored) < 200_000 and "plotly.js v" not in stored
