"""What the documents name exists."""

import json
import pkgutil
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "docs" / "example.ipynb"]
DOTTED = re.compile(r"\b(?:core|pages)(?:\.[A-Za-z_]\w*)+")


def written(file: Path) -> str:
    """What a person wrote in a document: of a notebook its cells without what they printed."""
    text = file.read_text(encoding="utf-8")
    return text if file.suffix == ".md" else "".join("".join(cell["source"]) for cell in json.loads(text)["cells"])


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.name)
def test_every_dotted_name_is_a_module_or_stands_in_one(file: Path) -> None:
    for name in set(DOTTED.findall(written(file))):
        pkgutil.resolve_name(name)


def test_names_are_found_at_all() -> None:
    found = {file.name for file in DOCUMENTS if DOTTED.search(written(file))}
    assert {"ARCHITECTURE.md", "example.ipynb"} <= found
    with pytest.raises(AttributeError):
        pkgutil.resolve_name("core.report.report")


def test_the_floors_name_every_module_of_theirs() -> None:
    for row in re.findall(r"^\| `core/.*", written(ROOT / "docs" / "ARCHITECTURE.md"), re.MULTILINE):
        folders, said = row.strip("| ").split(" | ")
        for folder in re.findall(r"`(core/\w+)/`", folders):
            named = {name.rstrip("/") for name in re.findall(r"`([\w/]+)`", said)}
            assert {module.name for module in pkgutil.iter_modules([str(ROOT / folder)])} <= named, folder
