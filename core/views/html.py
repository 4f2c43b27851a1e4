"""Results as small pieces of HTML: what a notebook shows of them, and what the report is built from.

Whatever comes from a user or a model is escaped here. Nothing heavier than the engine is imported.
"""

from collections.abc import Iterable, Sequence
from html import escape

from core.studies.compare import Comparison, Reference
from core.studies.profile import FACTORS, FactorRow, Profile, described
from core.studies.verdict import verdict
from core.text.visible import visible

LONGEST = 300
"""Characters of a sentence that a notebook shows."""
ROWS = 15
"""Variants that a notebook shows."""
MONOSPACE = "font-family:ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;white-space:pre-wrap"


def words(text: str) -> str:
    """A name or a sentence, escaped. Spaces stay spaces; whatever else would not be seen is shown by its mark."""
    return escape(" ".join(visible(word) for word in text.split(" ")))


def visible_html(text: str, limit: int = 2000) -> str:
    """Text with visible white space, escaped; long ones are cut, and say so."""
    rest = f" <i>… {len(text) - limit:,} more characters</i>" if len(text) > limit else ""
    return breakable(visible(text[:limit])) + rest


def breakable(shown: str) -> str:
    """Visible text, escaped, with a place to break after each space: the mark itself is no white space."""
    return escape(shown).replace("\u00b7", "\u00b7<wbr>")


def number(value: float | None) -> str:
    """Four digits, or a dash where there is none."""
    return "–" if value is None else f"{value:.4g}"


def share(row: FactorRow, interval: str = "") -> str:
    """The flip rate of a factor with its 95 % interval, or a dash where there is none.

    Temperatures, which cannot flip, are no sample of anything, so they have none.

    Args:
        interval: what to call the interval.
    """
    if row.flip_rate is None or row.flip_interval is None or (row.factor == "temperature" and not row.flips):
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


def factors_table(profile: Profile) -> str:
    """One row a factor: what was tried, what became of it, and the case that goes furthest."""
    ready = {row.factor: row for row in profile.factors}
    return table(
        ("factor", "tried", "absorbed", "flips", "flip rate (95 %)", "largest shift", "median shift", "worst case"),
        (
            (
                f"<b>{row.factor}</b>",
                str(row.tried),
                str(row.absorbed),
                "–" if row.flips is None else str(row.flips),
                share(row),
                number(row.largest_shift),
                number(row.median_shift),
                "–" if row.worst is None else words(described(row.worst)),
            )
            for row in (ready[factor] for factor in FACTORS if factor in ready)
        ),
    )


def profile_html(profile: Profile) -> str:
    """A profile in a notebook: verdict, prediction, and a row a factor."""
    said = verdict(profile).text if profile.complete else f"{len(profile.factors)} of {len(FACTORS)} factors are ready."
    return f"<p><b>{words(said)}</b></p>{_reference(profile.reference, profile)}{factors_table(profile)}"


def comparison_html(comparison: Comparison) -> str:
    """A comparison in a notebook: the finding, the prediction, and the variants that move it most."""
    rows = table(
        ("perturbation", "text", "fate", "label", "margin", "shift"),
        (
            (
                words(row.variant.perturbation),
                f'<span style="{MONOSPACE}">{visible_html(row.variant.text, LONGEST)}</span>',
                row.badge,
                words(row.label),
                "–" if row.margin is None else f"{row.margin:+.4f}",
                number(row.shift),
            )
            for row in comparison.rows[:ROWS]
        ),
    )
    left = comparison.rows[ROWS:]
    rest = f"<p>… and {len(left)} more, {sum(row.absorbed for row in left)} of them absorbed.</p>" if left else ""
    said = f"<p><b>{words(comparison.summary)}</b></p>"
    return said + _reference(comparison.reference, comparison) + (rows if comparison.rows else "") + rest


def _reference(reference: Reference, result: Profile | Comparison) -> str:
    margin = "" if reference.margin is None else f", margin {reference.margin:+.4f}"
    return (
        f'<p><span style="{MONOSPACE}">{visible_html(reference.text, LONGEST)}</span><br>'
        f"<b>{words(reference.label)}</b> by {words(result.model)}{margin}; "
        f"noise floor {result.noise_floor:.1e}</p>"
    )
