"""The first visitors, who come at the same time, do not import the engine from different ends."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pages.parts import menu

ROOT = Path(__file__).parents[2]
GATE = "pages.parts.engine"
IMPORTED = f"import json, sys, {GATE}; print(json.dumps(sorted(sys.modules)))"


def imports(page: str) -> Iterator[tuple[str, list[str]]]:
    """The modules that a page imports, in its order, with what it takes from each."""
    for statement in ast.parse((ROOT / page).read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Import):
            yield from ((name.name, []) for name in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            assert statement.module is not None
            yield statement.module, [name.name for name in statement.names]


@pytest.fixture(scope="module")
def imported() -> set[str]:
    """All modules that are there once the gate is."""
    done = subprocess.run([sys.executable, "-c", IMPORTED], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


@pytest.mark.parametrize("page", [entry.file for entry in menu.ENTRIES])
def test_a_page_imports_the_engine_as_a_whole_before_anything_of_it(page: str, imported: set[str]) -> None:
    modules = [module for module, _ in imports(page)]
    before = modules[: modules.index(GATE)]
    assert all(module.partition(".")[0] in sys.stdlib_module_names for module in before)
    for module, taken in imports(page):
        assert module in imported, f"{page} imports {module}, which {GATE} does not"
        for name in taken:
            folder = ROOT.joinpath(*module.split("."))
            inner = (folder / f"{name}.py").exists() or (folder / name).is_dir()
            assert not inner or f"{module}.{name}" in imported, f"{page} imports {module}.{name}, which {GATE} does not"
