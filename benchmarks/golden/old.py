"""The engine of commit 1819f24: the only module here that knows its names. It runs in a checkout of that commit.

Each function gives a document of plain JSON values; `benchmarks.golden.recorder` says what is kept of it.
"""

from collections.abc import Callable
from typing import Any

from benchmarks.golden.texts import PASSES
from core import catalog
from core.calibration import calibrate_on
from core.classifier import Classifier, Condition, predict
from core.compare import compare
from core.documents import (
    calibration_document,
    comparison_document,
    numerics_document,
    passes_document,
    profile_document,
    search_document,
    seeds_document,
    temperature_document,
)
from core.dropout import Dropout, run_passes, spread
from core.errors import WobbleError
from core.labelled import DataSource, read
from core.numerics import numerics
from core.perturb import variants
from core.profile import family_for, profile
from core.seeds import predict_family
from core.shortest import shortest_flip

Document = dict[str, Any]
Refusal = WobbleError
"""What the engine raises where a sentence says why there is no answer."""
TEMPERATURES = (0.25, 0.5, 1.0, 2.0, 10.0)
load = catalog.load


def _comparison(classifier: Classifier, text: str) -> Document:
    return comparison_document(compare(classifier, text, variants(text)))


def _numerics(classifier: Classifier, text: str) -> Document:
    return numerics_document(classifier, numerics(classifier, text))


def _profile(classifier: Classifier, text: str) -> Document:
    return profile_document(profile(classifier, text, passes=PASSES))


def _passes(classifier: Classifier, text: str) -> Document:
    # Another seed and rate than the profile's.
    dropout = Dropout(seed=7, rate=0.2)
    found = run_passes(classifier, [text], PASSES, dropout)
    summary = spread(classifier, found.logits[:, 0], found.reference[0])
    return passes_document(classifier, text, summary, dropout)


def _temperature(classifier: Classifier, text: str) -> Document:
    logits = predict(classifier, [text], Condition(batch="alone")).logits[0]
    return temperature_document(classifier, text, logits, TEMPERATURES)


def _seeds(classifier: Classifier, text: str) -> Document | None:
    family = family_for(classifier)
    if family is None:
        return None
    return seeds_document(family, text, predict_family(family, [text]).logits[:, 0])


def shortest(classifier: Classifier, text: str) -> Document:
    """The search for the shortest flip of a text."""
    return search_document(classifier, shortest_flip(classifier, text))


def calibration(classifier: Classifier) -> Document:
    """The temperature that fits the embedded movie snippets."""
    return calibration_document(classifier, calibrate_on(classifier, read(DataSource("movie"))))


KINDS: dict[str, Callable[[Classifier, str], Document | None]] = {
    "numerics": _numerics,
    "comparison": _comparison,
    "profile": _profile,
    "passes": _passes,
    "temperature": _temperature,
    "seeds": _seeds,
}
"""What is recorded of every text; None where there is no such thing for the model."""
