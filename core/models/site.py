"""A place where a model drops something while it is trained: what is known about it once the model is loaded."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["embeddings", "hidden", "attention", "pooler", "head"]
KINDS: tuple[Kind, ...] = ("embeddings", "hidden", "attention", "pooler", "head")


@dataclass(frozen=True)
class Site:
    """One place where a model drops something while it is trained."""

    name: str
    """Path of the module, as `named_modules` gives it."""
    kind: Kind
    rate: float
    """The checkpoint's own rate, in [0, 1)."""
    shared: bool
    """What is dropped there belongs to all rows of a batch (DeBERTa's relative positions), so passes cannot share one."""
