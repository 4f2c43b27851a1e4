"""Edits as factors: white space, casing, punctuation, Unicode, typos; a factor for each module of `core.text.perturb`."""

from collections.abc import Iterator
from typing import Annotated

from core.base.words import plural
from core.factors.ask import Ask
from core.factors.case import Case
from core.factors.registry import Factor, Maker, Range, factor
from core.text import perturb
from core.text.truncation import why_not

WORDS = {"typo": ("typo", "typos"), "preprocessing": ("preprocessing step", "preprocessing steps")}
"""What an edit is called where it is not a formatting edit."""

CUSTOM = Factor("custom", "own edit", "own edits", lambda ask: (), (), edits=True)
"""Edits typed by hand: they come from a person, so no profile tries any."""


def _edits_of(name: str) -> Maker:
    def edited(
        ask: Ask,
        *,
        seed: Annotated[int, Range("of the perturbations that draw", 0)] = 0,
        same_sentence: Annotated[bool, Range("only edits that a reader would call the same sentence")] = True,
    ) -> Iterator[Case]:
        made = [variant for variant in ask.variants(seed) if variant.factor == name]
        other = [variant for variant in made if same_sentence and not variant.same_sentence]
        cases = ask.edited([variant for variant in made if variant not in other])
        if not cases:
            ask.notes.append(f"No {name} edit applies to this text.")
        elif all(case.absorbed for case in cases):
            ask.notes.append("The tokenizer erases every one of these edits, so none can change the prediction.")
        if other:
            names = ", ".join(dict.fromkeys(variant.perturbation for variant in other))
            ask.notes.append(f"Left out, because a reader could take it for another sentence: {names}.")
        elsewhere = {also for variant in ask.variants(seed) for also, factor in variant.also if factor == name}
        if elsewhere:
            ask.notes.append(
                f"{plural(len(elsewhere), 'more makes', 'more make')} the text of another edit, where it is counted."
            )
        if any(rule.needs_cut for rule in perturb.perturbations([name])):
            ask.notes += filter(None, [why_not(ask.classifier.encoder)])
        yield from cases

    return edited


for _name in perturb.FACTORS:
    _one, _many = WORDS.get(_name, ("formatting edit", "formatting edits"))
    # By chance a typo makes another word, and a cleaning step is somebody's choice, so they decide no mood.
    factor(_name, one=_one, many=_many, edits=True, often=None if _name in WORDS else 0.1)(_edits_of(_name))
