"""Edits as factors: white space, casing, punctuation, Unicode, typos; a factor for each module of `core.text.perturb`."""

from collections.abc import Iterator
from typing import Annotated

from core.base.words import listed, plural
from core.factors.ask import Ask
from core.factors.case import Case
from core.factors.registry import Factor, Maker, Range, factor
from core.text import perturb
from core.text.perturb import Variant
from core.text.truncation import why_not

CUSTOM = Factor("custom", "own edit", "own edits", lambda ask: (), (), edits=True)
"""Edits typed by hand: they come from a person, so a profile tries none."""


def edits_of(ask: Ask, name: str, seed: int = 0, same_sentence: bool = True) -> list[Variant]:
    """The edits that a factor tries, each text once; a text that another factor makes too belongs to that one."""
    return [one for one in ask.variants(seed) if one.factor == name and (one.same_sentence or not same_sentence)]


def _edits_of(name: str) -> Maker:
    def edited(
        ask: Ask,
        *,
        seed: Annotated[int, Range("seed of the perturbations that draw at random", 0)] = 0,
        same_sentence: Annotated[bool, Range("only edits after which a reader would call it the same sentence")] = True,
    ) -> Iterator[Case]:
        tried = [one for one in ask.variants(seed) if one.same_sentence or not same_sentence]
        elsewhere = {also for one in tried for also, factor in one.also if factor == name}
        left_out = [one for one in ask.variants(seed) if one not in tried]
        makers = [maker for one in left_out for maker in ((one.perturbation, one.factor), *one.also)]
        other = {maker for maker, factor in makers if factor == name}
        cases = ask.edited(own := edits_of(ask, name, seed, same_sentence))
        if cases and all(case.absorbed for case in cases):
            ask.notes.append("The tokenizer absorbs every one of these edits, so none can change the prediction.")
        if not (own or other or elsewhere):
            ask.notes.append(f"No {name} edit applies to this text.")
        if other:
            rules = [f"“{rule.said}”" for rule in perturb.perturbations([name]) if rule.name in other]
            ask.notes.append(f"Left out, because a reader could take it for another sentence: {listed(rules)}.")
        if elsewhere:
            ask.notes.append(
                f"{plural(len(elsewhere), 'more makes', 'more make')} the same text as another edit, which counts instead."
            )
        if any(rule.needs_cut for rule in perturb.perturbations([name])):
            ask.notes += filter(None, [why_not(ask.classifier.encoder)])
        yield from cases

    return edited


for _name in perturb.FACTORS:
    _one, _many = perturb.WORDS[_name]
    factor(
        _name,
        one=_one,
        many=_many,
        edits=True,
        # A typo can happen to make another word, and a cleaning step is somebody's choice, so they decide no mood.
        often=0.1 if _name in perturb.FORMATTING else None,
    )(_edits_of(_name))
