"""What a study comes to, in a sentence: its summary to read first, and the finding as the title of its picture."""

from core.base.words import capital, listed, number, plural
from core.factors.case import Row
from core.factors.registry import factors
from core.studies.study import Study
from core.studies.verdict import verdict


def is_profile(study: Study) -> bool:
    """Whether it is of every factor that there is."""
    return study.wanted == tuple(one.name for one in factors())


def summary(study: Study) -> str:
    """Counts, for edits ("34 edits: 19 erased by the tokenizer, 15 reach the model, 2 flip it."); the verdict for a profile."""
    if not study.complete or is_profile(study) or not _of_edits(study):
        return _said(study)
    cases = [case for row in study.rows for case in row.cases]
    total = sum(case.tried for case in cases)
    beyond = _beyond(study)
    if not total:
        return f"No edit applies to this text{beyond}."
    reaching = total - study.absorbed
    flips = f"{study.flips or 'none'} {'flips' if study.flips < 2 else 'flip'} it"
    parts = [
        f"{study.absorbed} erased by the tokenizer",
        f"{reaching} {'reaches' if reaching == 1 else 'reach'} the model",
        flips if study.head.has_labels else "a value has no label to flip",
    ]
    return f"{plural(total, 'edit')}: {', '.join(parts)}{beyond}."


def finding(study: Study) -> str:
    """What the strip shows, as its title: of edits the worst case by name; the verdict for a profile."""
    if not study.complete or is_profile(study) or not _of_edits(study):
        return _said(study)
    cases = [case for row in study.shown for case in row.cases if case.tried]
    reaching = [case for case in cases if not case.absorbed]
    if not reaching:
        nothing = "The tokenizer erases every edit: nothing reaches the model" if cases else "No edit applies"
        return f"{nothing}{_beyond(study)}."
    if not study.head.has_labels:
        furthest = max(reaching, key=lambda case: case.shift)
        return f"{furthest.name} moves the output furthest, by {furthest.shift:.3f}{_beyond(study)}"
    flipping = [case for row in study.shown for case in row.flipping]
    worst = min(flipping or reaching, key=lambda case: case.margin or 0.0).name
    label = f"“{study.reference.label}”"
    if not flipping:
        return f"No edit flips {label}; {worst} comes nearest{_beyond(study)}"
    flips = f"{len(flipping)} of {len(cases)} edits {'flips' if len(flipping) == 1 else 'flip'}"
    return f"{flips} {label}; {worst} goes furthest{_beyond(study)}"


def _of_edits(study: Study) -> bool:
    return all(row.factor.edits for row in study.rows)


def _beyond(study: Study) -> str:
    count = sum(row.beyond for row in study.rows)
    return f"; {count} beyond the limit" if count else ""


def _said(study: Study) -> str:
    """What is said alike as a summary and as a title: the verdict of a profile, and of other factors the counts."""
    if not study.complete:
        return f"{len(study.rows)} of {len(study.wanted)} factors are ready."
    if is_profile(study):
        return verdict(study).text
    tried = [row for row in study.shown if row.tried]
    if not tried:
        return next((note for row in study.shown for note in row.notes), "Nothing was tried.")
    if not study.head.has_labels:
        moved = [f"by up to {number(row.largest_shift or 0.0)} over {_cases(row)}" for row in tried]
        return f"The output moves {listed(moved)}{_beyond(study)}."
    verb = "flips" if study.flips < 2 else "flip"
    said = capital(listed([f"{row.flips or 'none'} of {_cases(row)}" for row in tried]))
    return f"{said} {verb} “{study.reference.label}”{_beyond(study)}."


def _cases(row: Row) -> str:
    named = f" ({row.title})" if row.title else ""
    return plural(row.tried, row.factor.one, row.factor.many) + named
