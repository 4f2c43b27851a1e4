"""What a claim is, how it is declared, and how all of them are run."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from core.base.errors import WobbleError
from core.lessons import material
from core.models.classifier import Classifier

Outcome = Literal["holds", "does not hold", "depends", "not run"]
Models = tuple[Classifier, ...]


@dataclass(frozen=True)
class Found:
    """What an experiment found.

    Args:
        evidence: what was measured, in sentences.
        measured: the numbers that outcome and evidence rest on, by name, as plain JSON values.
    """

    outcome: Outcome
    evidence: str
    measured: Mapping[str, float | int | str | list[str]]


@dataclass(frozen=True)
class Claim:
    """One claim of the article and the experiment that decides it.

    Args:
        says: the article's claim.
        truth: what holds instead, or under which condition it does.
        code: the corrected code, on plain transformers, to run in Wobble's folder.
        on_base: whether the experiment needs nothing but a classifier, so that it can run on a checkpoint without a trained
            head too.
        unsaid: whether the article does it without saying so.
    """

    id: str
    says: str
    truth: str
    code: str
    experiment: Callable[[Models], Found]
    on_base: bool = False
    unsaid: bool = False


@dataclass(frozen=True)
class Result:
    """A claim that was run."""

    id: str
    claim: str
    outcome: Outcome
    evidence: str
    truth: str
    code: str
    on_base: str
    """The result on the article's own checkpoint, in one clause."""
    seconds: float
    unsaid: bool = False
    measured: Mapping[str, float | int | str | list[str]] = field(default_factory=dict)


_claims: dict[str, Claim] = {}


def claim(
    id: str, says: str, truth: str, code: str, *, on_base: bool = False, unsaid: bool = False
) -> Callable[[Callable[[Models], Found]], Callable[[Models], Found]]:
    """Declare a claim: the decorated function runs its experiment on some classifiers, the default one first.

    Raises:
        ValueError: another claim has the id.
    """

    def declared(experiment: Callable[[Models], Found]) -> Callable[[Models], Found]:
        if id in _claims:
            raise ValueError(f"two claims are named {id}")
        _claims[id] = Claim(id, says, truth, code.strip() + "\n", experiment, on_base, unsaid)
        return experiment

    return declared


def claims() -> tuple[Claim, ...]:
    """All claims, in the order of the article."""
    return tuple(sorted(_claims.values(), key=lambda one: int(one.id[1:])))


def run(one: Claim) -> Result:
    """Run the experiment of a claim on the embedded models, and on the article's own checkpoint where that is available.

    One that cannot be run here says why.
    """
    begin = time.perf_counter()
    try:
        found = one.experiment(material.models())
    except WobbleError as error:
        found = Found("not run", str(error), {})
    said = "needs a fine-tuned model, so not run on bert-base-uncased"
    if one.on_base:
        base, why = material.on_hub()
        if base is None:
            said = f"not run on bert-base-uncased: {why}"
        else:
            there = one.experiment((base,))
            said = f"on bert-base-uncased: {there.outcome}. {there.evidence}"
    seconds = time.perf_counter() - begin
    return Result(
        one.id, one.says, found.outcome, found.evidence, one.truth, one.code, said, seconds, one.unsaid, found.measured
    )


def run_all(progress: Callable[[int, int], None] | None = None) -> Iterator[Result]:
    """Every claim, one after the other.

    Args:
        progress: called with the number of claims done and that of all; what it raises cancels.
    """
    for done, one in enumerate(claims(), start=1):
        yield run(one)
        if progress is not None:
            progress(done, len(claims()))
