"""Lessons about what is computed with the logits, and how exactly."""

import numpy as np

from core.base.words import number, verb
from core.lessons.guided.lesson import Opens, Shown, lesson
from core.lessons.guided.reading import ON_THE_EDGE
from core.lessons.material import alone, answers, models, snippets, without_mask
from core.models import catalog
from core.models.predict import Condition, predict
from core.studies.study import study
from core.text.perturb import variants

AT = (0.05, 0.2, 0.5, 2.0, 5.0, 20.0)
REVIEWS = 60
SURE = 0.9
"""The confidence from which a model is called sure."""
ROUNDING = 1e-4
"""A shift that fp32 rounding alone stays far below."""


@lesson(
    "temperature",
    "Does temperature change the label?",
    f"“{ON_THE_EDGE}” is as near to the edge as sentences come. Its logits are divided by a temperature before the softmax, from "
    f"{AT[0]:g} to {AT[-1]:g}. Which of these changes the label?",
    ("A high one, which evens the probabilities out", "A low one, which sharpens them", "None of them"),
    right=2,
    why="Dividing all logits by the same positive number keeps their order, so the largest stays the largest. What changes is "
    "how sure the model sounds, and with it every decision that compares a probability with a threshold, and every label that "
    "is drawn at random. A temperature is for calibration; it cannot make a model more consistent.",
    read=(("On calibration of modern neural networks (Guo and others)", "https://arxiv.org/abs/1706.04599"),),
    opens=Opens("temperature", ON_THE_EDGE, (catalog.DEFAULT,)),
)
def temperature() -> Shown:
    """One snippet on the edge at temperatures far from 1."""
    found = study(models()[0], ON_THE_EDGE, ["temperature"], {"temperature": {"at": AT}})
    (row,) = found.rows
    hot = sum(bool(case.flip) for case, t in zip(row.cases, AT, strict=True) if t > 1)
    flips = sum(bool(case.flip) for case in row.cases)
    top = int(found.reference.probabilities.argmax())
    p = row.probabilities[:, top]
    return Shown(
        0 if hot else 1 if flips else 2,
        f"{flips or 'None'} of {len(AT)} temperatures {verb(flips or 1, 'changes', 'change')} “{found.reference.label}”, whose "
        f"probability goes from {p.max():.3f} at T = {AT[0]:g} to {p.min():.3f} at T = {AT[-1]:g} "
        f"({found.reference.probabilities[top]:.3f} at 1).",
        ("T", "label", "its probability"),
        tuple((f"{t:g}", case.label, f"{value:.3f}") for t, case, value in zip(AT, row.cases, p, strict=True)),
        found,
        {"flips": flips, "cold": float(p.max()), "hot": float(p.min())},
    )


@lesson(
    "batch-and-padding",
    "Batch and padding",
    "The same sentence is run alone, then padded with empty tokens, then among 31 other sentences. How far does its "
    "probability move?",
    ("Not by a single bit", "By rounding: about a millionth", "By several hundredths, enough to flip it"),
    right=1,
    why="The attention mask tells the model which tokens are padding, so they count for nothing. Still, the sums are added up "
    "in another order, and floating-point numbers depend on the order: the last digits differ. That is Wobble's noise floor, "
    "and no smaller shift means anything. Leave the mask out and the padding is read as text; that moves it for real.",
    read=(
        (
            "transformers, issue 25420 on batches and rounding",
            "https://github.com/huggingface/transformers/issues/25420",
        ),
        ("Numerical accuracy, PyTorch", "https://docs.pytorch.org/docs/stable/notes/numerical_accuracy.html"),
    ),
    opens=Opens("numerics", ON_THE_EDGE, (catalog.DEFAULT,)),
)
def batch_and_padding() -> Shown:
    """One snippet under the fp32 conditions of numerics, and padded without a mask."""
    model = models()[0]
    found = study(model, ON_THE_EDGE, ["numerics"])
    fp32 = [case for case in found.rows[0].cases if isinstance(case.made, Condition) and case.made.dtype == "float32"]
    largest = max(case.shift for case in fp32)
    padded = model.limit
    q = model.head.probabilities(without_mask(model, found.reference.encoding, padded))
    unmasked = float(model.head.shifts(q, found.reference.probabilities))
    return Shown(
        0 if largest == 0 else 1 if largest < ROUNDING else 2,
        f"With the attention mask it moves by at most {largest:.1g}; without it, padded to {padded} tokens, by {number(unmasked)}.",
        ("condition", "label", "shift"),
        (
            *((case.made.name, case.label, f"{case.shift:.1e}") for case in fp32),
            (f"padded to {padded} tokens, without the mask", model.head.label(q, model.labels), f"{unmasked:.1e}"),
        ),
        None,
        {"largest": largest, "unmasked": unmasked},
    )


@lesson(
    "half-precision",
    "Half precision",
    f"In bfloat16 a number has about two and a half digits. {REVIEWS} reviews are run again in it. Of how many does the label "
    "change?",
    ("Of none, or of one on the edge", "Of about a quarter", "Of about half: two digits are not enough"),
    right=0,
    why="Rounding moves every logit thousands of times further than the order of sums does, but two logits swap only if they "
    "lie closer together than that. So half precision matters exactly for sentences on the edge: warn where the two largest "
    "logits differ by less than twice the largest difference, and run those again in fp32.",
    read=(
        ("transformers, issue 26869 on fp16", "https://github.com/huggingface/transformers/issues/26869"),
        ("bfloat16, Wikipedia", "https://en.wikipedia.org/wiki/Bfloat16_floating-point_format"),
    ),
    opens=Opens("numerics", ON_THE_EDGE, (catalog.DEFAULT,)),
)
def half_precision() -> Shown:
    """Snippets in bfloat16 beside fp32."""
    texts, rows, flips, moves = list(snippets(REVIEWS).texts), [], [], []
    for model in models():
        full = alone(model, texts)
        half = predict(model, model.encoder(texts), Condition(batch="alone", dtype="bfloat16")).logits
        flips.append(int((full.argmax(-1) != half.argmax(-1)).sum()))
        moves.append(float(np.abs(full - half).max()))
        risky = int((np.abs(full[:, 0] - full[:, 1]) < 2 * moves[-1]).sum())
        rows.append((model.id, f"{flips[-1]} of {REVIEWS}", f"{moves[-1]:.1e}", str(risky)))
    share = max(flips) / REVIEWS
    return Shown(
        0 if share < 0.1 else 1 if share < 0.4 else 2,
        f"{sum(flips) or 'None'} of {REVIEWS * len(rows)} labels {verb(sum(flips) or 1, 'changes', 'change')}, though logits "
        f"move by up to {max(moves):.1g}.",
        ("model", "labels changed", "largest logit difference", "reviews that could flip"),
        tuple(rows),
        None,
        {"flips": sum(flips), "largest": max(moves)},
    )


@lesson(
    "confidence",
    "Confidence is not stability",
    f"bpe-cased is at least {SURE:.0%} sure of some reviews. Each of these is edited in some thirty ways that leave every "
    "letter in place: spaces, tabs, capitals. How many of them can be flipped by one such edit?",
    ("None: it was sure", "A few of them", "Nearly all of them"),
    right=2,
    why="A probability says how sure the model is of the text as it stands. It says nothing of how far the text may change "
    "before the answer does. minilm-uncased, which is as sure of its own reviews, cannot be flipped by any of these edits, "
    "because it never sees them. Stability has to be measured, edit by edit; that is what Wobble is for.",
    read=(
        ("Beyond accuracy: behavioral testing with CheckList (Ribeiro and others)", "https://arxiv.org/abs/2005.04118"),
        ("On calibration of modern neural networks (Guo and others)", "https://arxiv.org/abs/1706.04599"),
    ),
    opens=Opens("perturb", "A fascinating and fun film.", ("bpe-cased", catalog.DEFAULT)),
)
def confidence() -> Shown:
    """Edits of white space and case that flip snippets of which a model is sure."""
    shares: dict[str, tuple[int, int]] = {}
    rows: list[tuple[str, str, str]] = []
    texts = snippets(REVIEWS).texts
    for model in models()[:2]:
        p = answers(model, texts)
        sure = [(text, row) for text, row in zip(texts, p, strict=True) if row.max() >= SURE]
        flipped = 0
        for text, row in sure:
            edited = [one.text for one in variants(text, only=["whitespace", "casing"])]
            flips = int((answers(model, edited).argmax(-1) != row.argmax()).sum())
            flipped += flips > 0
            if flips and len(rows) < 5:
                rows.append((text, f"{row.max():.3f}", f"{flips} of {len(edited)}"))
        shares[model.id] = (flipped, len(sure))
    flipped, of = shares["bpe-cased"]
    other, other_of = shares[catalog.DEFAULT]
    share = flipped / max(1, of)
    return Shown(
        0 if flipped == 0 else 1 if share < 0.5 else 2,
        f"{flipped} of the {of} reviews of which bpe-cased is at least {SURE:.0%} sure; with minilm-uncased {other or 'none'} of "
        f"{other_of}.",
        ("review", "confidence of bpe-cased", "edits that flip it"),
        tuple(rows),
        None,
        {"share": share, "other": other},
    )
