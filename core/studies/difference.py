"""The pin compared with what is shown now, in words: predictions, edits and tokens of two studies.

Only what has a common measure is compared; where two heads have none, the sentence says so. Flips are given as how many of
how many, and nothing at or below the noise floor counts as one.
"""

from collections.abc import Sequence

from core.base.words import capital, listed, plural, verb
from core.factors.case import Reference
from core.studies.study import Study
from core.studies.verdict import GRADES, usual_edits, verdict
from core.text.tokens import Encoding, TextEncoder, align

NAMED = 3
"""The most edits that a sentence names."""


def predictions(pin: Reference, now: Reference, *, one_model: bool, this: str = "this") -> str:
    """What each says, and how they differ.

    Args:
        one_model: whether both are predictions of one model.
        this: the name of the present one.
    """
    return _sentence(_says(pin), _says(now), [_apart(pin, now, one_model)], this)


def profiles(pin: Study, now: Study, this: str = "this") -> str:
    """What each of two complete profiles says with its grade, how they differ, and how many edits flip."""
    said = [_apart(pin.reference, now.reference, _one_model(pin, now)), *flips(pin, now)]
    before, after = (_says(one.reference, _grade(one)) for one in (pin, now))
    return _sentence(before, after, said, this)


def flips(pin: Study, now: Study) -> list[str]:
    """How many of the usual edits flip each, as a clause; none where one of the two gives a value."""
    if not (pin.head.has_labels and now.head.has_labels):
        return []
    before, after = usual_edits(pin), usual_edits(now)
    found = f"{after.flips or 'none'} of {plural(after.tried, 'edit')} {verb(after.flips or 1, 'flips', 'flip')}"
    if (before.flips, before.tried) == (after.flips, after.tried):
        return [f"{found} {'each' if after.flips else 'either'}"]
    return [f"{found} it instead of {before.flips or 'none'} of {before.tried:,}"]


def edits(pin: Study, now: Study, this: str = "this") -> str:
    """Which of the usual edits flip one and not the other; empty where one of the two gives a value.

    For one sentence the same edits are compared. Those of two sentences are matched by what was done: a random edit has its
    place in its own text.
    """
    if not (pin.head.has_labels and now.head.has_labels):
        return ""
    exact = pin.reference.text == now.reference.text
    before, after = _flipped(pin, exact), _flipped(now, exact)
    common = [(said, before[one][1], flip) for one, (said, flip) in after.items() if one in before]
    if not common:
        return "No edit applies to both."
    both = sum(old and new for _, old, new in common)
    only_now = [said for said, old, new in common if new and not old]
    only_pin = [said for said, old, new in common if old and not new]
    kind = ("edit", "edits") if exact else ("kind of edit", "kinds of edits")
    given = f"Of the {plural(len(common), *kind)} that {verb(len(common), 'applies', 'apply')} to both"
    if not (both or only_now or only_pin):
        return f"{given}, none flips either."
    if not (only_now or only_pin):
        return f"{given}, the same {both:,} {verb(both, 'flips', 'flip')} both."
    each = [
        f"{both or 'none'} {verb(both or 1, 'flips', 'flip')} both",
        *(
            f"{len(said):,} only {name} ({_named(said)})"
            for name, said in ((this, only_now), ("the pin", only_pin))
            if said
        ),
    ]
    return f"{given}, {listed(each)}."


def tokens(pin: Encoding, now: Encoding, *, one_tokenizer: bool, one_text: bool) -> str:
    """What becomes of the difference between two texts, or of one text under two tokenizers, in tokens.

    Args:
        one_tokenizer: whether both were cut by the same one; ids of two have nothing in common.
        one_text: whether both are of one text.
    """
    cut = f"The pin is cut into {plural(len(pin.ids), 'token')}, this into {len(now.ids):,}"
    if not one_tokenizer:
        return f"{cut}, by another tokenizer."
    if pin.key != now.key:
        only_pin, only_now = _own(pin, now)
        return f"{cut}: {only_pin} only in the pin, {only_now} only in this."
    same = f"Both are the same {plural(len(now.ids), 'token')}"
    if one_text:
        return f"{same}."
    if pin.cut != now.cut:
        return f"{same}: the sentences differ beyond the limit, where the model does not read."
    return f"{same}: the tokenizer absorbs the difference between the sentences."


def one_tokenizer(first: TextEncoder, second: TextEncoder) -> bool:
    """Whether two encoders are known to cut a text in the same way, however they pad and wherever they truncate."""
    rules = [{k: v for k, v in one.settings.items() if k not in ("padding", "truncation")} for one in (first, second)]
    return first is second or (bool(rules[0]) and rules[0] == rules[1])


# --- parts of sentences ----------------------------------------------------------------------------------------------


def _sentence(pin: str, now: str, apart: Sequence[str], this: str) -> str:
    return f"The pin says {pin}, {this} says {now}: {', '.join(apart)}."


def _says(reference: Reference, grade: str = "") -> str:
    """A prediction with how sure it is, and its grade, in brackets."""
    sure = f"{reference.probabilities.max():.3f}" if reference.head.exclusive else ""
    if reference.margin is not None and not sure:
        sure = f"margin {reference.margin:+.3f}"
    inside = ", ".join(one for one in (sure, grade) if one)
    return f"{reference.label} ({inside})" if inside else reference.label


def _grade(study: Study) -> str:
    mood = verdict(study).mood
    return "a head that was never trained" if study.untrained else capital(mood) if mood in (*GRADES, "tie") else ""


def _apart(pin: Reference, now: Reference, one_model: bool) -> str:
    """How two predictions differ, as a clause: labels whether they differ, values by how much."""
    before, after = pin.head, now.head
    if before.has_labels != after.has_labels:
        return "a value and a label have no common measure"
    if not after.has_labels:
        by = f"the value differs by {now.value - pin.value:+.3f}"
        return by if one_model else "the values of two models need not have the same unit"
    if set(pin.labels) != set(now.labels):
        return "the two models do not have the same labels, so neither labels nor margins are comparable"
    same = "the label is the same" if pin.label == now.label else "the label differs"
    if before is not after:
        return f"{same}, but margins of {before} and {after} heads are not comparable"
    if pin.label != now.label or pin.margin is None or now.margin is None:
        return same
    margin, was = f"{now.margin:+.3f}", f"{pin.margin:+.3f}"
    return f"{same}, with {'the same margin' if margin == was else f'a margin of {margin} instead of {was}'}"


def _one_model(pin: Study, now: Study) -> bool:
    return (pin.model, pin.weights_hash) == (now.model, now.weights_hash)


def _flipped(study: Study, exact: bool) -> dict[str, tuple[str, bool]]:
    """The usual edits that were tried: by text or by rule, the name of each and whether it (or any of them) flips."""
    found: dict[str, tuple[str, bool]] = {}
    for key, (row, case) in usual_edits(study).keyed().items():
        if case.tried:
            one, said = (case.text, case.called(key)) if exact else (case.name, capital(case.made.said))
            found[one] = said, bool(row.flip(case)) or found.get(one, ("", False))[1]
    return found


def _named(said: Sequence[str]) -> str:
    more = [f"{len(said) - NAMED:,} more"] if len(said) > NAMED else []
    return listed([*(f"“{one}”" for one in said[:NAMED]), *more])


def _own(pin: Encoding, now: Encoding) -> tuple[int, int]:
    """How many tokens of each the other does not have."""
    parts = [part for part in align(pin, now) if part.kind != "same"]
    return sum(len(part.original) for part in parts), sum(len(part.variant) for part in parts)
