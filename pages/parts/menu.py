"""The menu, made from what each page declares; read without running a page, so that it is there before the engine is."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PAGES = Path(__file__).parent.parent
ORDER = (
    "overview",
    "perturb",
    "preprocessing",
    "tokens",
    "dropout",
    "temperature",
    "seeds",
    "numerics",
    "learn",
    "train",
)
"""The pages in the menu's order; the app starts with the first."""


@dataclass(frozen=True)
class Entry:
    """One page, as its file declares it by a literal `PAGE`.

    Args:
        file: from the app's folder.
        question: what the page answers.
        factors: those that it explains.
        opens: parameters of a link that opens a case there: `{case}` in their values is its key in a profile, `{factor}` its
            factor.
    """

    file: str
    title: str
    icon: str
    question: str
    factors: tuple[str, ...] = ()
    opens: Mapping[str, str] = field(default_factory=dict)

    def opened(self, factor: str, case: str | None) -> dict[str, str]:
        """The parameters of a link that opens a case, or only its factor where there is none."""
        asked = {name: value for name, value in self.opens.items() if case is not None or "{case}" not in value}
        return {name: value.format(factor=factor, case=case) for name, value in asked.items()}


def _declared(page: str) -> dict[str, Any]:
    statements = ast.parse((PAGES / f"{page}.py").read_text(encoding="utf-8")).body
    declared = next(one for one in statements if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == "PAGE")
    found: dict[str, Any] = ast.literal_eval(declared.value)
    return found


# When this module is imported, thus by one thread: Python 3.11 breaks one of two that parse at once.
ENTRIES = tuple(Entry(f"pages/{page}.py", **_declared(page)) for page in ORDER)
"""All pages in the menu's order."""


def page_of(factor: str) -> Entry | None:
    """The page that explains a factor; None where none does."""
    return next((entry for entry in ENTRIES if factor in entry.factors), None)
