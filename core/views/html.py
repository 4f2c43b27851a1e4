"""Studies as small pieces of HTML: what a notebook shows of them, and what the report is built from.

Whatever comes from a user or a model is escaped here. Nothing heavier than the engine is imported.
"""

from collections.abc import Iterable, Sequence
from html import escape

from core.base.words import beginning
from core.factors.case import Row
from core.studies.study import Study
from core.studies.verdict import summary
from core.text.visible import visible

LONGEST = 300
"""Characters of a sentence that a notebook shows."""
ROWS = 15
"""Edits that a notebook shows."""
MONOSPACE = "font-family:ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;white-space:pre-wrap"


def words(text: str) -> str:
    """A name or a sentence, escaped. Spaces stay spaces; any other hidden character is shown by its mark."""
    return escape(" ".join(visible(word) for word in text.split(" ")))


def visible_html(text: str, limit: int = 2000) -> str:
    """Text with visible white space, escaped; long ones are cut at the end of a word, and say so."""
    shown = beginning(text, limit)
    rest = f" <i>… {len(text) - len(shown):,} more characters</i>" if len(text) > limit else ""
    return breakable(visible(shown)) + rest


def breakable(shown: str) -> str:
    """Visible text, escaped, with a place to break after each space: the mark itself is not white space."""
    return escape(shown).replace("\u00b7", "\u00b7<wbr>")


def number(value: float | None) -> str:
    """Four digits, or a dash where there is none."""
    return "–" if value is None else f"{value:.4g}"


def share(row: Row, interval: str = "") -> str:
    """The flip rate of a row with its 95% interval, or a dash where there is none.

    Cases that cannot flip are not a sample of anything, so they have no rate.

    Args:
        interval: what to call the interval.
    """
    if row.flip_rate is None or row.flip_interval is None or not (row.factor.flips_count or row.flips):
        return "–"
    low, high = row.flip_interval
    return f"{row.flip_rate:.1%} ({interval}{low:.1%} to {high:.1%})"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose cells are HTML already; without a head where no column has a name."""
    names = "".join(f"<th style='text-align:left'>{column}</th>" for column in columns)
    head = f"<thead><tr>{names}</tr></thead>" if any(columns) else ""
    body = "".join(
        "<tr>" + "".join(f"<td style='text-align:left;vertical-align:top'>{cell}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    return f"<table>{head}<tbody>{body}</tbody></table>"


def factors_table(study: Study) -> str:
    """One row per factor: what was tried, what became of it, and the case that goes furthest."""
    return table(
        ("factor", "tried", "absorbed", "flips", "flip rate (95%)", "largest shift", "median shift", "worst case"),
        (
            (
                f"<b>{words(row.name)}</b>",
                f"{row.tried}, {row.beyond} beyond the limit" if row.beyond else str(row.tried),
                str(row.absorbed),
                str(row.flips) if row.can_flip else "–",
                share(row),
                number(row.largest_shift),
                number(row.median_shift),
                "–" if row.worst is None else words(row.worst.made.said),
            )
            for row in study.shown
        ),
    )


def study_html(study: Study) -> str:
    """A study in a notebook: the finding, the prediction, a row per factor, and for edits those that move it most."""
    reference = study.reference
    margin = "" if reference.margin is None else f", margin {reference.margin:+.4f}"
    return (
        f"<p><b>{words(summary(study))}</b></p>"
        f'<p><span style="{MONOSPACE}">{visible_html(reference.text, LONGEST)}</span><br>'
        f"<b>{words(reference.label)}</b> by {words(study.model)}{margin}; noise floor {study.noise_floor:.1e}</p>"
        f"{factors_table(study)}{_edits(study) if all(row.factor.edits for row in study.rows) and study.complete else ''}"
    )


def _edits(study: Study) -> str:
    pairs, left = list(study.keyed().items())[:ROWS], study.cases[ROWS:]
    rows = table(
        ("edit", "text", "fate", "label", "margin", "shift"),
        (
            (
                words(case.called(key)),
                f'<span style="{MONOSPACE}">{visible_html(case.text, LONGEST)}</span>',
                row.fate(case),
                words(case.label),
                "–" if case.margin is None else f"{case.margin:+.4f}",
                number(case.shift),
            )
            for key, (row, case) in pairs
        ),
    )
    absorbed, beyond = sum(case.absorbed for case in left), sum(not case.tried for case in left)
    rest = f"{absorbed} of them absorbed" + (f", {beyond} beyond the limit" if beyond else "")
    return rows + (f"<p>… and {len(left)} more, {rest}.</p>" if left else "")
