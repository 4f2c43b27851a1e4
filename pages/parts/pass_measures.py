"""Tables of dropout passes: the measures over them, and the rows of their strip in numbers."""

from collections.abc import Sequence
from html import escape

import pandas as pd
import streamlit as st

from core.factors.dropout import Measure
from core.views import tables
from pages.parts import markup

SHIFT = "Total variation distance to the probabilities of your sentence with dropout off, \u00bd \u03a3 |p \u2212 q|, from 0 to 1"


def measures(found: Sequence[Measure]) -> None:
    """The measures with their formulas, a plain reading, and what they are with dropout off."""
    if not found:
        return
    rows = []
    for one in found:
        said = "" if one.interval is None else f" ({one.interval[0]:.4f} to {one.interval[1]:.4f})"
        rows.append(
            (
                f"<b>{one.name}</b>",
                f"<b>{one.value:.4f}</b>{said}",
                f"{one.off:.4f}",
                escape(one.formula),
                escape(one.reading),
            )
        )
    columns = (
        ("measure", ""),
        ("over the passes", "In brackets Wilson's 95% interval of the share"),
        ("dropout off", "The same measure of the deterministic prediction: the reference"),
        ("formula", "p: the probabilities of a pass; mean p: their mean over the passes; H: entropy"),
        ("reading", ""),
    )
    st.html(markup.table_html(columns, rows))


def scatter(rows: pd.DataFrame, noise_floor: float) -> None:
    """The strip in numbers: dropout noise beside formatting shift.

    Args:
        rows: as `tables.scatter_frame` makes them.
    """

    def moved(value: float) -> str:
        return f"{value:.4f}" if value > noise_floor else "below the noise floor"

    columns = (
        ("row of the strip", "All sites together, each kind alone, variants under dropout, and formatting without it"),
        ("flips", "Dots whose label differs from that of your sentence with dropout off"),
        ("flip rate", "In brackets Wilson's 95% interval of the share"),
        ("mean shift", SHIFT),
        ("largest shift", SHIFT),
    )
    st.html(
        markup.table_html(
            columns,
            [
                (
                    f"<b>{escape(row['row'])}</b>",
                    f"{row['dots']:,} dots" if row["flips"] is None else f"{row['flips']:,} of {row['dots']:,}",
                    "none: a value has no label"
                    if row["flips"] is None
                    else f"{row['flips'] / row['dots']:.1%} ({row['low']:.1%} to {row['high']:.1%})",
                    moved(row["mean_shift"]),
                    moved(row["largest_shift"]),
                )
                for row in tables.records(rows)
            ],
        )
    )
