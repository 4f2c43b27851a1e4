"""How often other segmentations flip, and whether they decode to the same text: `python -m benchmarks.segmentation [N]`."""

import json
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import bootstrap

from benchmarks import MODELS
from core.base.statistics import wilson
from core.data.snippets import snippets
from core.models import catalog
from core.models.classifier import Classifier
from core.models.predict import predict
from core.text.segmentation import draws, nearest, repeated, uses

TEXTS = 200
DRAWS = 20
RATES = {"p": (0.05, 0.1, 0.2), "alpha": (0.5, 0.3, 0.2)}
"""One above the other, BPE-dropout and Unigram change about as many words: 11%, 22% and 40%."""

HOSTILE = (
    "",
    "   ",
    "\t\n \r\n",
    "a",
    "Unbelievably, it wasn't bad!",
    "  two  spaces   here ",
    "tabs\tand\nnew lines\r\n",
    "Pneumonoultramicroscopicsilicovolcanoconiosis",
    "a" * 250,
    "ab" * 90 + " end",
    "emoji \U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea \u2764\ufe0f",
    "\u4e2d\u6587\u7535\u5f71\u5f88\u597d\u770b \u65e5\u672c\u8a9e\u306e\u6620\u753b \ud55c\uad6d\uc5b4",
    "\u0641\u064a\u0644\u0645 \u0631\u0627\u0626\u0639 \u05e1\u05e8\u05d8 \u0e2b\u0e19\u0e31\u0e07",
    "e\u0301 cafe\u0301 n\u0303 Z\u0351\u036f\u0321algo",
    "caf\u00e9 na\u00efve \u00dcber \ufb01lm \u2167 \u00bd",
    "control \x00\x01\x07\x1b[0m \x7f \u0085 bytes",
    "zero\u200bwidth\u00adsoft\u2060\ufeff \u202eright to left\u202c",
    "Text [SEP] inside [MASK] and </s> <s> <unk> [UNK] <mask>",
    "##ing ##ed \u2581the \u0120movie </w> <0x41> @@",
    "http://example.com/?a=1&b=%20 user@example.com #hash_tag",
    "do n't ca n't . , 's 've ?",
    "\ufffd\uffff \U0010ffff \U000e0041 \u3000 wide \uff46\uff49\uff4c\uff4d",
    "The very long film. " * 80,
)
"""Texts that trip tokenizers up."""


def flips(classifier: Classifier, texts: Sequence[str], **rate: float) -> dict[str, Any]:
    """Share of a text's draws that flip, the mean over the texts, and of the texts that some draw flips.

    The draws of one text are not independent: the first share's interval is a bootstrap over texts (BCa, 95%), the
    second's is Wilson's.
    """
    drawn = [draws(classifier.encoder, text, DRAWS, **rate) for text in texts]
    encodings = [e for d in drawn for e in (d.reference, *(s.encoding for s in d.segmentations))]
    p = classifier.head.probabilities(predict(classifier, encodings).logits)
    flipped, at = [], 0
    for d in drawn:
        rows = p[at : at + 1 + len(d.segmentations)]
        at += len(rows)
        flipped.append(classifier.head.flips(rows[1:], rows[0]))
    kept = sum(len(d.segmentations) for d in drawn)
    some = sum(bool(f.any()) for f in flipped)
    shares = np.array([f.mean() for f in flipped if len(f)])
    between = bootstrap((shares,), np.mean, rng=np.random.default_rng(0)).confidence_interval
    return {
        **rate,
        "draws": kept,
        "rejected": sum(d.rejected for d in drawn),
        "repeated": sum(repeated(d.reference, d.segmentations) for d in drawn),
        "unchanged": sum(s.changed == 0 for d in drawn for s in d.segmentations),
        "flips": [float(shares.mean()), float(between.low), float(between.high)],
        "texts_flipped": [some / len(texts), *wilson(some, len(texts))],
    }


def decoded(classifier: Classifier) -> dict[str, int]:
    """Draws and nearest segmentations of the hostile texts, and how many decode to another text than the reference."""
    encoder = classifier.encoder
    tokenizer = encoder.backend
    result = {"texts": len(HOSTILE), "segmentations": 0, "rejected": 0, "cut_elsewhere": 0, "other_text": 0}
    for text in HOSTILE:
        drawn = draws(encoder, text, DRAWS, p=0.3)
        result["rejected"] += drawn.rejected
        expected = tokenizer.decode(list(drawn.reference.ids), skip_special_tokens=False)
        for segmentation in (*drawn.segmentations, *nearest(encoder, text)):
            result["segmentations"] += 1
            other = tokenizer.decode(list(segmentation.ids), skip_special_tokens=False) != expected
            result["other_text" if segmentation.same_text else "cut_elsewhere"] += other
    return result


if __name__ == "__main__":
    texts = list(snippets("test", "movie")["text"])[: int(sys.argv[1]) if len(sys.argv) > 1 else TEXTS]
    for id in MODELS:
        classifier = catalog.load(id)
        rate = uses(classifier.encoder)
        found = [flips(classifier, texts, **{rate: value}) for value in RATES[rate]]
        print(json.dumps({"model": id, "texts": len(texts), "rates": found, "hostile": decoded(classifier)}, indent=2))
