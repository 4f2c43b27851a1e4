"""Results as plain JSON values: what `--json` prints and what the pages let one download."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from core.base.versions import versions
from core.factors.dropout import Dropout, Spread, acting, rate_at
from core.factors.numerics import DTYPES, Numerics, Run
from core.factors.temperature import probabilities
from core.families.agreement import pairwise_disagreement
from core.families.stacked import Family
from core.models.classifier import Classifier, Logits
from core.models.heads import Probabilities, entropy, label_name
from core.studies.calibration import Calibration, Scores
from core.studies.compare import Comparison, Row
from core.studies.profile import Case, FactorRow, Profile
from core.studies.shortest import Candidate, Search
from core.studies.verdict import verdict
from core.text.stages import Stages
from core.text.tokens import Encoding


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


def passes_document(
    classifier: Classifier, text: str, found: Spread, dropout: Dropout, temperature: float = 1.0
) -> dict[str, Any]:
    """Stochastic passes of one text with everything needed to repeat them.

    Args:
        temperature: what the logits of `found` were divided by.
    """
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
        "passes": len(found.samples),
        "temperature": temperature,
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


def tempered_document(
    classifier: Classifier, comparison: Comparison, temperature: float, at: Sequence[float]
) -> dict[str, Any]:
    """A sentence's logits at some temperatures, and all its variants at one of them and at T = 1.

    Args:
        temperature: the one that the page stands at.
        at: the temperatures of the sentence's own curve.
    """

    def tempered(text: str, logits: Logits, temperatures: Sequence[float]) -> dict[str, Any]:
        return temperature_document(classifier, text, logits, temperatures)

    return tempered(comparison.reference.text, comparison.reference.logits, at) | {
        "temperature": temperature,
        "variants": [
            {"perturbation": row.variant.perturbation, "absorbed": row.absorbed}
            | {
                name: part
                for name, part in tempered(row.variant.text, row.logits, [1.0, temperature]).items()
                if name in ("text", "logits", "temperatures")
            }
            for row in comparison.rows
        ],
    }


def calibration_document(classifier: Classifier, found: Calibration) -> dict[str, Any]:
    """A fitted temperature and the scores before and after it; estimates with their 95 % bootstrap intervals."""

    def scores(part: Scores) -> dict[str, Any]:
        bins = part.reliability
        return {
            "accuracy": part.accuracy,
            "ece": asdict(part.ece),
            "nll": asdict(part.nll),
            "brier": asdict(part.brier),
            "reliability": [
                {"confidence": float(confidence), "accuracy": float(accuracy), "texts": int(count)}
                for confidence, accuracy, count in zip(bins.confidence, bins.accuracy, bins.count, strict=True)
                if count
            ],
        }

    return {
        "model": _model(classifier),
        "versions": versions(),
        "temperature": found.temperature,
        "fitted_on": found.fitted_on,
        "tested_on": found.tested_on,
        "before": scores(found.before),
        "after": scores(found.after),
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
            {
                "seed": int(member.name) if member.name.isdigit() else member.name,
                **asdict(member.seeds),
                "model": member.id,
                "label": label,
                "probabilities": named(row, labels),
            }
            for member, label, row in zip(family.members, names, p, strict=True)
        ],
        "agreement": max(map(names.count, names)) / len(names),
        "pairwise_disagreement": pairwise_disagreement(p[:, None], head),
        "ensemble": {"label": label_name(mean, head, labels), "probabilities": named(mean, labels)},
    }


def numerics_document(classifier: Classifier, found: Numerics) -> dict[str, Any]:
    """A text under every condition, and the noise floor that follows."""

    def run(one: Run) -> dict[str, Any]:
        return {
            "condition": one.name,
            **asdict(one.condition),
            "label": one.label,
            "probabilities": named(one.probabilities, found.labels),
            "logits": [float(logit) for logit in one.logits],
            "largest_logit_difference": one.difference,
            "shift": one.shift,
            "flip": one.flip,
            "margin": one.margin,
        }

    return {
        "model": _model(classifier),
        "versions": versions(),
        "text": found.text,
        "temperature": found.temperature,
        "reference": run(found.reference),
        "conditions": [run(one) for one in found.runs],
        "noise_floor": found.noise_floor,
        "logit_margin": found.logit_margin,
        "can_flip": {dtype: found.can_flip(dtype) for dtype in DTYPES},
        "left_out": list(found.left_out),
        "rows_asked": found.rows_asked,
        "forward_rows": found.rows_run,
    }


PROFILE_RECORD = "wobble profile"
"""What a record of a profile says it is."""


def profile_document(found: Profile) -> dict[str, Any]:
    """A profile with everything that `core.studies.replay` needs to repeat it."""
    reference, said = found.reference, verdict(found)
    return {
        "record": PROFILE_RECORD,
        "model": {
            "id": found.model,
            "weights": found.weights_hash,
            "head": found.head,
            "labels": list(found.labels),
            "device": found.device,
        },
        "versions": versions(),
        "text": reference.text,
        "seed": found.seed,
        "passes": found.passes,
        "family": found.family,
        "reference": {
            "text": reference.text,
            "label": reference.label,
            "probabilities": named(reference.probabilities, found.labels),
            "margin": reference.margin,
            **encoding_document(reference.encoding),
        },
        "noise_floor": found.noise_floor,
        "factors": [_factor(row, found.labels) for row in found.factors],
        "verdict": said.text,
        "mood": said.mood,
        "clauses": [asdict(clause) for clause in said.clauses],
        "rows_asked": found.rows_asked,
        "forward_rows": found.rows_run,
        "seconds": found.seconds,
    }


def _factor(row: FactorRow, labels: tuple[str, ...]) -> dict[str, Any]:
    return {
        "factor": row.factor,
        "tried": row.tried,
        "absorbed": row.absorbed,
        "above_noise_floor": len(row.moving),
        "flips": row.flips,
        "flip_rate": row.flip_rate,
        "flip_interval": None if row.flip_interval is None else list(row.flip_interval),
        "largest_shift": row.largest_shift,
        "median_shift": row.median_shift,
        "sampled": row.sampled,
        "worst": None if row.worst is None else _case(row.worst, labels),
        "notes": list(row.notes),
        "cases": [_case(case, labels) for case in row.cases],
    }


def _case(case: Case, labels: tuple[str, ...]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if case.row is not None:
        made = {"text": case.row.variant.text, "seed": case.row.variant.seed, "absorbed": case.absorbed}
    elif case.pass_ is not None:
        made = {"pass": case.pass_}
    elif case.temperature is not None:
        made = {"temperature": case.temperature}
    elif case.seed is not None:
        made = {"seed": case.seed}
    elif case.condition is not None:
        made = {"condition": asdict(case.condition)}
    return {
        "name": case.name,
        **made,
        "label": case.label,
        "probabilities": named(case.probabilities, labels),
        "shift": case.shift,
        "flip": case.flip,
        "margin": case.margin,
    }


def search_document(classifier: Classifier, found: Search) -> dict[str, Any]:
    """The smallest sets of edits that flip a text, or how far was looked for them."""

    def candidate(one: Candidate) -> dict[str, Any]:
        return {
            "edits": [{"perturbation": edit.perturbation, "seed": edit.seed, "text": edit.text} for edit in one.edits],
            "text": one.text,
            "label": one.label,
            "probabilities": named(one.probabilities, classifier.labels),
            "shift": one.shift,
            "margin": one.margin,
        }

    return {
        "model": _model(classifier),
        "versions": versions(),
        "text": found.text,
        "label": found.label,
        "margin": found.margin,
        "finding": found.finding,
        "flips": [candidate(one) for one in found.flips],
        "nearest": None if found.nearest is None else candidate(found.nearest),
        "edits": found.edits,
        "complete": found.complete,
        "sequences": found.sequences,
        "budget": found.budget,
        "forward_rows": found.rows_run,
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
