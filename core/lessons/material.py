"""What lessons and claims are run on: the embedded models, the embedded test snippets, the article's sentences."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch

from core.base.errors import WobbleError
from core.base.hub import hub_answers
from core.data.labelled import DataSource, Labelled, read
from core.families.stacked import Family, load_family
from core.models import catalog
from core.models.classifier import Classifier
from core.models.heads import Logits, Probabilities
from core.models.loading import drawn_from, load_tokenizer, pretrained
from core.models.predict import Condition, predict
from core.text.tokens import Encoding

MODELS = (catalog.DEFAULT, "bpe-cased", "unigram-cased")
"""Models with a WordPiece, a byte-level BPE and a Unigram tokenizer; the first tokenizer is that of `bert-base-uncased`."""
BASE = "google-bert/bert-base-uncased"
"""The article's own checkpoint, which has no trained head."""
ENCODER = "minilm"
"""The embedded encoder of the same vocabulary that has no trained head either, so it can stand in for it."""

PAIR = (catalog.DEFAULT, f"{catalog.DEFAULT}-43")
"""The members of the embedded family that were trained with the article's two seeds."""

SPACED, PLAIN = "This is a test . ", "This is a test."
"""The two texts of the article's second example."""
SENTENCE = "This is a test sentence."
"""The text of its third."""


def models() -> tuple[Classifier, ...]:
    """The embedded classifiers, one for each kind of tokenizer."""
    return tuple(map(catalog.load, MODELS))


def on_hub() -> tuple[Classifier | None, str]:
    """The article's own checkpoint, or why it is not available, as a clause."""
    try:
        if not hub_answers():
            raise WobbleError("the hub cannot be reached")
        return catalog.load(BASE), ""
    except WobbleError as error:
        return None, str(error).rstrip(".")


@cache
def _held_out() -> Labelled:
    return read(DataSource("movie")).part("test")


def snippets(count: int) -> Labelled:
    """The first labelled movie snippets of the test split, which no embedded model was trained on."""
    return _held_out().rows(np.arange(count))


def answers(model: Classifier, texts: Sequence[str]) -> Probabilities:
    """Probabilities `[n_texts, n_labels]`; what is remembered does not run again."""
    return model.head.probabilities(predict(model, model.encoder(list(texts))).logits)


def alone(model: Classifier, texts: Sequence[str]) -> Logits:
    """Logits `[n_texts, n_labels]` of texts that are each alone in their batch, as a reference is."""
    return predict(model, model.encoder(list(texts)), Condition(batch="alone")).logits


def without_mask(model: Classifier, encoding: Encoding, padded: int) -> Logits:
    """Logits `[n_labels]` of `model(input_ids)`: the ids padded to a length, without saying which are padding.

    That is what the article's first example calls. The model then attends to the padding as if it were text.
    """
    pad = model.model.config.get_text_config().pad_token_id
    row = [*encoding.ids, *[pad] * (padded - len(encoding.ids))]
    with torch.inference_mode():
        logits: Logits = model.model(input_ids=torch.tensor([row], device=model.device)).logits[0].float().cpu().numpy()
    return logits


@cache
def fresh_heads(id: str, texts: tuple[str, ...], loads: int) -> tuple[Logits, tuple[str, ...]]:
    """A pre-trained encoder loaded again and again: logits `[loads, n_texts, 2]`, and the parameters that each load drew.

    Each load draws from a seed of its own, where transformers would draw from whatever state the process is in.
    """
    source = catalog.base_source(id)
    tokenizer, rows, missing = load_tokenizer(source), [], set[str]()
    for seed in range(loads):
        with drawn_from(seed):
            model, info = pretrained(source.directory, num_labels=2)
        missing |= info["missing_keys"]
        with torch.inference_mode():
            rows.append([model.eval()(**tokenizer(text, return_tensors="pt")).logits[0].numpy() for text in texts])
    return np.array(rows), tuple(sorted(missing))


@cache
def seeds() -> Family:
    """The embedded family of seeds."""
    return load_family(catalog.DEFAULT)
