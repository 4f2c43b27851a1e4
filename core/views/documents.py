"""Results as plain JSON values: what `--json` prints, what the pages offer for download, and what a replay reads."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from core.base.versions import versions
from core.factors.case import Case, Reference, Row
from core.factors.conditions import DTYPES
from core.factors.dropout import Dropout, acting, over_passes, rate_at
from core.factors.numerics import can_flip
from core.families.agreement import pairwise_disagreement
from core.models.classifier import Classifier
from core.models.heads import Logits, Probabilities
from core.studies.calibration import Calibration, Scores
from core.studies.shortest import Search
from core.studies.steps import Chained
from core.studies.study import Study
from core.studies.verdict import summary, verdict
from core.text.stages import Stages
from core.text.tokens import Encoding

if TYPE_CHECKING:
    from core.families.stacked import Family

STUDY_RECORD, PROFILE_RECORD = "wobble study", "wobble profile"
"""The names of the kinds of documents that `core.views.replay` repeats."""


def unique(labels: tuple[str, ...]) -> tuple[str, ...]:
    """Label names, told apart by their index where several share one."""
    return tuple(label if labels.count(label) == 1 else f"{label} ({i})" for i, label in enumerate(labels))


def named(row: Probabilities, labels: tuple[str, ...]) -> dict[str, float]:
    """Probabilities by label."""
    return dict(zip(unique(labels), map(float, row), strict=True))


def ranked(probabilities: Mapping[str, float], top: int = 6, digits: int = 4) -> str:
    """The largest probabilities in one line."""
    largest = sorted(probabilities.items(), key=lambda item: -item[1])[:top]
    return "  ".join(f"{name} {p:.{digits}f}" for name, p in largest)


# --- parts -----------------------------------------------------------------------------------------------------------


def encoding_document(encoding: Encoding) -> dict[str, Any]:
    """Tokens and ids, and whether the text was cut."""
    return {"tokens": list(encoding.tokens), "ids": list(encoding.ids), "truncated": encoding.truncated}


def reference_document(reference: Reference) -> dict[str, Any]:
    """What all cases are compared with."""
    return {
        "text": reference.text,
        "label": reference.label,
        "probabilities": named(reference.probabilities, reference.labels),
        "margin": reference.margin,
        **encoding_document(reference.encoding),
    }


def case_document(row: Row, case: Case, labels: tuple[str, ...]) -> dict[str, Any]:
    """A case of a row: what made it, and its prediction beside the reference's."""
    edited = {"absorbed": case.absorbed, "fate": row.fate(case)} if case.variant else {}
    return {
        "name": case.name,
        **case.made.document(),
        **edited,
        "label": case.label,
        "probabilities": named(case.probabilities, labels),
        "shift": case.shift,
        "flip": row.flip(case),
        "margin": case.margin,
    }


def row_document(row: Row, labels: tuple[str, ...]) -> dict[str, Any]:
    """A factor and its cases."""
    return {
        "factor": row.name,
        "tried": row.tried,
        "absorbed": row.absorbed,
        "beyond_the_limit": row.beyond,
        "above_noise_floor": len(row.moving),
        "flips": row.flips,
        "flip_rate": row.flip_rate,
        "flip_interval": None if row.flip_interval is None else list(row.flip_interval),
        "largest_shift": row.largest_shift,
        "median_shift": row.median_shift,
        **row.facts,
        "worst": None if row.worst is None else case_document(row, row.worst, labels),
        "notes": list(row.notes),
        "cases": [case_document(row, case, labels) for case in row.cases],
    }


def model_document(subject: Classifier | Study) -> dict[str, Any]:
    """Which model and which libraries were used."""
    return {
        "model": {
            "id": subject.id if isinstance(subject, Classifier) else subject.model,
            "weights": subject.weights_hash,
            "head": subject.head.name,
            "labels": list(subject.labels),
            "device": str(subject.device),
        },
        "versions": versions(),
    }


# --- studies ---------------------------------------------------------------------------------------------------------


def study_document(study: Study) -> dict[str, Any]:
    """A study of any factors as a record, which `core.views.replay` repeats."""
    return {
        "record": STUDY_RECORD,
        **model_document(study),
        "text": study.reference.text,
        "temperature": study.temperature,
        "options": {name: dict(options) for name, options in study.options.items() if options},
        "reference": reference_document(study.reference),
        "noise_floor": study.noise_floor,
        "factors": [row_document(row, study.labels) for row in study.rows],
        "rows_asked": study.rows_asked,
        "forward_rows": study.rows_run,
        "seconds": study.seconds,
    }


def profile_document(study: Study) -> dict[str, Any]:
    """The record of a profile, with its verdict."""
    said = verdict(study)
    return study_document(study) | {
        "record": PROFILE_RECORD,
        "verdict": said.text,
        "mood": said.mood,
        "clauses": [asdict(clause) for clause in said.clauses],
    }


def comparison_document(study: Study) -> dict[str, Any]:
    """A study of edits, one entry per variant, largest shift first."""
    return {
        **model_document(study),
        "reference": reference_document(study.reference),
        "temperature": study.temperature,
        "summary": summary(study),
        "noise_floor": study.noise_floor,
        "variants": [
            {
                "perturbation": case.name,
                "factor": row.made_by(case),
                **case_document(row, case, study.labels),
                **encoding_document(case.encoding),
                "absorbed_by": case.absorbed_by,
            }
            for row, case in study.keyed().values()
        ],
        "notes": [note for row in study.shown for note in row.notes],
        "rows_asked": study.rows_asked,
        "forward_rows": study.rows_run,
    }


def chain_document(found: Chained) -> dict[str, Any]:
    """A chain of preprocessing steps, the text after each and its prediction; none where the text is the original."""
    return {
        "steps": [
            {
                "step": step.name,
                "text": step.after,
                "prediction": None
                if step.case is None
                else case_document(found.study.rows[0], step.case, found.study.labels),
            }
            for step in found.steps
        ],
        "url": found.chain.url,
        "mention": found.chain.mention,
    }


def segmentation_document(study: Study, nearest: Sequence[Case] = ()) -> dict[str, Any]:
    """Other segmentations of one text: those that were drawn, and the nearest, which no rate counts."""
    (row,) = study.rows

    def segmented(case: Case) -> dict[str, Any]:
        return case_document(row, case, study.labels) | encoding_document(case.encoding)

    return {
        **model_document(study),
        "reference": reference_document(study.reference),
        "cases": [segmented(case) for case in row.cases],
        "nearest": [segmented(case) for case in nearest],
        "flip_rate": row.flip_rate,
        "flip_interval": None if row.flip_interval is None else list(row.flip_interval),
        **row.facts,
        "notes": list(row.notes),
    }


def passes_document(classifier: Classifier, study: Study, dropout: Dropout) -> dict[str, Any]:
    """Stochastic passes of one text: the first row of a study."""
    row = study.rows[0]
    # Where nothing drops, every pass is the reference.
    samples = row.probabilities if row.cases else study.reference.probabilities[None]
    return {
        **model_document(study),
        "dropout": {
            "seed": dropout.seed,
            "rate": dropout.rate,
            "sites": None if dropout.sites is None else list(dropout.sites),
            "acting": [
                {"site": site.name, "kind": site.kind, "rate": rate_at(site, dropout)}
                for site in acting(classifier.sites, dropout)
            ],
        },
        "passes": row.tried,
        "temperature": study.temperature,
        "reference": reference_document(study.reference),
        "mean": named(samples.mean(axis=0), study.labels),
        "std": named(samples.std(axis=0), study.labels),
        "flip_rate": row.flip_rate,
        "flip_interval": None if row.flip_interval is None else list(row.flip_interval),
        **over_passes(samples, study.head),
        "samples": samples.tolist() if row.cases else [],
        "notes": list(row.notes),
    }


def temperature_document(classifier: Classifier, text: str, logits: Logits, at: Sequence[float]) -> dict[str, Any]:
    """The probabilities, label and entropy of one text's logits at some temperatures."""
    return {**model_document(classifier), **_tempered(classifier, text, logits, at)}


def _tempered(subject: Classifier | Study, text: str, logits: Logits, at: Sequence[float]) -> dict[str, Any]:
    head, labels = subject.head, subject.labels
    return {
        "text": text,
        "logits": [float(logit) for logit in logits],
        "temperatures": [
            {
                "temperature": float(temperature),
                "probabilities": named(p, labels),
                "label": head.label(p, labels),
                "entropy": float(head.entropy(p)) if head.has_labels else None,
            }
            for temperature, p in ((t, head.probabilities(logits, t)) for t in at)
        ],
    }


def tempered_document(study: Study, temperature: float, at: Sequence[float]) -> dict[str, Any]:
    """A sentence's logits at some temperatures, and all its variants at one of them and at T = 1.

    Args:
        temperature: the one that the page shows.
        at: the temperatures of the sentence's own curve.
    """
    return {
        **model_document(study),
        **_tempered(study, study.reference.text, study.reference.logits, at),
        "temperature": temperature,
        "variants": [
            {"perturbation": case.name, "absorbed": case.absorbed}
            | _tempered(study, case.text, case.logits, [1.0, temperature])
            for case in study.cases
        ],
    }


def numerics_document(study: Study) -> dict[str, Any]:
    """A text under every condition, and the noise floor that follows."""
    (row,) = study.rows
    reference = study.reference
    return {
        **model_document(study),
        "text": reference.text,
        "temperature": study.temperature,
        "reference": reference_document(reference)
        | {
            "condition": "alone",
            "logits": [float(logit) for logit in reference.logits],
            "largest_logit_difference": 0.0,
            "shift": 0.0,
            "flip": False if study.head.has_labels else None,
        },
        "conditions": [
            case_document(row, case, study.labels)
            | {
                "condition": case.name,
                **case.made.document()["condition"],
                "logits": [float(logit) for logit in case.logits],
                "largest_logit_difference": case.difference,
            }
            for case in row.cases
        ],
        "noise_floor": study.noise_floor,
        "logit_margin": study.head.logit_margin(reference.logits),
        "can_flip": {dtype: can_flip(reference, row.cases, dtype) for dtype in DTYPES},
        "notes": list(row.notes),
        "rows_asked": study.rows_asked,
        "forward_rows": study.rows_run,
    }


def seeds_document(family: "Family", text: str, logits: Logits) -> dict[str, Any]:
    """What every member of a family says of one text.

    Args:
        logits: `[n_seeds, n_labels]`.
    """
    head, labels = family.first.head, family.first.labels
    p = head.probabilities(logits)
    mean = p.mean(axis=0)
    names = [head.label(row, labels) for row in p]
    return {
        "family": family.id,
        "head": head.name,
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
        "ensemble": {"label": head.label(mean, labels), "probabilities": named(mean, labels)},
    }


def search_document(classifier: Classifier, found: Search) -> dict[str, Any]:
    """The smallest sets of edits that flip a text, or how far the search for them went."""
    return {
        **model_document(classifier),
        "text": found.reference.text,
        "label": found.reference.label,
        "margin": found.reference.margin,
        "finding": found.finding,
        "flips": [case_document(found.row, case, classifier.labels) for case in found.flips],
        "nearest": None if found.nearest is None else case_document(found.row, found.nearest, classifier.labels),
        "edits": found.edits,
        "complete": found.complete,
        "sequences": found.sequences,
        "budget": found.budget,
        "forward_rows": found.rows_run,
    }


def stages_document(model: str, tokenizer: str, stages: Stages) -> dict[str, Any]:
    """What each stage of a tokenizer made of a text."""
    pieces, offsets = stages.pre_tokens, stages.encoding.offsets
    return {
        "model": model,
        "tokenizer": tokenizer,
        "raw": stages.raw,
        "normalized": stages.normalized,
        "pre_tokens": None if pieces is None else [{"text": piece.text, "span": list(piece.span)} for piece in pieces],
        **encoding_document(stages.encoding),
        "offsets": None if offsets is None else [list(span) for span in offsets],
        "notes": list(stages.notes),
    }


def calibration_document(classifier: Classifier, found: Calibration) -> dict[str, Any]:
    """A fitted temperature and the scores before and after it; estimates with their 95% bootstrap intervals."""

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
        **model_document(classifier),
        "temperature": found.temperature,
        "fitted_on": found.fitted_on,
        "tested_on": found.tested_on,
        "before": scores(found.before),
        "after": scores(found.after),
    }
