"""The present engine, with the names that `benchmarks.golden.old` gives. To be rewritten, and nothing else, with the engine."""

# It is still the engine of that commit.
from benchmarks.golden.old import KINDS, Refusal, calibration, load, shortest

__all__ = ["KINDS", "Refusal", "calibration", "load", "shortest"]
