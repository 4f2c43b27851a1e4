"""Everything that was tried is a case: logits measured against one reference, by one function.

What is special about a case is one small typed value, `made`, which knows its name, its words and its JSON form.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.base.statistics import wilson
from core.base.words import capital
from core.factors.registry import Factor
from core.models.heads import Head, Logits, Probabilities
from core.models.predict import Condition
from core.text.perturb import Variant
from core.text.tokens import Encoding

Fate = Literal["flips", "reaches the model", "absorbed", "beyond the limit"]
"""What became of a case. Beyond the limit: the edit lies where truncation cut the text off, so it was not tried."""


@dataclass(frozen=True)
class Trial:
    """What made a case, where a name, words and a few values say everything: a pass, a temperature, a seed."""

    name: str
    """The identifier that stands in downloads and small print: "pass 17", "T = 2"."""
    said: str
    """In words, to stand inside a sentence: "dropout pass 17"."""
    values: Mapping[str, Any]

    def document(self) -> dict[str, Any]:
        """As plain JSON values."""
        return dict(self.values)


LEAST_STEPS = 16
"""By how many steps of fp32 rounding is assumed to move a logit at least: two numbers cannot differ by less than one step, so a
few conditions often show none, or one, where others show several; `python -m benchmarks.noise_floor` measures whether so many do.
"""
BEYOND = 2
"""How many times as large as in a few conditions the logit difference is assumed to be in all the others, at most."""


Made = Variant | Condition | Trial
"""What made a case: each has a name, its words and its JSON. One that edits the text has a `text` too."""


@dataclass(frozen=True, eq=False)
class Reference:
    """The prediction that all others are compared with: the original text, dropout off, fp32, alone in its batch."""

    text: str
    encoding: Encoding
    logits: Logits
    """`[n_labels]`"""
    head: Head
    labels: tuple[str, ...]
    temperature: float = 1.0
    """What all logits are divided by, the reference's too; 1 is the model's own."""

    @property
    def probabilities(self) -> Probabilities:
        """`[n_labels]`"""
        return self.head.probabilities(self.logits, self.temperature)

    @property
    def label(self) -> str:
        """The prediction in words."""
        return self.head.label(self.probabilities, self.labels)

    @property
    def margin(self) -> float | None:
        """None for regression, which has no label to leave."""
        p = self.probabilities
        margins = self.head.margins(p[None], p)
        return None if margins is None else float(margins[0])

    @property
    def value(self) -> float:
        """Where it stands on the strip: its margin, or a regression's first output."""
        return float(self.probabilities[0]) if self.margin is None else self.margin

    def noise_floor(self, difference: float) -> float:
        """A bound on the shift that rounding alone causes: that of logits which are all off by `BEYOND` times a difference, and by
        at least `LEAST_STEPS` steps of fp32 (at 1, or at the largest logit), in the worst way.

        Args:
            difference: the largest of any logit that was seen among conditions which are equal on paper.
        """
        step = float(np.spacing(np.float32(max(1.0, np.abs(self.logits).max()))))
        off, p = max(BEYOND * difference, LEAST_STEPS * step), self.probabilities
        # The labels that hold the larger half go up and the others down: that moves p by 2 off P (1 - P), with P as near to a
        # half as it can be. Where each label stands for itself, all directions are alike.
        order = np.argsort(-p, kind="stable")
        up = np.empty(len(p), bool)
        up[order] = np.cumsum(p[order]) - p[order] < 0.5
        moved = self.logits.astype(np.float64) + np.where(up, off, -off) * np.array([[1.0], [-1.0]])
        return float(self.head.shifts(self.head.probabilities(moved, self.temperature), p).max())


@dataclass(frozen=True, eq=False)
class Case:
    """One thing that was tried, and its prediction beside the reference's: rows `[n_labels]`, and measures of them.

    Regression has neither flip nor margin.
    """

    made: Made
    text: str
    encoding: Encoding
    logits: Logits = field(repr=False)
    probabilities: Probabilities = field(repr=False)
    label: str
    shift: float
    flip: bool | None
    margin: float | None
    difference: float
    """The largest difference of any logit from the reference's."""
    fate: Fate
    absorbed_by: str | None = None
    """The stage of the tokenizer that erased an absorbed edit."""

    @property
    def name(self) -> str:
        """What made it, as an identifier."""
        return self.made.name

    @property
    def absorbed(self) -> bool:
        """The token ids equal the reference's: the tokenizer erased the edit, so the prediction cannot change."""
        return self.fate == "absorbed"

    @property
    def tried(self) -> bool:
        """Whether the model could have seen it."""
        return self.fate != "beyond the limit"

    @property
    def reaches(self) -> bool:
        """Whether the model saw anything but the reference's tokens, or could have."""
        return self.tried and not self.absorbed

    @property
    def variant(self) -> Variant | None:
        """The edited text behind it; None where the text is the reference's."""
        return self.made if isinstance(self.made, Variant) else None

    @property
    def value(self) -> float:
        """Where it stands on the strip: its margin, or a regression's first output."""
        return float(self.probabilities[0]) if self.margin is None else self.margin

    def called(self, key: str) -> str:
        """Its name for people, in a few words: what was done to the text, with the number that its key in links
        has where several did the same. The key of a case whose text is the reference's is words already.
        """
        if self.variant is None:
            return key
        number = key.removeprefix(self.name).strip()
        return capital(self.variant.said) + (f" ({number})" if number else "")


def measured(
    reference: Reference,
    made: Sequence[Made],
    logits: Logits,
    encodings: Sequence[Encoding] | None = None,
    temperature: float | None = None,
) -> list[Case]:
    """Logits `[n, n_labels]` as cases, in order.

    Args:
        made: what made each.
        encodings: what the model read; by default the reference's own tokens.
        temperature: what the logits are divided by; by default what the reference's are.
    """
    if not len(logits):
        return []
    head, q = reference.head, reference.probabilities
    p = head.probabilities(logits, reference.temperature if temperature is None else temperature)
    shifts, flips, margins = head.shifts(p, q), head.flips(p, q), head.margins(p, q)
    differences = np.abs(np.asarray(logits, np.float64) - reference.logits).max(axis=-1)
    return [
        Case(
            made=one,
            text=getattr(one, "text", reference.text),
            encoding=encoding,
            logits=logits[i],
            probabilities=p[i],
            label=head.label(p[i], reference.labels),
            shift=float(shifts[i]),
            flip=None if flips is None else bool(flips[i]),
            margin=None if margins is None else float(margins[i]),
            difference=float(differences[i]),
            fate=_fate(one, encoding, reference.encoding, flips is not None and bool(flips[i])),
        )
        for i, (one, encoding) in enumerate(zip(made, encodings or [reference.encoding] * len(made), strict=True))
    ]


def _fate(made: Made, encoding: Encoding, reference: Encoding, flip: bool) -> Fate:
    if hasattr(made, "text") and encoding.key == reference.key:
        return "absorbed" if encoding.cut == reference.cut else "beyond the limit"
    return "flips" if flip else "reaches the model"


def by_shift(cases: Iterable[Case]) -> list[Case]:
    """Cases in the order in which they are listed: those that reach the model first, largest shift first."""
    return sorted(cases, key=lambda case: (not case.reaches, -case.shift))


@dataclass(frozen=True, eq=False)
class Row:
    """The cases of one factor. Nothing at or below the noise floor counts, and nothing beyond the limit was tried."""

    factor: Factor
    cases: tuple[Case, ...]
    noise_floor: float
    notes: tuple[str, ...] = ()
    """What was not tried and why, and what holds whatever is tried, in sentences."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What else the factor found, by name, as plain JSON values."""
    title: str = ""
    """Its name on the strip, where it is not the factor's."""
    prefixed: bool = True
    """Whether its own title precedes the names of its cases in links; not needed where no other row of the study has them."""

    @property
    def name(self) -> str:
        """Its name on the strip."""
        return self.title or self.factor.name

    @property
    def tried(self) -> int:
        """How many cases the model could have seen."""
        return sum(case.tried for case in self.cases)

    @property
    def absorbed(self) -> int:
        """How many edits the tokenizer erased."""
        return sum(case.absorbed for case in self.cases)

    @property
    def beyond(self) -> int:
        """How many edits lie beyond the limit."""
        return len(self.cases) - self.tried

    @property
    def moving(self) -> tuple[Case, ...]:
        """The cases whose shift is above the noise floor."""
        return tuple(case for case in self.cases if case.shift > self.noise_floor)

    def counts(self, case: Case) -> bool:
        """Whether the shift of a case counts: it is above the noise floor, where that applies."""
        return case.shift > self.noise_floor or not self.factor.floor_applies

    def made_by(self, case: Case) -> str:
        """The name of the factor that made a case: a row can hold the edits of several."""
        return self.factor.name if case.variant is None else case.variant.factor

    def fate(self, case: Case) -> Fate:
        """What became of a case; one that flips at or below the noise floor only reaches the model, where the floor applies:
        rounding alone causes that flip.
        """
        return case.fate if self.counts(case) or case.fate != "flips" else "reaches the model"

    def flip(self, case: Case) -> bool | None:
        """Whether a case counts as a flip; None for regression."""
        return None if case.flip is None else self.fate(case) == "flips"

    @property
    def flipping(self) -> tuple[Case, ...]:
        """The cases that count as flips."""
        return tuple(case for case in self.cases if self.flip(case))

    @property
    def flips(self) -> int | None:
        """How many cases flip; None for regression."""
        return None if any(case.flip is None for case in self.cases) else len(self.flipping)

    @property
    def can_flip(self) -> bool:
        """Whether the number of flips is a finding: not for temperatures, none of which can flip, nor for regression."""
        return self.flips is not None and (self.factor.flips_count or self.factor.edits or self.flips > 0)

    @property
    def flip_rate(self) -> float | None:
        """Share of what was tried that flips; None where nothing was, and for regression."""
        return None if self.flips is None or not self.tried else self.flips / self.tried

    @property
    def flip_interval(self) -> tuple[float, float] | None:
        """Wilson's 95% interval of the flip rate."""
        return None if self.flips is None or not self.tried else wilson(self.flips, self.tried)

    @property
    def shifts(self) -> NDArray[np.float64]:
        """`[tried]`"""
        return np.array([case.shift for case in self.cases if case.tried])

    @property
    def probabilities(self) -> Probabilities:
        """`[n_cases, n_labels]`"""
        return np.stack([case.probabilities for case in self.cases])

    def spread(self, label: int) -> tuple[float, float]:
        """Mean and standard deviation of one label's probability over the cases."""
        return float(self.probabilities[:, label].mean()), float(self.probabilities[:, label].std())

    @property
    def largest_shift(self) -> float | None:
        """None where nothing was tried."""
        return float(self.shifts.max()) if self.tried else None

    @property
    def median_shift(self) -> float | None:
        """None where nothing was tried."""
        return float(np.median(self.shifts)) if self.tried else None

    @property
    def worst(self) -> Case | None:
        """The case that goes furthest towards another label (regression: furthest at all).

        None where nothing moves the prediction beyond the noise floor, and for a factor whose cases do not count as flips
        unless one does: temperature rescales all margins and moves none across the line.
        """
        if not self.factor.flips_count and not self.flips:
            return None
        return min(
            self.flipping or self.moving,
            key=lambda case: -case.shift if case.margin is None else case.margin,
            default=None,
        )
