"""The registry: what a perturbation and a variant are, and all variants of a text.

A perturbation is a row of the table in the module of its factor. A seeded one gets, besides the text, a `random.Random`
of its own, and is drawn several times; one that truncates gets a `Cut`, which knows the model's tokens.
"""

import hashlib
import random
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any

from core.base.errors import WobbleError
from core.text.perturb.edits import Edit, edits

FACTORS: tuple[str, ...] = ("whitespace", "casing", "punctuation", "unicode", "typo", "preprocessing")
USUAL = FACTORS[:5]
"""The factors whose variants are made by default: what happens to a text by itself. What the others do is done to it on
purpose, and often it is what an edit does too."""

FORMATTING = FACTORS[:4]
"""The factors that change only the form of a text; a typo can happen to make another word."""

Cut = Callable[[str, int], str | None]
"""`cut(text, n)` is the text up to where its first n tokens end, or None where it has no more (`core.text.truncation`)."""


@dataclass(frozen=True)
class Perturbation:
    """A named rule that edits a text.

    `apply(text)`, or `apply(text, rng)` for a seeded one and `apply(text, cut)` for one that needs a `Cut`, gives the
    edited text, or None where the rule does not apply. Whether it applies depends on the text (and the tokens) alone,
    never on `rng`. `example` is a text and what the rule makes of it (for a seeded one, its first draw at seed 0; for
    one that truncates, with words as tokens).

    `same_sentence` says whether a reader would still call it the same sentence: the same words, making the same
    claim, perhaps badly typed or said in another tone.
    """

    name: str
    description: str
    apply: Callable[..., str | None]
    example: tuple[str, str]
    same_sentence: bool = True
    seeded: bool = False
    needs_cut: bool = False
    factor: str = ""
    """The factor of the table that it is in."""

    @property
    def said(self) -> str:
        """What it does, to stand inside a sentence, without exceptions and fine print."""
        return _inside(self.description)


@dataclass(frozen=True)
class Variant:
    """A text that a perturbation made, with its provenance.

    `edits` are the spans that differ from the original, left to right. `seed` is None for a deterministic
    perturbation; for a seeded one `apply(original, random.Random(seed))` gives `text` again. `also` are other
    perturbations, each with its factor, that make the same text: see `merged`.
    """

    text: str
    perturbation: str
    factor: str
    edits: tuple[Edit, ...]
    seed: int | None
    same_sentence: bool
    also: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """The perturbation."""
        return self.perturbation

    @property
    def description(self) -> str:
        """What the perturbation does, in one line."""
        rule = _registered.get(self.perturbation)
        return rule.description if rule else "An edit typed by hand"

    @property
    def said(self) -> str:
        """What was done, to stand inside a sentence, without exceptions and fine print."""
        return _inside(self.description)

    def document(self) -> dict[str, Any]:
        """As plain JSON values."""
        document = {"text": self.text, "seed": self.seed}
        return {**document, "also": [name for name, _ in self.also]} if self.also else document


# Exceptions and fine print at the end of a description.
_FINE_PRINT = re.compile(r"(?:; | \(|, (?:as|except|never)\b).*")


def _inside(description: str) -> str:
    said = _FINE_PRINT.sub("", description)
    return said if said[1:2].isupper() else said[0].lower() + said[1:]


WORDS = dict.fromkeys(FACTORS, ("formatting edit", "formatting edits"))
"""What one variant of a factor is called, and several."""

_registered: dict[str, Perturbation] = {}


def register(factor: str, *rules: Perturbation, words: tuple[str, str] | None = None) -> None:
    """Register the perturbations of a factor, and its `WORDS` where they are not the usual ones.

    Raises ValueError when another perturbation has the name of one, or there is no such factor.
    """
    if factor not in FACTORS:
        raise ValueError(f"{factor} is not a factor")
    for rule in rules:
        if rule.name in _registered:
            raise ValueError(f"two perturbations are named {rule.name}")
        _registered[rule.name] = replace(rule, factor=factor)
    WORDS[factor] = words or WORDS[factor]


def perturbations(only: Collection[str] | None = None) -> tuple[Perturbation, ...]:
    """All perturbations, or those of the factors in `only`, factor by factor in the order of `FACTORS`.

    Raises WobbleError when `only` names something that is not a factor.
    """
    chosen = FACTORS if only is None else only
    if unknown := [name for name in chosen if name not in FACTORS]:
        names = ", ".join(f'"{name}"' for name in unknown)
        raise WobbleError(f"There is no factor {names}: choose from {', '.join(FACTORS)}.")
    return tuple(
        rule for factor in FACTORS if factor in chosen for rule in _registered.values() if rule.factor == factor
    )


def variants(
    text: str,
    *,
    only: Collection[str] | None = None,
    seed: int = 0,
    draws: int = 3,
    cut: Cut | None = None,
    read: tuple[int, int] | None = None,
) -> tuple[Variant, ...]:
    """All variants of a text by the factors in `only`, by default `USUAL`, in the order of `perturbations`.

    The same arguments always give the same variants. A seeded perturbation is drawn `draws` times and its repeated
    texts are dropped, so it may give fewer. One that needs a `cut` is left out where there is none. No variant equals
    the text. Raises WobbleError when `only` names something that is not a factor.

    `read` is the span of characters that the model reads of a longer text: random places are drawn there.
    """
    begin, end = read or (0, len(text))
    found = []
    for rule in perturbations(USUAL if only is None else only):
        made: dict[str | None, int | None] = {}
        if rule.seeded:
            for number in (_seed_of_draw(seed, rule.name, draw) for draw in range(draws)):
                edited = rule.apply(text[begin:end], random.Random(number))
                made.setdefault(None if edited is None else text[:begin] + edited + text[end:], number)
        elif cut is not None or not rule.needs_cut:
            made[rule.apply(text, cut) if rule.needs_cut else rule.apply(text)] = None
        found += [
            Variant(edited, rule.name, rule.factor, edits(text, edited), number, rule.same_sentence)
            for edited, number in made.items()
            if edited is not None and edited != text
        ]
    return tuple(found)


def custom(original: str, text: str) -> Variant:
    """A person's own edit of `original`, typed by hand, as a variant.

    `same_sentence` is False: Wobble cannot read whether it still says the same, so it does not claim it.
    """
    return Variant(text, "custom", "custom", edits(original, text), seed=None, same_sentence=False)


def merged(variants: Iterable[Variant]) -> tuple[Variant, ...]:
    """The variants without those of factors beyond `USUAL` whose text an earlier one has: one case with two names.

    The first keeps its provenance; the others become its `also`, each perturbation once. It is the same sentence if one of
    them is. Merging twice changes nothing.
    """
    kept: list[Variant] = []
    first: dict[str, int] = {}
    for variant in variants:
        place = first.setdefault(variant.text, len(kept))
        if place < len(kept) and variant.factor in FACTORS[len(USUAL) :]:
            names = (*kept[place].also, (variant.perturbation, variant.factor), *variant.also)
            same = kept[place].same_sentence or variant.same_sentence
            kept[place] = replace(kept[place], also=tuple(dict.fromkeys(names)), same_sentence=same)
        else:
            kept.append(variant)
    return tuple(kept)


def _seed_of_draw(seed: int, name: str, draw: int) -> int:
    """A seed that depends on all three and on nothing else; 32 bits, which JSON and spreadsheets keep exactly."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{name}/{draw}".encode()).digest()[:4], "big")
