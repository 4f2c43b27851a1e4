"""The menu: what each page is called, asks and explains. It is there before the engine is, so nothing here imports `core`."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Entry:
    """One page.

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


_ENTRIES = (
    Entry(
        "pages/overview.py", "Overview", ":material/bolt:",
        "Can I trust this prediction? Every factor on one scale, the culprit named.",
    ),
    Entry(
        "pages/perturb.py", "Perturb", ":material/edit_note:",
        "Which edits of white space, casing and punctuation does the tokenizer erase, which reach the model, which flip it?",
        ("whitespace", "casing", "punctuation", "unicode", "typo"), {"factor": "{factor}", "variant": "{case}"},
    ),
    Entry(
        "pages/preprocessing.py", "Preprocessing", ":material/cleaning_services:",
        "What if another pipeline cleaned the text before the tokenizer?", ("preprocessing",), {"step": "{case}"},
    ),
    Entry(
        "pages/tokens.py", "Tokens", ":material/toll:",
        "How do up to four tokenizers split the sentence, stage by stage, and what if they split it otherwise?",
        ("segmentation",),
    ),
    Entry(
        "pages/dropout.py", "Dropout", ":material/casino:",
        "What if dropout is left on? Every pass as a dot.", ("dropout",), {"dot": "all that are on, {case}"},
    ),
    Entry(
        "pages/temperature.py", "Temperature", ":material/thermostat:",
        "What does temperature change, and why never the label?", ("temperature",),
    ),
    Entry(
        "pages/seeds.py", "Seeds", ":material/psychology_alt:",
        "Would the same recipe, trained with another seed, say the same?", ("seed",), {"member": "{case}"},
    ),
    Entry(
        "pages/numerics.py", "Numerics", ":material/functions:",
        "Do padding, the other texts of the batch or half precision move it?", ("numerics",),
    ),
    Entry(
        "pages/train.py", "Train", ":material/model_training:",
        "Fine-tune seeds of your own, on your data, and watch.",
    ),
)  # fmt: skip


def entries() -> tuple[Entry, ...]:
    """All pages in the menu's order; the first is the one that the app starts with."""
    return _ENTRIES


def page_of(factor: str) -> Entry | None:
    """The page that explains a factor; None where none does."""
    return next((entry for entry in _ENTRIES if factor in entry.factors), None)
