"""How large the code is, and how tangled: `python -m benchmarks.sizes`; with `--old COMMIT`, beside an older state."""

import argparse
import ast
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grimp

from benchmarks.checkout import ROOT, unpack

PACKAGES = ("core", "pages")
MOST_LINES_OF_A_MODULE = 400
MOST_LINES_OF_A_FUNCTION = 60


def sizes(root: Path) -> dict[str, Any]:
    """The measures of a checkout: statements and lines of templates; what is too long; circular imports."""
    files = sorted(file for package in PACKAGES for file in (root / package).rglob("*.py"))
    files += [file for file in (root / "app.py", root / "router.py") if file.is_file()]
    statements, docstrings, imports, modules, functions = 0, 0, 0, {}, {}
    for file in files:
        name, text = file.relative_to(root).as_posix(), file.read_text(encoding="utf-8")
        if (lines := len(text.splitlines())) > MOST_LINES_OF_A_MODULE:
            modules[name] = lines
        for node in ast.walk(ast.parse(text)):
            statements += isinstance(node, ast.stmt)
            imports += isinstance(node, ast.Import | ast.ImportFrom)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                docstrings += ast.get_docstring(node) is not None
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > MOST_LINES_OF_A_FUNCTION:
                    functions[f"{name}:{node.name}"] = lines
    templates = sum(
        len(file.read_text(encoding="utf-8").splitlines())
        for folder in (*PACKAGES, "assets")
        for file in (root / folder).rglob("*.j2")
    )
    found = circles(root)
    return {
        "statements": statements,
        "of_them_docstrings": docstrings,
        "of_them_imports": imports,
        "template_lines": templates,
        "statements_and_template_lines": statements + templates,
        f"modules_over_{MOST_LINES_OF_A_MODULE}_lines": modules,
        f"functions_over_{MOST_LINES_OF_A_FUNCTION}_lines": functions,
        "import_circles": len(found),
        "modules_in_circles": found,
    }


def circles(root: Path) -> list[list[str]]:
    """The sets of modules that all import each other, directly or not, lazy imports and those for types included."""
    with _only_from(root):
        graph = grimp.build_graph(*(name for name in PACKAGES if (root / name).is_dir()), cache_dir=None)
    found: set[frozenset[str]] = set()
    for module in graph.modules:
        # Both ways from it: itself too, where it is part of a cycle.
        circle = graph.find_upstream_modules(module) & graph.find_downstream_modules(module)
        if circle:
            found.add(frozenset({module, *circle}))
    return sorted(sorted(circle) for circle in found)


@contextmanager
def _only_from(root: Path) -> Iterator[None]:
    """Look imports up in one checkout only: `pages` has no `__init__.py`, so it would be made of all that are found."""
    before = sys.path[:]
    # What is imported already would be found instead.
    imported = {name: sys.modules.pop(name) for name in PACKAGES if name in sys.modules}
    sys.path[:] = [str(root), *(place for place in before if Path(place).resolve() != ROOT)]
    try:
        yield
    finally:
        sys.path[:] = before
        sys.modules.update(imported)


def at(commit: str) -> dict[str, Any]:
    """The measures of a commit of this repository."""
    with tempfile.TemporaryDirectory() as folder:
        unpack(commit, Path(folder), *PACKAGES, ":(glob)*.py")
        return sizes(Path(folder))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sizes", description="How large the code is, as JSON.")
    parser.add_argument("--old", metavar="COMMIT", help="a commit to measure beside the checkout")
    old = parser.parse_args().old
    print(json.dumps({"now": sizes(ROOT), "old": at(old)} if old else sizes(ROOT), indent=2))
