"""Conditions that are equal on paper: what differs is the order of additions, or how much is rounded.

Addition of floating-point numbers depends on its order, and the order on the shape of the batch and on the kernel; fewer
bits round more. Each condition is a property of the call (`core.models.predict.Condition`), never a change to the model.
"""

from collections.abc import Iterable, Sequence

from core.base.errors import WobbleError
from core.models.classifier import Classifier
from core.models.predict import COMPANY, Condition, Dtype, check_condition

REFERENCE = Condition(batch="alone")
EAGER = Condition(batch="alone", kernel="eager")

WIDEST = {"cpu": 512, "mps": 2048, "cuda": 8192}
"""The most tokens that a text is padded to: attention grows with the square of them."""

DTYPES: tuple[Dtype, ...] = ("bfloat16", "float16")


def bounding(classifier: Classifier, length: int) -> tuple[Condition, ...]:
    """The cheap ones among the conditions of a text of `length` tokens, which the noise floor is estimated from: another shape
    (padded to the next multiple of 64) and another kernel (eager attention).

    `python -m benchmarks.noise_floor` measures how the floor that follows from them bounds what all conditions in fp32 do.
    """
    return _runnable(classifier, length, (_padded(classifier, length, 64), EAGER))[0]


def conditions(
    classifier: Classifier, length: int, dtypes: Sequence[Dtype] = DTYPES
) -> tuple[tuple[Condition, ...], tuple[str, ...]]:
    """The conditions for a text of `length` tokens, and what is left out, in sentences.

    In fp32, where the order of additions alone differs: padded to the next multiple of 8 and of 64 (8 and 64 tokens for a text
    that is shorter) and to the limit, among 1, 7 and 31 other texts, eager attention. Then in other dtypes.
    """
    widest = min(classifier.limit, WIDEST[classifier.device.type])
    kept, left_out = _runnable(
        classifier,
        length,
        (
            *(_padded(classifier, length, multiple) for multiple in (8, 64)),
            Condition(batch="alone", padded=widest),
            *(Condition(batch="alone", among=count) for count in (1, 7, len(COMPANY))),
            EAGER,
            *(Condition(batch="alone", dtype=dtype) for dtype in dtypes),
        ),
    )
    if widest < classifier.limit and classifier.batching == "padded":
        left_out.append(
            f"Padding to the limit of {classifier.limit:,} tokens takes too long on {classifier.device.type}: {widest:,} stand "
            "in for it."
        )
    return kept, tuple(dict.fromkeys(left_out))


def _padded(classifier: Classifier, length: int, multiple: int) -> Condition:
    """Padded to the next multiple of a number of tokens, as far as the model reads."""
    return Condition(batch="alone", padded=min(-(-length // multiple) * multiple, classifier.limit))


def _runnable(
    classifier: Classifier, length: int, wanted: Iterable[Condition]
) -> tuple[tuple[Condition, ...], list[str]]:
    """The conditions that a model can be run under and that change something, each once, and why the others are left out."""
    kept, left_out = [], []
    for condition in wanted:
        try:
            check_condition(classifier, condition)
            if 0 < condition.padded <= length:
                raise WobbleError(f"Padding to {condition.padded:,} tokens changes nothing: the text has {length:,}.")
            kept.append(condition)
        except WobbleError as error:
            left_out.append(str(error))
    return tuple(dict.fromkeys(kept)), left_out
