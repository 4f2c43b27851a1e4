"""Heads: what the numbers of a classification head mean, and every measure that depends on it.

A head is one object with its measures. Nothing else asks which head it is; what differs is an attribute or a method here.
Nothing here can cause a forward pass.
"""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

Logits = NDArray[np.float32]
"""`[..., n_labels]`"""

Probabilities = NDArray[np.float64]
"""`[..., n_labels]`; for regression the values as they are."""

Measures = Mapping[str, tuple[str, str]]
"""Name of a measure: what it is in words, and its formula."""

THRESHOLD = 0.5
"""A sigmoid head's label is predicted above this probability."""


class Head:
    """The measures of one kind of head, all of them pure functions of arrays.

    Here is what the head of a value does, and what the heads with labels share.
    """

    name: ClassVar[str]
    meaning: ClassVar[str]
    """In words, for people who hover over a probability."""
    has_labels: ClassVar[bool] = True
    """Whether it predicts labels, so that a prediction can flip, and has probabilities; False for a value."""
    exclusive: ClassVar[bool] = False
    """Whether exactly one label is right, so that the probabilities of a row add up to 1."""
    formula: ClassVar[str]
    """The probabilities p of logits z at a temperature T."""
    measures: ClassVar[Measures]
    """What is measured of the probabilities p of a case beside the reference's q."""
    code: ClassVar[Mapping[str, str | None]]
    """What a script on torch calculates, as Python expressions; None where a head has no such measure.

    The answer is made of `logits` at a `temperature`; shift and margin are of a row `p` beside the reference's row `q`; label is
    the answers of rows `p`, as a tensor of zeros and ones, and entropy that of rows `p`, label by label.
    """

    def __repr__(self) -> str:
        return self.name

    def __reduce__(self) -> str:
        """Heads are singletons: a copy is the head itself."""
        return self.name.upper()

    def probabilities(self, logits: NDArray[np.floating], temperature: float = 1.0) -> Probabilities:
        """Probabilities of logits `[..., n_labels]` divided by a temperature greater than 0: `[..., n_labels]`.

        In float64, so that the arithmetic of measures adds no rounding of its own. T = 1 is the model's own (Guo et al.,
        arXiv 1706.04599). A value has no temperature.
        """
        return np.asarray(logits, dtype=np.float64)

    def logits(self, p: Probabilities) -> Logits:
        """Logits whose probabilities at T = 1 are `p` `[..., n_labels]`: what a mean of probabilities would have come from."""
        return p.astype(np.float32)

    def predicted(self, p: Probabilities) -> NDArray[np.bool_]:
        """Which labels are predicted: `[..., n_labels]`; softmax: the most probable one, the first of equal ones; sigmoid: any
        number, those above the threshold.
        """
        return np.zeros(p.shape, dtype=bool)

    def label(self, row: Probabilities, labels: tuple[str, ...]) -> str:
        """The prediction of one row `[n_labels]` in words."""
        if not self.has_labels:
            return ", ".join(f"{value:.3f}" for value in row)
        return " + ".join(name for name, yes in zip(labels, self.predicted(row), strict=True) if yes) or "none"

    def flips(self, p: Probabilities, reference: Probabilities) -> NDArray[np.bool_] | None:
        """Whether each row of `p` `[n, n_labels]` predicts something else than the reference `[n_labels]`: `[n]`; None where
        there are no labels.
        """
        return (self.predicted(p) != self.predicted(reference)).any(axis=-1) if self.has_labels else None

    def shifts(self, p: Probabilities, reference: Probabilities) -> NDArray[np.float64]:
        """How far each row of `p` `[..., n_labels]` lies from the reference `[n_labels]`: `[...]`.

        Total variation distance in [0, 1]; with sigmoid the largest of any one label's yes or no, with regression in the
        head's own unit.
        """
        return np.asarray(np.abs(p - reference).max(axis=-1))

    def margins(self, p: Probabilities, reference: Probabilities) -> NDArray[np.float64] | None:
        """How far each row of `p` `[..., n_labels]` is from leaving the reference's prediction, in [-1, 1]; below 0 it has left
        it: `[...]`. None where there are no labels.

        Softmax: the probability of the reference's label minus the largest other one. Sigmoid: twice the distance of the label
        that is nearest to crossing the threshold, or has crossed it furthest.
        """
        return None

    def entropy(self, p: Probabilities) -> NDArray[np.float64]:
        """Entropy in nats of each row of `p` `[..., n_labels]`: `[...]`; with sigmoid the sum of each yes-or-no answer's own.

        Raises:
            ValueError: for regression, whose outputs are not probabilities.
        """
        if not self.has_labels:
            raise ValueError("a regression head has no entropy")
        return np.asarray((_plogp(p) if self.exclusive else _plogp(p) + _plogp(1.0 - p)).sum(axis=-1))

    def logit_margin(self, logits: Logits) -> float | None:
        """How far logits `[n_labels]` are from another prediction; None where there are no labels.

        Softmax: the largest minus the second. Sigmoid: twice the smallest distance from 0, where the label changes, so that
        "below twice the largest logit difference" is the condition for a flip there too.
        """
        return None

    def sampled(self, p: Probabilities) -> float | None:
        """The probability that labels drawn from one row `[n_labels]` differ from the predicted ones; None without labels."""
        # One label is drawn, or each for itself.
        kept = np.where(self.predicted(p), p, 1.0 if self.exclusive else 1.0 - p)
        return 1 - float(kept.prod()) if self.has_labels else None

    def mutual_information(self, p: Probabilities) -> float:
        """BALD: `H[mean p] - mean H[p]` over passes `[n_passes, n_labels]`, in nats: how much the passes disagree beyond what
        each is unsure of (Houlsby et al., arXiv 1112.5745; Gal, Islam and Ghahramani, arXiv 1703.02910).
        """
        return max(0.0, float(self.entropy(p.mean(axis=0)) - self.entropy(p).mean()))

    def variation_ratio(self, p: Probabilities) -> float:
        """`1 - votes of the modal prediction / passes`, over passes `[n_passes, n_labels]` (Freeman 1965)."""
        _, votes = np.unique(self.predicted(p), axis=0, return_counts=True)
        return 1.0 - float(votes.max()) / len(p)


class Softmax(Head):
    """Exactly one label is right."""

    name = "softmax"
    meaning = "softmax: exactly one label is right, the probabilities add up to 1"
    exclusive = True
    formula = "softmax(z / T)"
    measures: ClassVar[Measures] = {
        "shift": ("total variation distance, in [0, 1]", "½ · Σ |p(k) − q(k)|"),
        "margin": (
            "probability of the reference's label y minus the largest other one; in [−1, 1], below 0 is a flip",
            "p(y) − max p(k), k ≠ y",
        ),
        "flip": ("the predicted label is not the reference's", "argmax p ≠ argmax q"),
    }
    code: ClassVar[Mapping[str, str | None]] = {
        "answer": "(logits / temperature).softmax(-1)",
        "shift": "0.5 * sum(abs(a - b) for a, b in zip(p, q))",
        "margin": "p[top := q.index(max(q))] - max(a for i, a in enumerate(p) if i != top)",
        "label": "torch.nn.functional.one_hot(p.argmax(-1), p.shape[-1])",
        "entropy": "torch.special.entr(p)",
    }

    def probabilities(self, logits: NDArray[np.floating], temperature: float = 1.0) -> Probabilities:
        scores = np.asarray(logits, dtype=np.float64) / temperature
        exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
        return np.asarray(exponentials / exponentials.sum(axis=-1, keepdims=True))

    def logits(self, p: Probabilities) -> Logits:
        return _log(p)

    def predicted(self, p: Probabilities) -> NDArray[np.bool_]:
        return np.asarray(np.arange(p.shape[-1]) == p.argmax(axis=-1)[..., None])

    def shifts(self, p: Probabilities, reference: Probabilities) -> NDArray[np.float64]:
        return np.asarray(0.5 * np.abs(p - reference).sum(axis=-1))

    def margins(self, p: Probabilities, reference: Probabilities) -> NDArray[np.float64] | None:
        kept = self.predicted(reference)
        return np.asarray(np.where(kept, p, -np.inf).max(axis=-1) - np.where(kept, -np.inf, p).max(axis=-1))

    def logit_margin(self, logits: Logits) -> float | None:
        first, second = np.sort(np.asarray(logits, dtype=np.float64))[::-1][:2]
        return float(first - second)


class Sigmoid(Head):
    """Every label is a question of its own."""

    name = "sigmoid"
    meaning = "sigmoid: every label is a yes-or-no question of its own, the probabilities do not add up to 1"
    formula = "sigmoid(z / T)"
    measures: ClassVar[Measures] = {
        "shift": ("largest total variation distance of one label's yes or no, in [0, 1]", "max |p(k) − q(k)|"),
        "margin": (
            "twice the distance of the label nearest to its threshold, or furthest beyond it; in [−1, 1], below 0 is a flip",
            f"min over labels of 2·|p(k) − {THRESHOLD}|, negative where k has crossed",
        ),
        "flip": (
            "the set of labels above the threshold is not the reference's",
            f"{{k: p(k) > {THRESHOLD}}} differs",
        ),
    }
    code: ClassVar[Mapping[str, str | None]] = {
        "answer": "(logits / temperature).sigmoid()",
        "shift": "max(abs(a - b) for a, b in zip(p, q))",
        "margin": f"min(2 * (a - {THRESHOLD} if b > {THRESHOLD} else {THRESHOLD} - a) for a, b in zip(p, q))",
        "label": f"(p > {THRESHOLD})",
        # A yes-or-no answer has an entropy of its own.
        "entropy": "(torch.special.entr(p) + torch.special.entr(1 - p))",
    }

    def probabilities(self, logits: NDArray[np.floating], temperature: float = 1.0) -> Probabilities:
        scores = np.asarray(logits, dtype=np.float64) / temperature
        # exp of a non-positive number only: no overflow for any logit.
        small = np.exp(-np.abs(scores))
        return np.asarray(np.where(scores >= 0, 1.0, small) / (1.0 + small))

    def logits(self, p: Probabilities) -> Logits:
        return _log(p) - _log(1.0 - p)

    def predicted(self, p: Probabilities) -> NDArray[np.bool_]:
        return p > THRESHOLD

    def margins(self, p: Probabilities, reference: Probabilities) -> NDArray[np.float64] | None:
        return np.asarray(2.0 * np.where(self.predicted(reference), p - THRESHOLD, THRESHOLD - p).min(axis=-1))

    def logit_margin(self, logits: Logits) -> float | None:
        return float(2 * np.abs(np.asarray(logits, dtype=np.float64)).min())


class Regression(Head):
    """The output is a value."""

    name = "regression"
    meaning = "regression: the output is a value, not a probability"
    has_labels = False
    formula = "z (a value has no temperature)"
    measures: ClassVar[Measures] = {"shift": ("how far the output moves, in its own unit", "max |p(k) − q(k)|")}
    code: ClassVar[Mapping[str, str | None]] = {
        "answer": "logits",
        "shift": "max(abs(a - b) for a, b in zip(p, q))",
        "margin": None,
        "label": None,
        "entropy": None,
    }


SOFTMAX, SIGMOID, REGRESSION = Softmax(), Sigmoid(), Regression()


def _log(p: Probabilities) -> Logits:
    """The logarithm, and a large negative number at 0."""
    return np.log(np.maximum(p, 1e-300)).astype(np.float32)


def _plogp(p: Probabilities) -> Probabilities:
    """`-p * log(p)`, and 0 at 0."""
    safe = np.where(p > 0, p, 1.0)
    return np.asarray(-safe * np.log(safe))
