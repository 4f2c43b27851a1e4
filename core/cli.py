"""The command line: one function a command, each printing a document, as JSON with `--json`.

Errors are one line on stderr and exit status 2; `--` ends the options, so that any text can follow. Commands of single
factors are made from their signatures, so a factor that is registered has one.
"""

import inspect
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from itertools import pairwise
from typing import Annotated, Any

import typer

from core.base.errors import WobbleError
from core.data.labelled import EMBEDDED, DataSource, read
from core.factors.ask import Ask
from core.factors.dropout import PASSES, Dropout
from core.factors.registry import Factor, Option, factors
from core.factors.segmentation import nearest
from core.factors.temperature import check_temperature
from core.families.members import members
from core.models import catalog
from core.models.classifier import Classifier, best_device
from core.models.predict import Condition, predict, readable
from core.studies.shortest import BUDGET, MOST_EDITS, check_search, shortest_flip
from core.studies.study import Study, checked, compare, options_of, prepare, profile, study
from core.text.perturb import perturbations, variants
from core.text.stages import stages
from core.text.truncation import cutter
from core.training.recipe import (
    LEARNING_RATE,
    Method,
    Recipe,
    Vary,
    check,
    default_name,
    default_precision,
    estimate,
    parse_seeds,
    plan,
)
from core.training.runs import cancel, event_said, free_name, results, submit, wait
from core.views import documents, terminal
from core.views.replay import read_record, replay

app = typer.Typer(
    help="Why does a fine-tuned text classifier change its mind?", rich_markup_mode=None, pretty_exceptions_enable=False
)

Text = Annotated[str, typer.Argument(metavar="TEXT")]
Model = Annotated[str, typer.Option(help="a catalog id, a local directory or a hub id")]
Seed = Annotated[int, typer.Option(min=0, help="seed of the perturbations that draw at random")]
Json = Annotated[bool, typer.Option("--json", help="print one JSON document and nothing else")]

Show = Callable[[Any], Iterator[terminal.Part]]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    arguments = _several(list(sys.argv[1:] if argv is None else argv))
    try:
        return int(app(arguments, prog_name="wobble", standalone_mode=False) or 0)
    except typer.TyperException as problem:
        context = getattr(problem, "ctx", None)
        said = getattr(problem, "format_message", problem.__str__)().rstrip(".") or "No command is given"
        error = f"{said}; see {context.command_path if context else 'wobble'} --help"
    except WobbleError as problem:
        error = str(problem).rstrip(".")
    except typer.Exit as exit:
        return exit.exit_code
    except (typer.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    terminal.note(f"{error}.", kind="")
    return 2


def _several(arguments: list[str]) -> list[str]:
    """`--at 0.5 1 2` as click reads it: the option once for each number that follows."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    found, follows = [], False
    for before, argument in pairwise(["", *arguments[:end]]):
        follows = before == "--at" or (follows and _is_number(argument))
        found += ["--at", argument] if follows and before != "--at" else [argument]
    return found + arguments[end:]


def _is_number(argument: str) -> bool:
    try:
        float(argument)
    except ValueError:
        return False
    return True


def _print(document: Any, as_json: bool, show: Show) -> None:
    if as_json:
        print(json.dumps(document, ensure_ascii=not terminal.writes_unicode(), allow_nan=False))
    else:
        terminal.show(show(document))


def _load(id: str) -> Classifier:
    classifier = catalog.load(id)
    terminal.note(*classifier.notes)
    return classifier


@app.command()
def models(as_json: Json = False) -> None:
    """list the catalog"""
    _print([asdict(entry) for entry in catalog.entries()], as_json, terminal.models)


@app.command("predict")
def predict_texts(
    texts: Annotated[list[str], typer.Argument(metavar="TEXT")], model: Model = catalog.DEFAULT, as_json: Json = False
) -> None:
    """predict texts, each alone in its batch"""
    classifier = _load(model)
    encodings = readable(classifier, texts)
    with terminal.progress(as_json) as progress:
        logits = predict(classifier, encodings, Condition(batch="alone"), progress=progress).logits
    rows = classifier.head.probabilities(logits)
    document = [
        {
            "text": text,
            "label": classifier.head.label(row, classifier.labels),
            "probabilities": documents.named(row, classifier.labels),
            **documents.encoding_document(encoding),
        }
        for text, row, encoding in zip(texts, rows, encodings, strict=True)
    ]
    _print(document, as_json, terminal.predictions)


@app.command()
def perturb(
    text: Text,
    only: Annotated[str | None, typer.Option(metavar="FACTOR,...", help="only these factors")] = None,
    seed: Seed = 0,
    model: Model = catalog.DEFAULT,
    as_json: Json = False,
) -> None:
    """compare a text with its edits"""
    chosen = None if only is None else [name.strip() for name in only.split(",")]
    perturbations(chosen)  # before a model is loaded
    classifier = _load(model)
    read = classifier.encoder([text])[0].kept
    made = variants(text, only=chosen, seed=seed, cut=cutter(classifier.encoder), read=read)
    _print(documents.comparison_document(compare(classifier, text, made)), as_json, terminal.comparison)


@app.command()
def tokens(
    text: Text,
    model: Annotated[list[str], typer.Option(help="may be given several times")] = [catalog.DEFAULT],  # noqa: B006
    as_json: Json = False,
) -> None:
    """show what each stage of a tokenizer makes of a text"""
    encoders = [(id, _load(id).encoder) for id in model]
    found = [documents.stages_document(id, encoder.name, stages(encoder, text)) for id, encoder in encoders]
    _print(found, as_json, terminal.stages)


@app.command()
def temperature(
    text: Text,
    at: Annotated[list[float], typer.Option(metavar="T ...", help="temperatures")] = [0.5, 1.0, 2.0],  # noqa: B006
    model: Model = catalog.DEFAULT,
    as_json: Json = False,
) -> None:
    """show what a temperature makes of a text's probabilities"""
    temperatures = [check_temperature(t) for t in at]
    classifier = _load(model)
    if not classifier.head.has_labels:
        raise WobbleError(f"{model} has a regression head: temperature does not apply to a value.")
    logits = predict(classifier, readable(classifier, [text]), Condition(batch="alone")).logits[0]
    _print(documents.temperature_document(classifier, text, logits, temperatures), as_json, terminal.temperatures)


@app.command()
def seeds(
    text: Text,
    family: Annotated[str, typer.Option(help="the family of seeds")] = catalog.DEFAULT,
    as_json: Json = False,
) -> None:
    """compare models that differ by their training seed alone"""
    members(family)
    from core.families.stacked import load_family, predict_family

    loaded = load_family(family)
    with terminal.progress(as_json) as progress:
        logits = predict_family(loaded, [text], progress).logits[:, 0]
    _print(documents.seeds_document(loaded, text, logits), as_json, terminal.seeds)


@app.command("profile")
def profile_text(
    text: Text,
    passes: Annotated[int, typer.Option(help="passes with dropout on")] = PASSES,
    seed: Annotated[int, typer.Option(help="seed of everything that is drawn at random")] = 0,
    model: Model = catalog.DEFAULT,
    as_json: Json = False,
) -> None:
    """try every factor on a text and say what flips it"""
    checked(None, options_of(seed, passes))
    start = time.perf_counter()
    classifier = _load(model)
    prepare(classifier)
    loading = {"loading_seconds": time.perf_counter() - start}
    with terminal.progress(as_json) as progress:
        found = profile(classifier, text, seed=seed, passes=passes, progress=progress)
    _print(documents.profile_document(found) | loading, as_json, terminal.profile)


@app.command()
def shortest(
    text: Text,
    edits: Annotated[int, typer.Option(help="the most edits at once")] = MOST_EDITS,
    budget: Annotated[int, typer.Option(help="the most token sequences to run")] = BUDGET,
    seed: Seed = 0,
    model: Model = catalog.DEFAULT,
    as_json: Json = False,
) -> None:
    """search for the smallest set of edits that flips a text"""
    check_search(edits, budget)
    classifier = _load(model)
    with terminal.progress(as_json) as progress:
        found = shortest_flip(classifier, text, most_edits=edits, budget=budget, seed=seed, progress=progress)
    _print(documents.search_document(classifier, found), as_json, terminal.search)


@app.command("replay")
def replay_file(
    file: Annotated[str, typer.Argument(metavar="FILE", help="what profile --json printed")], as_json: Json = False
) -> None:
    """repeat a recorded profile: exit status 0 equal, 1 different"""
    found = replay(read_record(file))
    _print(asdict(found), as_json, terminal.replayed)
    raise typer.Exit(0 if found.equal else 1)


@app.command()
def claims(as_json: Json = False) -> None:
    """run every claim of the article about inconsistent classifiers, and say which hold"""
    from core.lessons.claims import run_all  # with torch

    with terminal.progress(as_json) as progress:
        found = [asdict(result) for result in run_all(progress)]
    _print(found, as_json, terminal.claims)


@app.command()
def train(
    seeds: Annotated[str, typer.Option(help="like 42,43 or 42-45")] = "42,43",
    vary: Annotated[
        Vary,
        typer.Option(
            help="what follows the seed: head, order and dropout together; one of them alone; or each in turn"
        ),
    ] = "together",
    base: Annotated[str, typer.Option(help="a catalog id, a local directory or a hub id")] = "minilm",
    data: Annotated[
        str, typer.Option(help=f"{', '.join(EMBEDDED)}; a .csv, .jsonl or .parquet file; a hub data set")
    ] = "movie",
    text_column: Annotated[str | None, typer.Option(help="by default text or sentence")] = None,
    label_column: Annotated[str | None, typer.Option(help="by default label")] = None,
    examples: Annotated[int, typer.Option(help="texts to train on")] = 500,
    epochs: Annotated[int, typer.Option(help="how often each text is seen")] = 1,
    batch: Annotated[int, typer.Option(help="texts per step")] = 8,
    learning_rate: Annotated[float | None, typer.Option(help="2e-3 for lora, 1e-4 for full")] = None,
    method: Method = "lora",
    name: Annotated[str | None, typer.Option(help="name of the family, a folder among the runs")] = None,
    as_json: Json = False,
) -> None:
    """fine-tune the same recipe with several seeds"""
    source = DataSource(data, text_column, label_column)
    recipe = Recipe(
        name=name or free_name(default_name(data)),
        base=base,
        data=source,
        members=plan(parse_seeds(seeds), vary),
        examples=examples,
        epochs=epochs,
        batch=batch,
        learning_rate=LEARNING_RATE[method] if learning_rate is None else learning_rate,
        method=method,
    )
    rows = read(source, files=True)
    terminal.note(*rows.notes)
    check(recipe, rows)
    device = best_device()
    recipe = replace(recipe, precision=default_precision(device))
    cost = estimate(recipe, rows, *catalog.size_of(recipe.base), device)
    print(f"wobble: {len(recipe.members)} models, about {cost.seconds:,.0f} s.", file=sys.stderr)
    run = submit(recipe, rows, cost.disk)
    try:
        run = wait(run, lambda event: print(f"wobble: {event_said(event)}", file=sys.stderr))
    except KeyboardInterrupt:
        run = cancel(run.name)
    if run.state != "done":
        raise WobbleError(run.message or f"The run {run.name} was {run.state}.")
    _print(results(run), as_json, terminal.trained)


def _passes_document(classifier: Classifier, found: Study, options: dict[str, Any]) -> dict[str, Any]:
    terminal.note(*found.rows[0].notes)
    return documents.passes_document(classifier, found, Dropout(options["seed"], options["p"], options["sites"]))


def _segmentation_document(classifier: Classifier, found: Study, options: dict[str, Any]) -> dict[str, Any]:
    ask = Ask(classifier, found.reference.text)
    document = documents.segmentation_document(found, nearest(ask))
    return document | {"notes": [*document["notes"], *ask.notes]}


SPECIAL: dict[str, tuple[Callable[[Classifier, Study, dict[str, Any]], Any], Show]] = {
    "dropout": (_passes_document, terminal.passes),
    "segmentation": (_segmentation_document, terminal.segmentation),
    "numerics": (lambda _, found, __: documents.numerics_document(found), terminal.numerics),
}
"""Factors whose document has a form of its own; all the others print a study."""


def _option_of(option: Option) -> tuple[Any, Any]:
    """The annotation of a command's parameter, and its default."""
    kind, default = option.kind, option.default
    if option.several:
        kind, default = str | None, None if default is None else ",".join(map(str, default))
    return Annotated[kind, typer.Option(help=option.range.help)], default


def _command_of(one: Factor) -> Callable[..., None]:
    listed = [option for option in one.options if option.several]

    def run(text: str, model: str, as_json: bool, **options: Any) -> None:
        for option in listed:
            if options[option.name] is not None:
                options[option.name] = option.typed(options[option.name])
        one.check(options)
        classifier = _load(model)
        make, show = SPECIAL.get(one.name, (lambda _, found, __: documents.study_document(found), terminal.cases))
        with terminal.progress(as_json) as progress:
            found = study(classifier, text, [one.name], {one.name: options}, progress=progress)
        _print(make(classifier, found, options), as_json, show)

    parameters = {
        "text": (Text, inspect.Parameter.empty),
        **{option.name: _option_of(option) for option in one.options},
        "model": (Model, catalog.DEFAULT),
        "as_json": (Json, False),
    }
    run.__annotations__ = {name: kind for name, (kind, _) in parameters.items()}
    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
            for name, (kind, default) in parameters.items()
        ]
    )
    run.__doc__ = (one.make.__doc__ or f"try {one.many} on a text").partition("\n")[0]
    return run


def _names() -> frozenset[str]:
    return frozenset(command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands)


WRITTEN = _names()
"""The commands above, whose names no other factor can have."""
OWN = ("temperature", "seed")
"""Factors whose command is one of those above."""


def add_commands() -> None:
    """A command for each registered factor that is not one of edits and has none yet.

    Raises:
        ValueError: a factor has the name of another command.
    """
    for one in factors():
        if one.edits or one.name in OWN:
            continue
        if one.name in WRITTEN:
            raise ValueError(f"the factor {one.name} needs another name: `wobble {one.name}` is a command already")
        if one.name not in _names():
            app.command(one.name)(_command_of(one))


add_commands()
