"""Perturbations: named, seeded rules that edit a text, and the variants that they make of it.

Adding a perturbation is one decorated function in the module of its factor; see `core.text.perturb.registry`.
"""

from core.text.perturb import casing, punctuation, typo, unicode, whitespace  # noqa: F401 (importing them registers them)
from core.text.perturb.edits import Edit, edits
from core.text.perturb.registry import (
    FACTORS,
    FORMATTING,
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
    "Edit",
    "Perturbation",
    "Variant",
    "custom",
    "edits",
    "perturbation",
    "perturbations",
    "variants",
]
