"""One text is one case, whatever number of perturbations make it."""

from collections.abc import Iterable
from dataclasses import replace

from core.perturb.registry import Variant


def merged(variants: Iterable[Variant]) -> tuple[Variant, ...]:
    """The variants with those of equal text made one, in the order of their first.

    The first keeps its provenance; the others become its `also`, each perturbation once. It says the same sentence
    where any of them does: the text is the same. To merge again what is merged already changes nothing.
    """
    by_text: dict[str, list[Variant]] = {}
    for variant in variants:
        by_text.setdefault(variant.text, []).append(variant)
    return tuple(_one(same) if len(same) > 1 else same[0] for same in by_text.values())


def _one(same: list[Variant]) -> Variant:
    first = same[0]
    names = dict.fromkeys(name for v in same for name in ((v.perturbation, v.factor), *v.also))
    names.pop((first.perturbation, first.factor))
    return replace(first, also=tuple(names), same_sentence=any(v.same_sentence for v in same))
