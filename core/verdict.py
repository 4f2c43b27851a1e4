"""The verdict: a profile said in one or two plain sentences, each clause with its evidence.

Only what was tried is spoken of, a flip is named with how many of how many, and nothing at or below the noise floor counts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from core.numerics import DTYPES
from core.perturb import FORMATTING, PROFILED
from core.profile import Case, FactorRow, Profile, described

Mood = Literal["solid", "nearly solid", "brittle", "on the edge", "tie", "value", "untrained"]

OFTEN = 0.1
"""From this share of flipping dropout passes on a sentence is on the edge; from this share of flipping formatting edits on, of
those that reach the model, it is brittle, and on the edge too where its margin is small."""
SEVERAL = 0.25
"""The same for seeds: two of eight."""
CLOSE = 0.1
"""A sentence that anything takes to a margin below this is not solid, though nothing flips it."""


@dataclass(frozen=True)
class Clause:
    """One statement, and the numbers that it rests on."""

    said: str
    evidence: str


@dataclass(frozen=True)
class Verdict:
    """What a profile comes to."""

    mood: Mood
    text: str
    """One or two sentences after a word or two."""
    clauses: tuple[Clause, ...]


@dataclass(frozen=True)
class _Group:
    """Factors that are spoken of together."""

    one: str
    """What one case is called: "formatting edit", "typo", "dropout pass", "seed"."""
    many: str
    rows: tuple[FactorRow, ...]

    @property
    def cases(self) -> tuple[Case, ...]:
        return tuple(case for row in self.rows for case in row.cases)

    @property
    def flipping(self) -> tuple[Case, ...]:
        return tuple(case for row in self.rows for case in row.flipping)

    @property
    def moving(self) -> tuple[Case, ...]:
        return tuple(case for row in self.rows for case in row.moving)

    @property
    def evidence(self) -> str:
        absorbed = sum(case.absorbed for case in self.cases)
        erased = f", {absorbed} erased by the tokenizer" if absorbed else ""
        return f"{len(self.flipping)} of {len(self.cases)} {self.many} flip{erased}"


def verdict(profile: Profile) -> Verdict:
    """Compose the verdict of a complete profile."""
    if profile.untrained:
        said = f"The head of {profile.model} was never trained: its weights are random, and so is every number here."
        return Verdict(
            "untrained",
            said,
            (Clause(said, "parameters of the head are missing in the checkpoint and change the prediction"),),
        )
    groups = [
        _Group("formatting edit", "formatting edits", tuple(profile[factor] for factor in FORMATTING)),
        _Group("typo", "typos", (profile["typo"],)),
        _Group("dropout pass", "dropout passes", (profile["dropout"],)),
        _Group("seed", "seeds", (profile["seed"],)),
    ]
    tried = [group for group in groups if group.cases]
    if profile.head == "regression":
        return _of_a_value(profile, tried)
    if tie := _tie(profile):
        return tie
    half = [case for case in profile["numerics"].flipping if case.condition and case.condition.dtype != "float32"]
    if any(group.flipping for group in tried) or half:
        return _flips(profile, tried, half)
    return _solid(profile, tried)


# --- moods -----------------------------------------------------------------------------------------------------------


def _tie(profile: Profile) -> Verdict | None:
    """Where rounding in fp32 alone decides the label."""
    margin = profile.reference.margin
    flipping = [c for c in profile["numerics"].flipping if c.condition is not None and c.condition.dtype == "float32"]
    if flipping:
        said = f"Rounding alone decides the label: {flipping[0].name} it is {flipping[0].label}."
        evidence = f"{len(flipping)} fp32 conditions flip; margin {margin:.1e}, noise floor {profile.noise_floor:.1e}"
    # A shift of s moves the difference of two probabilities by at most 2 s.
    elif margin is not None and margin <= 2 * profile.noise_floor:
        said = (
            "The two likeliest labels are nearer to each other than rounding is exact, so it has no label of its own."
        )
        if profile.head == "sigmoid":
            said = "A label is nearer to its threshold than rounding is exact, so it has no prediction of its own."
        evidence = f"margin {margin:.1e}, at most twice the noise floor {profile.noise_floor:.1e}"
    else:
        return None
    return Verdict("tie", f"A tie. {said}", (Clause(said, evidence),))


def _of_a_value(profile: Profile, tried: Sequence[_Group]) -> Verdict:
    clauses = []
    for group in tried:
        if group.moving:
            worst = max(group.moving, key=lambda case: case.shift)
            name = described(worst)
            said = f"{name} moves it by {_number(worst.shift)}"
            if group.one in ("formatting edit", "typo"):
                said = f"of {len(group.cases)} {group.many} “{name}” moves it furthest, by {_number(worst.shift)}"
            elif group.one == "dropout pass":
                said = f"dropout moves it by up to {_number(worst.shift)} in {len(group.cases)} passes"
            elif group.one == "seed":
                said = f"another seed moves it by up to {_number(worst.shift)}"
            clauses.append(Clause(said, f"largest shift {worst.shift:.4g} of {len(group.cases)} {group.many}"))
    label = profile.reference.label
    if not clauses:
        nothing = Clause("nothing that was tried moves it beyond rounding", f"noise floor {profile.noise_floor:.1e}")
        clauses = [nothing]
    said = _capital(_listed([clause.said for clause in clauses], "; "))
    return Verdict("value", f"The value is {label}. {said}.", tuple(clauses))


def _flips(profile: Profile, tried: Sequence[_Group], half: Sequence[Case]) -> Verdict:
    by_name = {group.one: group for group in tried}
    clauses = _model_clauses(by_name)
    edits = [by_name[name] for name in ("formatting edit", "typo") if name in by_name and by_name[name].flipping]
    if edits:
        clauses.append(_edits_clause(edits))
    if half:
        names = _listed([case.name for case in half])
        verb = "flips" if len(half) == 1 else "flip"
        clauses.append(Clause(f"rounding to {names} {verb} it", f"label {half[0].label} in {names}"))
    calm = [group for group in tried if not group.flipping]
    sentences = [_capital("; ".join(clause.said for clause in clauses)) + "."]
    second = []
    if calm:
        second.append(Clause(f"{_none_of(calm)} flips it", "; ".join(group.evidence for group in calm)))
    second += _half_precision(profile) + _erased(profile)
    if second:
        sentences.append(_capital("; ".join(clause.said for clause in second)) + ".")
    margin = profile.reference.margin
    often = _share(by_name, "formatting edit") >= OFTEN
    near = margin is not None and margin < CLOSE
    mood: Mood = "nearly solid"
    if half or _share(by_name, "dropout pass") >= OFTEN or _share(by_name, "seed") >= SEVERAL or (often and near):
        mood = "on the edge"
    elif often:
        # Sure of its label, and thrown by form alone.
        mood = "brittle"
    return Verdict(mood, " ".join([f"{_capital(mood)}.", *sentences]), (*clauses, *second))


def _solid(profile: Profile, tried: Sequence[_Group]) -> Verdict:
    clauses = [Clause(f"{_none_of(tried)} flips it", "; ".join(group.evidence for group in tried))]
    margin = profile.reference.margin or 0.0
    nearer = [c for group in tried for c in group.moving if c.margin is not None and c.margin < margin]
    mood: Mood = "solid"
    if nearer:
        closest = min(nearer, key=lambda case: case.margin or 0.0)
        # An edit is described in words of its own, which need quotes to stand in a sentence.
        name = f"“{described(closest)}”" if closest.row else described(closest)
        said = f"the closest, {name}, moves it by {_number(closest.shift)}"
        left = closest.margin or 0.0
        if left < CLOSE:
            mood, said = "nearly solid", f"{said} and leaves a margin of {_number(left)}"
        clauses.append(Clause(said, f"margin {closest.margin:+.3f} where the sentence itself has {margin:+.3f}"))
    elif any(group.moving for group in tried):
        clauses.append(Clause("none brings it nearer to another label", f"all margins are at least {margin:+.2f}"))
    else:
        clauses.append(
            Clause("none moves it beyond rounding", f"no shift is above the noise floor {profile.noise_floor:.1e}")
        )
    second = _half_precision(profile) + _erased(profile)
    sentences = [_capital("; ".join(clause.said for clause in clauses)) + "."]
    if second:
        sentences.append(_capital("; ".join(clause.said for clause in second)) + ".")
    return Verdict(mood, " ".join([f"{_capital(mood)}.", *sentences]), (*clauses, *second))


def _share(groups: Mapping[str, _Group], name: str) -> float:
    """How many of what reaches the model flip the sentence."""
    group = groups.get(name)
    reaching = [case for case in group.cases if not case.absorbed] if group else []
    return len(group.flipping) / len(reaching) if group and reaching else 0.0


# --- clauses ---------------------------------------------------------------------------------------------------------


def _model_clauses(groups: dict[str, _Group]) -> list[Clause]:
    """What other seeds and dropout passes say; in one clause where they say the same."""
    found = []
    for name in ("seed", "dropout pass"):
        group = groups.get(name)
        if group and group.flipping:
            labels = {case.label for case in group.flipping}
            says = labels.pop() if len(labels) == 1 else "something else"
            found.append((_share_of(group), says, group.evidence, len(group.flipping)))
    if len(found) == 2 and found[0][1] == found[1][1]:
        said = f"{found[0][0]} and {found[1][0]} say {found[0][1]}"
        return [Clause(said, f"{found[0][2]}; {found[1][2]}")]
    return [Clause(f"{who} {'says' if count == 1 else 'say'} {says}", evidence) for who, says, evidence, count in found]


def _share_of(group: _Group) -> str:
    count, total = len(group.flipping), len(group.cases)
    # Its own seed is among those that were asked.
    own = any(member.shift == 0 for member in group.cases)
    if group.one == "seed" and own and count == total - 1:
        return "the other seed" if count == 1 else f"{_all(count)} other seeds"
    if count == total:
        return f"{_all(total)} {group.many}" if total > 1 else f"the only {group.one}"
    return f"{count} of {total} {group.many}"


def _edits_clause(groups: Sequence[_Group]) -> Clause:
    """Edits that flip, the furthest formatting edit (else typo) by name."""
    worst = min(groups[0].flipping, key=lambda case: case.margin or 0.0)
    who = [_share_of(group) for group in groups]
    count = sum(len(group.flipping) for group in groups)
    named = f"“{described(worst)}”"
    who[0] += f", {named}," if len(groups[0].flipping) == 1 else f" (furthest {named})"
    said = f"{_listed(who)} {'flips' if count == 1 else 'flip'} it"
    evidence = "; ".join(group.evidence for group in groups)
    return Clause(said, f"{evidence}; the named one has margin {worst.margin:+.2f}")


def _half_precision(profile: Profile) -> list[Clause]:
    """Dtypes that can flip the sentence but did not here: rounding differs from machine to machine."""
    flipped = {case.condition.dtype for case in profile["numerics"].flipping if case.condition is not None}
    found = profile.numerics
    dtypes = [d for d in DTYPES if d not in flipped and found.can_flip(d)]
    if not dtypes or found.logit_margin is None:
        return []
    said = f"rounding to {_listed(dtypes)} can flip it"
    return [Clause(said, f"logit margin {found.logit_margin:.2g}, below twice the largest logit difference")]


def _erased(profile: Profile) -> list[Clause]:
    """Factors that cannot matter: the tokenizer erases every one of their edits."""
    rows = [row for factor in PROFILED if (row := profile[factor]).cases and row.absorbed == row.tried]
    if not rows:
        return []
    count = sum(row.tried for row in rows)
    names = _listed([row.factor for row in rows])
    which = f"none of the {count} {names} edits" if count > 1 else f"the one {names} edit"
    said = (
        f"{which} can matter, because the tokenizer erases them"
        if count > 1
        else (f"{which} cannot matter, because the tokenizer erases it")
    )
    return [Clause(said, "; ".join(f"{row.factor}: {row.absorbed} of {row.tried} absorbed" for row in rows))]


# --- words -----------------------------------------------------------------------------------------------------------


def _none_of(groups: Iterable[_Group]) -> str:
    return _listed([f"no {group.one}" for group in groups])


def _listed(names: Sequence[str], separator: str = ", ") -> str:
    if separator != ", " or len(names) < 2:
        return separator.join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _all(count: int) -> str:
    return "both" if count == 2 else f"all {count}"


def _number(shift: float) -> str:
    """A shift with two decimals, more where they would be zeros."""
    return f"{shift:.2f}" if shift >= 0.005 else f"{shift:.1g}"


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
