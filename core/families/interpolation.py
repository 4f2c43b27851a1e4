"""Interpolation between two seeds: what the models on the straight line between the weights of two members predict."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from core.base.errors import WobbleError
from core.data.labelled import Labelled
from core.families.stacked import Family, Progress, Stack, pieces, predict_stacked
from core.models.heads import Logits, Probabilities
from core.models.predict import predict


def predict_between(
    family: Family, first: str, second: str, texts: Sequence[str], points: int = 11, progress: Progress | None = None
) -> Logits:
    """Logits of the models on the straight line from one member's weights to another's: `[points, n_texts, n_labels]`.

    At share t of the line an adapted layer weighs `W + (1 - t) * B1 A1 + t * B2 A2`: one term of twice the rank. Members that
    were trained as a whole are mixed parameter by parameter, in a copy.

    Raises:
        WobbleError: a member is not in the family, or the two are the same or have different tokenizers.
    """
    for name in (first, second):
        if name not in family.names:
            raise WobbleError(f"The family {family.id} has no seed {name}: choose from {', '.join(family.names)}.")
    if first == second or points < 2:
        raise WobbleError("An interpolation needs two different seeds and at least two points.")
    i, j = family.names.index(first), family.names.index(second)
    if family.model is not None:
        mixed = {name: _mixed(stack, i, j, points) for name, stack in family.stacks.items()}
        return predict_stacked(family, mixed, texts, progress).logits
    if pieces(family.alone[i].encoder.settings) != pieces(family.alone[j].encoder.settings):
        raise WobbleError(
            f"{first} and {second} of {family.id} have different tokenizers, so nothing lies between them."
        )
    # A copy of our own, whose parameters move from those of one model to those of the other.
    one, other = family.alone[i], family.alone[j]
    model = copy.deepcopy(one.model)
    moving = list(zip(model.parameters(), one.model.parameters(), other.model.parameters(), strict=True))
    logits = []
    for number, t in enumerate(np.linspace(0.0, 1.0, points), start=1):
        with torch.no_grad():
            for parameter, begin, end in moving:
                parameter.copy_(torch.lerp(begin, end, float(t)))
        logits.append(predict(replace(one, model=model), one.encoder(texts)).logits)
        if progress is not None:
            progress(number * len(texts), points * len(texts))
    return np.stack(logits)


def _mixed(stack: Stack, i: int, j: int, points: int) -> Stack:
    """A layer at each point of the line from member i to member j."""
    t = torch.linspace(0.0, 1.0, points, device=stack.factors[0].device)[:, None, None]
    if stack.bias is not None:
        (weight,) = stack.factors
        return Stack(((1 - t) * weight[i] + t * weight[j],), (1 - t) * stack.bias[i] + t * stack.bias[j])
    a, b = stack.factors
    joined = torch.cat([a[i], a[j]], dim=-1).expand(points, -1, -1)
    return Stack((joined, torch.cat([(1 - t) * b[i], t * b[j]], dim=1)))


@dataclass(frozen=True, eq=False)
class Interpolation:
    """Loss and accuracy along the straight line between the weights of two members."""

    shares: NDArray[np.float64]
    """`[points]`: 0 at the first member, 1 at the second."""
    loss: NDArray[np.float64]
    """`[points]`: mean NLL in nats on the labelled texts."""
    accuracy: NDArray[np.float64]
    """`[points]`"""
    texts: int

    @property
    def barrier(self) -> float:
        """How far the loss in between rises above the straight line between its two ends, in nats; 0 where it does not.

        A barrier between two minima is what "different local minima" means (Frankle et al., arXiv 1912.05671).
        """
        line = (1 - self.shares) * self.loss[0] + self.shares * self.loss[-1]
        return float((self.loss - line).max())

    @property
    def has_barrier(self) -> bool:
        """Whether the barrier is high enough to be called one."""
        return self.barrier > NO_BARRIER


NO_BARRIER = 0.01
"""A rise of the loss, in nats, up to which there is said to be no barrier."""

MOST_TEXTS = 300
"""Labelled texts of an interpolation: enough to see a barrier, few enough to wait for."""


def interpolate(
    family: Family, data: Labelled, first: str, second: str, points: int = 11, progress: Progress | None = None
) -> Interpolation:
    """Interpolate between two members on some labelled texts (drawn, where there are many).

    Raises:
        WobbleError: there is no such member, or a text cannot be predicted.
    """
    some = data.drawn(MOST_TEXTS)
    labels = some.numbered_as(family.first.labels)
    p = family.first.head.probabilities(predict_between(family, first, second, some.texts, points, progress))
    likely = p[:, np.arange(len(labels)), labels]
    return Interpolation(
        shares=np.linspace(0.0, 1.0, points),
        loss=-np.log(np.maximum(likely, 1e-300)).mean(axis=1),
        accuracy=(p.argmax(axis=-1) == labels).mean(axis=1),
        texts=len(labels),
    )


def label_changes(p: Probabilities) -> int:
    """How often the most probable label of a text changes along the line.

    Args:
        p: `[points, n_labels]`, of a softmax head.
    """
    return int((np.diff(p.argmax(axis=-1)) != 0).sum())
