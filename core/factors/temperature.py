"""Temperature: what a division of the logits can change, and what it cannot. Nothing here can cause a forward pass."""

from collections.abc import Iterator, Sequence
from typing import Annotated

from core.base.errors import WobbleError
from core.factors.ask import Ask
from core.factors.case import Case, Trial
from core.factors.registry import Range, factor
from core.models.classifier import Classifier

TEMPERATURES = (0.25, 0.5, 2.0, 4.0)


def _missing(classifier: Classifier) -> str | None:
    return None if classifier.head.has_labels else "A value has no temperature."


@factor("temperature", one="temperature", many="temperatures", flips_count=False, missing=_missing)
def temperature(
    ask: Ask, *, at: Annotated[Sequence[float], Range("temperatures", 1e-3, 1e6)] = TEMPERATURES
) -> Iterator[Case]:
    """The reference's logits at other temperatures."""
    drawn = ask.reference.head.sampled(ask.reference.probabilities)
    ask.facts["sampled"] = drawn
    ask.notes.append(
        "Dividing the logits by a temperature keeps their order, so no temperature changes the predicted label; a label "
        f"drawn from the probabilities is another one with probability {drawn:.2f}."
    )
    for t in at:
        made = Trial(f"T = {t:g}", f"T = {t:g}", {"temperature": check_temperature(t)})
        yield from ask.measured([made], ask.reference.logits[None], temperature=t)


COLDEST, HOTTEST = 1e-3, 1e6
"""The range of temperatures: below it fp32 arithmetic overflows, above it nothing but rounding is left."""


def check_temperature(temperature: float) -> float:
    """The temperature itself, if it is one.

    Raises:
        WobbleError: it is not a number between 0.001 and 1,000,000.
    """
    if not COLDEST <= temperature <= HOTTEST:  # also False for NaN
        raise WobbleError(
            f"{temperature:g} is not a usable temperature: it must be a number from {COLDEST:g} to {HOTTEST:,.0f} "
            "(dividing by zero or less would reverse the order of the labels or leave no probabilities)."
        )
    return temperature
