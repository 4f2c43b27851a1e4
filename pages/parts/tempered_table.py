"""The probabilities of a sentence and its variants at one temperature beside those at T = 1, as a table."""

from collections.abc import Sequence
from html import escape

import pandas as pd

from core.models.heads import Head, Probabilities
from core.studies.temperatures import read
from core.views.documents import unique
from core.views.html import visible_html
from core.views.style import label_colors
from pages.parts import markup

ENTROPY = "\u2212\u03a3 p log p in nats: 0 is sure, the log of the number of labels is a guess"
SHOWN = 3
"""Labels of a text, at the most."""


def tempered_table(rows: pd.DataFrame, head: Head, labels: tuple[str, ...], temperature: float) -> str:
    """The table as HTML.

    Args:
        rows: as `core.views.tables.tempered_rows` makes them.
    """
    at = read(temperature)
    some = f" (the {SHOWN} largest of {len(labels)})" if len(labels) > SHOWN else ""
    columns = (
        ("text", "Your sentence, and the variants that reach the model"),
        ("label", f"Predicted at T = {at}; the same as at T = 1"),
        (
            f"probability at T = 1, and at T = {at}{some}",
            f"Bar and bold number: at T = {at}. Thin tick and faint number: at T = 1, the reference",
        ),
        ("entropy at T = 1", ENTROPY),
        (f"at T = {at}", ENTROPY),
    )
    return markup.table_html(
        columns,
        [
            (
                f"<b>{escape(row['name'])}</b><br><span class='w-text w-small'>{visible_html(row['text'], 90)}</span>",
                f"<span class='w-nobreak'>{escape(row['label'][:40])}</span>",
                _bars(row["p_before"], row["p_after"], _shown(row["p_before"], head), labels),
                f"<span class='w-faint'>{row['entropy_before']:.3f}</span>",
                f"<b>{row['entropy_after']:.3f}</b>",
            )
            for row in rows.to_dict("records")
        ],
    )


def _shown(p: Probabilities, head: Head) -> list[int]:
    """The labels to show of a row: of two that compete the first says it all, and questions keep their order."""
    most = 1 if len(p) == 2 else SHOWN
    first = sorted(range(len(p)), key=lambda i: -p[i])[:most]
    return first if head.exclusive else sorted(first)


def _bars(before: Probabilities, after: Probabilities, shown: Sequence[int], labels: tuple[str, ...]) -> str:
    names, colors = unique(labels), label_colors(labels)
    bars = "".join(
        f"<span class='name' title='{escape(names[k])}'>{escape(names[k])}</span><span class='track'>"
        f"<span class='fill' style='width:{100 * after[k]:.2f}%;background:{colors[labels[k]]}'></span>"
        f"<span class='tick' style='left:{100 * before[k]:.2f}%'></span></span>"
        f"<span class='p w-faint'>{before[k]:.3f}</span><span class='p'><b>{after[k]:.3f}</b></span>"
        for k in shown
    )
    return f"<div class='w-bars w-tempered'>{bars}</div>"
