"""Short scripts on plain transformers that print the numbers on the screen, without Wobble."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import astuple, replace

import torch

from core.base.statistics import RESAMPLES
from core.factors.case import Case, Row
from core.factors.conditions import REFERENCE
from core.factors.dropout import Dropout, rate_at
from core.factors.seeds import family_for
from core.families.interpolation import MOST_TEXTS
from core.families.stacked import Family
from core.models.catalog import base_source
from core.models.classifier import Classifier
from core.models.predict import Condition
from core.models.sites import FUNCTION_CALLS, attention_holder
from core.studies.calibration import BINS, SEARCHED
from core.studies.study import Study, arranged
from core.text.perturb.preprocessing import Chain
from core.training.recipe import ALPHA, LIMIT, MOST_EVALUATED, PARTS, RANK
from core.training.runs import DATA, Run
from core.views.scripts.chain import chain_code
from core.views.scripts.render import Code, family_values, model_values, relative, render, tokenizer_of

CALIBRATION_FILE = "wobble-calibration.parquet"
SEEDS_FILE = "wobble-seeds-data.parquet"
"""The Parquet files that a page offers beside the scripts over labelled texts, so that their texts are those of the page."""


def predict_script(classifier: Classifier, texts: Sequence[str], *temperatures: float) -> str:
    """A script that prints the probabilities of each text at each temperature (T = 1 if none is given), and shift and margin
    beside the first text, one JSON object per line.

    It loads nothing of Wobble. Embedded models are named by their path from Wobble's folder, so it runs from there.
    """
    return render("predict", **model_values(classifier), texts=texts, temperatures=temperatures or (1.0,))


def edits_script(classifier: Classifier, text: str, edits: Mapping[str, list[str]], temperature: float = 1.0) -> str:
    """A script that prints for each factor how many edits were tried, are absorbed and flip the text, and its largest and median
    shift, one JSON object per line.

    Args:
        edits: the edited texts of each factor.
    """
    return render("edits", **model_values(classifier, temperature), text=text, edits=edits)


def dropout_script(
    classifier: Classifier, text: str, passes: int, dropout: Dropout, temperature: float = 1.0, first: int = 1
) -> str | None:
    """A script that runs the same passes with `model.train()`, one by one, and prints each one's probabilities, and finally
    the flip rate, the predictive entropy, the mutual information and the variation ratio over them.

    None where plain transformers cannot switch what acts and what does not separately (one module that drops in two
    places, of which one is off; functions that a model calls with rates of their own).

    Args:
        passes: the number of the last pass.
        first: the number of the first one; only where that is 1 the measures over them follow.
    """
    rates = {site.name: rate_at(site, dropout) for site in classifier.sites}
    changed = {site.name: rates[site.name] for site in classifier.sites if rates[site.name] != site.rate}
    if FUNCTION_CALLS in changed or any(rate_at(site, dropout) != rates[site.name] for site in classifier.sites):
        return None
    modules = {name: classifier.model.get_submodule(name) for name in changed}
    holders = {n: "p" if isinstance(one, torch.nn.Dropout) else attention_holder(one) for n, one in modules.items()}
    return render(
        "dropout",
        **model_values(classifier, temperature),
        changed=[(name, Code(holders[name]), rate) for name, rate in changed.items()],
        text=text,
        passes=passes,
        first=first,
        seed=dropout.seed,
        # Another kind of device draws other masks from the same seed.
        device=None if classifier.device.type == "cpu" else str(classifier.device),
    )


def numerics_script(classifier: Classifier, study: Study) -> str:
    """A script that prints the probabilities under each condition of a study of numerics, one JSON object per line.

    Every condition gets a copy of the model of its own.
    """
    tried = [REFERENCE, *(case.made for case in study["numerics"].cases if isinstance(case.made, Condition))]
    return render(
        "numerics",
        **model_values(classifier, study.temperature),
        text=study.reference.text,
        conditions=[(c.name, c.padded, c.among, c.kernel, Code(f"torch.{c.dtype}")) for c in tried],
        pad=classifier.model.config.get_text_config().pad_token_id or 0,
    )


def tokens_script(classifier: Classifier, texts: Sequence[str]) -> str:
    """A script that prints the stages of each text: normalized, pre-tokens, tokens, ids; one JSON object per line."""
    return render("tokens", **model_values(classifier), texts=texts)


def resplit_script(classifier: Classifier, text: str, tried: int) -> str:
    """A script that changes the first `tried` characters of a text, one at a time, and prints which tokens that touches, one
    JSON object a line.
    """
    return render("resplit", **model_values(classifier), text=text, tried=tried)


def segmentation_script(classifier: Classifier, study: Study) -> str:
    """A script that prints the probabilities of each segmentation of a study, or of whatever else it lets the model read, and
    shift and margin beside the reference, one JSON object per line. It holds the ids: transformers cannot make them.
    """
    found = {"your sentence": study.reference} | {key: case for key, (_, case) in study.keyed().items()}
    segmentations = {
        name: {"input_ids": list(ids)} | ({"token_type_ids": list(types)} if any(types) else {})
        for name, ids, types in ((name, one.encoding.ids, one.encoding.type_ids) for name, one in found.items())
    }
    values = {"text": study.reference.text, "segmentations": segmentations, "temperatures": (study.temperature,)}
    return render("predict", **model_values(classifier), **values)


def chain_script(classifier: Classifier, chain: Chain, text: str) -> str:
    """A script with a function `preprocess(text)` that does what a chain does, and prints what becomes of a text."""
    return chain_code(chain, text, tokenizer_of(classifier) if chain.needs_cut else None)


def seeds_script(family: Family, text: str, temperature: float = 1.0, only: Collection[str] = ()) -> str:
    """A script that loads every member of a family, one after the other, and prints its probabilities, one JSON object per line.

    Args:
        only: names of members; by default all of them.
    """
    values = family_values(family, temperature)
    members = {name: folder for name, folder in values["members"].items() if name in (only or values["members"])}
    return render("seeds", **values | {"members": members}, text=text)


def training_script(run: Run) -> str:
    """A script that trains the members of a run again on plain transformers and prints accuracy and loss of each, one JSON
    object a line. It reads the data that lie beside the run.
    """
    recipe, base = run.recipe, base_source(run.recipe.base)
    return render(
        "training",
        recipe=recipe,
        base=base.id if base.kind == "hub" else relative(base.directory),
        data=relative(run.folder / DATA),
        members={name: astuple(seeds) for name, seeds in zip(recipe.names, recipe.members, strict=True)},
        lora=recipe.method == "lora",
        rank=RANK,
        alpha=ALPHA,
        limit=LIMIT,
        evaluated=MOST_EVALUATED,
    )


def calibration_script(classifier: Classifier) -> str:
    """A script that fits the temperature and prints accuracy, ECE, NLL and Brier score, each with its interval, before and
    after, one JSON object per line. It reads `CALIBRATION_FILE` (`core.views.tables_training.calibration_frame`).
    """
    values = model_values(classifier)
    return render("calibration", **values, file=CALIBRATION_FILE, searched=SEARCHED, resamples=RESAMPLES, bins=BINS)


def on_data_script(family: Family) -> str:
    """A script that prints the accuracy of each member, the pairwise disagreement, and for each source of chance that varies
    alone the disagreement and the shift, one JSON object per line. It reads `SEEDS_FILE`
    (`core.views.tables_training.on_data_frame`).
    """
    seeds = {member.name: astuple(member.seeds) for member in family.members}
    return render("on_data", **family_values(family), file=SEEDS_FILE, parts=list(PARTS), seeds=seeds)


def interpolation_script(
    family: Family, first: str, second: str, text: str, points: int = 11, temperature: float = 1.0
) -> str:
    """A script that prints loss, accuracy and the probabilities of a text on the straight line between the weights of two
    members, one JSON object per line. It reads `SEEDS_FILE` (`core.views.tables_training.texts_frame`, all the texts).
    """
    return render(
        "interpolation",
        **family_values(family, temperature),
        file=SEEDS_FILE,
        first=first,
        second=second,
        text=text,
        points=points,
        most=MOST_TEXTS,
    )


def article_script() -> str:
    """The article's first experiment (two seeds of bert-base-uncased on SST-2), corrected for today's transformers."""
    return render("article")


def scripts_of(classifier: Classifier, study: Study) -> dict[str, str]:
    """The scripts for what a study tried, by name: one for all edits, one for each other row that a script can repeat.

    Together they print the study's numbers.
    """
    made = {}
    edits = {row.name: [case.text for case in row.cases if case.variant and case.tried] for row in study.shown}
    if known := {name: texts for name, texts in edits.items() if texts}:
        made["edits"] = edits_script(classifier, study.reference.text, known, study.temperature)
    for row in study.shown:
        own = row.cases and not any(case.variant for case in row.cases)
        if own and (script := _REPEATED.get(row.factor.name, _read)(classifier, study, row)):
            made[row.name] = script
    return made


def case_script(classifier: Classifier, study: Study, row: Row, case: Case) -> str | None:
    """The script for one case of a row of a study, beside the reference's numbers where both are of one kind; None where plain
    transformers cannot repeat it.
    """
    if case.variant is not None:
        return predict_script(classifier, [study.reference.text, case.text], study.temperature)
    alone = replace(row, cases=(case,), title="")
    return _REPEATED.get(row.factor.name, _read)(classifier, arranged(study, [alone]), alone)


def _read(classifier: Classifier, study: Study, row: Row) -> str | None:
    """For a factor that varies what the model reads; None where the sentence's own tokens gave other numbers."""
    own = study.reference.encoding.key
    varies = all(case.encoding.key != own or case.shift == 0 for case in row.cases)
    return segmentation_script(classifier, arranged(study, [row])) if varies else None


def _passes(classifier: Classifier, study: Study, row: Row) -> str | None:
    options = study.options.get(row.factor.name, {})
    dropout = Dropout(options.get("seed", 0), options.get("p"), options.get("sites"))
    text, numbers = row.cases[0].text, [case.made.document()["pass"] for case in row.cases]
    return dropout_script(classifier, text, max(numbers), dropout, study.temperature, min(numbers))


def _seeds(classifier: Classifier, study: Study, row: Row) -> str | None:
    family = family_for(classifier)
    if family is None:
        return None
    own = {member.name for member in family.members if member.id == classifier.id}
    asked = {case.made.document()["seed"] for case in row.cases}
    # The mean of all of them belongs to no member.
    only = own | asked if asked <= set(family.names) else ()
    return seeds_script(family, study.reference.text, study.temperature, only)


_REPEATED: dict[str, Callable[[Classifier, Study, Row], str | None]] = {
    "dropout": _passes,
    "temperature": lambda classifier, study, row: predict_script(
        classifier,
        [study.reference.text],
        *dict.fromkeys([study.temperature, *(case.made.document()["temperature"] for case in row.cases)]),
    ),
    "seed": _seeds,
    "numerics": lambda classifier, study, _: numerics_script(classifier, study),
}
"""What repeats a row by means other than ids (see `_read`), by the name of its factor."""
