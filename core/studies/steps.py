"""Preprocessing looked at closely: the usual steps and chains on one sentence, and a chain of one's own step by step."""

from dataclasses import dataclass

from core.base.words import number, plural, verb
from core.factors.case import Case
from core.factors.registry import factors
from core.models.classifier import Classifier
from core.models.predict import readable
from core.studies.study import Study, compare
from core.text.perturb import Variant, edits, perturbations, variants
from core.text.perturb.preprocessing import Chain
from core.text.truncation import cutter

(PREPROCESSING,) = factors(["preprocessing"])
RULES = {rule.name: rule for rule in perturbations([PREPROCESSING.name])}


def usual_steps(classifier: Classifier, text: str, temperature: float = 1.0) -> Study:
    """Every usual step and chain that changes a text, each text once, whether or not an edit makes it too.

    One row of those after which a reader would call it the same sentence, and one of those not counted: see `compare`.

    Raises:
        WobbleError: the text cannot be predicted.
    """
    return compare(classifier, text, _usual(classifier, text), temperature=temperature)


def _usual(classifier: Classifier, text: str) -> tuple[Variant, ...]:
    return variants(text, only=[PREPROCESSING.name], cut=cutter(classifier.encoder))


def steps_finding(study: Study) -> str:
    """How many of the usual steps and chains flip the sentence; those that are not counted are left out."""
    if not study.rows:
        return "No usual preprocessing step changes this text."
    beyond = f"; {study.beyond} beyond the limit." if study.beyond else "."
    if not study.tried:
        return f"No usual preprocessing step that counts changes what the model reads{beyond}"
    (row,) = study.counted
    steps = plural(row.tried, "usual preprocessing step or chain", "usual preprocessing steps and chains")
    said = f"{steps} {verb(row.tried, 'changes', 'change')} this text"
    if row.flips is None:
        return f"{said}; the output moves by up to {number(row.largest_shift or 0.0)}."
    absorbed = f"{row.absorbed} absorbed by the tokenizer, " if row.absorbed else ""
    flip = f"{row.flips or 'none'} {verb(row.flips or 1, 'flips', 'flip')} “{study.reference.label}”"
    return f"{said}: {absorbed}{flip}{beyond}"


def made_by_edits(study: Study) -> int:
    """How many of the steps and chains that count also make the text of an edit, where a profile counts them."""
    read = study.reference.encoding.kept
    texts = {variant.text for variant in variants(study.reference.text, read=read)}
    return sum(case.text in texts for row in study.counted for case in row.cases)


def idle_steps(classifier: Classifier, text: str) -> tuple[str, ...]:
    """Descriptions of the usual steps and chains that leave a text as it is; a truncation only where the tokenizer can truncate."""
    idle = RULES.keys() - {variant.name for variant in _usual(classifier, text)}
    cuts = cutter(classifier.encoder) is not None
    return tuple(rule.description for name, rule in RULES.items() if name in idle and (cuts or not rule.needs_cut))


@dataclass(frozen=True, eq=False)
class Step:
    """One step of a chain, and what becomes of the text and of its prediction."""

    name: str
    before: str
    after: str
    case: Case | None
    """None where the text is the original."""


@dataclass(frozen=True, eq=False)
class Chained:
    """A text through a chain."""

    chain: Chain
    study: Study
    """Of the texts after each step that are not the original, each once."""
    steps: tuple[Step, ...]


def chained(classifier: Classifier, text: str, chain: Chain, temperature: float = 1.0) -> Chained:
    """A text and its predictions after each step of a chain of at least one.

    Raises:
        WobbleError: a step truncates and the tokenizer cannot say where, or a text cannot be predicted.
    """
    after = chain.apply(text, cutter(classifier.encoder))
    # The first steps that make a text name it: later ones may leave it as it is.
    names: dict[str, str] = {}
    for count, one in enumerate(after, start=1):
        names.setdefault(one, " + ".join(chain.steps[:count]))
    made = [
        Variant(one, name, PREPROCESSING.name, edits(text, one), seed=None, same_sentence=False)
        for one, name in names.items()
        if one != text
    ]
    study = compare(classifier, text, made, temperature=temperature)
    cases = {case.text: case for case in study.cases}
    readable(classifier, [one.text for one in made if one.text not in cases])  # no token is left: refused, not left out
    steps = zip(chain.steps, (text, *after), after, strict=False)
    return Chained(chain, study, tuple(Step(name, old, new, cases.get(new)) for name, old, new in steps))
