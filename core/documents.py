"""Results as plain JSON values: what `--json` prints and what the pages let one download."""

from collections.abc import Sequence
from typing import Any

import numpy
import tokenizers
import torch
import transformers

from core.classifier import Classifier, Logits
from core.compare import Comparison, Row
from core.dropout import Dropout, Spread, acting, rate_at
from core.metrics import Probabilities, entropy, label_name
from core.seeds import Family, pairwise_disagreement
from core.stages import Stages
from core.temperature import probabilities
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
        "temperature": comparison.temperature,
        "summary": comparison.summary,
        "noise_floor": comparison.noise_floor,
        "variants": [_row(row, comparison.labels) for row in comparison.rows],
        "rows_asked": comparison.rows_asked,
        "forward_rows": comparison.rows_run,
    }


def passes_document(classifier: Classifier, text: str, found: Spread, dropout: Dropout) -> dict[str, Any]:
    """Stochastic passes of one text with everything needed to repeat them."""
    return {
        "model": _model(classifier),
        "versions": versions(),
        "dropout": {
            "seed": dropout.seed,
            "rate": dropout.rate,
            "sites": None if dropout.sites is None else list(dropout.sites),
            "acting": [
                {"site": site.name, "kind": site.kind, "rate": rate_at(site, dropout)}
                for site in acting(classifier.sites, dropout)
            ],
        },
        "reference": {
            "text": text,
            "label": label_name(found.reference, classifier.head, classifier.labels),
            "probabilities": named(found.reference, classifier.labels),
        },
        "mean": named(found.mean, classifier.labels),
        "std": named(found.std, classifier.labels),
        "flip_rate": found.flip_rate,
        "flip_interval": None if found.flip_interval is None else list(found.flip_interval),
        "entropy": found.entropy,
        "mutual_information": found.mutual_information,
        "variation_ratio": found.variation_ratio,
        "samples": found.samples.tolist(),
    }


def temperature_document(classifier: Classifier, text: str, logits: Logits, at: Sequence[float]) -> dict[str, Any]:
    """The probabilities, label and entropy of one text's logits at some temperatures."""
    rows = []
    for temperature in at:
        p = probabilities(logits, classifier.head, temperature)
        rows.append(
            {
                "temperature": float(temperature),
                "probabilities": named(p, classifier.labels),
                "label": label_name(p, classifier.head, classifier.labels),
                "entropy": None if classifier.head == "regression" else float(entropy(p, classifier.head)),
            }
        )
    return {
        "model": _model(classifier),
        "versions": versions(),
        "text": text,
        "logits": [float(logit) for logit in logits],
        "temperatures": rows,
    }


def seeds_document(family: Family, text: str, logits: Logits) -> dict[str, Any]:
    """What every member of a family says of one text.

    Args:
        logits: `[n_seeds, n_labels]`.
    """
    head, labels = family.first.head, family.first.labels
    p = probabilities(logits, head)
    mean = p.mean(axis=0)
    names = [label_name(row, head, labels) for row in p]
    return {
        "family": family.id,
        "head": head,
        "labels": list(labels),
        "versions": versions(),
        "text": text,
        "seeds": [
            {"seed": seed, "model": member, "label": label, "probabilities": named(row, labels)}
            for seed, member, label, row in zip(family.seeds, family.members, names, p, strict=True)
        ],
        "agreement": max(map(names.count, names)) / len(names),
        "pairwise_disagreement": pairwise_disagreement(p[:, None], head),
        "ensemble": {"label": label_name(mean, head, labels), "probabilities": named(mean, labels)},
    }


def _model(classifier: Classifier) -> dict[str, Any]:
    return {
        "id": classifier.id,
        "weights": classifier.weights_hash,
        "head": classifier.head,
        "labels": list(classifier.labels),
        "device": str(classifier.device),
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
