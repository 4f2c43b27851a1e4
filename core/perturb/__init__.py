"""Perturbations: named, seeded rules that edit a text, and the variants that they make of it.

Adding a perturbation is one decorated function in the module of its factor; see `core.perturb.registry`.
"""

from core.perturb import (  # noqa: F401 (importing them registers them)
    casing,
    preprocessing,
    punctuation,
    typo,
    unicode,
    whitespace,
)
from core.perturb.edits import Edit, edits
from core.perturb.merging import merged
from core.perturb.registry import (
    FACTORS,
    FORMATTING,
    PROFILED,
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
    "PROFILED",
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
