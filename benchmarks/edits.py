"""Many edits of one sentence, and many different sentences, against transformers' own pipeline on the same model."""

import random
from typing import Any

import numpy as np
import transformers
from transformers import AutoTokenizer

from benchmarks.timing import medians
from core.base.cache import forget
from core.data.snippets import snippets
from core.models import catalog
from core.models.classifier import Classifier
from core.models.predict import Prediction, predict

SENTENCE_TOKENS = 34
TOLERANCE = 1e-5


def one_character_edits(text: str, count: int, seed: int) -> list[str]:
    """Random edits of one character: in turn the case of one letter swapped, and one space inserted."""
    rng = random.Random(seed)
    letters = [i for i, c in enumerate(text) if c.swapcase() != c]
    edits = []
    for number in range(count):
        if number % 2:
            at = rng.randrange(len(text) + 1)
            edits.append(text[:at] + " " + text[at:])
        else:
            at = rng.choice(letters)
            edits.append(text[:at] + text[at].swapcase() + text[at + 1 :])
    return edits


def pipeline_of(classifier: Classifier) -> Any:
    """transformers' pipeline over the very same model object and files."""
    tokenizer = AutoTokenizer.from_pretrained(classifier.source.top)
    return transformers.pipeline(
        "text-classification", model=classifier.model, tokenizer=tokenizer, top_k=None, device=classifier.device
    )


def _by_pipeline(pipe: Any, texts: list[str], labels: tuple[str, ...], batch_size: int) -> np.ndarray:
    rows = []
    for answer in pipe(texts, batch_size=batch_size, truncation=True):
        scores = {entry["label"]: entry["score"] for entry in answer}
        rows.append([scores[label] for label in labels])
    return np.array(rows)


def _against_pipeline(texts: list[str], batch_sizes: tuple[int, ...], rounds: int) -> dict[str, Any]:
    classifier = catalog.load()
    pipe = pipeline_of(classifier)

    def wobble() -> Prediction:
        forget(classifier)
        return predict(classifier, classifier.encoder(texts))

    prediction = wobble()
    ours = classifier.head.probabilities(prediction.logits)
    alternatives: dict[str, Any] = {"wobble": wobble}
    largest = 0.0
    for size in batch_sizes:
        theirs = _by_pipeline(pipe, texts, classifier.labels, size)
        largest = max(largest, float(np.abs(ours - theirs).max()))
        alternatives[f"pipeline_batch_{size}"] = lambda size=size: _by_pipeline(pipe, texts, classifier.labels, size)
    if largest > TOLERANCE:
        raise SystemExit(
            f"the probabilities differ by {largest:.1e}, more than {TOLERANCE:.0e}: the timing means nothing"
        )
    seconds = medians(alternatives, rounds)
    return {
        "model": classifier.id,
        "device": str(classifier.device),
        "texts": len(texts),
        "rows_asked": prediction.rows_asked,
        "rows_run": prediction.rows_run,
        "largest_difference": largest,
        "seconds": seconds,
        "times_as_fast": {name: seconds[name] / seconds["wobble"] for name in seconds if name != "wobble"},
    }


def sentence_of(classifier: Classifier) -> str:
    """The first test snippet of 34 tokens."""
    texts = list(snippets("test", "movie")["text"])
    return texts[[len(encoding.ids) for encoding in classifier.encoder(texts)].index(SENTENCE_TOKENS)]


def edits_of_one_sentence(rounds: int = 5) -> dict[str, Any]:
    """200 random one-character edits of one 34-token sentence."""
    sentence = sentence_of(catalog.load())
    result = _against_pipeline(one_character_edits(sentence, 200, seed=0), (32, 1), rounds)
    return {"benchmark": "200 one-character edits of one 34-token sentence", "sentence": sentence, **result}


def different_sentences(rounds: int = 3) -> dict[str, Any]:
    """1,000 different snippets of mixed length."""
    texts = list(dict.fromkeys(snippets("test")["text"]))
    random.Random(0).shuffle(texts)
    return {"benchmark": "1,000 different snippets of mixed length", **_against_pipeline(texts[:1000], (32,), rounds)}
