"""One text is one case, whatever number of perturbations make it."""

from collections.abc import Iterable
from dataclasses import replace

from core.text.perturb.registry import FACTORS, USUAL, Variant

MERGED = FACTORS[len(USUAL) :]


def merged(variants: Iterable[Variant]) -> tuple[Variant, ...]:
    """The variants without those of factors beyond `USUAL` whose text stands before them already: one case with two names.

    The first keeps its provenance; the others become its `also`, each perturbation once. To merge again what is merged
    already changes nothing.
    """
    kept: dict[tuple[str, str], Variant] = {}
    first: dict[str, tuple[str, str]] = {}
    for number, variant in enumerate(variants):
        key = first.get(variant.text)
        if key is not None and variant.factor in MERGED:
            names = ((variant.perturbation, variant.factor), *variant.also)
            before = kept[key]
            kept[key] = replace(before, also=tuple(dict.fromkeys((*before.also, *names))))
        else:
            key = (variant.text, str(number))
            first.setdefault(variant.text, key)
            kept[key] = variant
    return tuple(kept.values())
