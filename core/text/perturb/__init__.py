"""Perturbations: named, seeded rules that edit a text, and the variants that they make of it.

Adding a perturbation is one decorated function in the module of its factor; see `core.text.perturb.registry`.
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
from core.text.perturb.merging import merged
from core.text.perturb.registry import (
    FACTORS,
    FORMATTING,
    USUAL,
    Cut,
    Perturbation,
    Variant,
    custom,
    perturbation,
    perturbations,
    variants,
)

__all__ = [
    "FACTORS",
    "FORMATTING",
    "USUAL",
    "Cut",
    "Edit",
    "Perturbation",
    "Variant",
    "custom",
    "edits",
    "merged",
    "perturbation",
    "perturbations",
    "variants",
]
