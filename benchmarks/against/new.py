"""The present engine, as `tasks` calls it: its memory is emptied before each task."""

from benchmarks.golden.new import FACTORS
from core.base import cache
from core.data.snippets import snippets
from core.factors.dropout import Dropout, run_passes
from core.models import catalog
from core.models.predict import predict as predict_encodings
from core.studies.study import compare as compare_texts
from core.studies.study import prepare, study
from core.text import perturb

CLASSIFIER = catalog.load()
prepare(CLASSIFIER)


def forget() -> None:
    """Forget every prediction."""
    cache.forget(CLASSIFIER)


def texts() -> list[str]:
    """The test snippets."""
    return list(snippets("test", "movie")["text"])


def lengths(some: list[str]) -> list[int]:
    """Tokens of texts."""
    return [len(encoding.ids) for encoding in CLASSIFIER.encoder(some)]


def predict(some: list[str]) -> object:
    """Logits of texts."""
    return predict_encodings(CLASSIFIER, CLASSIFIER.encoder(some))


def passes(text: str, sites: tuple[str, ...] | None) -> object:
    """100 stochastic passes."""
    return run_passes(CLASSIFIER, CLASSIFIER.encoder([text])[0], 100, Dropout(sites=sites))


def compare(text: str) -> object:
    """A text and its edits."""
    return compare_texts(CLASSIFIER, text, perturb.variants(text))


def profile(text: str) -> object:
    """The factors that the old engine has too."""
    return study(CLASSIFIER, text, FACTORS)
