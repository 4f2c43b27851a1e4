"""The menu, made from what each page says of itself; read without running a page, so that it is there before the engine is."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

PAGES = Path(__file__).parent.parent
ORDER = ("overview", "perturb", "preprocessing", "tokens", "dropout", "temperature", "seeds", "numerics", "train")
"""The pages as the menu lists them; the first is the one that the app starts with."""
DECLARED = ("TITLE", "ICON", "QUESTION", "FACTORS", "OPENS")


@dataclass(frozen=True)
class Entry:
    """One page, as its file declares it: `TITLE`, `ICON`, `QUESTION`, the `FACTORS` that it explains and how it `OPENS` a case."""

    file: str
    """From the app's folder."""
    title: str
    icon: str
    question: str
    """What the page answers."""
    factors: tuple[str, ...]
    opens: Mapping[str, str]
    """Parameters of a link that opens a case there: `{case}` in their values is its key in a profile, `{factor}` its factor."""

    def opened(self, factor: str, case: str | None) -> dict[str, str]:
        """The parameters of a link that opens a case, or only its factor where there is none."""
        asked = {name: value for name, value in self.opens.items() if case is not None or "{case}" not in value}
        return {name: value.format(factor=factor, case=case) for name, value in asked.items()}


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
        f"pages/{page}.py",
        declared["TITLE"],
        declared["ICON"],
        declared["QUESTION"],
        declared.get("FACTORS", ()),
        declared.get("OPENS", {}),
    )


def page_of(factor: str) -> Entry | None:
    """The page that explains a factor; None where none does."""
    return next((entry for entry in entries() if factor in entry.factors), None)
