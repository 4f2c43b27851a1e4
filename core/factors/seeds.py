"""Training seeds: the same recipe with another seed is another model."""

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from core.factors.ask import Ask
from core.factors.case import Case, Trial
from core.factors.registry import factor
from core.families.members import family_of, members
from core.models.classifier import Classifier

if TYPE_CHECKING:
    from core.families.stacked import Family


def one_seed(member: str) -> Trial:
    """What makes a case of a member of a family, by its name there: "43", "head 43"."""
    name = f"seed {member}" if member.isdecimal() else member
    return Trial(name, name, {"seed": member})


def family_for(classifier: Classifier) -> "Family | None":
    """The seed family that a classifier belongs to, loaded at the first call; None if there is none."""
    id = family_of(classifier.id)
    return None if id is None else _loaded(id, tuple(member.id for member in members(id)))


@lru_cache(maxsize=2)
def _loaded(id: str, _members: tuple[str, ...]) -> "Family":
    """Kept by its members too, so that a family that has grown is loaded again."""
    from core.families.stacked import load_family

    return load_family(id)


def _missing(classifier: Classifier) -> str | None:
    return None if family_of(classifier.id) else "No seed family for this model: train one."


@factor(
    "seed",
    one="other seed",
    many="other seeds",
    moved="another seed moves it by up to {shift}",
    often=0.25,
    effort=1,
    missing=_missing,
)
def seed(ask: Ask) -> Iterator[Case]:
    """Every other member of the model's family."""
    from core.families.stacked import predict_family

    family = family_for(ask.classifier)
    assert family is not None
    answer = predict_family(family, [ask.text])
    ask.count(answer.rows_asked, answer.rows_run)
    ask.facts["family"] = family.id
    others = [i for i, member in enumerate(family.members) if member.id != ask.classifier.id]
    yield from ask.measured([one_seed(family.names[i]) for i in others], answer.logits[others, 0])
