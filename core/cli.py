"""The command line: one function a command, each returning what `--json` prints.

Errors are one line on stderr and exit status 2; `--` ends the options, so that any text can follow.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, NoReturn, get_args

from core.base.errors import WobbleError
from core.data.labelled import EMBEDDED, DataSource, read
from core.factors.dropout import Dropout, acting, run_passes, spread
from core.factors.numerics import numerics
from core.factors.temperature import check_temperature, probabilities
from core.families.stacked import load_family, predict_family
from core.models import catalog
from core.models.classifier import Classifier, Condition, best_device, predict
from core.models.heads import label_name
from core.models.sites import KINDS
from core.studies.compare import compare
from core.studies.profile import PASSES, prepare, profile
from core.studies.replay import read_record, replay
from core.studies.shortest import BUDGET, MOST_EDITS, shortest_flip
from core.text.perturb import variants
from core.text.stages import stages
from core.text.visible import visible
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
from core.views.documents import (
    comparison_document,
    encoding_document,
    named,
    numerics_document,
    passes_document,
    profile_document,
    search_document,
    seeds_document,
    stages_document,
    temperature_document,
)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line and exit status 2, as for every other error."""
        raise WobbleError(f"{message}; see {self.prog} --help.")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    try:
        arguments = _parser().parse_args(argv)
        document = arguments.run(arguments)
        if arguments.json:
            print(json.dumps(document, ensure_ascii=not _writes_unicode(), allow_nan=False))
        else:
            arguments.show(document)
        return int(arguments.status(document))
    except WobbleError as error:
        print(
            f"wobble: {error}".encode("ascii" if not _writes_unicode() else "utf-8", "backslashreplace").decode(),
            file=sys.stderr,
        )
        return 2
    except BrokenPipeError:
        sys.stderr.close()
    return 0


def _writes_unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def _parser() -> _Parser:
    parser = _Parser(prog="python -m core", description="Why does a fine-tuned text classifier change its mind?")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, help: str, run: Callable[..., Any], show: Callable[[Any], None]) -> _Parser:
        sub: _Parser = commands.add_parser(name, help=help, description=help)
        sub.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
        sub.set_defaults(run=run, show=show, status=lambda _: 0)
        return sub

    def model(sub: _Parser) -> None:
        sub.add_argument(
            "--model", default=catalog.DEFAULT, help=f"a catalog id, a local directory or a hub id ({catalog.DEFAULT})"
        )

    command("models", "list the catalog", _models, _show_models)

    sub = command("predict", "predict texts, each alone in its batch", _predict, _show_predictions)
    sub.add_argument("text", nargs="+", metavar="TEXT")
    model(sub)

    sub = command("perturb", "compare a text with its formatting variants", _perturb, _show_comparison)
    sub.add_argument("text", metavar="TEXT")
    sub.add_argument("--only", metavar="FACTOR,...", help="only these factors")
    sub.add_argument("--seed", type=int, default=0, help="seed of the perturbations that draw (0)")
    model(sub)

    sub = command("tokens", "show what each stage of a tokenizer makes of a text", _tokens, _show_stages)
    sub.add_argument("text", metavar="TEXT")
    sub.add_argument("--model", action="append", help="may be given several times")

    sub = command("dropout", "run a text many times with dropout on", _dropout, _show_passes)
    sub.add_argument("text", metavar="TEXT")
    sub.add_argument("--passes", type=int, default=100, help="how often (100)")
    sub.add_argument("--p", type=float, metavar="RATE", help="one rate for all sites; by default the checkpoint's own")
    sub.add_argument("--sites", metavar="KIND,...", help=f"only these: {', '.join(KINDS)}, or names of modules")
    sub.add_argument("--seed", type=int, default=0, help="pass i of a seed is always the same (0)")
    model(sub)

    sub = command("seeds", "compare models that differ by their training seed alone", _seeds, _show_seeds)
    sub.add_argument("text", metavar="TEXT")
    sub.add_argument("--family", default=catalog.DEFAULT, help=f"the family of seeds ({catalog.DEFAULT})")

    sub = command("numerics", "show what rounding alone makes of a text", _numerics, _show_numerics)
    sub.add_argument("text", metavar="TEXT")
    model(sub)

    sub = command("profile", "try every factor on a text and say what flips it", _profile, _show_profile)
    sub.add_argument("text", metavar="TEXT")
    sub.add_argument("--passes", type=int, default=PASSES, help=f"with dropout on ({PASSES})")
    sub.add_argument("--seed", type=int, default=0, help="of the perturbations that draw, and of the passes (0)")
    model(sub)

    sub = command("shortest", "search for the smallest set of edits that flips a text", _shortest, _show_search)
    sub.add_argument("text", metavar="TEXT")
    sub.add_argument("--edits", type=int, default=MOST_EDITS, help=f"at once, at the most ({MOST_EDITS})")
    sub.add_argument("--budget", type=int, default=BUDGET, help=f"token sequences to run at the most ({BUDGET})")
    sub.add_argument("--seed", type=int, default=0, help="of the perturbations that draw (0)")
    model(sub)

    sub = command("replay", "repeat a recorded profile: exit status 0 equal, 1 different", _replay, _show_replay)
    sub.add_argument("file", metavar="FILE", help="what profile --json printed")
    sub.set_defaults(status=lambda document: 0 if document["equal"] else 1)

    sub = command("train", "fine-tune the same recipe with several seeds", _train, _show_trained)
    sub.add_argument("--seeds", default="42,43", help="like 42,43 or 42-45 (42,43)")
    sub.add_argument(
        "--vary", choices=get_args(Vary), default="together",
        help="what follows the seed: head, order and dropout together; one of them alone; or each in turn (together)",
    )  # fmt: skip
    sub.add_argument("--base", default="minilm", help="a catalog id, a local directory or a hub id (minilm)")
    sub.add_argument(
        "--data",
        default="movie",
        help=f"{', '.join(EMBEDDED)}; a .csv, .jsonl or .parquet file; a hub data set (movie)",
    )
    sub.add_argument("--text-column", help="by default text or sentence")
    sub.add_argument("--label-column", help="by default label")
    sub.add_argument("--examples", type=int, default=500, help="texts to train on (500)")
    sub.add_argument("--epochs", type=int, default=1, help="(1)")
    sub.add_argument("--batch", type=int, default=8, help="texts a step (8)")
    sub.add_argument("--learning-rate", type=float, help="(2e-3 for lora, 1e-4 for full)")
    sub.add_argument("--method", choices=get_args(Method), default="lora", help="(lora)")
    sub.add_argument("--name", help="of the family, below the folder of runs")

    sub = command(
        "temperature", "show what a temperature makes of a text's probabilities", _temperature, _show_temperatures
    )
    sub.add_argument("text", metavar="TEXT")
    sub.add_argument("--at", type=float, nargs="+", metavar="T", help="temperatures (0.5 1 2)")
    model(sub)
    return parser


def _models(_: argparse.Namespace) -> list[dict[str, Any]]:
    return [asdict(entry) for entry in catalog.entries()]


def _predict(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    classifier = _load(arguments.model)
    prediction = predict(classifier, arguments.text, Condition(batch="alone"))
    rows = probabilities(prediction.logits, classifier.head)
    return [
        {
            "text": text,
            "label": label_name(row, classifier.head, classifier.labels),
            "probabilities": named(row, classifier.labels),
            **encoding_document(encoding),
        }
        for text, row, encoding in zip(arguments.text, rows, prediction.encodings, strict=True)
    ]


def _perturb(arguments: argparse.Namespace) -> dict[str, Any]:
    only = [factor.strip() for factor in arguments.only.split(",")] if arguments.only is not None else None
    made = variants(arguments.text, only=only, seed=arguments.seed)
    return comparison_document(compare(_load(arguments.model), arguments.text, made))


def _tokens(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    documents = []
    for id in arguments.model or [catalog.DEFAULT]:
        classifier = _load(id)
        documents.append(stages_document(id, classifier.encoder.name, stages(classifier.encoder, arguments.text)))
    return documents


def _seeds(arguments: argparse.Namespace) -> dict[str, Any]:
    family = load_family(arguments.family)
    return seeds_document(family, arguments.text, predict_family(family, [arguments.text]).logits[:, 0])


def _train(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    device = best_device()
    source = DataSource(arguments.data, arguments.text_column, arguments.label_column)
    recipe = Recipe(
        name=arguments.name or free_name(default_name(arguments.data)),
        base=arguments.base,
        data=source,
        members=plan(parse_seeds(arguments.seeds), arguments.vary),
        examples=arguments.examples,
        epochs=arguments.epochs,
        batch=arguments.batch,
        learning_rate=LEARNING_RATE[arguments.method] if arguments.learning_rate is None else arguments.learning_rate,
        method=arguments.method,
        precision=default_precision(device),
    )
    data = read(source, files=True)
    for note in data.notes:
        print(f"wobble: note: {note}", file=sys.stderr)
    check(recipe, data)
    cost = estimate(recipe, data, *catalog.size_of(recipe.base), device)
    print(f"wobble: {len(recipe.members)} models, about {cost.seconds:,.0f} s.", file=sys.stderr)
    run = submit(recipe, data, cost.disk)
    try:
        run = wait(run, lambda event: print(f"wobble: {event_said(event)}", file=sys.stderr))
    except KeyboardInterrupt:
        run = cancel(run.name)
    if run.state != "done":
        raise WobbleError(run.message or f"The run {run.name} was {run.state}.")
    return results(run)


def _temperature(arguments: argparse.Namespace) -> dict[str, Any]:
    temperatures = [check_temperature(t) for t in arguments.at or (0.5, 1.0, 2.0)]
    classifier = _load(arguments.model)
    if classifier.head == "regression":
        raise WobbleError(f"{arguments.model} has a regression head, whose value no temperature applies to.")
    logits = predict(classifier, [arguments.text], Condition(batch="alone")).logits[0]
    return temperature_document(classifier, arguments.text, logits, temperatures)


def _numerics(arguments: argparse.Namespace) -> dict[str, Any]:
    classifier = _load(arguments.model)
    return numerics_document(classifier, numerics(classifier, arguments.text))


def _profile(arguments: argparse.Namespace) -> dict[str, Any]:
    start = time.perf_counter()
    classifier = _load(arguments.model)
    prepare(classifier)
    loading = time.perf_counter() - start
    found = profile(classifier, arguments.text, seed=arguments.seed, passes=arguments.passes)
    return profile_document(found) | {"loading_seconds": loading}


def _shortest(arguments: argparse.Namespace) -> dict[str, Any]:
    classifier = _load(arguments.model)
    found = shortest_flip(
        classifier, arguments.text, most_edits=arguments.edits, budget=arguments.budget, seed=arguments.seed
    )
    return search_document(classifier, found)


def _replay(arguments: argparse.Namespace) -> dict[str, Any]:
    return asdict(replay(read_record(arguments.file)))


def _dropout(arguments: argparse.Namespace) -> dict[str, Any]:
    classifier = _load(arguments.model)
    sites = None if arguments.sites is None else tuple(part.strip() for part in arguments.sites.split(","))
    dropout = Dropout(arguments.seed, arguments.p, sites)
    found = run_passes(classifier, [arguments.text], arguments.passes, dropout)
    if not acting(classifier.sites, dropout):
        print("wobble: note: nothing drops here, so every pass is the same: that is no stability.", file=sys.stderr)
    summary = spread(classifier, found.logits[:, 0], found.reference[0])
    return passes_document(classifier, arguments.text, summary, dropout)


def _load(id: str) -> Classifier:
    classifier = catalog.load(id)
    for note in classifier.notes:
        print(f"wobble: note: {note}", file=sys.stderr)
    return classifier


# --- for people ------------------------------------------------------------------------------------------------------


def _show_models(document: list[dict[str, Any]]) -> None:
    for entry in document:
        size = f"{entry['parameters'] / 1e6:.1f} M" if entry["parameters"] else "?"
        labels = ", ".join(entry["labels"][:6]) + (" …" if len(entry["labels"]) > 6 else "")
        print(
            f"{entry['id']:62} {entry['source']:9} {entry['available']:12} {size:>9}  {entry['tokenizer'] or '?'}  {labels}"
        )


def _show_predictions(document: list[dict[str, Any]]) -> None:
    for row in document:
        print(f"{row['label']:12} {_line(row['probabilities'])}  {visible(row['text'])}")
        if row["truncated"]:
            print("             truncated: the end of the text was not read")


def _show_comparison(document: dict[str, Any]) -> None:
    _show_predictions([document["reference"]])
    print(f"{document['summary']} {document['forward_rows']} rows run for {document['rows_asked']} asked.")
    for row in document["variants"]:
        fate = row["absorbed_by"] or "absorbed" if row["absorbed"] else "FLIPS" if row["flip"] else "reaches the model"
        print(f"{row['shift']:8.4f}  {row['perturbation']:26} {row['label']:10} {fate:40} {visible(row['text'])}")


def _show_seeds(document: dict[str, Any]) -> None:
    for member in document["seeds"]:
        print(f"seed {member['seed']:<6} {member['label']:12} {_line(member['probabilities'])}")
    ensemble = document["ensemble"]
    print(f"ensemble    {ensemble['label']:12} {_line(ensemble['probabilities'])}")
    print(f"agreement {document['agreement']:.3f}, pairwise disagreement {document['pairwise_disagreement']:.3f}")


def _show_trained(document: list[dict[str, Any]]) -> None:
    for row in document:
        print(
            f"{row['name']:14} accuracy {row['accuracy']:.4f} on {row['tested_on']:,} held-out texts, loss {row['loss']:.4f}, "
            f"{row['seconds']:.0f} s, {row['saved']}"
        )


def _show_temperatures(document: dict[str, Any]) -> None:
    for row in document["temperatures"]:
        print(
            f"T = {row['temperature']:<8g} {row['label']:12} {_line(row['probabilities'])}  entropy {row['entropy']:.4f}"
        )


def _show_numerics(document: dict[str, Any]) -> None:
    for row in (document["reference"], *document["conditions"]):
        fate = "FLIPS" if row["flip"] else ""
        print(
            f"{row['condition']:24} {row['label']:12} {_line(row['probabilities'])}  largest logit difference "
            f"{row['largest_logit_difference']:.1e}  shift {row['shift']:.1e}  {fate}".rstrip()
        )
    print(f"noise floor {document['noise_floor']:.1e}")
    for dtype, can_flip in document["can_flip"].items():
        if can_flip:
            print(f"{dtype} can flip this sentence: its logit margin is {document['logit_margin']:.2g}.")
    for sentence in document["left_out"]:
        print(sentence)


def _show_profile(document: dict[str, Any]) -> None:
    reference = document["reference"]
    print(document["verdict"])
    print(f"{reference['label']}  {_line(reference['probabilities'])}  noise floor {document['noise_floor']:.1e}")
    for row in document["factors"]:
        flips = "" if row["flips"] is None else f"{row['flips']} flip"
        moved = "" if row["largest_shift"] is None else f"largest shift {row['largest_shift']:.4f}"
        worst = f"worst {row['worst']['name']}" if row["worst"] else ""
        print(
            f"{row['factor']:12} {row['tried']:4} tried {row['absorbed']:4} absorbed {flips:>9}  {moved:20} {worst}".rstrip()
        )
        for note in row["notes"]:
            print(f"{'':12} {note}")
    print(
        f"{document['forward_rows']} rows run for {document['rows_asked']} asked, {document['seconds']:.2f} s after "
        f"{document['loading_seconds']:.2f} s of loading."
    )


def _show_search(document: dict[str, Any]) -> None:
    print(document["finding"])
    for row in document["flips"] or filter(None, [document["nearest"]]):
        names = " + ".join(edit["perturbation"] for edit in row["edits"])
        print(f"margin {row['margin']:+.4f}  {row['label']:12} {names}: {visible(row['text'])}")
    print(f"{document['sequences']} sequences of a budget of {document['budget']}.")


def _show_replay(document: dict[str, Any]) -> None:
    print(document["said"])
    for note in document["notes"]:
        print(f"note: {note}")
    for row in document["differences"][:20]:
        by = "" if row["by"] is None else f", by {row['by']:.2g}"
        print(f"{row['where']}: recorded {row['recorded']}, now {row['now']}{by}")
    if (more := len(document["differences"]) - 20) > 0:
        print(f"and {more} more")


def _show_passes(document: dict[str, Any]) -> None:
    reference = document["reference"]
    print(f"dropout off: {reference['label']}  {_line(reference['probabilities'])}")
    print(f"mean:        {_line(document['mean'])}")
    print(f"std:         {_line(document['std'])}")
    if document["flip_rate"] is not None:
        low, high = document["flip_interval"]
        print(f"flip rate {document['flip_rate']:.3f} (95 % interval {low:.3f} to {high:.3f})")
        print(
            f"predictive entropy {document['entropy']:.4f}, mutual information {document['mutual_information']:.4f} nats"
        )
        print(f"variation ratio {document['variation_ratio']:.3f}")


def _line(probabilities: dict[str, float]) -> str:
    ranked = sorted(probabilities.items(), key=lambda item: -item[1])[:6]
    return "  ".join(f"{name} {p:.4f}" for name, p in ranked)


def _show_stages(document: list[dict[str, Any]]) -> None:
    for model in document:
        print(f"{model['model']} ({model['tokenizer']})")
        print(f"  raw         {visible(model['raw'])}")
        if model["normalized"] is not None:
            print(f"  normalized  {visible(model['normalized'])}")
        if model["pre_tokens"] is not None:
            print(f"  pre-tokens  {' | '.join(visible(piece['text']) for piece in model['pre_tokens'])}")
        print(f"  tokens      {' '.join(visible(token) for token in model['tokens'])}")
        print(f"  ids         {' '.join(map(str, model['ids']))}")
        for note in model["notes"]:
            print(f"  note: {note}")
