"""Results as plain JSON values: what `--json` prints and what the pages let one download."""

from typing import Any

import numpy
import tokenizers
import torch
import transformers

from core.compare import Comparison, Row
from core.metrics import Probabilities
from core.stages import Stages
from core.tokens import Encoding


def named(row: Probabilities, labels: tuple[str, ...]) -> dict[str, float]:
    """Probabilities by label; labels that share a name are told apart by their index."""
    names = [label if labels.count(label) == 1 else f"{label} ({i})" for i, label in enumerate(labels)]
    return dict(zip(names, map(float, row), strict=True))


def encoding_document(encoding: Encoding) -> dict[str, Any]:
    """Tokens and ids, and whether the text was cut."""
    return {"tokens": list(encoding.tokens), "ids": list(encoding.ids), "truncated": encoding.truncated}


def stages_document(model: str, tokenizer: str, stages: Stages) -> dict[str, Any]:
    """What each stage of a tokenizer made of a text."""
    encoding, pieces = stages.encoding, stages.pre_tokens
    return {
        "model": model,
        "tokenizer": tokenizer,
        "raw": stages.raw,
        "normalized": stages.normalized,
        "pre_tokens": None if pieces is None else [{"text": piece.text, "span": list(piece.span)} for piece in pieces],
        **encoding_document(encoding),
        "offsets": None if encoding.offsets is None else [list(span) for span in encoding.offsets],
        "notes": list(stages.notes),
    }


def comparison_document(comparison: Comparison) -> dict[str, Any]:
    """A comparison with everything needed to repeat it."""
    reference = comparison.reference
    return {
        "model": {
            "id": comparison.model,
            "weights": comparison.weights_hash,
            "head": comparison.head,
            "labels": list(comparison.labels),
            "device": comparison.device,
        },
        "versions": versions(),
        "reference": {
            "text": reference.text,
            "label": reference.label,
            "probabilities": named(reference.probabilities, comparison.labels),
            "margin": reference.margin,
            **encoding_document(reference.encoding),
        },
        "summary": comparison.summary,
        "noise_floor": comparison.noise_floor,
        "variants": [_row(row, comparison.labels) for row in comparison.rows],
        "rows_asked": comparison.rows_asked,
        "forward_rows": comparison.rows_run,
    }


def _row(row: Row, labels: tuple[str, ...]) -> dict[str, Any]:
    return {
        "perturbation": row.variant.perturbation,
        "factor": row.variant.factor,
        "seed": row.variant.seed,
        "text": row.variant.text,
        **encoding_document(row.encoding),
        "absorbed": row.absorbed,
        "absorbed_by": row.absorbed_by,
        "label": row.label,
        "probabilities": named(row.probabilities, labels),
        "flip": row.flip,
        "shift": row.shift,
        "margin": row.margin,
    }


def versions() -> dict[str, str]:
    """Versions of the libraries that a number depends on."""
    return {module.__name__: module.__version__ for module in (torch, transformers, tokenizers, numpy)}
