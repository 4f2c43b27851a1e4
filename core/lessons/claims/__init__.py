"""The article's claims, each run live. A claim is a function with its text beside it; importing its module declares it."""

from core.lessons.claims import chance, inputs, temperature  # noqa: F401
from core.lessons.claims.claim import Result, claims, run_all

__all__ = ["Result", "claims", "run_all"]
