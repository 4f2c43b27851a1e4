"""The menu, made from what each page says of itself; read without running a page, so that it is there before the engine is."""

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

PAGES = Path(__file__).parent.parent
ORDER = ("overview", "perturb", "preprocessing", "tokens", "dropout", "temperature", "seeds", "numerics", "train")
"""The pages as the menu lists them; the first is the one that the app starts with."""
DECLARED = ("TITLE", "ICON", "QUESTION", "FACTORS")


@dataclass(frozen=True)
class Entry:
    """One page, as its file declares it: `TITLE`, `ICON`, `QUESTION`, and the `FACTORS` that it explains."""

    file: str
    """From the app's folder."""
    title: str
    icon: str
    question: str
    """What the page answers."""
    factors: tuple[str, ...]


@cache
def entries() -> tuple[Entry, ...]:
    """All pages in the menu's order.

    Raises:
        KeyError: a page does not declare its title, icon or question.
    """
    return tuple(_read(name) for name in ORDER)


def _read(page: str) -> Entry:
    declared: dict[str, Any] = {}
    for statement in ast.parse((PAGES / f"{page}.py").read_text(encoding="utf-8")).body:
        name = statement.targets[0] if isinstance(statement, ast.Assign) else None
        if isinstance(statement, ast.Assign) and isinstance(name, ast.Name) and name.id in DECLARED:
            declared[name.id] = ast.literal_eval(statement.value)
    return Entry(
        f"pages/{page}.py", declared["TITLE"], declared["ICON"], declared["QUESTION"], declared.get("FACTORS", ())
    )


def page_of(factor: str) -> str | None:
    """The file of the page that explains a factor; None where none does."""
    return next((entry.file for entry in entries() if factor in entry.factors), None)
