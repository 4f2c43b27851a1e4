"""The present engine, with the names and the documents of `benchmarks.golden.old`: the only other module that names an engine.

What the old engine did not have is left out here: its factors are asked for by name, and a document is cut to the old keys.
"""

from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.golden.texts import PASSES
from core.base.errors import WobbleError
from core.data.labelled import DataSource, read
from core.factors.dropout import Dropout
from core.factors.seeds import family_for
from core.families.stacked import predict_family
from core.models import catalog
from core.models.classifier import Classifier
from core.models.predict import Condition, predict, readable
from core.studies.calibration import calibrate_on
from core.studies.shortest import shortest_flip
from core.studies.study import compare, options_of, study
from core.text.perturb import variants
from core.views import documents

Document = dict[str, Any]
Refusal = WobbleError
"""What the engine raises where a sentence says why there is no answer."""
TEMPERATURES = (0.25, 0.5, 1.0, 2.0, 10.0)
FACTORS = ("whitespace", "casing", "punctuation", "unicode", "typo", "dropout", "temperature", "seed", "numerics")
load = catalog.load

_NEW = ("fate", "also", "name")
"""Keys of a case that the old engine had elsewhere."""


def _without(document: Mapping[str, Any], *names: str) -> Document:
    return {name: value for name, value in document.items() if name not in names}


def _comparison(classifier: Classifier, text: str) -> Document:
    found = documents.comparison_document(compare(classifier, text, variants(text)))
    return _without(found, "notes") | {"variants": [_without(row, *_NEW) for row in found["variants"]]}


def _numerics(classifier: Classifier, text: str) -> Document:
    found = documents.numerics_document(study(classifier, text, ["numerics"]))
    sentences = [note for note in found.pop("notes") if "can flip this sentence" not in note]
    reference = _without(found["reference"], "text", "tokens", "ids", "truncated")
    alone = {"batch": "alone", "padded": 0, "among": 0, "kernel": "own", "dtype": "float32"}
    conditions = [_without(row, "name") for row in found["conditions"]]
    return found | {"reference": reference | alone, "conditions": conditions, "left_out": sentences}


def _profile(classifier: Classifier, text: str) -> Document:
    options = options_of(0, PASSES)
    found = documents.profile_document(study(classifier, text, FACTORS, {name: options[name] for name in FACTORS}))
    rows = found.pop("factors")
    family = next((row["family"] for row in rows if "family" in row), None)
    factors = []
    for row in rows:
        cases = [_without(case, "fate", "also") for case in row["cases"]]
        worst = None if row["worst"] is None else _without(row["worst"], "fate", "also")
        sampled = {"sampled": row.get("sampled")}
        factors.append(_without(row, "beyond_the_limit", "family") | sampled | {"cases": cases, "worst": worst})
    about = {"seed": 0, "passes": PASSES, "family": family}
    return _without(found, "options", "temperature") | about | {"factors": factors}


def _passes(classifier: Classifier, text: str) -> Document:
    # Another seed and rate than the profile's.
    found = study(classifier, text, ["dropout"], {"dropout": {"seed": 7, "p": 0.2, "passes": PASSES}})
    document = documents.passes_document(classifier, found, Dropout(seed=7, rate=0.2))
    reference = _without(document["reference"], "margin", "tokens", "ids", "truncated")
    return _without(document, "notes") | {"reference": reference}


def _temperature(classifier: Classifier, text: str) -> Document:
    logits = predict(classifier, readable(classifier, [text]), Condition(batch="alone")).logits[0]
    return documents.temperature_document(classifier, text, logits, TEMPERATURES)


def _seeds(classifier: Classifier, text: str) -> Document | None:
    family = family_for(classifier)
    if family is None:
        return None
    return documents.seeds_document(family, text, predict_family(family, [text]).logits[:, 0])


def shortest(classifier: Classifier, text: str) -> Document:
    """The search for the shortest flip of a text."""
    found = documents.search_document(classifier, shortest_flip(classifier, text))
    nearest = None if found["nearest"] is None else _without(found["nearest"], "name", "flip", "fate")
    return found | {"flips": [_without(one, "name", "flip", "fate") for one in found["flips"]], "nearest": nearest}


def calibration(classifier: Classifier) -> Document:
    """The temperature that fits the embedded movie snippets."""
    return documents.calibration_document(classifier, calibrate_on(classifier, read(DataSource("movie"))))


KINDS: dict[str, Callable[[Classifier, str], Document | None]] = {
    "numerics": _numerics,
    "comparison": _comparison,
    "profile": _profile,
    "passes": _passes,
    "temperature": _temperature,
    "seeds": _seeds,
}
"""What is recorded of every text; None where there is no such thing for the model."""
