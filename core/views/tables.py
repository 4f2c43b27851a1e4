"""A comparison as a frame: one row a variant, plain values, ready for a figure or a download."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.data.labelled import Labelled
from core.factors.dropout import Spread
from core.factors.numerics import Numerics, Run
from core.factors.temperature import probabilities
from core.families.agreement import OnData
from core.families.interpolation import Interpolation
from core.families.stacked import Family
from core.models.classifier import Classifier, Logits
from core.models.heads import Probabilities, entropy, flip, label_name, margin, shift, wilson
from core.studies.calibration import fit_and_test
from core.studies.compare import Comparison, Reference, Row
from core.studies.profile import Case, Profile
from core.text.perturb import perturbations
from core.text.stages import Stages
from core.text.tokens import Encoding, align
from core.text.visible import visible
from core.views.figures import label_colors

ALL_ON = "all that are on"
"""The row of the dropout strip on which all sites act."""


def keys(comparison: Comparison) -> dict[str, Row]:
    """The rows by a name each: the perturbation, numbered where it drew several times ("shout_one_word 2")."""
    drawn: dict[str, list[Row]] = {}
    for row in comparison.rows:
        drawn.setdefault(row.variant.perturbation, []).append(row)
    named = {}
    for name, rows in drawn.items():
        # Numbered by the text, not by the order of the rows, so that a link means the same variant under every model.
        for number, row in enumerate(sorted(rows, key=lambda row: row.variant.text), start=1):
            named[name if len(rows) == 1 else f"{name} {number}"] = row
    order = {id(row): i for i, row in enumerate(comparison.rows)}
    return dict(sorted(named.items(), key=lambda item: order[id(item[1])]))


def variants_frame(comparison: Comparison) -> pd.DataFrame:
    """One row a variant, in the comparison's order; probabilities in one column a label, `p(label)`."""
    records = []
    for key, row in keys(comparison).items():
        records.append(
            {
                "model": comparison.model,
                "variant": key,
                "factor": row.variant.factor,
                "perturbation": row.variant.perturbation,
                "seed": row.variant.seed,
                "text": row.variant.text,
                "visible": visible(row.variant.text),
                "fate": row.badge,
                "absorbed_by": row.absorbed_by,
                "label": row.label,
                "reference_label": comparison.reference.label,
                "flip": row.flip,
                "shift": row.shift,
                "margin": row.margin,
                **{f"p({label})": p for label, p in zip(unique(comparison.labels), row.probabilities, strict=True)},
                "tokens": " ".join(row.encoding.tokens),
                "ids": " ".join(map(str, row.encoding.ids)),
                "truncated": row.encoding.truncated,
            }
        )
    return pd.DataFrame.from_records(records)


@dataclass(frozen=True)
class Cut:
    """A stretch of a raw text and the tokens, each with its id, that stand for it; none where the tokenizer drops it."""

    text: str
    tokens: tuple[tuple[str, int], ...]


def cuts(stages: Stages, longest: int) -> list[Cut]:
    """The raw text (its first `longest` characters) cut where its tokens are.

    Tokens that share characters (bytes of one character) share a stretch. White space that a tokenizer drops, and what
    was truncated, belongs to no token. A tokenizer without offsets cannot be shown: the text is one stretch.
    """
    encoding, text = stages.encoding, stages.raw[:longest]
    parts: list[Cut] = []
    at = 0
    for span, token, id in zip(encoding.offsets or (), encoding.tokens, encoding.ids, strict=False):
        begin, end = min(span[0], len(text)), min(span[1], len(text))
        if begin >= end:
            continue
        if begin < at and parts:
            parts[-1] = Cut(parts[-1].text + text[at : max(at, end)], (*parts[-1].tokens, (token, id)))
        else:
            if begin > at:
                parts.append(Cut(text[at:begin], ()))
            parts.append(Cut(text[begin:end], ((token, id),)))
        at = max(at, end)
    if at < len(text):
        parts.append(Cut(text[at:], ()))
    return parts


def tokens_frame(model: str, stages: Stages) -> pd.DataFrame:
    """One row a token; `start` and `end` count characters of the raw text."""
    encoding = stages.encoding
    spans = encoding.offsets or [(None, None)] * len(encoding.ids)
    return pd.DataFrame(
        {
            "model": model,
            "text": stages.raw,
            "position": range(len(encoding.ids)),
            "token": encoding.tokens,
            "id": encoding.ids,
            "start": [begin for begin, _ in spans],
            "end": [end for _, end in spans],
            "special": encoding.special,
        }
    )


def unique(labels: tuple[str, ...]) -> tuple[str, ...]:
    """Label names, told apart by their index where several share one."""
    return tuple(label if labels.count(label) == 1 else f"{label} ({i})" for i, label in enumerate(labels))


def descriptions() -> dict[str, str]:
    """What each perturbation does, in one line."""
    return {rule.name: rule.description for rule in perturbations()} | {"custom": "An edit typed by hand."}


def strip_frame(comparison: Comparison) -> pd.DataFrame:
    """The columns that `figures.margin_strip` reads."""
    named = keys(comparison)
    return pd.DataFrame(
        {
            "row": [row.variant.factor for row in named.values()],
            "variant": list(named),
            "visible": [visible(row.variant.text[:200]) for row in named.values()],
            "tokens": [tokens_line(row.encoding) for row in named.values()],
            "probabilities": [ranked(row.probabilities, comparison.labels) for row in named.values()],
            "fate": [row.badge for row in named.values()],
            "value": [strip_value(row) for row in named.values()],
            "shift": [row.shift for row in named.values()],
            "label": [row.label for row in named.values()],
        }
    )


def passes_strip_frame(
    row: str, text: str, encoding: Encoding, spread: Spread, labels: tuple[str, ...]
) -> pd.DataFrame:
    """The columns that `figures.margin_strip` reads, one line a stochastic pass of one text."""
    flips = np.zeros(len(spread.samples), dtype=bool) if spread.flips is None else spread.flips
    return pd.DataFrame(
        {
            "row": row,
            "variant": [f"{row}, pass {number}" for number in range(1, len(spread.samples) + 1)],
            "visible": visible(text[:200]),
            "tokens": tokens_line(encoding),
            "probabilities": [ranked(p, labels) for p in spread.samples],
            "fate": np.where(flips, "flips", "reaches the model"),
            "value": spread.samples[:, 0] if spread.margins is None else spread.margins,
            "shift": spread.shifts,
            "label": spread.labels,
        }
    )


def member_said(name: str) -> str:
    """A member of a family in words: "seed 43", "head 43"."""
    return f"seed {name}" if name.isdigit() else name


def seeds_strip_frame(
    family: Family, encoding: Encoding, text: str, logits: Logits, temperature: float = 1.0
) -> pd.DataFrame:
    """The columns that `figures.margin_strip` reads: one line a seed, and one for the ensemble (the mean probabilities).

    Margins are those of the first seed's label.

    Args:
        logits: `[n_seeds, n_labels]`.
    """
    head, labels = family.first.head, family.first.labels
    p = probabilities(logits, head, temperature)
    every = np.concatenate([p, p.mean(axis=0, keepdims=True)])
    margins, flips = margin(every, p[0], head), flip(every, p[0], head)
    return pd.DataFrame(
        {
            "row": ["seeds"] * len(p) + ["ensemble"],
            "variant": [member_said(name) for name in family.names] + ["mean of all seeds"],
            "visible": visible(text[:200]),
            "tokens": " ".join(map(visible, encoding.tokens[:60])),
            "probabilities": [ranked(row, labels) for row in every],
            "fate": np.where(False if flips is None else flips, "flips", "reaches the model"),
            "value": every[:, 0] if margins is None else margins,
            "shift": shift(every, p[0], head),
            "label": [label_name(row, head, labels) for row in every],
        }
    )


def scatter_frame(strip: pd.DataFrame, rows: Sequence[str], has_labels: bool = True) -> pd.DataFrame:
    """One line for each row of a strip that has dots: `row`, `dots`, `flips` (None for regression), `low` and `high`
    (Wilson's 95 % interval of the flip rate), `mean_shift`, `largest_shift`.
    """
    records: list[dict[str, Any]] = []
    for name in rows:
        part = strip[strip["row"] == name]
        if part.empty:
            continue
        flips = int((part["fate"] == "flips").sum())
        low, high = wilson(flips, len(part))
        records.append(
            {
                "row": name,
                "dots": len(part),
                "flips": flips if has_labels else None,
                "low": low if has_labels else None,
                "high": high if has_labels else None,
                "mean_shift": float(part["shift"].mean()),
                "largest_shift": float(part["shift"].max()),
            }
        )
    return pd.DataFrame.from_records(records)


def scatter_finding(scatter: pd.DataFrame, formatting: str) -> str:
    """What a strip of passes shows, as its title: which kind of site moves the prediction most, beside formatting.

    Args:
        scatter: as `scatter_frame` makes it; rows named "only ..." are kinds of sites.
        formatting: the name of the row that holds the formatting edits.
    """
    moved = dict(zip(scatter["row"], scatter["mean_shift"], strict=True))
    kinds = {row.removeprefix("only "): shift for row, shift in moved.items() if row.startswith("only ")}
    if len(kinds) > 1:
        most, least = max(kinds, key=lambda kind: kinds[kind]), min(kinds, key=lambda kind: kinds[kind])
        said = f"Dropout in {most} alone moves it most (mean shift {kinds[most]:.3f}), in {least} least ({kinds[least]:.3f})"
    else:
        first = str(scatter["row"].iloc[0])
        said = f"Dropout moves it by a mean shift of {moved[first]:.3f}"
    return f"{said}; formatting edits: {moved[formatting]:.3f}" if formatting in moved else said


def tempered_frame(comparison: Comparison, temperature: float) -> pd.DataFrame:
    """The sentence and its variants at T = 1 and at another T, for a download: probabilities (one column a label),
    entropy in nats and margin, each twice. Nothing runs: the logits are the comparison's.
    """
    head, names = comparison.head, unique(comparison.labels)
    named = keys(comparison)
    logits = np.stack([comparison.reference.logits, *(row.logits for row in named.values())])
    reference = probabilities(comparison.reference.logits, head)
    frame = pd.DataFrame(
        {
            "model": comparison.model,
            "variant": ["your sentence", *named],
            "text": [comparison.reference.text, *(row.variant.text for row in named.values())],
            "fate": ["reference", *(row.badge for row in named.values())],
            "temperature": temperature,
        }
    )
    columns: dict[str, Any] = {}
    for at, t in (("T = 1", 1.0), ("T", temperature)):
        p = probabilities(logits, head, t)
        columns[f"label at {at}"] = [label_name(row, head, comparison.labels) for row in p]
        columns |= {f"p({name}) at {at}": p[:, i] for i, name in enumerate(names)}
        columns[f"entropy at {at}"] = entropy(p, head)
        columns[f"margin at {at}"] = margin(p, reference, head)
    return pd.concat([frame, pd.DataFrame(columns)], axis=1)


def calibration_frame(classifier: Classifier, data: Labelled) -> pd.DataFrame:
    """The labelled texts of a calibration, for a download: text, number of the label, and "fit" or "test"."""
    return pd.concat(
        [
            pd.DataFrame({"text": part.texts, "label": part.numbered_as(classifier.labels), "part": name})
            for name, part in zip(("fit", "test"), fit_and_test(data), strict=True)
        ],
        ignore_index=True,
    )


def on_data_frame(family: Family, found: OnData) -> pd.DataFrame:
    """One row a text, for a download: its label, what each member predicts and how sure it is."""
    names = unique(family.first.labels)
    columns: dict[str, Any] = {
        "text": found.texts,
        "label": [names[i] for i in found.labels],
        "split": found.split,
    }
    if found.rating_std is not None:
        columns["rating_std"] = found.rating_std
    for name, p in zip(family.names, found.probabilities, strict=True):
        columns[f"label({name})"] = [names[i] for i in p.argmax(axis=-1)]
        columns[f"p({name})"] = p.max(axis=-1)
    return pd.DataFrame(columns)


def interpolation_frame(found: Interpolation, sentence: Probabilities, labels: tuple[str, ...]) -> pd.DataFrame:
    """One row a point of the interpolation, for a download.

    Args:
        sentence: `[points, n_labels]`.
    """
    return pd.DataFrame(
        {
            "share": found.shares,
            "loss": found.loss,
            "accuracy": found.accuracy,
            **{f"p({name})": sentence[:, i] for i, name in enumerate(unique(labels))},
        }
    )


def profile_strip_frame(found: Profile) -> pd.DataFrame:
    """The columns that `figures.margin_strip` reads, one line a case of every factor that is ready."""
    encoding, text = found.reference.encoding, found.reference.text
    cases = [(row.factor, case, case in row.flipping) for row in found.factors for case in row.cases]
    return pd.DataFrame(
        {
            "row": [factor for factor, _, _ in cases],
            "variant": [case.name for _, case, _ in cases],
            "visible": [visible((case.row.variant.text if case.row else text)[:200]) for _, case, _ in cases],
            "tokens": [
                " ".join(map(visible, (case.row.encoding if case.row else encoding).tokens[:60]))
                for _, case, _ in cases
            ],
            "probabilities": [ranked(case.probabilities, found.labels) for _, case, _ in cases],
            "fate": [
                "absorbed" if case.absorbed else "flips" if flips else "reaches the model" for _, case, flips in cases
            ],
            "value": [strip_value(case) for _, case, _ in cases],
            "shift": [case.shift for _, case, _ in cases],
            "label": [case.label for _, case, _ in cases],
        }
    )


def numerics_strip_frame(found: Numerics) -> pd.DataFrame:
    """The columns that `figures.margin_strip` reads, one line a condition; a row for fp32 and one for each other dtype."""
    return pd.DataFrame(
        {
            "row": ["fp32" if run.fp32 else run.condition.dtype for run in found.runs],
            "variant": [run.name for run in found.runs],
            "visible": visible(found.text[:200]),
            "tokens": " ".join(map(visible, found.encoding.tokens[:60])),
            "probabilities": [ranked(run.probabilities, found.labels) for run in found.runs],
            "fate": ["flips" if run.flip else "reaches the model" for run in found.runs],
            "value": [strip_value(run) for run in found.runs],
            "shift": [run.shift for run in found.runs],
            "label": [run.label for run in found.runs],
        }
    )


def passes_frame(row: str, text: str, spread: Spread, labels: tuple[str, ...]) -> pd.DataFrame:
    """One line a pass, for a download; probabilities in one column a label, `p(label)`.

    Args:
        row: which passes these are: the name of their row on the strip.
    """
    return pd.DataFrame(
        {
            "row": row,
            "text": text,
            "pass": range(1, len(spread.samples) + 1),
            "label": spread.labels,
            "flip": spread.flips,
            "shift": spread.shifts,
            **{f"p({name})": spread.samples[:, i] for i, name in enumerate(unique(labels))},
        }
    )


def tokens_line(encoding: Encoding) -> str:
    """The first tokens in one line."""
    return " ".join(map(visible, encoding.tokens[:60]))


def ranked(p: Probabilities, labels: tuple[str, ...], top: int = 4) -> str:
    """The largest probabilities in one line."""
    names = unique(labels)
    order = sorted(range(len(names)), key=lambda i: -p[i])
    return "  ".join(f"{names[i]} {p[i]:.3f}" for i in order[:top])


def strip_value(case: Reference | Row | Case | Run) -> float:
    """Where a case stands on the strip: its margin, or a regression's first output."""
    return float(case.probabilities[0]) if case.margin is None else case.margin


def side_by_side(
    comparisons: Sequence[Comparison], factors: Collection[str] = (), fates: Collection[str] = (), longest: int = 160
) -> list[dict[str, Any]]:
    """One entry a variant with the answer of each model: what the page's table shows, as plain JSON values.

    Args:
        comparisons: of one text under several models; all have the same variants.
        factors: only these, or all if empty.
        fates: only variants that met one of these fates under some model, or all if empty.
        longest: tokens and characters shown of one variant.

    Returns:
        Entries ordered by the largest shift under any model; variants that every model absorbed come last.
    """
    named = [keys(comparison) for comparison in comparisons]
    said = descriptions()
    entries: list[dict[str, Any]] = []
    for key, first in named[0].items():
        rows = [rows[key] for rows in named]
        if (factors and first.variant.factor not in factors) or (
            fates and not {row.badge for row in rows} & set(fates)
        ):
            continue
        entries.append(
            {
                "key": key,
                "factor": first.variant.factor,
                "description": said[first.variant.perturbation],
                "text": marked_text(first, longest),
                "answers": [_answer(row, c, longest) for row, c in zip(rows, comparisons, strict=True)],
                "order": (all(row.absorbed for row in rows), -max(row.shift for row in rows)),
            }
        )
    entries.sort(key=lambda entry: entry["order"])
    return entries


def marked_text(row: Row, longest: int) -> list[tuple[str, bool]]:
    """A variant's visible text in pieces, each with whether it was edited."""
    text, pieces, at = row.variant.text, [], 0
    for edit in row.variant.edits:
        begin, end = edit.variant
        pieces += [(text[at:begin], False), (text[begin:end], True)]
        at = end
    pieces.append((text[at:], False))
    shown, left = [], longest
    for piece, edited in pieces:
        if piece and left > 0:
            shown.append((visible(piece[:left]) + ("\u2026" if len(piece) > left else ""), edited))
            left -= len(piece)
    return shown


def token_states(row: Row, reference: Encoding) -> list[tuple[str, int, str]]:
    """The tokens of a variant aligned with the original's: token, id, and "same", "changed", "added", "removed" or "special"."""
    chips = []
    for part in align(reference, row.encoding):
        if part.kind == "removed":
            chips += [(visible(reference.tokens[i]), reference.ids[i], "removed") for i in part.original]
        for i in part.variant:
            state = "special" if part.kind == "same" and row.encoding.special[i] else part.kind
            chips.append((visible(row.encoding.tokens[i]), row.encoding.ids[i], state))
    return chips


def _answer(row: Row, comparison: Comparison, longest: int) -> dict[str, Any]:
    if row.absorbed:
        said = row.absorbed_by or ""
    elif row.margin is None:
        said = f"moves the output by {row.shift:.3f}"
    else:
        said = f"shift {row.shift:.3f}" + (f", now {row.label}" if row.flip else "")
        if row.shift <= comparison.noise_floor:
            said = "shift below the noise floor: none"
    names, colors = unique(comparison.labels), label_colors(comparison.labels)
    reference = comparison.reference.probabilities
    bounded = comparison.head != "regression"
    shown = sorted(range(len(names)), key=lambda i: -max(row.probabilities[i], reference[i]))[:3]
    return {
        "fate": row.badge,
        "said": said,
        "tokens": token_states(row, comparison.reference.encoding)[:longest],
        "bars": [
            {
                "label": names[i],
                "share": float(row.probabilities[i]) if bounded else None,
                "reference_share": float(reference[i]) if bounded else None,
                "reference": f"{reference[i]:.3f}",
                "value": f"{row.probabilities[i]:.3f}",
                "color": colors[comparison.labels[i]],
            }
            for i in (sorted(shown) if len(names) <= 3 else shown)
        ],
    }


def changed_positions(original: Encoding, variant: Encoding) -> tuple[list[int], list[int]]:
    """Positions of the tokens that the other sequence does not have: of the original, and of the variant."""
    parts = [part for part in align(original, variant) if part.kind != "same"]
    return [i for part in parts for i in part.original], [i for part in parts for i in part.variant]


def explanation(row: Row) -> str:
    """What became of one variant, in a sentence."""
    if row.absorbed:
        return f"The tokenizer erased this edit ({row.absorbed_by}): same ids, so exactly the same probabilities."
    moved = f"The probabilities move by a shift of {row.shift:.3f}"
    if row.margin is None:
        return f"The output moves by {row.shift:.3f}."
    return f"{moved}; the prediction {'becomes ' + row.label if row.flip else 'stays ' + row.label} (margin {row.margin:+.3f})."


def stacked(comparisons: Sequence[Comparison]) -> pd.DataFrame:
    """The variants of several models in one frame, for a download."""
    return pd.concat([variants_frame(comparison) for comparison in comparisons], ignore_index=True)


ESCAPES = {"\\n": "\n", "\\t": "\t", "\\r": "\r", "\\\\": "\\"}


def own_edits(lines: str) -> tuple[str, ...]:
    r"""Texts typed by hand, one a line, with `\n`, `\t`, `\r`, `\\` and `\uXXXX` for what a line cannot hold."""

    def spelled(match: re.Match[str]) -> str:
        found = match.group()
        return ESCAPES.get(found) or chr(int(found[2:], 16))

    texts = (re.sub(r"\\(?:[ntr\\]|u[0-9a-fA-F]{4})", spelled, line) for line in lines.splitlines())
    return tuple(dict.fromkeys(text for text in texts if text))
