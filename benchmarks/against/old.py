"""The engine of commit 1819f24, as `tasks` calls it; runs in a checkout of that commit."""

from core import catalog, perturb
from core.classifier import predict as predict_texts
from core.compare import compare as compare_texts
from core.data import snippets
from core.dropout import Dropout, run_passes
from core.profile import prepare
from core.profile import profile as profile_text

CLASSIFIER = catalog.load()
prepare(CLASSIFIER)


def forget() -> None:
    """It remembers nothing but the noise floors of texts."""


def texts() -> list[str]:
    """The test snippets."""
    return list(snippets("test", "movie")["text"])


def lengths(some: list[str]) -> list[int]:
    """Tokens of texts."""
    return [len(encoding.ids) for encoding in CLASSIFIER.encoder(some)]


def predict(some: list[str]) -> object:
    """Logits of texts."""
    return predict_texts(CLASSIFIER, some)


def passes(text: str, sites: tuple[str, ...] | None) -> object:
    """100 stochastic passes."""
    return run_passes(CLASSIFIER, [text], 100, Dropout(sites=sites))


def compare(text: str) -> object:
    """A text and its edits."""
    return compare_texts(CLASSIFIER, text, perturb.variants(text))


def profile(text: str) -> object:
    """Every factor."""
    return profile_text(CLASSIFIER, text)
