"""What a study comes to, in a sentence: its summary to read first, and the finding as the title of its picture."""

from core.base.words import capital, listed, number, plural, verb
from core.factors.case import Row
from core.factors.registry import factors
from core.studies.study import Study
from core.studies.verdict import verdict


def is_profile(study: Study) -> bool:
    """Whether it is of every factor that there is."""
    return study.wanted == tuple(one.name for one in factors())


def summary(study: Study) -> str:
    """Counts, for edits ("34 edits: 19 erased by the tokenizer, 15 reach the model, 2 flip it."); the verdict for a profile."""
    if not _of_edits_alone(study):
        return _said(study)
    if not study.tried:
        return f"No edit applies to this text{_beyond(study)}."
    reaching = study.tried - study.absorbed
    parts = [
        f"{study.absorbed} erased by the tokenizer",
        f"{reaching} {verb(reaching, 'reaches', 'reach')} the model",
        f"{study.flips or 'none'} {_flip(study)} it" if study.head.has_labels else "a value has no label to flip",
    ]
    return f"{plural(study.tried, 'edit')}: {', '.join(parts)}{_beyond(study)}."


def finding(study: Study) -> str:
    """What the strip shows, as its title: of edits the worst case by name; the verdict for a profile."""
    if not _of_edits_alone(study):
        return _said(study)
    label, beyond = f"“{study.reference.label}”", _beyond(study)
    reaching = [case for row in study.shown for case in row.cases if case.reaches]
    if not reaching:
        erased = "The tokenizer erases every edit: nothing reaches the model"
        return f"{erased if study.tried else 'No edit applies'}{beyond}."
    counted = [case for row in study.shown for case in row.flipping] or reaching
    worst = min(counted, key=lambda case: -case.shift if case.margin is None else case.margin)
    if worst.margin is None:
        return f"{worst.name} moves the output furthest, by {worst.shift:.3f}{beyond}"
    if not study.flips:
        return f"No edit flips {label}; {worst.name} comes nearest{beyond}"
    return f"{study.flips} of {study.tried} edits {_flip(study)} {label}; {worst.name} goes furthest{beyond}"


def _of_edits_alone(study: Study) -> bool:
    return study.complete and not is_profile(study) and all(row.factor.edits for row in study.rows)


def _flip(study: Study) -> str:
    return verb(study.flips or 1, "flips", "flip")


def _beyond(study: Study) -> str:
    count = sum(row.beyond for row in study.rows)
    return f"; {count} beyond the limit" if count else ""


def _said(study: Study) -> str:
    """What is said alike as a summary and as a title: the verdict of a profile, the counts of some factors."""
    if not study.complete:
        return f"{len(study.rows)} of {len(study.wanted)} factors are ready."
    if is_profile(study):
        return verdict(study).text
    tried = [(row, plural(row.tried, row.factor.one, row.factor.many)) for row in study.shown if row.tried]
    if not tried:
        return next((note for row in study.shown for note in row.notes), "Nothing was tried.")
    if not study.head.has_labels:
        moved = [f"by up to {number(row.largest_shift or 0.0)} over {cases}" for row, cases in tried]
        return f"The output moves {listed(moved)}{_beyond(study)}."
    said = capital(listed([f"{row.flips or 'none'} of {cases}" for row, cases in tried]))
    return f"{said} {_flip(study)} “{study.reference.label}”{_beyond(study)}."


def reach(first: Row, second: Row) -> str:
    """How far the cases of two rows reach, as the title of their strip; the second, of edits, may have none."""
    said = f"{capital(first.factor.many)} spread the {'outputs' if first.flips is None else 'margins'} {_range(first)}"
    return f"{said}, edits {_range(second)}" if second.cases else f"{said}; no edit reaches the model"


def _range(row: Row) -> str:
    values = [case.value for case in row.cases]
    return f"from {min(values):+.2f} to {max(values):+.2f}"
