"""Segmentation: the same characters cut into other pieces."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from core.factors.ask import Ask
from core.factors.case import Case, Trial
from core.factors.registry import Range, factor
from core.text import segmentation as cut

DRAWS = 20
MOST_DRAWS = 1000
FILLED = (
    "No nearest segmentation: the text fills the limit, so with more or fewer pieces the model would read another text."
)


@dataclass(frozen=True)
class Segmented(Trial):
    """Another segmentation of the text."""

    rank: int
    """Its place among the nearest, from 1; 0 for a draw."""
    changed: int
    """Pieces that only one of this segmentation and the reference has."""


def segmented(draw: int | None, rank: int, changed: int) -> Segmented:
    """One of the draws, numbered from 1, or of the nearest; see `Segmented`."""
    name = f"nearest {rank}" if draw is None else f"draw {draw}"
    return Segmented(name, f"segmentation {name}", {"draw": draw, "pieces_changed": changed}, rank, changed)


@factor(
    "segmentation",
    one="segmentation",
    many="segmentations",
    often=None,
    missing=lambda classifier: cut.why_not(classifier.encoder),
)
def segmentation(
    ask: Ask,
    *,
    draws: Annotated[int, Range("segmentations that are drawn", 1, MOST_DRAWS)] = DRAWS,
    p: Annotated[float, Range("the rate for BPE and WordPiece", 0, 1)] = cut.P,
    alpha: Annotated[
        float, Range("the smoothing for Unigram: the larger, the nearer to the reference", 0, 100)
    ] = cut.ALPHA,
    seed: Annotated[int, Range("draw i of a seed is always the same", 0)] = 0,
) -> Iterator[Case]:
    """cut a text into other pieces, drawn by the model's own kind of tokenizer"""
    found = cut.draws(ask.classifier.encoder, ask.text, draws, p=p, alpha=alpha, seed=seed)
    rate, given = cut.uses(ask.classifier.encoder), {"p": p, "alpha": alpha}
    ask.facts["rate"] = {rate: given.pop(rate)}
    for other, value in given.items():
        if value != {"p": cut.P, "alpha": cut.ALPHA}[other]:
            ask.notes.append(f"{other} is not used: this tokenizer is drawn from by {rate}.")
    # At the limit a draw of more pieces reads less of the text.
    kept = [one for one in found.segmentations if one.same_text]
    rejected = found.rejected + len(found.segmentations) - len(kept)
    ask.facts["rejected"] = rejected
    ask.facts["repeated"] = cut.repeated(found.reference, kept)
    if rejected:
        ask.notes.append(
            f"{rejected} of {draws} draws were rejected: they need an unknown token, or the model would read another text."
        )
    yield from _cases(ask, [segmented((one.draw or 0) + 1, 0, one.changed) for one in kept], kept)


def nearest(ask: Ask, count: int = cut.NEAREST) -> list[Case]:
    """The segmentations that change the fewest pieces, nearest first; none, where the tokenizer has no others.

    None, and a note, where the model would read another text with any of them.
    """
    if cut.why_not(ask.classifier.encoder) is not None:
        return []
    others = cut.nearest(ask.classifier.encoder, ask.text, count)
    found = [one for one in others if one.same_text]
    if others and not found:
        ask.notes.append(FILLED)
    return _cases(ask, [segmented(None, rank, one.changed) for rank, one in enumerate(found, start=1)], found)


def _cases(ask: Ask, made: Sequence[Segmented], found: Sequence[cut.Segmentation]) -> list[Case]:
    encodings = [one.encoding for one in found]
    return ask.measured(made, ask.predict(encodings), encodings=encodings)
