"""Wobble's engine: why a fine-tuned text classifier changes its mind.

The engine is a pipeline whose modules are named after its steps and know nothing of the interface:

    text -> variants -> encodings -> logits -> probabilities -> measures -> figures, tables, report
            perturb     tokens       classifier  temperature    metrics     figures, tables, report

`load(id)` gives a classifier, `compare(classifier, text, variants(text))` is the main job, and `profile(classifier, text)`
tries every factor. `figure(result)` draws either; in a notebook the results show themselves.
"""

from typing import TYPE_CHECKING, Any

from core.base import threads  # noqa: F401 - before torch
from core.base.errors import WobbleError
from core.models.catalog import load
from core.models.classifier import Classifier, Condition, Prediction, predict
from core.studies.compare import Comparison, compare
from core.studies.profile import Profile, profile
from core.studies.verdict import Verdict, verdict
from core.text.perturb import Variant, variants

if TYPE_CHECKING:
    from core.views.report import figure

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
        from core.views.report import figure

        return figure
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
