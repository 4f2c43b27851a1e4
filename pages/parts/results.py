"""Results of the engine, computed once for all sessions."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any

import streamlit as st

from core.data.labelled import Labelled
from core.factors.ask import Ask
from core.factors.case import Case, Row
from core.factors.dropout import Dropout, passes_of
from core.factors.registry import factors
from core.factors.segmentation import nearest
from core.families.agreement import OnData, on_data
from core.families.interpolation import Interpolation, interpolate, predict_between
from core.families.members import family_data, members
from core.families.stacked import Family, load_family, predict_family
from core.models import catalog
from core.models.classifier import Classifier
from core.models.heads import Logits
from core.models.predict import Prediction
from core.studies.calibration import Calibration, calibrate_on
from core.studies.steps import Chained, chained, usual_steps
from core.studies.study import Study, compare, options_of, studies, study
from core.text.perturb import custom, variants
from core.text.perturb.preprocessing import Chain
from core.text.stages import Stages, stages
from pages import state
from pages.parts import work


def identity(classifier: Classifier) -> tuple[str, str, str]:
    """The cache key of a classifier's results."""
    return classifier.id, classifier.weights_hash, str(classifier.device)


_UNHASHED: dict[str | type[Any], Callable[[Any], Any]] = {Classifier: identity}


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs=_UNHASHED)
def compared(
    classifier: Classifier, text: str, own: tuple[str, ...], temperature: float, read: tuple[int, int] | None = None
) -> Study:
    """A sentence against its edits and the person's own; what is remembered does not run again.

    Args:
        read: the characters within which edits are placed; by default those that the model reads.
    """
    made = [
        *variants(text, read=read or read_by([classifier], text)),
        *(custom(text, edit) for edit in own if edit != text),
    ]
    return compare(classifier, text, made, temperature=temperature)


def read_by(models: Sequence[Classifier], text: str) -> tuple[int, int] | None:
    """The span of characters that all of some models read, where one of them does not read the whole text."""
    encodings = [model.encoder([text])[0] for model in models]
    read = [one.read for one in encodings if one.truncated and one.read]
    begin, end = max((begin for begin, _ in read), default=0), min((end for _, end in read), default=0)
    return (begin, end) if begin < end else None


@st.cache_resource(max_entries=64, show_spinner="Running the steps …", hash_funcs=_UNHASHED)
def cleaned(classifier: Classifier, text: str, temperature: float) -> Study:
    """A sentence through the usual preprocessing steps and chains."""
    return usual_steps(classifier, text, temperature)


@st.cache_resource(max_entries=64, show_spinner="Running the chain …", hash_funcs=_UNHASHED)
def through(classifier: Classifier, text: str, chain: Chain, temperature: float) -> Chained:
    """A sentence through a chain of the person's own."""
    return chained(classifier, text, chain, temperature)


def studied(classifier: Classifier, text: str, factor: str, temperature: float = 1.0, **options: Hashable) -> Study:
    """A study of one factor, computed once; shows its progress.

    Args:
        options: of the factor, where they are not the usual ones.
    """
    (one,) = factors([factor])
    return work.long_work(
        (factor, *identity(classifier), text, temperature, *sorted(options.items())),
        one.many,
        lambda progress: study(
            classifier, text, [factor], {factor: options}, temperature=temperature, progress=progress
        ),
    )


def passes_beside(classifier: Classifier, compared: Study, key: str, passes: int, dropout: Dropout) -> Row:
    """A variant under dropout, measured against the original; computed once.

    Args:
        compared: the study that holds the variant.
        key: its name there.
    """
    _, variant = compared.keyed()[key]
    return work.long_work(
        (
            "passes",
            *identity(classifier),
            compared.reference.text,
            compared.temperature,
            variant.text,
            key,
            passes,
            dropout,
        ),
        "dropout passes",
        lambda progress: passes_of(
            classifier,
            compared.reference,
            variant,
            key,
            passes,
            dropout,
            noise_floor=compared.noise_floor,
            progress=progress,
        ),
    )


@st.cache_resource(max_entries=64, show_spinner="Looking for the nearest segmentations …", hash_funcs=_UNHASHED)
def nearest_to(classifier: Classifier, text: str, temperature: float) -> tuple[Case, ...]:
    """The segmentations of a text that change the fewest pieces; computed once."""
    return tuple(nearest(Ask(classifier, text, temperature)))


def profiles_of(classifier: Classifier, text: str) -> Iterator[Study]:
    """The profile of a sentence as it grows, the complete one last; computed once."""
    key = ("profile", *identity(classifier), text, tuple(one.name for one in factors()))
    store = work.kept()
    found: Study | None = store.get(key)
    if found is None:
        for found in studies(classifier, text, options=options_of()):
            state.give_way()
            yield found
        store.put(key, found)
    else:
        yield found


def calibrated(classifier: Classifier, data: Labelled) -> Calibration:
    """The calibration of a classifier on labelled data; each text runs once."""
    return work.long_work(
        ("calibration", *identity(classifier), data.fingerprint, data.own_split),
        "texts",
        lambda progress: calibrate_on(classifier, data, progress),
    )


def family(id: str) -> Family:
    """A family of seeds, loaded once."""
    found = members(id)
    return _family(id, tuple((member.id, catalog.stamp(member.id)) for member in found))


@st.cache_resource(max_entries=4, show_spinner="Loading the seeds …")
def _family(id: str, _stamps: tuple[tuple[str, int], ...]) -> Family:
    return load_family(id)


def _identity(family: Family) -> tuple[str, str, tuple[str, ...]]:
    return family.id, family.first.weights_hash, tuple(member.id for member in family.members)


@st.cache_resource(max_entries=64, show_spinner="Asking every seed …", hash_funcs={Family: _identity})
def asked(family: Family, texts: tuple[str, ...]) -> Prediction:
    """Every seed on some texts; computed once."""
    return predict_family(family, texts)


def interpolated(family: Family, first: str, second: str) -> Interpolation:
    """Loss and accuracy between two members; computed once."""
    return work.long_work(
        (*_identity(family), "interpolation", first, second),
        "rows",
        lambda progress: interpolate(family, family_data(family.id), first, second, progress=progress),
    )


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs={Family: _identity})
def along(family: Family, text: str, first: str, second: str) -> Logits:
    """One sentence between two members: `[points, n_labels]`; computed once."""
    return predict_between(family, first, second, [text])[:, 0]


def tested(family: Family) -> OnData:
    """Every seed on labelled texts that none was trained on; computed once."""
    return work.long_work(
        (*_identity(family), "data"),
        "texts",
        lambda progress: on_data(family, family_data(family.id), progress),
    )


@st.cache_resource(max_entries=256, show_spinner=False, hash_funcs=_UNHASHED)
def staged(classifier: Classifier, text: str) -> Stages:
    """The stages of a tokenizer on a text; computed once."""
    return stages(classifier.encoder, text)
