"""The main job: one sentence against its variants. Which edits does the tokenizer erase, which reach the model, which flip it?"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from core.factors.numerics import REFERENCE, noise_floor
from core.factors.temperature import Head, probabilities
from core.models.classifier import Classifier, Logits, Prediction, predict
from core.models.heads import Probabilities, flip, label_name, margin, shift
from core.text.perturb import Variant
from core.text.stages import absorbed_by
from core.text.tokens import Encoding


@dataclass(frozen=True, eq=False)
class Reference:
    """The prediction that all others are compared with: the original text, dropout off, fp32, alone in its batch, T = 1."""

    text: str
    encoding: Encoding
    logits: Logits
    """`[n_labels]`"""
    probabilities: Probabilities
    """`[n_labels]`"""
    label: str
    margin: float | None
    """None for regression, which has no label to leave."""


@dataclass(frozen=True, eq=False)
class Row:
    """One variant and its prediction beside the reference's."""

    variant: Variant
    encoding: Encoding
    logits: Logits
    probabilities: Probabilities
    label: str
    absorbed: bool
    """The token ids equal the reference's: the tokenizer erased the edit, so the prediction cannot change."""
    absorbed_by: str | None
    """The stage of the tokenizer that erased the edit."""
    flip: bool | None
    shift: float
    margin: float | None

    @property
    def badge(self) -> str:
        """What became of the edit, in the words of the interface."""
        return "absorbed" if self.absorbed else "flips" if self.flip else "reaches the model"


@dataclass(frozen=True, eq=False)
class Comparison:
    """A sentence's variants under one classifier, ordered by shift, largest first, absorbed ones last."""

    model: str
    """Id of the classifier."""
    head: Head
    labels: tuple[str, ...]
    device: str
    weights_hash: str
    reference: Reference
    rows: tuple[Row, ...]
    temperature: float
    """What the logits are divided by, the reference's too; 1 is the model's own."""
    noise_floor: float
    """The largest shift that numerics alone cause for this model and text: `core.factors.numerics.noise_floor`."""
    rows_asked: int
    rows_run: int
    """Rows that went through the model for the text and its variants; those of the noise floor's conditions, which are kept
    for the model and text, are not counted."""
    alone: Prediction = field(repr=False)
    shared: Prediction = field(repr=False)

    @property
    def absorbed(self) -> int:
        """How many edits the tokenizer erased."""
        return sum(row.absorbed for row in self.rows)

    @property
    def flips(self) -> int:
        """How many edits change the prediction."""
        return sum(bool(row.flip) for row in self.rows)

    @property
    def summary(self) -> str:
        """The finding in words: "34 edits: 19 erased by the tokenizer, 15 reach the model, 2 flip it"."""
        total = len(self.rows)
        if not total:
            return "No edit applies to this text."
        reaching = total - self.absorbed
        parts = [
            f"{self.absorbed} erased by the tokenizer",
            f"{reaching} {_verb(reaching, 'reach', 'reaches')} the model",
        ]
        if self.head == "regression":
            parts.append("a value has no label to flip")
        else:
            parts.append(f"{self.flips or 'none'} {_verb(self.flips or 1, 'flip', 'flips')} it")
        return f"{total} {_verb(total, 'edits', 'edit')}: {', '.join(parts)}."

    @property
    def finding(self) -> str:
        """What the strip shows, as its title: the worst case by name."""
        reaching = [row for row in self.rows if not row.absorbed]
        if not reaching:
            return "The tokenizer erases every edit: nothing reaches the model." if self.rows else "No edit applies."
        if self.head == "regression":
            worst = max(reaching, key=lambda row: row.shift)
            return f"{worst.variant.perturbation} moves the output furthest, by {worst.shift:.3f}"
        worst = min(reaching, key=lambda row: row.margin or 0.0)
        if not self.flips:
            return f"No edit flips “{self.reference.label}”; {worst.variant.perturbation} comes nearest"
        said = f"{self.flips} of {len(self.rows)} edits {_verb(self.flips, 'flip', 'flips')} “{self.reference.label}”"
        return f"{said}; {worst.variant.perturbation} goes furthest"

    def __repr__(self) -> str:
        return f"<Comparison of {self.reference.text[:60]!r} by {self.model}: {self.summary}>"

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from core.views.html import comparison_html  # it reads this module

        return comparison_html(self)


def _verb(count: int, many: str, one: str) -> str:
    return one if count == 1 else many


def compare(
    classifier: Classifier,
    text: str,
    variants: Sequence[Variant],
    known: Comparison | None = None,
    temperature: float = 1.0,
    reference: Prediction | None = None,
) -> Comparison:
    """Predict a text and its variants and measure each variant against the reference.

    An absorbed variant gets exactly the reference's logits: it is the same input.

    Args:
        known: an earlier comparison of the same text and classifier, whose token sequences are not run again.
        temperature: what all logits are divided by.
        reference: the text alone in its batch, if that is known.

    Raises:
        WobbleError: the text or a variant cannot be predicted.
    """
    alone = reference or predict(classifier, [text], REFERENCE, known=known.alone if known else None)
    original = alone.encodings[0]
    encodings = classifier.encoder([variant.text for variant in variants])
    reaching = [v.text for v, e in zip(variants, encodings, strict=True) if e.ids != original.ids]
    shared = predict(classifier, reaching, known=known.shared if known else None)

    by_ids = {e.ids: row for e, row in zip(shared.encodings, shared.logits, strict=True)}
    by_ids[original.ids] = alone.logits[0]
    logits = np.stack([by_ids[e.ids] for e in (original, *encodings)])
    head = classifier.head
    p = probabilities(logits, head, temperature)
    reference_p = p[0]
    shifts = shift(p, reference_p, head)
    margins = margin(p, reference_p, head)
    flips = flip(p, reference_p, head)

    rows = [
        Row(
            variant=variant,
            encoding=encoding,
            logits=logits[i],
            probabilities=p[i],
            label=label_name(p[i], head, classifier.labels),
            absorbed=encoding.ids == original.ids,
            absorbed_by=absorbed_by(classifier.encoder, text, variant.text, (original, encoding))
            if encoding.ids == original.ids
            else None,
            flip=None if flips is None else bool(flips[i]),
            shift=float(shifts[i]),
            margin=None if margins is None else float(margins[i]),
        )
        for i, (variant, encoding) in enumerate(zip(variants, encodings, strict=True), start=1)
    ]
    rows.sort(key=lambda row: (row.absorbed, -row.shift))
    return Comparison(
        model=classifier.id,
        head=head,
        labels=classifier.labels,
        device=str(classifier.device),
        weights_hash=classifier.weights_hash,
        reference=Reference(
            text=text,
            encoding=original,
            logits=logits[0],
            probabilities=reference_p,
            label=label_name(reference_p, head, classifier.labels),
            margin=None if margins is None else float(margins[0]),
        ),
        rows=tuple(rows),
        temperature=temperature,
        noise_floor=noise_floor(classifier, text, temperature, reference=alone),
        rows_asked=alone.rows_asked + len(variants),
        rows_run=alone.rows_run + shared.rows_run,
        alone=alone,
        shared=shared,
    )
