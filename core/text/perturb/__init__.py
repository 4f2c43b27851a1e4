"""Perturbations: named, seeded rules that edit a text, and the variants that they make of it.

Adding a perturbation is one row of the table in the module of its factor; see `core.text.perturb.registry`.
"""

from core.text.perturb import (  # noqa: F401 (importing them registers them)
    casing,
    preprocessing,
    punctuation,
    typo,
    unicode,
    whitespace,
)
from core.text.perturb.edits import Edit, edits
from core.text.perturb.registry import (
    FACTORS,
    FORMATTING,
    USUAL,
    WORDS,
    Cut,
    Perturbation,
    Variant,
    custom,
    merged,
    perturbations,
    register,
    variants,
)

__all__ = [
    "FACTORS",
    "FORMATTING",
    "USUAL",
    "WORDS",
    "Cut",
    "Edit",
    "Perturbation",
    "Variant",
    "custom",
    "edits",
    "merged",
    "perturbations",
    "register",
    "variants",
]
