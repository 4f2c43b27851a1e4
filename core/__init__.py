"""Wobble's engine: why a fine-tuned text classifier changes its mind.

The engine is a pipeline whose modules are named after its steps and know nothing of the interface:

    text -> variants -> encodings -> logits -> probabilities -> measures -> figures, tables, report
            perturb     tokens       classifier  temperature    metrics     figures, tables, report

`load(id)` gives a classifier, `compare(classifier, text, variants(text))` is the main job, and `profile(classifier, text)`
tries every factor. `figure(result)` draws either; in a notebook the results show themselves.
"""

from typing import TYPE_CHECKING, Any

from core import threads  # noqa: F401 - before torch
from core.catalog import load
from core.classifier import Classifier, Condition, Prediction, predict
from core.compare import Comparison, compare
from core.errors import WobbleError
from core.perturb import Variant, variants
from core.profile import Profile, profile
from core.verdict import Verdict, verdict

if TYPE_CHECKING:
    from core.report import figure

__all__ = [
    "Classifier",
    "Comparison",
    "Condition",
    "Prediction",
    "Profile",
    "Variant",
    "Verdict",
    "WobbleError",
    "compare",
    "figure",
    "load",
    "predict",
    "profile",
    "variants",
    "verdict",
]


def __getattr__(name: str) -> Any:
    """`figure` needs pandas and Plotly, which a bare GPU machine does not have: imported when it is first asked for."""
    if name == "figure":
        from core.report import figure

        return figure
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
