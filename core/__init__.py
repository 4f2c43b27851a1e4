"""Wobble's engine: why a fine-tuned text classifier changes its mind.

The engine is a pipeline whose modules are named after its steps and know nothing of the interface:

    text -> variants -> encodings -> logits -> probabilities -> measures -> figures, tables
            perturb     tokens       classifier  temperature    metrics     figures, tables

`catalog.load(id)` gives a classifier, `compare(classifier, text, variants(text))` is the main job.
"""

from core import threads  # noqa: F401 - before torch
from core.catalog import load
from core.classifier import Classifier, Condition, Prediction, predict
from core.compare import Comparison, compare
from core.errors import WobbleError
from core.perturb import Variant, variants

__all__ = [
    "Classifier",
    "Comparison",
    "Condition",
    "Prediction",
    "Variant",
    "WobbleError",
    "compare",
    "load",
    "predict",
    "variants",
]
