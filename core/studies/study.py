"""A study: a reference and its cases, a row per factor, with the noise floor and the cost.

The profile is the study of all factors on one sentence, on one scale, all against the noise floor.
"""

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from core.base.errors import WobbleError
from core.factors.ask import Ask, Progress
from core.factors.case import Case, Reference, Row, by_shift, measured
from core.factors.conditions import DTYPES
from core.factors.dropout import PASSES
from core.factors.formatting import CUSTOM, edits_of
from core.factors.registry import Factor, factors
from core.factors.seeds import family_for, one_seed
from core.models.classifier import Classifier
from core.models.heads import Head, Logits
from core.models.predict import Condition, predict
from core.text.perturb import Variant, merged

if TYPE_CHECKING:
    from core.families.stacked import Family

NOT_COUNTED = "not counted"
"""Title of the row of edits whose result a reader could take for another sentence: shown, but no sign of instability."""
OTHER = replace(
    CUSTOM,
    name=NOT_COUNTED,
    one="edit that can change what is said",
    many="edits that can change what is said",
    flips_count=False,
)
EDITS = replace(CUSTOM, name="edits", one="edit", many="edits")

Options = Mapping[str, Mapping[str, Any]]
"""Options by the factor's name: `{"dropout": {"passes": 30}}`."""


@dataclass(frozen=True, eq=False)
class Study:
    """One sentence under one classifier, and everything that was tried on it."""

    model: str
    device: str
    weights_hash: str
    untrained: bool
    """The head was drawn at random when the model was loaded, so the numbers mean nothing."""
    reference: Reference
    noise_floor: float
    """A bound on the shift that numerics alone cause for this model and text; a shift below it means nothing."""
    rows: tuple[Row, ...]
    """In the order in which they were ready."""
    wanted: tuple[str, ...]
    """Names of all the rows to come, in the order in which they are shown."""
    options: Options = field(default_factory=dict)
    rows_asked: int = 0
    rows_run: int = 0
    """Rows that went through a model for this study, including those of other texts in a batch and of other seeds; what is
    remembered does not run again."""
    seconds: float = 0.0
    """Since the study began."""

    @property
    def head(self) -> Head:
        """What the numbers of the model mean."""
        return self.reference.head

    @property
    def labels(self) -> tuple[str, ...]:
        """The model's labels."""
        return self.reference.labels

    @property
    def temperature(self) -> float:
        """What all logits are divided by."""
        return self.reference.temperature

    @property
    def complete(self) -> bool:
        """Whether every row is ready."""
        return len(self.rows) == len(self.wanted)

    def __getitem__(self, name: str) -> Row:
        """The row of a factor that is ready.

        Raises:
            KeyError: it is not.
        """
        return {row.name: row for row in self.rows}[name]

    def __contains__(self, name: str) -> bool:
        return any(row.name == name for row in self.rows)

    @property
    def shown(self) -> tuple[Row, ...]:
        """The rows that are ready, in the order in which they are shown."""
        return tuple(sorted(self.rows, key=lambda row: self.wanted.index(row.name)))

    @property
    def cases(self) -> tuple[Case, ...]:
        """All cases: those that reach the model first, largest shift first within equal fates."""
        return tuple(by_shift(case for row in self.shown for case in row.cases))

    @property
    def counted(self) -> tuple[Row, ...]:
        """The rows whose flips count, in the order in which they are shown: the numbers of a study are theirs."""
        return tuple(row for row in self.shown if row.factor.flips_count)

    @property
    def tried(self) -> int:
        """How many cases were tried."""
        return sum(row.tried for row in self.counted)

    @property
    def absorbed(self) -> int:
        """How many edits the tokenizer erased."""
        return sum(row.absorbed for row in self.counted)

    @property
    def beyond(self) -> int:
        """How many edits lie beyond the limit."""
        return sum(row.beyond for row in self.counted)

    @property
    def flips(self) -> int:
        """How many cases flip."""
        return sum(row.flips or 0 for row in self.counted)

    def keyed(self) -> dict[str, tuple[Row, Case]]:
        """The cases, each by a name that a link can hold: what made it, numbered where that made several ("shout_one_word 2").

        In the order of `cases`. Rows with a title of their own put it before the name ("only attention, pass 17"), unless
        their cases need none.
        """
        drawn: dict[str, list[tuple[Row, Case]]] = {}
        for row in self.shown:
            for case in row.cases:
                before = f"{row.title}, " if row.title and row.prefixed else ""
                drawn.setdefault(before + case.name, []).append((row, case))
        named = {
            name if len(found) == 1 else f"{name} {number}": pair
            for name, found in drawn.items()
            # Numbered by the text, not by the order of the cases, so that a link means the same variant under every model.
            for number, pair in enumerate(sorted(found, key=lambda pair: pair[1].text), start=1)
        }
        order = {id(case): i for i, case in enumerate(self.cases)}
        return dict(sorted(named.items(), key=lambda item: order[id(item[1][1])]))

    def __repr__(self) -> str:
        return f"<Study of {self.reference.text[:60]!r} by {self.model}: {self.tried:,} tried, {self.flips or 'none'} flip>"


def _study(ask: Ask, wanted: Sequence[str], rows: Sequence[Row], options: Options) -> Study:
    """What has been tried of a text so far."""
    classifier, floor = ask.classifier, ask.noise_floor
    return Study(
        model=classifier.id,
        device=str(classifier.device),
        weights_hash=classifier.weights_hash,
        untrained=bool(classifier.untrained),
        reference=ask.reference,
        noise_floor=floor,
        rows=tuple(rows),
        wanted=tuple(wanted),
        options=options,
        rows_asked=ask.rows_asked,
        rows_run=ask.rows_run,
        seconds=time.perf_counter() - ask.began,
    )


def checked(only: Collection[str] | None, options: Options) -> tuple[Factor, ...]:
    """All factors, or those that are named, provided that they take these options; needs no classifier.

    Raises:
        WobbleError: there is no such factor or option.
    """
    chosen = factors(only)
    for one in chosen:
        one.check(options.get(one.name, {}))
    return chosen


def studies(
    classifier: Classifier,
    text: str,
    only: Collection[str] | None = None,
    options: Options | None = None,
    *,
    temperature: float = 1.0,
    progress: Progress | None = None,
) -> Iterator[Study]:
    """The study of a text as it grows: yielded again whenever a factor's row is ready, the complete one last.

    Args:
        only: names of factors; by default all that are registered.
        options: of single factors, where they are not the usual ones.
        temperature: what all logits are divided by.
        progress: called with what is done of a long factor and what was asked for; what it raises cancels.

    Raises:
        WobbleError: the text cannot be predicted, or there is no such factor or option.
    """
    options = options or {}
    chosen = checked(only, options)
    ask = Ask(classifier, text, temperature, progress, beside=[one.name for one in chosen])
    edited = [one.name for one in chosen if one.edits]
    ask.ahead([made for name in edited for made in edits_of(ask, name, **options.get(name, {}))])
    wanted, rows = [one.name for one in chosen], []
    for one in sorted(chosen, key=lambda one: one.effort):
        rows.append(ask.row(one, options.get(one.name, {})))
        yield _study(ask, wanted, rows, options)
    if not chosen:
        yield _study(ask, wanted, rows, options)


def study(
    classifier: Classifier,
    text: str,
    only: Collection[str] | None = None,
    options: Options | None = None,
    *,
    temperature: float = 1.0,
    progress: Progress | None = None,
) -> Study:
    """The whole study of a text: the last of `studies`, where arguments and errors are described."""
    *_, last = studies(classifier, text, only, options, temperature=temperature, progress=progress)
    return last


def compare(classifier: Classifier, text: str, variants: Sequence[Variant], *, temperature: float = 1.0) -> Study:
    """One sentence against some variants of it: which does the tokenizer absorb, which reach the model, which flip it?

    The same edits count as in a profile: those after which a reader would still call it the same sentence. The others
    stand in a row of their own, and so do those typed by hand, which count where nothing else was asked for. An edit that leaves
    no token is not a case, and the notes of its row say so.

    Args:
        temperature: what all logits are divided by.

    Raises:
        WobbleError: the text or an edit typed by hand cannot be predicted.
    """
    variants = merged(variants)
    ask = Ask(classifier, text, temperature)
    ask.ahead(variants)
    own = replace(CUSTOM, flips_count=all(variant.factor == CUSTOM.name for variant in variants))
    by: dict[Factor, list[Variant]] = {one: [] for one in (*factors(), OTHER, own)}
    rule = {one.name: one for one in by}
    for variant in variants:
        by[rule[variant.factor] if variant.same_sentence or variant.factor == own.name else OTHER].append(variant)
    rows = [_row_of(ask, one, made) for one, made in by.items() if made]
    return _study(ask, [row.name for row in rows], rows, {})


def _row_of(ask: Ask, factor: Factor, made: Sequence[Variant]) -> Row:
    """Edits as a row, with the notes on them."""
    floor, ask.notes = ask.noise_floor, []
    return Row(factor, tuple(ask.edited(made)), floor, tuple(ask.notes))


def options_of(seed: int = 0, passes: int = PASSES) -> Options:
    """What a profile sets: the seed of every factor that draws, and the number of dropout passes."""
    sets = {"seed": seed, "passes": passes}
    return {one.name: {o.name: sets[o.name] for o in one.options if o.name in sets} for one in factors()}


def profile(
    classifier: Classifier,
    text: str,
    *,
    seed: int = 0,
    passes: int = PASSES,
    temperature: float = 1.0,
    progress: Progress | None = None,
) -> Study:
    """The whole profile of a text.

    Args:
        seed: of everything that draws.
        passes: with dropout on.
        temperature: what all logits are divided by.
        progress: called with what is done of a long factor and what was asked for; what it raises cancels.

    Raises:
        WobbleError: the text cannot be predicted, or there is no such number of passes.
    """
    return study(classifier, text, options=options_of(seed, passes), temperature=temperature, progress=progress)


def prepare(classifier: Classifier) -> None:
    """Load what a profile needs beside the classifier: its seed family, and its copies in half precision."""
    family_for(classifier)
    probe = classifier.encoder(["."])
    for dtype in DTYPES:
        try:
            predict(classifier, probe, Condition(batch="alone", dtype=dtype))
        except WobbleError:
            continue  # the profile says why


# --- rows other than one per factor ---------------------------------------------------------------------------------------


def arranged(study: Study, rows: Iterable[Row]) -> Study:
    """The study with these rows, in this order, instead of its own."""
    chosen = tuple(rows)
    return replace(study, rows=chosen, wanted=tuple(row.name for row in chosen))


def in_one_row(study: Study, title: str) -> Row:
    """All edits of a study that count, in one row: its numbers are those of their study."""
    cases = tuple(case for row in study.counted if row.factor.edits for case in row.cases)
    return Row(EDITS, cases, study.noise_floor, title=title, prefixed=False)


def ensemble(reference: Reference, row: Row) -> Row:
    """The mean of the probabilities of all seeds, including the reference's, as a case in a row of its own."""
    every = np.concatenate([reference.probabilities[None], row.probabilities])
    mean = reference.head.logits(every.mean(axis=0, keepdims=True))
    # The probabilities are tempered already.
    cases = measured(reference, [one_seed("mean of all seeds")], mean, temperature=1.0)
    return Row(row.factor, tuple(cases), row.noise_floor, title="ensemble")


def of_family(family: "Family", edited: Study, logits: Logits) -> Study:
    """The other members of a family, the mean of all, and the edits under the first: three rows beside the first's prediction.

    Args:
        edited: the edits of the text under the first member.
        logits: `[n_seeds, n_labels]`, what all members say of the text.
    """
    reference, (seed,) = edited.reference, factors(["seed"])
    first, *others = map(one_seed, family.names)
    seeds = Row(seed, tuple(measured(reference, others, logits[1:])), edited.noise_floor)
    return arranged(edited, (seeds, ensemble(reference, seeds), in_one_row(edited, f"edits, {first.name}")))
