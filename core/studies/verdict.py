"""What a study amounts to, in words.

The verdict: a profile in one or two plain sentences, each clause with its evidence. For other studies there is a summary to
read first, and the finding as the title of their picture.

Only what was tried is spoken of, a flip is named with how many of how many, and nothing at or below the noise floor counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from core.base.words import capital, every, listed, number, plural, verb
from core.factors.case import Case, Row
from core.factors.conditions import DTYPES
from core.factors.numerics import can_flip, dtype_of
from core.factors.registry import factors
from core.models.predict import Dtype
from core.studies.study import Study, arranged
from core.text.perturb import USUAL

Mood = Literal["solid", "nearly solid", "brittle", "on the edge", "tie", "value", "untrained"]

CLOSE = 0.1
"""A sentence that anything brings to a margin below this is not solid, even if nothing flips it."""

GRADES: dict[Mood, str] = {
    "solid": f"Nothing that was tried flips it, or brings it to a margin below {CLOSE}.",
    "nearly solid": f"Something flips it, but seldom; or something brings it to a margin below {CLOSE}.",
    "brittle": f"It is sure of its label, with a margin of {CLOSE} or more, but at least one in ten formatting edits that reach "
    "the model flip it.",
    "on the edge": "Other seeds (one in four), dropout passes (one in ten) or half precision flip it; or formatting edits "
    f"do (one in ten), and its margin is below {CLOSE}.",
}
"""The grades from the steadiest to the least steady, each with its rule; only what reaches the model is counted."""


@dataclass(frozen=True)
class Clause:
    """One statement, and the numbers that it rests on."""

    said: str
    evidence: str


@dataclass(frozen=True)
class Verdict:
    """What a profile amounts to."""

    mood: Mood
    """Its grade; a tie, a value and an untrained head have none of the four `GRADES`."""
    text: str
    """The grade in a word or two, then one or two sentences."""
    clauses: tuple[Clause, ...]


def verdict(study: Study) -> Verdict:
    """Compose the verdict of a complete profile."""
    if study.untrained:
        said = f"The head of {study.model} was never trained: its weights are random, and so is every number here."
        clause = Clause(said, "parameters of the head are missing from the checkpoint and change the prediction")
        return Verdict("untrained", said, (clause,))
    # Factors whose cases have the same name are treated together, as one row.
    together: dict[str, Row] = {}
    for row in study.shown:
        if row.factor.flips_count and not row.factor.rounding:
            first = together.setdefault(row.factor.one, replace(row, cases=()))
            together[row.factor.one] = replace(first, cases=(*first.cases, *row.cases))
    # Edits are mentioned before what happens inside the model.
    tried = sorted((row for row in together.values() if row.tried), key=lambda row: not row.factor.edits)
    rounding = [case for row in study.shown if row.factor.rounding for case in row.flipping]
    half = [case for case in rounding if dtype_of(case) != "float32"]
    if not study.head.has_labels:
        found = _of_a_value(study, tried)
    elif len(rounding) > len(half) or (study.reference.margin or 0.0) <= 2 * study.noise_floor:
        found = _tie(study, [case for case in rounding if case not in half])
    elif half or any(row.flipping for row in tried):
        found = _flips(study, tried, half)
    else:
        found = _solid(study, tried)
    return _as_far_as_read(study, found)


def _as_far_as_read(study: Study, found: Verdict) -> Verdict:
    """The verdict, and how much of the text it speaks of, where that is not all."""
    encoding = study.reference.encoding
    if not encoding.truncated:
        return found
    beyond = study.beyond
    said = f"Only {len(encoding.ids):,} of {encoding.full_length:,} tokens were judged: the model reads no more"
    evidence = f"{plural(beyond, 'edit')} beyond the limit not tried" if beyond else "the text is truncated"
    return Verdict(found.mood, f"{found.text} {said}.", (*found.clauses, Clause(said, evidence)))


# --- moods -----------------------------------------------------------------------------------------------------------


def _tie(study: Study, flipping: Sequence[Case]) -> Verdict:
    """Where rounding in fp32 alone decides the label."""
    margin = study.reference.margin or 0.0
    if flipping:
        said = f"Rounding alone decides the label: {flipping[0].name} it is {flipping[0].label}."
        flips = plural(len(flipping), "fp32 condition flips", "fp32 conditions flip")
        evidence = f"{flips}; margin {margin:.1e}, noise floor {study.noise_floor:.1e}"
    else:
        # A shift of s moves the difference of two probabilities by at most 2 s.
        said = (
            "The two likeliest labels are closer together than rounding can tell apart, so it has no label of its own."
            if study.head.exclusive
            else "A label is closer to its threshold than rounding can tell apart, so it has no prediction of its own."
        )
        evidence = f"margin {margin:.1e}, at most twice the noise floor {study.noise_floor:.1e}"
    return Verdict("tie", f"A tie. {said}", (Clause(said, evidence),))


def _of_a_value(study: Study, tried: Sequence[Row]) -> Verdict:
    clauses = []
    for row in [row for row in tried if row.moving]:
        worst = max(row.moving, key=lambda case: case.shift)
        words = {"count": row.tried, "many": row.factor.many, "shift": number(worst.shift)}
        said = row.factor.moved.format(**words)
        if row.factor.edits:
            said = "of {count} {many} “{said}” moves it furthest, by {shift}".format(**words, said=worst.made.said)
        clauses.append(Clause(said, f"largest shift {worst.shift:.4g} of {row.tried} {row.factor.many}"))
    if not clauses:
        clauses = [Clause("nothing that was tried moves it beyond rounding", f"noise floor {study.noise_floor:.1e}")]
    return Verdict("value", f"The value is {study.reference.label}. {_sentence(clauses)}", tuple(clauses))


def _flips(study: Study, tried: Sequence[Row], half: Sequence[Case]) -> Verdict:
    clauses = _model_clauses([row for row in tried if not row.factor.edits and row.flipping])
    if edits := [row for row in tried if row.factor.edits and row.flipping]:
        clauses.append(_edits_clause(edits))
    if half:
        names = listed([case.name for case in half])
        said = f"rounding to {names} {verb(len(half), 'flips', 'flip')} it"
        clauses.append(Clause(said, f"label {half[0].label} in {names}"))
    calm = [row for row in tried if not row.flipping]
    second = [*([_none_flips(calm)] if calm else []), *_half_precision(study), *_erased(study)]
    often = {row.factor.edits for row in tried if _often(row)}
    mood: Mood = "nearly solid"
    if half or False in often or (often and (study.reference.margin or 0.0) < CLOSE):
        mood = "on the edge"
    elif often:
        # Sure of its label, yet flipped by form alone.
        mood = "brittle"
    return _verdict(mood, clauses, second)


def _often(row: Row) -> bool:
    """Whether so much of what reaches the model flips that the factor alone decides the mood."""
    limit, count = row.factor.often, len(row.flipping)
    return limit is not None and count > 0 and count / (row.tried - row.absorbed) >= limit


def _solid(study: Study, tried: Sequence[Row]) -> Verdict:
    clauses, margin = [_none_flips(tried)], study.reference.margin or 0.0
    nearer = [(c.margin, c, row) for row in tried for c in row.moving if c.margin is not None and c.margin < margin]
    mood: Mood = "solid"
    if nearer:
        left, closest, row = min(nearer, key=lambda found: found[0])
        # An edit is described in words of its own, which need quotes to stand in a sentence.
        name = f"“{closest.made.said}”" if row.factor.edits else closest.made.said
        said = f"the closest, {name}, moves it by {number(closest.shift)}"
        if left < CLOSE:
            mood, said = "nearly solid", f"{said} and leaves a margin of {number(left)}"
        clauses.append(Clause(said, f"margin {left:+.3f} where the sentence itself has {margin:+.3f}"))
    elif any(row.moving for row in tried):
        clauses.append(Clause("none brings it nearer to another label", f"all margins are at least {margin:+.2f}"))
    else:
        clauses.append(
            Clause("none moves it beyond rounding", f"no shift is above the noise floor {study.noise_floor:.1e}")
        )
    return _verdict(mood, clauses, _half_precision(study) + _erased(study))


def _verdict(mood: Mood, *sentences: Sequence[Clause]) -> Verdict:
    said = [f"{capital(mood)}.", *(_sentence(clauses) for clauses in sentences if clauses)]
    return Verdict(mood, " ".join(said), tuple(clause for clauses in sentences for clause in clauses))


def _sentence(clauses: Sequence[Clause]) -> str:
    return capital("; ".join(clause.said for clause in clauses)) + "."


# --- clauses ---------------------------------------------------------------------------------------------------------


def _model_clauses(rows: Sequence[Row]) -> list[Clause]:
    """What other seeds, dropout passes and segmentations say; in one clause where they say the same."""
    found: dict[str, list[Row]] = {}
    for row in reversed(rows):
        labels = {case.label for case in row.flipping}
        found.setdefault(labels.pop() if len(labels) == 1 else "something else", []).append(row)
    return [
        Clause(f"{listed(list(map(_share_of, some)))} {_agreeing(some, 'says', 'say')} {says}", _evidence(some))
        for says, some in found.items()
    ]


def _agreeing(rows: Sequence[Row], one: str, many: str) -> str:
    return verb(sum(len(row.flipping) for row in rows), one, many)


def _evidence(rows: Sequence[Row]) -> str:
    return "; ".join(
        f"{len(row.flipping)} of {row.tried} {row.factor.many} flip"
        + (f", {row.absorbed} absorbed by the tokenizer" if row.absorbed else "")
        for row in rows
    )


def _share_of(row: Row) -> str:
    count, total, one, many = len(row.flipping), row.tried, row.factor.one, row.factor.many
    if count == total:
        return f"{every(total)} {many}" if total > 1 else f"the only {one}"
    return f"{count} of {total} {many}"


def _edits_clause(rows: Sequence[Row]) -> Clause:
    """Edits that flip, the furthest of the first row by name."""
    worst = min(rows[0].flipping, key=lambda case: case.margin or 0.0)
    first, *others = map(_share_of, rows)
    named = f"“{worst.made.said}”"
    first += f", {named}," if len(rows[0].flipping) == 1 else f" (furthest {named})"
    said = f"{listed([first, *others])} {_agreeing(rows, 'flips', 'flip')} it"
    return Clause(said, f"{_evidence(rows)}; the one named has margin {worst.margin:+.2f}")


def _half_precision(study: Study) -> list[Clause]:
    """Dtypes that can flip the sentence but did not here: rounding differs from machine to machine."""
    cases = [case for row in study.shown if row.factor.rounding for case in row.cases]
    flipped = {dtype_of(case) for case in cases if case.flip}
    dtypes: list[Dtype] = [d for d in DTYPES if d not in flipped and can_flip(study.reference, cases, d)]
    if not dtypes:
        return []
    margin = study.head.logit_margin(study.reference.logits)
    evidence = f"logit margin {margin:.2g}, below twice the largest logit difference"
    return [Clause(f"rounding to {listed(dtypes)} can flip it", evidence)]


def _erased(study: Study) -> list[Clause]:
    """Factors that cannot matter: the tokenizer absorbs every one of their edits."""
    rows = [row for row in study.shown if row.tried and row.absorbed == row.tried]
    if not rows:
        return []
    count, names = sum(row.tried for row in rows), listed([row.name for row in rows])
    said = (
        f"none of the {count} {names} edits can matter, because the tokenizer absorbs them"
        if count > 1
        else f"the one {names} edit cannot matter, because the tokenizer absorbs it"
    )
    return [Clause(said, "; ".join(f"{row.name}: {row.absorbed} of {row.tried} absorbed" for row in rows))]


def _none_flips(rows: Sequence[Row]) -> Clause:
    return Clause(f"{listed([f'no {row.factor.one}' for row in rows])} flips it", _evidence(rows))


# --- summary and finding ---------------------------------------------------------------------------------------------


def is_profile(study: Study) -> bool:
    """Whether it covers every factor that there is."""
    return study.wanted == tuple(one.name for one in factors())


def summary(study: Study) -> str:
    """Counts, for edits ("34 edits: 19 absorbed by the tokenizer, 15 reach the model, 2 flip it."); the verdict for a profile."""
    if not _of_edits_alone(study):
        return _said(study)
    apart = [f"Not counted: {_uncounted(row)}." for row in study.shown if row not in study.counted]
    if not study.tried:
        return " ".join(apart) or f"No edit applies to this text{_beyond(study)}."
    reaching = study.tried - study.absorbed
    parts = [
        f"{study.absorbed} absorbed by the tokenizer",
        f"{reaching} {verb(reaching, 'reaches', 'reach')} the model",
        f"{study.flips or 'none'} {_flip(study)} it" if study.head.has_labels else "a value has no label to flip",
    ]
    return " ".join([f"{plural(study.tried, 'edit')}: {', '.join(parts)}{_beyond(study)}.", *apart])


def usual_edits(study: Study) -> Study:
    """The edits of a study that count on every page: cleaning steps, which are done on purpose, are left out."""
    return arranged(study, [row for row in study.shown if row.factor.name in USUAL])


def edit_counts(study: Study) -> str:
    """The summary of the edits in a study of more than edits: the same as that of a study of edits alone."""
    return summary(usual_edits(study))


def in_all(study: Study) -> str:
    """The total over the rows of the strip, in one sentence."""
    tried, flips = (sum(getattr(row, what) or 0 for row in study.shown) for what in ("tried", "flips"))
    flip = f", {flips:,} {verb(flips, 'flips', 'flip')}" if study.head.has_labels else ""
    return f"All factors together: {plural(tried, 'case')} tried{flip}."


def _uncounted(row: Row) -> str:
    flips = f", {row.flips} {verb(row.flips, 'flips', 'flip')} it" if row.flips else ""
    beyond = f"; {row.beyond} beyond the limit" if row.beyond else ""
    return f"{plural(row.tried, row.factor.one, row.factor.many)}{flips}{beyond}"


def finding(study: Study) -> str:
    """What the strip shows, as its title: for edits the worst case by name; for a profile the verdict."""
    if not _of_edits_alone(study):
        return _said(study)
    label, beyond = f"“{study.reference.label}”", _beyond(study)
    reaching = [case for row in study.counted for case in row.cases if case.reaches]
    if not reaching:
        if any(row.tried for row in study.shown if row not in study.counted):
            return summary(study)
        erased = "The tokenizer absorbs every edit: nothing reaches the model"
        return f"{erased if study.tried else 'No edit applies'}{beyond}."
    candidates = [case for row in study.counted for case in row.flipping] or reaching
    worst = min(candidates, key=lambda case: -case.shift if case.margin is None else case.margin)
    if worst.margin is None:
        return f"“{capital(worst.made.said)}” moves the output furthest, by {worst.shift:.3f}{beyond}"
    if not study.flips:
        return f"No edit flips {label}; “{worst.made.said}” comes nearest{beyond}"
    return f"{study.flips} of {study.tried} edits {_flip(study)} {label}; “{worst.made.said}” goes furthest{beyond}"


def _of_edits_alone(study: Study) -> bool:
    return study.complete and not is_profile(study) and all(row.factor.edits for row in study.rows)


def _flip(study: Study) -> str:
    return verb(study.flips or 1, "flips", "flip")


def _beyond(study: Study) -> str:
    return f"; {study.beyond} beyond the limit" if study.beyond else ""


def _said(study: Study) -> str:
    """What serves as both summary and title: the verdict of a profile, the counts of some factors."""
    if not study.complete:
        return f"{len(study.rows)} of {len(study.wanted)} factors are ready."
    if is_profile(study):
        return verdict(study).text
    tried = [(row, plural(row.tried, row.factor.one, row.factor.many)) for row in study.shown if row.tried]
    if not tried:
        return next((note for row in study.shown for note in row.notes), "Nothing was tried.")
    if not study.head.has_labels:
        moved = [f"by up to {number(row.largest_shift or 0.0)} over {cases}" for row, cases in tried]
        return f"The output moves {listed(moved)}{_beyond(study)}."
    said = capital(listed([f"{row.flips or 'none'} of {cases}" for row, cases in tried]))
    return f"{said} {_flip(study)} “{study.reference.label}”{_beyond(study)}."


def reach(first: Row, second: Row) -> str:
    """How far the cases of two rows reach, as the title of their strip; the second, of edits, may have none."""
    value = "outputs" if first.flips is None else "margins"
    said = f"The {value} of the {first.factor.many} range {_range(first)}"
    return f"{said}, those of the edits {_range(second)}" if second.cases else f"{said}; no edit reaches the model"


def _range(row: Row) -> str:
    values = [case.value for case in row.cases]
    return f"from {min(values):+.2f} to {max(values):+.2f}"
