"""The profile: every factor on one sentence, on one scale, all against the noise floor.

Work is shared: the variants of all formatting factors run in one comparison, the reference once for all factors, and what is
known of a text's numerics is kept.
"""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core import perturb
from core.classifier import Classifier, Condition, Logits, predict
from core.compare import Comparison, Reference, Row, compare
from core.dropout import Dropout, acting, check, run_passes
from core.errors import WobbleError
from core.metrics import Probabilities, flip, label_name, margin, shift, wilson
from core.numerics import DTYPES, REFERENCE, Numerics, numerics
from core.perturb import Perturbation, Variant, perturbations, variants
from core.seeds import Family, family_of, load_family, members, predict_family
from core.temperature import Head, probabilities

FACTORS = (*perturb.PROFILED, "dropout", "temperature", "seed", "numerics")
PASSES = 100
TEMPERATURES = (0.25, 0.5, 2.0, 4.0)


@dataclass(frozen=True, eq=False)
class Case:
    """One thing that was tried, and its prediction beside the reference's. What made it is one of the last five fields."""

    name: str
    """In words: "drop_final_period", "pass 17", "T = 2", "seed 43", "among 7 other texts"."""
    probabilities: Probabilities
    """`[n_labels]`"""
    label: str
    shift: float
    flip: bool | None
    """None for regression."""
    margin: float | None
    row: Row | None = field(default=None, repr=False)
    """An edit, with its text and tokens."""
    pass_: int | None = None
    """The number of a dropout pass, from 1."""
    temperature: float | None = None
    seed: str | None = None
    """The name of a member of the seed family."""
    condition: Condition | None = None

    @property
    def absorbed(self) -> bool:
        """Whether the tokenizer erased the edit."""
        return self.row is not None and self.row.absorbed


@dataclass(frozen=True, eq=False)
class FactorRow:
    """One factor: what was tried, what became of it, and the worst case. Nothing at or below the noise floor counts."""

    factor: str
    cases: tuple[Case, ...]
    noise_floor: float
    notes: tuple[str, ...] = ()
    """What was not tried and why, and what holds whatever is tried, in sentences."""
    sampled: float | None = None
    """Temperature: how often a label drawn from the probabilities at T = 1 is not the predicted one; None elsewhere."""

    @property
    def tried(self) -> int:
        """How many variants, passes, temperatures, seeds or conditions."""
        return len(self.cases)

    @property
    def absorbed(self) -> int:
        """How many edits the tokenizer erased."""
        return sum(case.absorbed for case in self.cases)

    @property
    def moving(self) -> tuple[Case, ...]:
        """The cases whose shift is above the noise floor."""
        return tuple(case for case in self.cases if case.shift > self.noise_floor)

    @property
    def flipping(self) -> tuple[Case, ...]:
        """The cases that flip. A flip below the noise floor counts for numerics only: rounding alone makes it."""
        counted = self.cases if self.factor == "numerics" else self.moving
        return tuple(case for case in counted if case.flip)

    @property
    def flips(self) -> int | None:
        """How many cases flip; None for regression."""
        return None if any(case.flip is None for case in self.cases) else len(self.flipping)

    @property
    def flip_rate(self) -> float | None:
        """Share of what was tried that flips; None where nothing was, and for regression."""
        return None if self.flips is None or not self.cases else self.flips / self.tried

    @property
    def flip_interval(self) -> tuple[float, float] | None:
        """Wilson's 95 % interval of the flip rate."""
        return None if self.flips is None or not self.cases else wilson(self.flips, self.tried)

    @property
    def shifts(self) -> NDArray[np.float64]:
        """`[tried]`"""
        return np.array([case.shift for case in self.cases])

    @property
    def largest_shift(self) -> float | None:
        """None where nothing was tried."""
        return float(self.shifts.max()) if self.cases else None

    @property
    def median_shift(self) -> float | None:
        """None where nothing was tried."""
        return float(np.median(self.shifts)) if self.cases else None

    @property
    def worst(self) -> Case | None:
        """The case that goes furthest towards another label (regression: furthest at all).

        None where nothing moves the prediction beyond the noise floor, and for temperature, which is a rule of decision: it
        rescales all margins and moves none across the line.
        """
        if self.factor == "temperature" and not self.flips:
            return None
        counted = self.flipping or self.moving
        return min(counted, key=lambda case: -case.shift if case.margin is None else case.margin, default=None)


@dataclass(frozen=True, eq=False)
class Profile:
    """A sentence under one classifier: a row a factor."""

    model: str
    head: Head
    labels: tuple[str, ...]
    device: str
    weights_hash: str
    untrained: bool
    """The head was drawn at random when the model was loaded, so the numbers mean nothing."""
    reference: Reference
    noise_floor: float
    """The largest shift among the fp32 conditions: `core.numerics.noise_floor`."""
    factors: tuple[FactorRow, ...]
    """In the order in which they were ready; all of `FACTORS` when complete."""
    comparison: Comparison = field(repr=False)
    numerics: Numerics = field(repr=False)
    seed: int
    """Of the perturbations that draw, and of the dropout passes."""
    passes: int
    family: str | None
    """The seed family that the model belongs to."""
    rows_asked: int
    rows_run: int
    """Rows that went through a model for this profile, those of other texts beside it and of other seeds included."""
    seconds: float
    """Since the profile was begun."""

    @property
    def complete(self) -> bool:
        """Whether every factor has its row."""
        return len(self.factors) == len(FACTORS)

    def __getitem__(self, factor: str) -> FactorRow:
        """The row of a factor that is ready."""
        return next(row for row in self.factors if row.factor == factor)

    @property
    def tried(self) -> int:
        """How many variants, passes, seeds and conditions; temperatures, which cannot flip, are not counted."""
        return sum(row.tried for row in self.factors if row.factor != "temperature")

    @property
    def flips(self) -> int:
        """How many of them flip."""
        return sum(row.flips or 0 for row in self.factors)

    def __repr__(self) -> str:
        text = self.reference.text[:60]
        return f"<Profile of {text!r} by {self.model}: {self.tried:,} tried, {self.flips or 'none'} flip>"

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from core.html import profile_html  # it reads this module

        return profile_html(self)


def family_for(classifier: Classifier) -> Family | None:
    """The seed family that a classifier belongs to, loaded at the first call; None if there is none."""
    id = family_of(classifier.id)
    return None if id is None else _loaded(id, tuple(member.id for member in members(id)))


@lru_cache(maxsize=2)
def _loaded(id: str, _members: tuple[str, ...]) -> Family:
    """Kept by its members too, so that a family that has grown is loaded anew."""
    return load_family(id)


def prepare(classifier: Classifier) -> None:
    """Load what a profile needs beside the classifier: its seed family, and its copies in half precision."""
    family_for(classifier)
    for dtype in DTYPES:
        try:
            predict(classifier, ["."], Condition(batch="alone", dtype=dtype))
        except WobbleError:
            continue  # the profile says why


def profile(classifier: Classifier, text: str, *, seed: int = 0, passes: int = PASSES) -> Profile:
    """The whole profile of a text: the last of `profiles`, which says the arguments and what is raised."""
    *_, last = profiles(classifier, text, seed=seed, passes=passes)
    return last


def profiles(
    classifier: Classifier,
    text: str,
    *,
    seed: int = 0,
    passes: int = PASSES,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Profile]:
    """The profile of a text as it grows: yielded again whenever a factor's row is ready, the complete one last.

    Args:
        seed: of the perturbations that draw, and of the dropout passes.
        passes: with dropout on.
        progress: called with the dropout passes that are done and those asked for; what it raises cancels.

    Raises:
        WobbleError: the text cannot be predicted, or there are no so many passes.
    """
    start = time.perf_counter()
    dropout = Dropout(seed)
    check(classifier, dropout, passes)
    made = variants(text, seed=seed)
    same = [variant for variant in made if variant.same_sentence]
    alone = predict(classifier, [text], REFERENCE)
    # First, because the comparison takes its noise floor from what ran here.
    found = numerics(classifier, text, reference=alone)
    comparison = compare(classifier, text, same, reference=alone)
    grown = Profile(
        model=classifier.id,
        head=classifier.head,
        labels=classifier.labels,
        device=comparison.device,
        weights_hash=classifier.weights_hash,
        untrained=bool(classifier.loading.untrained),
        reference=comparison.reference,
        noise_floor=found.noise_floor,
        factors=(),
        comparison=comparison,
        numerics=found,
        seed=seed,
        passes=passes,
        family=None,
        rows_asked=comparison.rows_asked + found.rows_asked,
        rows_run=comparison.rows_run + found.rows_run,
        seconds=0.0,
    )

    def with_row(row: FactorRow) -> Profile:
        return replace(grown, factors=(*grown.factors, row), seconds=time.perf_counter() - start)

    other = [variant for variant in made if not variant.same_sentence]
    for rows in (
        *_formatting_rows(comparison, other, grown.noise_floor),
        _temperature_row(grown),
        _numerics_row(found, grown.noise_floor),
    ):
        grown = with_row(rows)
        yield grown

    family = family_for(classifier)
    if family is not None:
        answer = predict_family(family, [text])
        grown = replace(
            grown,
            family=family.id,
            rows_asked=grown.rows_asked + answer.rows_asked,
            rows_run=grown.rows_run + answer.rows_run,
        )
    grown = with_row(_seed_row(grown, family, None if family is None else answer.logits[:, 0]))
    yield grown

    drops = acting(classifier.sites, dropout)
    samples = np.empty((0, len(classifier.labels)), np.float32)
    if drops:
        stochastic = run_passes(classifier, [text], passes, dropout, progress=progress, certain=comparison.alone)
        samples = stochastic.logits[:, 0]
        grown = replace(
            grown,
            rows_asked=grown.rows_asked + stochastic.rows_asked,
            rows_run=grown.rows_run + stochastic.rows_run,
        )
    grown = with_row(_dropout_row(grown, samples, anywhere=bool(classifier.sites)))
    yield grown


def _cases(
    reference: Reference, head: Head, labels: tuple[str, ...], names: Sequence[str], p: Probabilities
) -> list[Case]:
    """Rows of probabilities `[n, n_labels]` as cases, in order."""
    if not len(p):
        return []
    shifts = shift(p, reference.probabilities, head)
    flips, margins = flip(p, reference.probabilities, head), margin(p, reference.probabilities, head)
    return [
        Case(
            name=name,
            probabilities=p[i],
            label=label_name(p[i], head, labels),
            shift=float(shifts[i]),
            flip=None if flips is None else bool(flips[i]),
            margin=None if margins is None else float(margins[i]),
        )
        for i, name in enumerate(names)
    ]


def _formatting_rows(comparison: Comparison, other: Sequence[Variant], floor: float) -> list[FactorRow]:
    """The rows of the perturbations' factors.

    Args:
        other: variants that can say something else, and so are no evidence of instability: left out.
    """
    rows = []
    for factor in perturb.PROFILED:
        cases = tuple(
            Case(
                name=row.variant.perturbation,
                probabilities=row.probabilities,
                label=row.label,
                shift=row.shift,
                flip=row.flip,
                margin=row.margin,
                row=row,
            )
            for row in comparison.rows
            if row.variant.factor == factor
        )
        notes = []
        if not cases:
            notes.append(f"No {factor} edit applies to this text.")
        elif all(case.absorbed for case in cases):
            notes.append("The tokenizer erases every one of these edits, so none can change the prediction.")
        names = dict.fromkeys(variant.perturbation for variant in other if variant.factor == factor)
        if names:
            notes.append(f"Left out, because a reader could take it for another sentence: {', '.join(names)}.")
        rows.append(FactorRow(factor, cases, floor, tuple(notes)))
    return rows


def _temperature_row(grown: Profile) -> FactorRow:
    reference = grown.reference
    if grown.head == "regression":
        return FactorRow("temperature", (), grown.noise_floor, ("A value has no temperature.",))
    p = np.stack([probabilities(reference.logits, grown.head, temperature) for temperature in TEMPERATURES])
    cases = _cases(reference, grown.head, grown.labels, [f"T = {t:g}" for t in TEMPERATURES], p)
    kept = reference.probabilities
    # Each label of a sigmoid head is drawn for itself; of softmax, one is drawn.
    agreeing = float(kept.max()) if grown.head == "softmax" else float(np.maximum(kept, 1 - kept).prod())
    note = (
        "Dividing the logits by a temperature keeps their order, so no temperature changes the predicted label; a label "
        f"drawn from the probabilities is another one with probability {1 - agreeing:.2f}."
    )
    return FactorRow(
        "temperature",
        tuple(replace(case, temperature=t) for case, t in zip(cases, TEMPERATURES, strict=True)),
        grown.noise_floor,
        (note,),
        sampled=1 - agreeing,
    )


def _numerics_row(found: Numerics, floor: float) -> FactorRow:
    cases = tuple(
        Case(run.name, run.probabilities, run.label, run.shift, run.flip, run.margin, condition=run.condition)
        for run in found.runs
    )
    notes = [
        f"{dtype} can flip this sentence: its logit margin, {found.logit_margin:.2g}, is below twice the largest logit difference."
        for dtype in DTYPES
        if found.can_flip(dtype)
    ]
    return FactorRow("numerics", cases, floor, (*notes, *found.left_out))


def _seed_row(grown: Profile, family: Family | None, logits: Logits | None) -> FactorRow:
    if family is None or logits is None:
        return FactorRow("seed", (), grown.noise_floor, ("No seed family for this model: train one.",))
    p = probabilities(logits, grown.head)
    for i, member in enumerate(family.members):
        if member.id == grown.model:
            # The very same weights, which the family only adds up in another order: the reference.
            p[i] = grown.reference.probabilities
    named = [f"seed {name}" if name.isdecimal() else name for name in family.names]
    cases = _cases(grown.reference, grown.head, grown.labels, named, p)
    seeds = tuple(replace(case, seed=name) for case, name in zip(cases, family.names, strict=True))
    return FactorRow("seed", seeds, grown.noise_floor)


def _dropout_row(grown: Profile, logits: Logits, anywhere: bool) -> FactorRow:
    if not len(logits):
        rates = "every rate is zero" if anywhere else "there is no place where it drops anything"
        note = f"This model has no dropout: {rates}, so a pass cannot differ. That says nothing about stability."
        return FactorRow("dropout", (), grown.noise_floor, (note,))
    numbers = range(1, len(logits) + 1)
    p = probabilities(logits, grown.head)
    cases = _cases(grown.reference, grown.head, grown.labels, [f"pass {number}" for number in numbers], p)
    passes = tuple(replace(case, pass_=number) for case, number in zip(cases, numbers, strict=True))
    return FactorRow("dropout", passes, grown.noise_floor)


# What a description adds to its rule: exceptions and fine print.
_FINE_PRINT = re.compile(r"(?:; | \(|, (?:as|except|never)\b).*")


def described(case: Case) -> str:
    """A case for a sentence: an edit by what it does, everything else by its name."""
    if case.row is None:
        return f"dropout {case.name}" if case.pass_ is not None else case.name
    said = _FINE_PRINT.sub("", rule(case.row.variant).description)
    return said if said[1:2].isupper() else said[0].lower() + said[1:]


@lru_cache(maxsize=1)
def _rules() -> dict[str, Perturbation]:
    return {rule.name: rule for rule in perturbations()}


def rule(variant: Variant) -> Perturbation:
    """The perturbation that made a variant."""
    return _rules()[variant.perturbation]
