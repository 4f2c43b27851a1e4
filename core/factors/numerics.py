"""Numerics as a factor: the same text under conditions that are equal on paper, and the noise floor that follows.

Addition of floating-point numbers depends on its order, and the order on the shape of the batch and on the kernel; fewer
bits round more. Each condition is a property of the call (`core.models.classifier.Condition`), never a change to the model.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from core.base.cache import Kept
from core.base.errors import WobbleError
from core.factors.temperature import Head, probabilities
from core.models.classifier import COMPANY, Classifier, Condition, Dtype, Logits, Prediction, check_condition, predict
from core.models.heads import Probabilities, flip, label_name, margin, shift
from core.text.tokens import Encoding

REFERENCE = Condition(batch="alone")

WIDEST = {"cpu": 512, "mps": 2048, "cuda": 8192}
"""Tokens that a text is padded to at the most: attention grows with the square of it."""

DTYPES: tuple[Dtype, ...] = ("bfloat16", "float16")


@dataclass(frozen=True, eq=False)
class Run:
    """One condition and its prediction beside the reference's."""

    condition: Condition
    name: str
    logits: Logits
    """`[n_labels]`"""
    probabilities: Probabilities
    """`[n_labels]`"""
    label: str
    difference: float
    """The largest difference of any logit from the reference's."""
    shift: float
    flip: bool | None
    """None for regression."""
    margin: float | None

    @property
    def fp32(self) -> bool:
        """Whether the condition differs by the order of additions alone."""
        return self.condition.dtype == "float32"


@dataclass(frozen=True, eq=False)
class Numerics:
    """A text under all conditions that its model supports."""

    model: str
    text: str
    head: Head
    labels: tuple[str, ...]
    encoding: Encoding
    reference: Run
    """fp32, alone in its batch, without padding."""
    runs: tuple[Run, ...]
    left_out: tuple[str, ...]
    """What was not run and why, in sentences."""
    temperature: float
    rows_asked: int
    rows_run: int
    """Rows that went through the model in this call, other texts included; what is known does not run again."""

    @property
    def noise_floor(self) -> float:
        """The largest shift among the fp32 conditions: a shift of anything else that is not above it means nothing."""
        return self.largest_shifts.get("fp32", 0.0)

    @property
    def largest_shifts(self) -> dict[str, float]:
        """The largest shift of the fp32 conditions ("fp32") and of each half precision, as far as they ran."""
        found: dict[str, float] = {}
        for run in self.runs:
            kind = "fp32" if run.fp32 else run.condition.dtype
            found[kind] = max(found.get(kind, 0.0), run.shift)
        return found

    @property
    def logit_margin(self) -> float | None:
        """How far the logits are from another label: see `logit_margin`."""
        return logit_margin(self.reference.logits, self.head)

    def can_flip(self, dtype: Dtype) -> bool:
        """Whether rounding to this dtype can flip the text: the logit margin is below twice the largest logit difference.

        Each of two logits can move by that difference, one up and one down (FACTS: HF#26869, HF#25420, HF#29029).
        """
        found = [run.difference for run in self.runs if run.condition.dtype == dtype]
        return self.logit_margin is not None and bool(found) and self.logit_margin < 2 * max(found)


def logit_margin(logits: Logits, head: Head) -> float | None:
    """How far logits `[n_labels]` are from another prediction; None for regression.

    softmax: the largest logit minus the second. sigmoid: twice the smallest distance of a logit from 0, where the label
    changes, so that "below twice the difference" is right for both.
    """
    if head == "regression":
        return None
    z = np.asarray(logits, dtype=np.float64)
    if head == "sigmoid":
        return float(2 * np.abs(z).min())
    first, second = np.sort(z)[::-1][:2]
    return float(first - second)


def condition_name(condition: Condition) -> str:
    """A condition in words: what is other than in the reference."""
    parts = []
    if condition.padded:
        parts.append(f"padded to {condition.padded:,} tokens")
    if condition.among:
        parts.append(f"among {condition.among} other text{'s' * (condition.among > 1)}")
    if condition.kernel == "eager":
        parts.append("eager attention")
    if condition.dtype != "float32":
        parts.append(condition.dtype)
    return ", ".join(parts) or "alone"


def fp32_conditions(classifier: Classifier, length: int) -> tuple[tuple[Condition, ...], tuple[str, ...]]:
    """The conditions that differ by the order of additions alone, for a text of `length` tokens, and what is left out, in
    sentences.

    Padded to the next multiple of 8 and of 64 (8 and 64 tokens for a text that is shorter) and to the limit, among 1, 7 and 31
    other texts, eager attention.
    """
    widest = min(classifier.limit, WIDEST[classifier.device.type])
    conditions, left_out = _supported(
        classifier,
        length,
        [_padded(classifier, tokens) for tokens in (-(-length // 8) * 8, -(-length // 64) * 64, widest)]
        + [Condition(batch="alone", among=count) for count in (1, 7, len(COMPANY))]
        + [Condition(batch="alone", kernel="eager")],
    )
    if widest < classifier.limit and classifier.batching == "padded":
        said = f"Padding to the limit of {classifier.limit:,} tokens takes too long on {classifier.device.type}"
        left_out = (*left_out, f"{said}: {widest:,} stand for it.")
    return conditions, left_out


def all_conditions(classifier: Classifier, length: int) -> tuple[tuple[Condition, ...], tuple[str, ...]]:
    """The fp32 conditions and half precision, and what is left out, in sentences."""
    exact, left_out = fp32_conditions(classifier, length)
    half, without = _supported(classifier, length, [Condition(batch="alone", dtype=dtype) for dtype in DTYPES])
    return (*exact, *half), tuple(dict.fromkeys((*left_out, *without)))


def _padded(classifier: Classifier, tokens: int) -> Condition:
    return Condition(batch="alone", padded=min(tokens, classifier.limit))


def _supported(
    classifier: Classifier, length: int, wanted: Sequence[Condition]
) -> tuple[tuple[Condition, ...], tuple[str, ...]]:
    conditions, left_out = [], []
    for condition in wanted:
        try:
            check_condition(classifier, condition)
        except WobbleError as error:
            left_out.append(str(error))
            continue
        if 0 < condition.padded <= length:
            left_out.append(f"Padding to {condition.padded:,} tokens changes nothing: the text has {length:,}.")
        else:
            conditions.append(condition)
    return tuple(dict.fromkeys(conditions)), tuple(dict.fromkeys(left_out))


_answers: Kept[Logits | str] = Kept(limit=8192)
"""Logits `[n_labels]` by token ids and condition, or why there are none."""


class _Asked:
    """The conditions of one text: those that are known do not run again."""

    def __init__(self, classifier: Classifier, text: str, reference: Prediction | None) -> None:
        self.classifier, self.text = classifier, text
        self.rows_asked = self.rows_run = 0
        # The reference first: it raises for a text that cannot be predicted.
        self.encoding = reference.encodings[0] if reference else classifier.encoder([text])[0]
        known = None if reference is None else reference.logits[0]
        found = self.answer(REFERENCE, known)
        assert not isinstance(found, str)
        self.reference = found

    def answer(self, condition: Condition, known: Logits | None = None) -> Logits | str:
        """Logits `[n_labels]`, or the sentence that says why there are none."""
        self.rows_asked += 1 + condition.among

        def run() -> Logits | str:
            if known is not None:
                return known
            try:
                found = predict(self.classifier, [self.text], condition)
            except WobbleError as error:
                if condition == REFERENCE:
                    raise
                return str(error)
            self.rows_run += found.rows_run
            row: Logits = found.logits[0]
            return row

        return _answers.get(self.classifier, (self.encoding.ids, condition), run)


def noise_floor(
    classifier: Classifier, text: str, temperature: float = 1.0, reference: Prediction | None = None
) -> float:
    """The largest shift among the fp32 conditions (`fp32_conditions`), run once for a model and text.

    Args:
        temperature: what the logits are divided by.
        reference: the text alone in its batch, if that is known.

    Raises:
        WobbleError: the text cannot be predicted.
    """
    asked = _Asked(classifier, text, reference)
    conditions, _ = fp32_conditions(classifier, len(asked.encoding.ids))
    found = [row for row in map(asked.answer, conditions) if not isinstance(row, str)]
    if not found:
        return 0.0
    p = probabilities(np.stack([asked.reference, *found]), classifier.head, temperature)
    return float(shift(p[1:], p[0], classifier.head).max())


def numerics(
    classifier: Classifier,
    text: str,
    temperature: float = 1.0,
    reference: Prediction | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Numerics:
    """Run a text under every condition that the model supports; what is known does not run again.

    Args:
        temperature: what all logits are divided by.
        reference: the text alone in its batch, if that is known.
        progress: called with the conditions that are done and their number; what it raises cancels.

    Raises:
        WobbleError: the text cannot be predicted.
    """
    asked = _Asked(classifier, text, reference)
    conditions, left_out = all_conditions(classifier, len(asked.encoding.ids))
    rows: dict[Condition, Logits] = {REFERENCE: asked.reference}
    reasons = list(left_out)
    for done, condition in enumerate(conditions, start=1):
        found = asked.answer(condition)
        if isinstance(found, str):
            reasons.append(found)
        else:
            rows[condition] = found
        if progress is not None:
            progress(done, len(conditions))
    reference_run, *runs = runs_beside(rows, classifier.head, classifier.labels, temperature)
    return Numerics(
        model=classifier.id,
        text=text,
        head=classifier.head,
        labels=classifier.labels,
        encoding=asked.encoding,
        reference=reference_run,
        runs=tuple(runs),
        left_out=tuple(dict.fromkeys(reasons)),
        temperature=temperature,
        rows_asked=asked.rows_asked,
        rows_run=asked.rows_run,
    )


def runs_beside(
    rows: dict[Condition, Logits], head: Head, labels: tuple[str, ...], temperature: float = 1.0
) -> list[Run]:
    """Logits `[n_labels]` by condition, measured against the first of them, in order."""
    logits = np.stack(list(rows.values()))
    p = probabilities(logits, head, temperature)
    margins, flips, shifts = margin(p, p[0], head), flip(p, p[0], head), shift(p, p[0], head)
    return [
        Run(
            condition=condition,
            name=condition_name(condition),
            logits=logits[i],
            probabilities=p[i],
            label=label_name(p[i], head, labels),
            difference=float(np.abs(logits[i].astype(np.float64) - logits[0]).max()),
            shift=float(shifts[i]),
            flip=None if flips is None else bool(flips[i]),
            margin=None if margins is None else float(margins[i]),
        )
        for i, condition in enumerate(rows)
    ]
