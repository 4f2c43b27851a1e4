"""Wobble's engine: why a fine-tuned text classifier changes its mind.

The engine is a pipeline whose packages are floors, and knows nothing of the interface:

    text -> variants -> encodings -> logits -> probabilities -> cases -> study -> views

`load(id)` gives a classifier, `profile(classifier, text)` is the study of every factor, `compare(classifier, text,
variants(text))` that of some edits. `figure(study)` draws it; in a notebook a study shows itself.

Importing all this takes half a second. torch and transformers take several more, so what computes with them
(`core.models.loading`, `sites` and `passes`, `core.families.stacked`, `core.training.trainer`) is imported where a model is
loaded or run: a command line that is wrong, or asks for help, does without.
"""

from typing import Any

from core.base import threads  # noqa: F401 - before torch
from core.base.errors import WobbleError
from core.factors.case import Case
from core.factors.registry import factor
from core.models.catalog import load
from core.models.classifier import Classifier
from core.models.predict import Condition, Prediction, predict
from core.studies.study import Study, compare, profile, study
from core.studies.verdict import Verdict, verdict
from core.text.perturb import Variant, variants

__all__ = [
    "Case",
    "Classifier",
    "Condition",
    "Prediction",
    "Study",
    "Variant",
    "Verdict",
    "WobbleError",
    "compare",
    "factor",
    "figure",
    "load",
    "predict",
    "profile",
    "study",
    "variants",
    "verdict",
]


def __getattr__(name: str) -> Any:
    """`figure` needs pandas and Plotly, which a bare GPU machine does not have: imported when it is first asked for."""
    if name == "figure":
        from core.views.strip import figure

        return figure
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _repr_html_(shown: Study) -> str:
    """What a notebook shows of a study: attached here, because views stand above studies."""
    from core.views.html import study_html

    return study_html(shown)


setattr(Study, "_repr_html_", _repr_html_)  # noqa: B010 - mypy knows no such method
