"""Timing of alternatives in turn, so that a machine whose speed drifts is as kind to one as to the other."""

import statistics
import time
from collections.abc import Callable, Mapping


def medians(alternatives: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each alternative over some rounds, every round running all of them in turn."""
    seconds: dict[str, list[float]] = {name: [] for name in alternatives}
    for _ in range(rounds):
        for name, call in alternatives.items():
            start = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}
