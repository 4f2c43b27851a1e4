"""How much the members of a family agree: votes, disagreement on labelled texts, which seed matters, and people compared."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.base.statistics import Estimate, bootstrap_mean, wilson
from core.data.labelled import Labelled
from core.models.heads import Head, Probabilities
from core.training.recipe import PARTS, Part

if TYPE_CHECKING:
    from core.families.stacked import Family, Progress


def pairwise_disagreement(p: Probabilities, head: Head) -> float:
    """Mean over pairs of members, and over texts, of `1[label a ≠ label b]` (churn; Launch and Iterate, NIPS 2016).

    Args:
        p: `[n_seeds, n_texts, n_labels]`.
    """
    return float(_disagreement(p, head, combinations(range(len(p)), 2)).mean())


def _disagreement(p: Probabilities, head: Head, pairs: Iterable[tuple[int, int]]) -> NDArray[np.float64]:
    """`[n_texts]`: share of some pairs of members that predict different labels."""
    labels = head.predicted(p)
    return np.asarray(np.mean([(labels[i] != labels[j]).any(axis=-1) for i, j in pairs], axis=0))


def votes(p: Probabilities, head: Head) -> NDArray[np.int64]:
    """How many members predict each label: `[n_texts, n_labels]` from `[n_seeds, n_texts, n_labels]`."""
    return np.asarray(head.predicted(p).sum(axis=0))


@dataclass(frozen=True, eq=False)
class OnData:
    """A family on labelled texts that it was not trained on."""

    texts: tuple[str, ...]
    labels: NDArray[np.int64]
    """`[n_texts]`"""
    rating_std: NDArray[np.float64] | None
    """`[n_texts]`: how much people disagree, where that is known."""
    probabilities: Probabilities
    """`[n_seeds, n_texts, n_labels]`"""
    head: Head
    """The family's."""
    accuracy: NDArray[np.float64]
    """`[n_seeds]`"""
    of: int
    """How many labelled texts there are to draw from."""
    seconds: float
    """How long all members took."""

    @property
    def accuracy_intervals(self) -> tuple[tuple[float, float], ...]:
        """Wilson's 95% interval of each accuracy."""
        texts = len(self.texts)
        return tuple(wilson(round(accuracy * texts), texts) for accuracy in self.accuracy)

    @property
    def level(self) -> bool:
        """Whether the members may be equally accurate: some accuracy lies in the intervals of all."""
        low, high = zip(*self.accuracy_intervals, strict=True)
        return bool(max(low) <= min(high))

    @property
    def disagreement(self) -> Estimate:
        """Mean over the pairs and the texts; the interval is over the texts."""
        return bootstrap_mean(self.split)

    @property
    def seconds_of_all(self) -> float:
        """How long all the texts would take, judging by these."""
        return self.seconds * self.of / len(self.texts)

    @property
    def split(self) -> NDArray[np.float64]:
        """`[n_texts]`: share of the pairs of seeds that disagree on a text."""
        return _disagreement(self.probabilities, self.head, combinations(range(len(self.accuracy)), 2))

    @property
    def most_split(self) -> NDArray[np.intp]:
        """`[n_texts]`: the numbers of the texts, those on which most pairs disagree first."""
        return np.argsort(-self.split, kind="stable")


def on_data(family: "Family", data: Labelled, progress: "Progress | None" = None, most: int | None = None) -> OnData:
    """All members on labelled texts.

    Args:
        most: draw at most this many of the texts; by default all are used.

    Raises:
        WobbleError: the data hold labels that the family does not have.
    """
    from core.families.stacked import predict_family

    began, some = time.perf_counter(), data if most is None else data.drawn(most)
    labels = some.numbered_as(family.first.labels)
    p = family.first.head.probabilities(predict_family(family, some.texts, progress).logits)
    return OnData(
        texts=some.texts,
        labels=labels,
        rating_std=some.rating_std,
        probabilities=p,
        head=family.first.head,
        accuracy=(p.argmax(axis=-1) == labels).mean(axis=-1),
        of=len(data.texts),
        seconds=time.perf_counter() - began,
    )


@dataclass(frozen=True)
class Influence:
    """What one source of chance does while all others are held."""

    part: Part
    pairs: int
    """Pairs of members that differ in this part alone."""
    disagreement: Estimate
    """Mean over the pairs and the texts; the interval is over the texts."""
    shift: Estimate
    """Likewise, in total variation distance."""


def influences(family: "Family", p: Probabilities) -> tuple[Influence, ...]:
    """Which seed moves the predictions most: for each part the pairs of members that differ in it alone, largest shift first.

    Dodge et al. (arXiv 2002.06305) ask this of the head's initialisation and the order of the data. Empty where no two members
    differ in one part alone.

    Args:
        p: `[n_seeds, n_texts, n_labels]`.
    """
    head, seeds = family.first.head, [member.seeds for member in family.members]
    found = []
    for part in PARTS:
        pairs = [
            (i, j)
            for i, j in combinations(range(len(seeds)), 2)
            if seeds[i] != seeds[j] == replace(seeds[i], **{part: getattr(seeds[j], part)})
        ]
        if pairs:
            found.append(
                Influence(
                    part,
                    len(pairs),
                    disagreement=bootstrap_mean(_disagreement(p, head, pairs)),
                    shift=bootstrap_mean(np.mean([head.shifts(p[i], p[j]) for i, j in pairs], axis=0)),
                )
            )
    return tuple(sorted(found, key=lambda influence: -influence.shift.value))


@dataclass(frozen=True)
class HumanBin:
    """Texts on which people disagree about as much, and how often two seeds disagree on them."""

    low: float
    high: float
    """Range of the raters' standard deviation."""
    texts: int
    disagreement: Estimate


def against_people(found: OnData, bins: int = 5) -> tuple[HumanBin, ...]:
    """Seed disagreement over human disagreement: bins of about equally many texts, from agreed to disputed.

    Raises:
        ValueError: these texts have no ratings.
    """
    if found.rating_std is None:
        raise ValueError("these texts have no ratings")
    order = np.argsort(found.rating_std, kind="stable")
    split = found.split
    return tuple(
        HumanBin(
            float(found.rating_std[part].min()),
            float(found.rating_std[part].max()),
            len(part),
            bootstrap_mean(split[part]),
        )
        for part in np.array_split(order, bins)
        if len(part)
    )


@dataclass(frozen=True, eq=False)
class Grid:
    """Members by the variants of one text, those first that move some member's own answer furthest."""

    margins: NDArray[np.float64]
    """`[n_seeds, 1 + n_shown]`, of the label that the first member gives the text; the text itself comes first."""
    shown: tuple[int, ...]
    """Which variants the others are."""
    flipped: int
    """How many of all variants change the label of some member."""


def grid(p: Probabilities, head: Head, shown: int) -> Grid | None:
    """Where a member's answer depends on an edit; None where the head has no labels to flip.

    Args:
        p: `[n_seeds, 1 + n_variants, n_labels]`, the text itself first.
        shown: how many variants are kept.
    """
    margins = head.margins(p, p[0, 0])
    if margins is None:
        return None
    moved = np.abs(margins[:, 1:] - margins[:, :1]).max(axis=0)
    order = np.argsort(-moved, kind="stable")[:shown]
    labels = head.predicted(p)
    flipped = int((labels[:, 1:] != labels[:, :1]).any(axis=(0, 2)).sum())
    return Grid(margins[:, [0, *(1 + order)]], tuple(map(int, order)), flipped)
