"""Documents for people at a terminal: coloured tables there, aligned plain text in a pipe."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from core.base.words import plural, shortened
from core.text.perturb import perturbations
from core.text.visible import visible
from core.views.documents import ranked

Part = str | tuple[Sequence[str], list[Sequence[str]]]
"""A line, or a table: its columns and its rows, of words or numbers already written. An empty heading stays empty."""
Document = dict[str, Any]


def show(parts: Iterable[Part], console: Console | None = None) -> None:
    """Print parts one below the other."""
    console = console or Console(highlight=False)
    for part in parts:
        if isinstance(part, str):
            # No markup is read: a text may hold square brackets.
            console.print(Text(part), soft_wrap=True)
        elif console.is_terminal:
            table = Table(*part[0], box=None, header_style="bold", pad_edge=False)
            for row in part[1]:
                table.add_row(*(Text(cell, style="bold red" if cell in ("FLIPS", "flips") else "") for cell in row))
            console.print(table)
        else:
            rows = [row for row in (part[0], *part[1]) if any(row)]
            widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
            for row in rows:
                console.print(Text("  ".join(map(str.ljust, row, widths)).rstrip()), soft_wrap=True)


def writes_unicode() -> bool:
    """Whether the output can hold any character."""
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def note(*sentences: str, kind: str = "note: ") -> None:
    """Print sentences beside the output, a line each: on stderr, in characters that it can hold."""
    for sentence in sentences:
        line = " ".join(f"wobble: {kind}{sentence}".split())
        print(line.encode("utf-8" if writes_unicode() else "ascii", "backslashreplace").decode(), file=sys.stderr)


@contextmanager
def progress(silent: bool = False, console: Console | None = None) -> Iterator[Callable[[int, int], None] | None]:
    """A bar on stderr while something long runs, moved by calls with what is done and what was asked for.

    None in a pipe, where a bar would only be noise. The bar disappears when the work is done.

    Args:
        silent: no bar in a terminal either.
    """
    console = console or Console(stderr=True)
    if silent or not console.is_interactive:
        yield None
        return
    with Progress(BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _shift(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}" if value == 0 or value >= 1e-4 else f"{value:.1e}"


def _called(name: str) -> str:
    """What made a case, in words: each of the edits that a name joins by its description, any other name as it is."""
    said = {rule.name: rule.said for rule in perturbations()}
    return " + ".join(said.get(part, part) for part in name.split(" + "))


def _flips(row: Document) -> str:
    return "FLIPS" if row["flip"] else ""


def models(document: list[Document]) -> Iterator[Part]:
    """The catalog."""
    yield (
        ("id", "source", "available", "parameters", "tokenizer", "labels"),
        [
            (
                entry["id"],
                entry["source"],
                entry["available"],
                f"{entry['parameters'] / 1e6:.1f} M" if entry["parameters"] else "?",
                entry["tokenizer"] or "?",
                ", ".join(entry["labels"][:6]) + (" …" if len(entry["labels"]) > 6 else ""),
            )
            for entry in document
        ],
    )


def predictions(document: list[Document]) -> Iterator[Part]:
    """Texts and their predictions."""
    yield (
        ("label", "probabilities", "text"),
        [(row["label"], ranked(row["probabilities"]), visible(row["text"])) for row in document],
    )
    for row in document:
        if row["truncated"]:
            yield f"Truncated: only {len(row['ids']):,} tokens of {visible(shortened(row['text'], 40))!r} were read."


def comparison(document: Document) -> Iterator[Part]:
    """A text and its variants."""
    yield from predictions([document["reference"]])
    yield f"{document['summary']} {plural(document['forward_rows'], 'prediction')} run for {document['rows_asked']:,} asked for."
    yield (
        ("shift", "edit", "label", "fate", "text"),
        [
            (
                f"{row['shift']:.4f}",
                _called(row["perturbation"]),
                row["label"],
                _flips(row) or row["absorbed_by"] or row["fate"],
                visible(row["text"]),
            )
            for row in document["variants"]
        ],
    )
    yield from document["notes"]


def cases(document: Document) -> Iterator[Part]:
    """Any study, factor by factor, its cases largest shift first."""
    yield from predictions([document["reference"]])
    for row in document["factors"]:
        yield f"{row['factor']}: {row['tried']} tried" + ("" if row["flips"] is None else f", {row['flips']} flip")
        yield (
            ("shift", "case", "label", "", "probabilities"),
            [
                (_shift(case["shift"]), case["name"], case["label"], _flips(case), ranked(case["probabilities"]))
                for case in sorted(row["cases"], key=lambda case: -case["shift"])
            ],
        )
        yield from row["notes"]


def segmentation(document: Document) -> Iterator[Part]:
    """Other segmentations of a text."""
    reference = document["reference"] | {"name": "reference", "shift": None, "flip": False}
    yield (
        ("case", "shift", "label", "", "probabilities", "tokens"),
        [
            (
                case["name"],
                _shift(case["shift"]),
                case["label"],
                _flips(case),
                ranked(case["probabilities"]),
                " ".join(map(visible, case["tokens"])),
            )
            for case in (reference, *document["cases"], *document["nearest"])
        ],
    )
    yield from _flip_rate(document)
    yield from document["notes"]
    if "rate" in document:  # not where the tokenizer has no other segmentations
        ((name, value),) = document["rate"].items()
        counts = f"{document['rejected']} rejected, {document['repeated']} repeated"
        yield f"{name} = {value:g}; {counts}; the flip rate counts draws only."


def seeds(document: Document) -> Iterator[Part]:
    """What every member of a family says."""
    said = {f"seed {member['seed']}": member for member in document["seeds"]} | {"ensemble": document["ensemble"]}
    yield (
        ("", "label", "probabilities"),
        [(name, one["label"], ranked(one["probabilities"])) for name, one in said.items()],
    )
    yield f"agreement {document['agreement']:.3f}, pairwise disagreement {document['pairwise_disagreement']:.3f}"


def claims(document: list[Document]) -> Iterator[Part]:
    """The article's claims: outcomes in a table, then what was measured."""
    yield (
        ("", "outcome", "s", "claim"),
        [(one["id"], one["outcome"], f"{one['seconds']:.1f}", one["claim"]) for one in document],
    )
    yield from (f"{one['id']}: {one['evidence']}" for one in document)
    for said in dict.fromkeys(one["on_base"] for one in document):
        yield f"{', '.join(one['id'] for one in document if one['on_base'] == said)}: {said}"


def trained(document: list[Document]) -> Iterator[Part]:
    """The members that a training made."""
    yield (
        ("seed", "accuracy", "held-out texts", "loss", "seconds", "saved"),
        [
            (
                row["name"],
                f"{row['accuracy']:.4f}",
                f"{row['tested_on']:,}",
                f"{row['loss']:.4f}",
                f"{row['seconds']:.0f}",
                row["saved"],
            )
            for row in document
        ],
    )


def temperatures(document: Document) -> Iterator[Part]:
    """One text at some temperatures."""
    yield (
        ("T", "label", "probabilities", "entropy"),
        [
            (f"{row['temperature']:g}", row["label"], ranked(row["probabilities"]), f"{row['entropy']:.4f}")
            for row in document["temperatures"]
        ],
    )


def numerics(document: Document) -> Iterator[Part]:
    """One text under every condition."""
    yield (
        ("condition", "label", "probabilities", "largest logit difference", "shift", ""),
        [
            (
                row["condition"],
                row["label"],
                ranked(row["probabilities"]),
                f"{row['largest_logit_difference']:.1e}",
                f"{row['shift']:.1e}",
                _flips(row),
            )
            for row in (document["reference"], *document["conditions"])
        ],
    )
    yield f"noise floor {document['noise_floor']:.1e}"
    yield from document["notes"]


def profile(document: Document) -> Iterator[Part]:
    """The verdict, and each factor in a line."""
    reference = document["reference"]
    yield document["verdict"]
    yield f"{reference['label']}  {ranked(reference['probabilities'])}  noise floor {document['noise_floor']:.1e}"
    yield (
        ("factor", "tried", "absorbed", "flip", "largest shift", "worst"),
        [
            (
                row["factor"],
                str(row["tried"]),
                str(row["absorbed"]),
                "" if row["flips"] is None else str(row["flips"]),
                _shift(row["largest_shift"]),
                _called(row["worst"]["name"]) if row["worst"] else "",
            )
            for row in document["factors"]
        ],
    )
    yield from (f"{row['factor']}: {note}" for row in document["factors"] for note in row["notes"])
    yield (
        f"{plural(document['forward_rows'], 'prediction')} run for {document['rows_asked']:,} asked for, "
        f"{document['seconds']:.2f} s after {document['loading_seconds']:.2f} s of loading."
    )


def search(document: Document) -> Iterator[Part]:
    """The smallest sets of edits that flip a text."""
    yield document["finding"]
    if found := document["flips"] or [one for one in (document["nearest"],) if one]:
        yield (
            ("margin", "label", "edits", "text"),
            [(f"{row['margin']:+.4f}", row["label"], _called(row["name"]), visible(row["text"])) for row in found],
        )
    yield f"{document['sequences']} token sequences of a budget of {document['budget']}."


def replayed(document: Document) -> Iterator[Part]:
    """Whether a record still holds."""
    yield document["said"]
    yield from (f"note: {note}" for note in document["notes"])
    for row in document["differences"][:20]:
        by = "" if row["by"] is None else f", by {row['by']:.2g}"
        yield f"{row['where']}: recorded {row['recorded']}, now {row['now']}{by}"
    if (more := len(document["differences"]) - 20) > 0:
        yield f"and {more} more"


def passes(document: Document) -> Iterator[Part]:
    """Stochastic passes together."""
    reference = document["reference"]
    yield (
        ("", "label", "probabilities"),
        [
            ("dropout off", reference["label"], ranked(reference["probabilities"])),
            *((name, "", ranked(document[name])) for name in ("mean", "std")),
        ],
    )
    yield from _flip_rate(document)
    if document["entropy"] is not None:
        yield (
            f"predictive entropy {document['entropy']:.4f}, mutual information {document['mutual_information']:.4f} nats, "
            f"variation ratio {document['variation_ratio']:.3f}"
        )
    yield from document["notes"]


def _flip_rate(document: Document) -> Iterator[Part]:
    if document["flip_rate"] is not None:
        low, high = document["flip_interval"]
        yield f"flip rate {document['flip_rate']:.3f} (95% interval {low:.3f} to {high:.3f})"


def stages(document: list[Document]) -> Iterator[Part]:
    """What each stage of each tokenizer made of a text."""
    for model in document:
        yield f"{model['model']} ({model['tokenizer']})"
        normalized, pieces = model["normalized"], model["pre_tokens"]
        said = {
            "raw": visible(model["raw"]),
            "normalized": None if normalized is None else visible(normalized),
            "pre-tokens": None if pieces is None else " | ".join(visible(piece["text"]) for piece in pieces),
            "tokens": " ".join(map(visible, model["tokens"])),
            "ids": " ".join(map(str, model["ids"])),
        }
        yield ("", ""), [(f"  {name}", shown) for name, shown in said.items() if shown is not None]
        yield from (f"  note: {note}" for note in model["notes"])
