"""Results of the engine, computed once for all sessions."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, ParamSpec, TypeVar

import streamlit as st

from core.data.labelled import Labelled
from core.factors import registry, segmentation
from core.factors.ask import Ask
from core.factors.case import Case, Reference, Row
from core.factors.dropout import Dropout, passes_of
from core.families.agreement import OnData, on_data
from core.families.interpolation import Interpolation, interpolate, predict_between
from core.families.members import family_data, members
from core.families.stacked import Family, load_family, predict_family
from core.lessons.claims import Result, run_all
from core.lessons.guided import Shown, lesson_named
from core.models import catalog
from core.models.classifier import Classifier
from core.studies import calibration, steps, study
from core.studies.shortest import Search, shortest_flip
from core.studies.study import Study, options_of, studies
from core.text import resplit as resplits_of
from core.text import stages
from core.text.perturb import custom, variants
from pages import state
from pages.parts import work

P = ParamSpec("P")
R = TypeVar("R")


def identity(subject: Classifier | Family) -> tuple[str, ...]:
    """The cache key of a classifier's results, or of a family's."""
    if isinstance(subject, Family):
        return subject.id, subject.first.weights_hash, *(member.id for member in subject.members)
    return subject.id, subject.weights_hash, str(subject.device)


def _once(waiting: str | bool = False, entries: int = 64) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Keeps the results of a function; `waiting` is what a person reads while one is computed."""
    hashed: dict[str | type[Any], Callable[[Any], Any]] = {Classifier: identity, Family: identity}
    return st.cache_resource(max_entries=entries, show_spinner=waiting, hash_funcs=hashed)


cleaned = _once()(steps.usual_steps)
idle = _once("Looking for steps that change nothing …")(steps.idle_steps)
through = _once("Running the chain …")(steps.chained)
asked = _once()(predict_family)
along = _once("Asking between the two seeds …")(predict_between)


@_once()
def compared(
    classifier: Classifier, text: str, own: tuple[str, ...], temperature: float, read: tuple[int, int] | None = None
) -> Study:
    """A sentence against its edits and the person's own; what is remembered does not run again.

    Args:
        read: the characters within which edits are placed; by default those that the model reads.
    """
    typed = [custom(text, edit) for edit in own if edit != text]
    made = [*variants(text, read=read or read_by([classifier], text)), *typed]
    return study.compare(classifier, text, made, temperature=temperature)


def edited(classifier: Classifier, text: str, temperature: float) -> Study:
    """A sentence against its edits alone, those placed where the classifier reads."""
    return compared(classifier, text, (), temperature, read_by([classifier], text))


def read_by(models: Sequence[Classifier], text: str) -> tuple[int, int] | None:
    """The span of characters that all of some models read, where one of them does not read the whole text."""
    encodings = [model.encoder([text])[0] for model in models]
    read = [one.read for one in encodings if one.truncated and one.read]
    begin, end = max((begin for begin, _ in read), default=0), min((end for _, end in read), default=0)
    return (begin, end) if begin < end else None


@_once("Running the experiment …")
def learned(id: str) -> Shown:
    """What a lesson's experiment shows."""
    return lesson_named(id).experiment()


def claimed() -> tuple[Result, ...]:
    """The article's claims, run one after the other."""
    return work.long_work(("claims",), "claims", lambda progress: tuple(run_all(progress)))


@_once(entries=256)
def predicted(classifier: Classifier, text: str, temperature: float) -> Reference:
    """What a classifier says of a sentence."""
    return Ask(classifier, text, temperature).reference


@_once(entries=256)
def staged(classifier: Classifier, *texts: str) -> list[stages.Stages]:
    """The stages of a tokenizer on each of some texts."""
    return [stages.stages(classifier.encoder, text) for text in texts]


@_once("Changing one character after the other …")
def resplit(classifier: Classifier, text: str) -> tuple[resplits_of.Resplit, ...]:
    """What becomes of the split when one character of a text changes."""
    return resplits_of.resplits(classifier.encoder, text)


@_once("Looking for the nearest segmentations …")
def nearest_to(classifier: Classifier, text: str, temperature: float) -> tuple[tuple[Case, ...], tuple[str, ...]]:
    """The segmentations of a text that change the fewest pieces, and the notes on them."""
    ask = Ask(classifier, text, temperature)
    return tuple(segmentation.nearest(ask)), tuple(ask.notes)


def studied(classifier: Classifier, text: str, factor: str, temperature: float = 1.0, **options: Hashable) -> Study:
    """A study of one factor; shows its progress.

    Args:
        options: of the factor, where they are not the usual ones.
    """
    (one,) = registry.factors([factor])
    return work.long_work(
        (factor, *identity(classifier), text, temperature, *sorted(options.items())),
        one.many,
        lambda progress: study.study(
            classifier, text, [factor], {factor: options}, temperature=temperature, progress=progress
        ),
    )


def passes_beside(classifier: Classifier, compared: Study, key: str, count: int, dropout: Dropout) -> Row:
    """A variant under dropout, measured against the original.

    Args:
        compared: the study that holds the variant.
        key: its name there.
    """
    reference, (_, variant) = compared.reference, compared.keyed()[key]
    return work.long_work(
        ("passes", *identity(classifier), reference.text, compared.temperature, variant.text, key, count, dropout),
        "dropout passes",
        lambda progress: passes_of(
            classifier,
            reference,
            variant,
            variant.called(key),
            count,
            dropout,
            noise_floor=compared.noise_floor,
            progress=progress,
        ),
    )


def profiles_of(classifier: Classifier, text: str, temperature: float) -> Iterator[Study]:
    """The profile of a sentence as it grows, the complete one last."""
    known = _kept_profile(classifier, text, temperature)
    for found in known or studies(classifier, text, options=options_of(), temperature=temperature):
        state.give_way()
        yield found
    known[:] = [found]


def profile_of(classifier: Classifier, text: str, temperature: float) -> Study:
    """The complete profile of a sentence."""
    *_, last = profiles_of(classifier, text, temperature)
    return last


def _kept_profile(classifier: Classifier, text: str, temperature: float) -> list[Study]:
    names = tuple(one.name for one in registry.factors())
    return work.kept(("profile", *identity(classifier), text, temperature, names))


def profiles_together(models: Sequence[Classifier], text: str, temperature: float) -> Iterator[tuple[Study, ...]]:
    """The profiles of a sentence under several models, as far as they are there: the first model's from the beginning, as it
    grows; those of the others once they are complete.
    """
    kept = {model.id: _kept_profile(model, text, temperature) for model in models}
    ready = {id: known[0] for id, known in kept.items() if known}
    # The first one's at once, also where it is known and another's is not.
    for model in [models[0], *(model for model in models[1:] if model.id not in ready)]:
        for found in profiles_of(model, text, temperature):
            if model is models[0] or found.complete:
                ready[model.id] = found
                yield tuple(ready[one.id] for one in models if one.id in ready)


def shortest(classifier: Classifier, text: str, temperature: float) -> Search:
    """The smallest set of formatting edits that flips a sentence."""
    return work.long_work(
        ("shortest", *identity(classifier), text, temperature),
        "token sequences",
        lambda progress: shortest_flip(classifier, text, temperature=temperature, progress=progress),
    )


def calibrated(classifier: Classifier, data: Labelled) -> calibration.Calibration:
    """The calibration of a classifier on labelled data; each text runs once."""
    return work.long_work(
        ("calibration", *identity(classifier), data.fingerprint, data.own_split),
        "texts",
        lambda progress: calibration.calibrate_on(classifier, data, progress),
    )


@st.cache_resource(max_entries=4, show_spinner="Loading the seeds …")
def _family(id: str, stamps: tuple[tuple[str, int], ...]) -> Family:
    # The stamps are part of the key: a model may be written again under the same id.
    return load_family(id)


def family(id: str) -> Family:
    """A family of seeds, loaded once."""
    return _family(id, tuple((member.id, catalog.stamp(member.id)) for member in members(id)))


def interpolated(family: Family, first: str, second: str) -> Interpolation:
    """Loss and accuracy between two members."""
    return work.long_work(
        (*identity(family), "interpolation", first, second),
        "rows",
        lambda progress: interpolate(family, family_data(family.id), first, second, progress=progress),
    )


def tested(family: Family, most: int | None) -> OnData:
    """Every seed on labelled texts that none was trained on: on so many of them, or on all."""
    return work.long_work(
        (*identity(family), "data", most),
        "texts",
        lambda progress: on_data(family, family_data(family.id), progress, most),
    )
