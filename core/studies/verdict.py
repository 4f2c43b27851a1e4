"""The verdict: a profile said in one or two plain sentences, each clause with its evidence.

Only what was tried is spoken of, a flip is named with how many of how many, and nothing at or below the noise floor counts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from core.base.words import capital, every, listed, number, plural
from core.factors.case import Case, Row
from core.factors.conditions import DTYPES
from core.factors.numerics import can_flip, dtype_of
from core.models.predict import Dtype
from core.studies.study import Study

Mood = Literal["solid", "nearly solid", "brittle", "on the edge", "tie", "value", "untrained"]

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
    """Factors that are spoken of together: their cases have the same words."""

    rows: tuple[Row, ...]

    @property
    def one(self) -> str:
        return self.rows[0].factor.one

    @property
    def many(self) -> str:
        return self.rows[0].factor.many

    @property
    def edits(self) -> bool:
        return self.rows[0].factor.edits

    @property
    def cases(self) -> tuple[Case, ...]:
        return tuple(case for row in self.rows for case in row.cases if case.tried)

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

    @property
    def often(self) -> bool:
        """Whether so many of what reaches the model flip that the factor alone decides the mood."""
        reaching = sum(not case.absorbed for case in self.cases)
        share, limit = len(self.flipping) / reaching if reaching else 0.0, self.rows[0].factor.often
        return limit is not None and bool(self.flipping) and share >= limit


def verdict(study: Study) -> Verdict:
    """Compose the verdict of a complete profile."""
    if study.untrained:
        said = f"The head of {study.model} was never trained: its weights are random, and so is every number here."
        evidence = "parameters of the head are missing in the checkpoint and change the prediction"
        return Verdict("untrained", said, (Clause(said, evidence),))
    by_words: dict[str, list[Row]] = {}
    for row in study.shown:
        if row.factor.flips_count and row.factor.floor_applies:
            by_words.setdefault(row.factor.one, []).append(row)
    tried = [group for rows in by_words.values() if (group := _Group(tuple(rows))).cases]
    # Edits are spoken of before what happens inside the model.
    tried.sort(key=lambda group: not group.edits)
    rounding = [case for row in study.shown if not row.factor.floor_applies for case in row.flipping]
    half = [case for case in rounding if dtype_of(case) != "float32"]
    if not study.head.has_labels:
        found = _of_a_value(study, tried)
    elif len(rounding) > len(half) or (study.reference.margin or 0.0) <= 2 * study.noise_floor:
        found = _tie(study, [case for case in rounding if case not in half])
    elif half or any(group.flipping for group in tried):
        found = _flips(study, tried, half)
    else:
        found = _solid(study, tried)
    return _as_far_as_read(study, found)


def _as_far_as_read(study: Study, found: Verdict) -> Verdict:
    """The verdict, and how much of the text it speaks of, where that is not all."""
    encoding = study.reference.encoding
    if not encoding.truncated:
        return found
    beyond = sum(row.beyond for row in study.rows)
    said = f"Only {len(encoding.ids):,} of {encoding.full_length:,} tokens were judged: the model reads no more"
    evidence = f"{plural(beyond, 'edit')} beyond the limit not tried" if beyond else "the text is truncated"
    return Verdict(found.mood, f"{found.text} {said}.", (*found.clauses, Clause(said, evidence)))


# --- moods -----------------------------------------------------------------------------------------------------------


def _tie(study: Study, flipping: Sequence[Case]) -> Verdict:
    """Where rounding in fp32 alone decides the label."""
    margin = study.reference.margin or 0.0
    if flipping:
        said = f"Rounding alone decides the label: {flipping[0].name} it is {flipping[0].label}."
        evidence = f"{len(flipping)} fp32 conditions flip; margin {margin:.1e}, noise floor {study.noise_floor:.1e}"
    else:
        # A shift of s moves the difference of two probabilities by at most 2 s.
        said = (
            "The two likeliest labels are nearer to each other than rounding is exact, so it has no label of its own."
            if study.head.exclusive
            else "A label is nearer to its threshold than rounding is exact, so it has no prediction of its own."
        )
        evidence = f"margin {margin:.1e}, at most twice the noise floor {study.noise_floor:.1e}"
    return Verdict("tie", f"A tie. {said}", (Clause(said, evidence),))


def _of_a_value(study: Study, tried: Sequence[_Group]) -> Verdict:
    clauses = []
    for group in tried:
        if not group.moving:
            continue
        worst = max(group.moving, key=lambda case: case.shift)
        words = {"count": len(group.cases), "many": group.many, "shift": number(worst.shift)}
        said = group.rows[0].factor.moved.format(**words)
        if group.edits:
            said = f"of {len(group.cases)} {group.many} “{worst.made.said}” moves it furthest, by {number(worst.shift)}"
        clauses.append(Clause(said, f"largest shift {worst.shift:.4g} of {len(group.cases)} {group.many}"))
    if not clauses:
        nothing = Clause("nothing that was tried moves it beyond rounding", f"noise floor {study.noise_floor:.1e}")
        clauses = [nothing]
    return Verdict("value", f"The value is {study.reference.label}. {_sentence(clauses)}", tuple(clauses))


def _flips(study: Study, tried: Sequence[_Group], half: Sequence[Case]) -> Verdict:
    clauses = _model_clauses([group for group in tried if not group.edits and group.flipping])
    if edits := [group for group in tried if group.edits and group.flipping]:
        clauses.append(_edits_clause(edits))
    if half:
        names = listed([case.name for case in half])
        verb = "flips" if len(half) == 1 else "flip"
        clauses.append(Clause(f"rounding to {names} {verb} it", f"label {half[0].label} in {names}"))
    second = []
    if calm := [group for group in tried if not group.flipping]:
        second.append(Clause(f"{_none_of(calm)} flips it", "; ".join(group.evidence for group in calm)))
    second += _half_precision(study) + _erased(study)
    often = any(group.often for group in tried if group.edits)
    mood: Mood = "nearly solid"
    if half or any(group.often for group in tried if not group.edits) or (often and _near(study)):
        mood = "on the edge"
    elif often:
        # Sure of its label, and thrown by form alone.
        mood = "brittle"
    return _verdict(mood, clauses, second)


def _near(study: Study) -> bool:
    margin = study.reference.margin
    return margin is not None and margin < CLOSE


def _solid(study: Study, tried: Sequence[_Group]) -> Verdict:
    clauses = [Clause(f"{_none_of(tried)} flips it", "; ".join(group.evidence for group in tried))]
    margin = study.reference.margin or 0.0
    nearer = [
        (c.margin, c, group) for group in tried for c in group.moving if c.margin is not None and c.margin < margin
    ]
    mood: Mood = "solid"
    if nearer:
        left, closest, group = min(nearer, key=lambda found: found[0])
        # An edit is described in words of its own, which need quotes to stand in a sentence.
        name = f"“{closest.made.said}”" if group.edits else closest.made.said
        said = f"the closest, {name}, moves it by {number(closest.shift)}"
        if left < CLOSE:
            mood, said = "nearly solid", f"{said} and leaves a margin of {number(left)}"
        clauses.append(Clause(said, f"margin {left:+.3f} where the sentence itself has {margin:+.3f}"))
    elif any(group.moving for group in tried):
        clauses.append(Clause("none brings it nearer to another label", f"all margins are at least {margin:+.2f}"))
    else:
        floor = f"no shift is above the noise floor {study.noise_floor:.1e}"
        clauses.append(Clause("none moves it beyond rounding", floor))
    return _verdict(mood, clauses, _half_precision(study) + _erased(study))


def _verdict(mood: Mood, *sentences: Sequence[Clause]) -> Verdict:
    said = [f"{capital(mood)}.", *(_sentence(clauses) for clauses in sentences if clauses)]
    return Verdict(mood, " ".join(said), tuple(clause for clauses in sentences for clause in clauses))


def _sentence(clauses: Sequence[Clause]) -> str:
    return capital("; ".join(clause.said for clause in clauses)) + "."


# --- clauses ---------------------------------------------------------------------------------------------------------


def _model_clauses(groups: Sequence[_Group]) -> list[Clause]:
    """What other seeds, dropout passes and segmentations say; in one clause where they say the same."""
    found: dict[str, list[_Group]] = {}
    for group in reversed(groups):
        labels = {case.label for case in group.flipping}
        found.setdefault(labels.pop() if len(labels) == 1 else "something else", []).append(group)
    clauses = []
    for says, some in found.items():
        count = sum(len(group.flipping) for group in some)
        said = f"{listed([_share_of(group) for group in some])} {'says' if count == 1 else 'say'} {says}"
        clauses.append(Clause(said, "; ".join(group.evidence for group in some)))
    return clauses


def _share_of(group: _Group) -> str:
    count, total = len(group.flipping), len(group.cases)
    # The model itself is among the seeds that were asked.
    if any(case.shift == 0 for case in group.cases) and not group.edits and count == total - 1:
        return f"the other {group.one}" if count == 1 else f"{every(count)} other {group.many}"
    if count == total:
        return f"{every(total)} {group.many}" if total > 1 else f"the only {group.one}"
    return f"{count} of {total} {group.many}"


def _edits_clause(groups: Sequence[_Group]) -> Clause:
    """Edits that flip, the furthest of the first group by name."""
    worst = min(groups[0].flipping, key=lambda case: case.margin or 0.0)
    who = [_share_of(group) for group in groups]
    count = sum(len(group.flipping) for group in groups)
    named = f"“{worst.made.said}”"
    who[0] += f", {named}," if len(groups[0].flipping) == 1 else f" (furthest {named})"
    said = f"{listed(who)} {'flips' if count == 1 else 'flip'} it"
    evidence = "; ".join(group.evidence for group in groups)
    return Clause(said, f"{evidence}; the named one has margin {worst.margin:+.2f}")


def _half_precision(study: Study) -> list[Clause]:
    """Dtypes that can flip the sentence but did not here: rounding differs from machine to machine."""
    cases = [case for row in study.shown if not row.factor.floor_applies for case in row.cases]
    flipped = {dtype_of(case) for case in cases if case.flip}
    dtypes: list[Dtype] = [d for d in DTYPES if d not in flipped and can_flip(study.reference, cases, d)]
    margin = study.head.logit_margin(study.reference.logits)
    if not dtypes or margin is None:
        return []
    said = f"rounding to {listed(dtypes)} can flip it"
    return [Clause(said, f"logit margin {margin:.2g}, below twice the largest logit difference")]


def _erased(study: Study) -> list[Clause]:
    """Factors that cannot matter: the tokenizer erases every one of their edits."""
    rows = [row for row in study.shown if row.tried and row.absorbed == row.tried]
    if not rows:
        return []
    count = sum(row.tried for row in rows)
    names = listed([row.name for row in rows])
    said = (
        f"none of the {count} {names} edits can matter, because the tokenizer erases them"
        if count > 1
        else f"the one {names} edit cannot matter, because the tokenizer erases it"
    )
    return [Clause(said, "; ".join(f"{row.name}: {row.absorbed} of {row.tried} absorbed" for row in rows))]


def _none_of(groups: Iterable[_Group]) -> str:
    return listed([f"no {group.one}" for group in groups])
