"""The verdict on a page: the grade on its scale with what it rests on, and whether several models agree."""

from collections.abc import Sequence
from html import escape

from core.base.words import capital
from core.studies.study import Study
from core.studies.verdict import GRADES, Verdict


def verdict_html(found: Verdict, model: str = "") -> str:
    """The grade in a word or two on its scale, and what it rests on as a list, clause by clause with its numbers.

    Args:
        model: named where there are several.
    """
    clauses = "".join(
        f"<li>{escape(capital(one.said))}. <span class='w-faint'>{escape(one.evidence)}</span></li>"
        for one in found.clauses
    )
    scale = "".join(
        f"<li title='{escape(rule)}'{' aria-current=true' if grade == found.mood else ''}>{escape(capital(grade))}</li>"
        for grade, rule in GRADES.items()
    )
    graded = found.mood in GRADES
    said = capital(found.mood) if graded else found.text.partition(". ")[0]
    head = f"<p class='w-verdict{' small' if model else ''}'>{escape(f'{model}: {said}' if model else said)}.</p>"
    grades = f"<ol class=w-grades>{scale}</ol>" if graded else ""
    return f"<div class='w-graded'>{head}{grades}</div><ul class='w-clauses'>{clauses}</ul>"


def agreement_html(found: Sequence[Study]) -> str:
    """What each of several models says of the sentence, and whether that is the same; nothing of one alone."""
    if len(found) == 1:
        return ""
    each = [
        f"{one.model} says {one.reference.label}"
        + (f" ({one.reference.probabilities.max():.3f})" if one.head.has_labels else "")
        for one in found
    ]
    same = len({one.reference.label for one in found}) == 1
    said = "The models agree" if same else "The models disagree"
    return f"<p class='w-verdict'>{said}: {escape(', '.join(each))}.</p>"
