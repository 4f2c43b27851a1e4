"""Documents for people at a terminal: tables with colour there, aligned plain text in a pipe."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from core.text.visible import visible


@dataclass(frozen=True)
class Grid:
    """A table: cells are words or numbers already written; an empty heading stays empty."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Part = str | Grid
Document = dict[str, Any]


def show(parts: Sequence[Part] | Iterator[Part], console: Console | None = None) -> None:
    """Print parts one below the other."""
    console = console or Console(highlight=False)
    for part in parts:
        if isinstance(part, str):
            # No markup is read: a text may hold square brackets.
            console.print(Text(part), soft_wrap=True)
        elif console.is_terminal:
            table = Table(*part.columns, box=None, header_style="bold", pad_edge=False)
            for row in part.rows:
                table.add_row(*(Text(cell, style="bold red" if cell in ("FLIPS", "flips") else "") for cell in row))
            console.print(table)
        else:
            rows = [row for row in (part.columns, *part.rows) if any(row)]
            widths = [max(len(row[i]) for row in rows) for i in range(len(part.columns))]
            for row in rows:
                line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
                console.print(Text(line.rstrip()), soft_wrap=True)


def ranked(probabilities: dict[str, float], top: int = 6) -> str:
    """The largest probabilities in one line."""
    found = sorted(probabilities.items(), key=lambda item: -item[1])[:top]
    return "  ".join(f"{name} {p:.4f}" for name, p in found)


def _shift(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}" if value == 0 or value >= 1e-4 else f"{value:.1e}"


def models(document: list[Document]) -> Iterator[Part]:
    """The catalog."""
    rows = []
    for entry in document:
        size = f"{entry['parameters'] / 1e6:.1f} M" if entry["parameters"] else "?"
        labels = ", ".join(entry["labels"][:6]) + (" …" if len(entry["labels"]) > 6 else "")
        rows.append((entry["id"], entry["source"], entry["available"], size, entry["tokenizer"] or "?", labels))
    yield Grid(("id", "source", "available", "parameters", "tokenizer", "labels"), tuple(rows))


def predictions(document: list[Document]) -> Iterator[Part]:
    """Texts and what is predicted of them."""
    rows = [(row["label"], ranked(row["probabilities"]), visible(row["text"])) for row in document]
    yield Grid(("label", "probabilities", "text"), tuple(rows))
    for row in document:
        if row["truncated"]:
            yield f"Truncated: {len(row['ids']):,} tokens of {visible(row['text'][:40])!r} were read, not all."


def comparison(document: Document) -> Iterator[Part]:
    """A text and its variants."""
    yield from predictions([document["reference"]])
    yield f"{document['summary']} {document['forward_rows']} rows run for {document['rows_asked']} asked."
    rows = []
    for row in document["variants"]:
        fate = row["absorbed_by"] or row["fate"]
        fate = "FLIPS" if row["flip"] else fate
        rows.append((f"{row['shift']:.4f}", row["perturbation"], row["label"], fate, visible(row["text"])))
    yield Grid(("shift", "edit", "label", "fate", "text"), tuple(rows))


def cases(document: Document) -> Iterator[Part]:
    """Any study, factor by factor, its cases largest shift first."""
    yield from predictions([document["reference"]])
    for row in document["factors"]:
        yield f"{row['factor']}: {row['tried']} tried" + ("" if row["flips"] is None else f", {row['flips']} flip")
        found = sorted(row["cases"], key=lambda case: -case["shift"])
        lines = [
            (
                _shift(case["shift"]),
                case["name"],
                case["label"],
                "FLIPS" if case["flip"] else "",
                ranked(case["probabilities"]),
            )
            for case in found
        ]
        yield Grid(("shift", "case", "label", "", "probabilities"), tuple(lines))
        yield from row["notes"]


def segmentation(document: Document) -> Iterator[Part]:
    """Other segmentations of a text."""
    reference = document["reference"]
    rows = [
        ("", reference["label"], "", ranked(reference["probabilities"]), " ".join(map(visible, reference["tokens"])))
    ]
    rows += [
        (_shift(case["shift"]), case["label"], "FLIPS" if case["flip"] else "", ranked(case["probabilities"]),
         " ".join(map(visible, case["tokens"])))
        for case in (*document["cases"], *document["nearest"])
    ]  # fmt: skip
    yield Grid(("shift", "label", "", "probabilities", "tokens"), tuple(rows))
    yield from _flip_rate(document)
    yield from document["notes"]


def seeds(document: Document) -> Iterator[Part]:
    """What every member of a family says."""
    rows = [(f"seed {m['seed']}", m["label"], ranked(m["probabilities"])) for m in document["seeds"]]
    ensemble = document["ensemble"]
    rows.append(("ensemble", ensemble["label"], ranked(ensemble["probabilities"])))
    yield Grid(("", "label", "probabilities"), tuple(rows))
    yield f"agreement {document['agreement']:.3f}, pairwise disagreement {document['pairwise_disagreement']:.3f}"


def trained(document: list[Document]) -> Iterator[Part]:
    """The members that a training made."""
    rows = [
        (row["name"], f"{row['accuracy']:.4f}", f"{row['tested_on']:,}", f"{row['loss']:.4f}", f"{row['seconds']:.0f}",
         row["saved"])
        for row in document
    ]  # fmt: skip
    yield Grid(("seed", "accuracy", "held-out texts", "loss", "seconds", "saved"), tuple(rows))


def temperatures(document: Document) -> Iterator[Part]:
    """One text at some temperatures."""
    rows = [
        (f"{row['temperature']:g}", row["label"], ranked(row["probabilities"]), f"{row['entropy']:.4f}")
        for row in document["temperatures"]
    ]
    yield Grid(("T", "label", "probabilities", "entropy"), tuple(rows))


def numerics(document: Document) -> Iterator[Part]:
    """One text under every condition."""
    rows = [
        (row["condition"], row["label"], ranked(row["probabilities"]), f"{row['largest_logit_difference']:.1e}",
         f"{row['shift']:.1e}", "FLIPS" if row["flip"] else "")
        for row in (document["reference"], *document["conditions"])
    ]  # fmt: skip
    yield Grid(("condition", "label", "probabilities", "largest logit difference", "shift", ""), tuple(rows))
    yield f"noise floor {document['noise_floor']:.1e}"
    yield from document["notes"]


def profile(document: Document) -> Iterator[Part]:
    """The verdict, and each factor in a line."""
    reference = document["reference"]
    yield document["verdict"]
    yield f"{reference['label']}  {ranked(reference['probabilities'])}  noise floor {document['noise_floor']:.1e}"
    rows = [
        (row["factor"], str(row["tried"]), str(row["absorbed"]), "" if row["flips"] is None else str(row["flips"]),
         _shift(row["largest_shift"]), row["worst"]["name"] if row["worst"] else "")
        for row in document["factors"]
    ]  # fmt: skip
    yield Grid(("factor", "tried", "absorbed", "flip", "largest shift", "worst"), tuple(rows))
    for row in document["factors"]:
        for note in row["notes"]:
            yield f"{row['factor']}: {note}"
    yield (
        f"{document['forward_rows']} rows run for {document['rows_asked']} asked, {document['seconds']:.2f} s after "
        f"{document['loading_seconds']:.2f} s of loading."
    )


def search(document: Document) -> Iterator[Part]:
    """The smallest sets of edits that flip a text."""
    yield document["finding"]
    found = document["flips"] or [one for one in (document["nearest"],) if one]
    rows = [(f"{row['margin']:+.4f}", row["label"], row["name"], visible(row["text"])) for row in found]
    if rows:
        yield Grid(("margin", "label", "edits", "text"), tuple(rows))
    yield f"{document['sequences']} sequences of a budget of {document['budget']}."


def replayed(document: Document) -> Iterator[Part]:
    """Whether a record still holds."""
    yield document["said"]
    for note in document["notes"]:
        yield f"note: {note}"
    for row in document["differences"][:20]:
        by = "" if row["by"] is None else f", by {row['by']:.2g}"
        yield f"{row['where']}: recorded {row['recorded']}, now {row['now']}{by}"
    if (more := len(document["differences"]) - 20) > 0:
        yield f"and {more} more"


def passes(document: Document) -> Iterator[Part]:
    """Stochastic passes together."""
    reference = document["reference"]
    lines = [("dropout off", reference["label"], ranked(reference["probabilities"]))]
    lines += [(name, "", ranked(document[name])) for name in ("mean", "std")]
    yield Grid(("", "label", "probabilities"), tuple(lines))
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
        yield f"flip rate {document['flip_rate']:.3f} (95 % interval {low:.3f} to {high:.3f})"


def stages(document: list[Document]) -> Iterator[Part]:
    """What each stage of each tokenizer made of a text."""
    for model in document:
        yield f"{model['model']} ({model['tokenizer']})"
        rows = [("raw", visible(model["raw"]))]
        if model["normalized"] is not None:
            rows.append(("normalized", visible(model["normalized"])))
        if model["pre_tokens"] is not None:
            rows.append(("pre-tokens", " | ".join(visible(piece["text"]) for piece in model["pre_tokens"])))
        rows += [("tokens", " ".join(map(visible, model["tokens"]))), ("ids", " ".join(map(str, model["ids"])))]
        yield Grid(("", ""), tuple((f"  {name}", said) for name, said in rows))
        for note in model["notes"]:
            yield f"  note: {note}"
