"""Studies, and whatever else pages show, as frames and tables: plain values, ready for a figure or a download."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from core.base.words import capital, number, shortened
from core.factors.case import Case, Reference, Row
from core.studies.study import Study
from core.text.perturb import Variant, edits, perturbations
from core.text.tokens import Encoding, align
from core.text.visible import visible
from core.views.documents import named, ranked, unique
from core.views.style import label_colors

ALL_ON = "all that are on"
"""The row of passes in which all sites act."""


# --- studies ---------------------------------------------------------------------------------------------------------


STRIP = (
    "row", "variant", "description", "visible", "tokens", "probabilities", "fate", "value", "shift", "label",
)  # fmt: skip


def strip_records(study: Study) -> list[dict[str, Any]]:
    """What a strip shows, one entry per case: its row, its key as `variant`, what people read of it, its fate, and its `value`
    (margin; for regression the output).
    """
    records = (
        (row.name, key, case.called(key), visible(shortened(case.text, 200)), tokens_line(case.encoding),
         ranked(named(case.probabilities, study.labels), 4, 3), row.fate(case), case.value, case.shift, case.label)
        for key, (row, case) in study.keyed().items()
    )  # fmt: skip
    return [dict(zip(STRIP, record, strict=True)) for record in records]


def strip_frame(study: Study) -> pd.DataFrame:
    """The entries of a strip as a frame."""
    return pd.DataFrame(strip_records(study), columns=list(STRIP))


def cases_frame(*studies: Study) -> pd.DataFrame:
    """One row per case, for a download; probabilities in one column per label, `p(label)`."""
    frame = pd.DataFrame.from_records(
        [
            {
                "model": study.model,
                "variant": key,
                "row": row.name,
                "factor": row.made_by(case),
                "name": case.name,
                "also": ", ".join(name for name, _ in case.variant.also) if case.variant else "",
                "seed": case.variant.seed if case.variant else None,
                "text": case.text,
                "visible": visible(case.text),
                "fate": row.fate(case),
                "absorbed_by": case.absorbed_by,
                "label": case.label,
                "reference_label": study.reference.label,
                "flip": row.flip(case),
                "shift": case.shift,
                "margin": case.margin,
                **{f"p({name})": p for name, p in named(case.probabilities, study.labels).items()},
                "tokens": " ".join(case.encoding.tokens),
                "ids": " ".join(map(str, case.encoding.ids)),
                "truncated": case.encoding.truncated,
            }
            for study in studies
            for key, (row, case) in study.keyed().items()
        ]
    )
    # Whole numbers even beside edits that draw nothing, which have no seed.
    return frame.astype(dict.fromkeys(frame.columns.intersection(["seed"]), "Int64"))


def scatter_frame(rows: Sequence[Row]) -> pd.DataFrame:
    """One line for each row of a strip that has cases: `row`, `dots`, `flips` (None for regression), `low` and `high` (Wilson's
    95% interval of the flip rate), `mean_shift`, `largest_shift`.
    """
    return pd.DataFrame.from_records(
        [
            {
                "row": row.name,
                "dots": row.tried,
                "flips": row.flips,
                "low": row.flip_interval and row.flip_interval[0],
                "high": row.flip_interval and row.flip_interval[1],
                "mean_shift": float(row.shifts.mean()),
                "largest_shift": row.largest_shift,
            }
            for row in rows
            if row.tried
        ]
    )


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The lines of a frame as plain JSON values; None where nothing is."""
    values = frame.astype(object).where(frame.notna(), None)
    return [dict(zip(map(str, frame.columns), line, strict=True)) for line in values.itertuples(index=False)]


def scatter_finding(kinds: Mapping[str, Row], together: Row, edited: Row) -> str:
    """What a strip of passes shows, as its title: which kind of site moves the prediction most, beside edits.

    Args:
        kinds: the passes in which one kind of site alone acts, by the kind.
        together: those in which all act.
        edited: the edits.
    """
    what, moved = capital(together.factor.name), {kind: row.shifts.mean() for kind, row in kinds.items()}
    said = f"{what} moves it by a mean shift of {together.shifts.mean():.3f}"
    if len(moved) > 1:
        most, least = max(moved, key=lambda kind: moved[kind]), min(moved, key=lambda kind: moved[kind])
        said = f"{what} in {most} alone moves it most (mean shift {moved[most]:.3f}), in {least} least ({moved[least]:.3f})"
    return f"{said}; {edited.factor.many}: {edited.shifts.mean():.3f}" if edited.tried else said


def tokens_line(encoding: Encoding) -> str:
    """The first tokens in one line."""
    return " ".join(map(visible, encoding.tokens[:60]))


# --- cases beside their reference ------------------------------------------------------------------------------------


def side_by_side(
    studies: Sequence[Study], factors: Collection[str] = (), fates: Collection[str] = (), longest: int = 160
) -> list[dict[str, Any]]:
    """One entry per case with the answer of each model: what the page's table shows, as plain JSON values.

    Args:
        studies: of one text under several models; all have the same cases.
        factors: only these, or all if empty.
        fates: only cases that met one of these fates under some model, or all if empty.
        longest: tokens and characters shown of one case.

    Returns:
        Entries ordered by the largest shift under any model; what no model can tell from the sentence comes last.
    """
    keyed = [study.keyed() for study in studies]
    entries = []
    # An edit that leaves no token is not a case, and which ones do differs between models.
    shared = [(key, pair) for key, pair in keyed[0].items() if all(key in cases for cases in keyed)]
    for key, (row, first) in shared:
        found = [cases[key] for cases in keyed]
        met = {row.fate(case) for row, case in found}
        # One text that several perturbations make is one case: it is found under the factors of all.
        made_by = {row.made_by(first), *(factor for _, factor in (first.variant.also if first.variant else ()))}
        if made_by & set(factors or made_by) and met & set(fates or met):
            entries.append(
                {
                    "key": key,
                    "called": first.called(key),
                    "factor": row.made_by(first),
                    "description": described(first),
                    "text": marked_text(first.text, studies[0].reference.text, longest, first.variant),
                    "answers": [_answer(*pair, study, longest) for pair, study in zip(found, studies, strict=True)],
                    "order": (met <= {"absorbed", "beyond the limit"}, -max(case.shift for _, case in found)),
                }
            )
    return sorted(entries, key=lambda entry: entry["order"])


def described(case: Case) -> str:
    """What was done, in one line; for a text that several perturbations make, all of them."""
    if case.variant is None:
        return capital(case.made.said)
    also = [rule.description for rule in perturbations() if (rule.name, rule.factor) in case.variant.also]
    return case.variant.description + "".join(f"; the same text: {description}" for description in also)


def marked_text(text: str, before: str, longest: int, variant: Variant | None = None) -> list[tuple[str, bool]]:
    """The visible text of a case or after a step in pieces, each with whether it differs from the text before.

    Args:
        longest: characters that are shown.
        variant: the edits that made it, where they are known.
    """
    made = variant.edits if variant else edits(before, text)
    shown, left = [], longest
    for piece, edited in pieces(text, [edit.variant for edit in made]):
        if left > 0:
            shown.append((visible(shortened(piece, left)), edited))
            left -= len(piece)
    return shown


def pieces(text: str, spans: Iterable[tuple[int, int]]) -> list[tuple[str, bool]]:
    """A text cut at the ends of some spans, left to right: each piece with whether it is one of them; none is empty."""
    found, at = [], 0
    for begin, end in spans:
        found += [(text[at:begin], False), (text[begin:end], True)]
        at = end
    return [piece for piece in (*found, (text[at:], False)) if piece[0]]


def token_states(case: Case, reference: Reference) -> list[tuple[str, int, str]]:
    """The tokens of a case aligned with the original's: token, id, and "same", "changed", "added", "removed" or "special"."""
    chips, before, after = [], reference.encoding, case.encoding
    for part in align(before, after):
        if part.kind == "removed":
            chips += [(visible(before.tokens[i]), before.ids[i], "removed") for i in part.original]
        for i in part.variant:
            state = "special" if part.kind == "same" and after.special[i] else part.kind
            chips.append((visible(after.tokens[i]), after.ids[i], state))
    return chips


def _answer(row: Row, case: Case, study: Study, longest: int) -> dict[str, Any]:
    reference, bounded, fate = study.reference.probabilities, study.head.has_labels, row.fate(case)
    if case.absorbed:
        said = case.absorbed_by or ""
    elif not case.tried:
        said = "not tried: the model does not read so far"
    elif not bounded:
        said = f"moves the output by {case.shift:.3f}"
    elif not row.counts(case):
        said = "shift below the noise floor: none"
    else:
        said = f"shift {case.shift:.3f}" + (f", now {case.label}" if fate == "flips" else "")
    names, colors = unique(study.labels), label_colors(study.labels)
    shown = sorted(range(len(names)), key=lambda i: -max(case.probabilities[i], reference[i]))[:3]
    return {
        "fate": fate,
        "said": said,
        "tokens": token_states(case, study.reference)[:longest],
        "bars": [
            {
                "label": names[i],
                "share": float(case.probabilities[i]) if bounded else None,
                "reference_share": float(reference[i]) if bounded else None,
                "reference": f"{reference[i]:.3f}",
                "value": f"{case.probabilities[i]:.3f}",
                "color": colors[study.labels[i]],
            }
            for i in (sorted(shown) if len(names) <= 3 else shown)
        ],
    }


def changed_positions(original: Encoding, variant: Encoding) -> tuple[list[int], list[int]]:
    """Positions of the tokens that the other sequence does not have: of the original, and of the variant."""
    parts = [part for part in align(original, variant) if part.kind != "same"]
    return [i for part in parts for i in part.original], [i for part in parts for i in part.variant]


def explanation(case: Case, study: Study) -> str:
    """What became of one case of a study, in a sentence."""
    row = next(row for row in study.rows if case in row.cases)
    if not case.tried:
        return "This edit lies beyond the limit, where the model does not read, so it was not tried."
    if case.absorbed:
        return f"The tokenizer absorbed this edit ({case.absorbed_by}): same ids, so exactly the same probabilities."
    if not row.counts(case):
        floor = number(row.noise_floor)
        return f"A shift of {number(case.shift)} is not above the noise floor ({floor}): it counts as none."
    moves = f"{case.shift:.3f}" if case.shift >= 0.0005 else f"{case.shift:.1g}"
    if case.margin is None:
        return f"The output moves by {moves}."
    said = f"{'becomes' if row.fate(case) == 'flips' else 'stays'} {case.label} (margin {case.margin:+.3f})"
    return f"The probabilities move by a shift of {moves}; the prediction {said}."


def own_edits(lines: str) -> tuple[str, ...]:
    r"""Texts typed by hand, one a line, with `\n`, `\t`, `\r`, `\\` and `\uXXXX` for what a line cannot hold."""
    escape = re.compile(r"\\(?:[ntr\\]|u[0-9a-fA-F]{4})")
    texts = (
        escape.sub(lambda found: found.group().encode().decode("unicode_escape"), one) for one in lines.splitlines()
    )
    return tuple(dict.fromkeys(text for text in texts if text))


# --- temperature ------------------------------------------------------------------------------------------------------


def tempered_rows(study: Study, temperature: float, most: int) -> pd.DataFrame:
    """Your sentence and the variants that move it most: what `charts.tempered_strip` reads, and more.

    Args:
        study: at T = 1, of a head with labels.
        most: variants beside the sentence; only those that reach the model.

    Returns:
        The columns `key` (empty for the sentence), `name`, `text`, `visible`, `tokens`, `label` (at T), and twice, at T = 1
        and at T: `p_before` and `p_after` (arrays `[n_labels]`), `before` and `after` (margins), `said_before` and
        `said_after` (probabilities as a line), `entropy_before` and `entropy_after` (nats).
    """
    head, labels, reference = study.head, study.labels, study.reference
    beside = {key: case for key, (_, case) in study.keyed().items() if case.reaches}
    shown: list[Reference | Case] = [reference, *list(beside.values())[:most]]
    logits, q = np.stack([one.logits for one in shown]), head.probabilities(reference.logits)
    columns: dict[str, Any] = {
        "key": ["", *list(beside)[:most]],
        "name": ["your sentence", *(case.called(key) for key, case in list(beside.items())[:most])],
        "text": [one.text for one in shown],
        "visible": [visible(shortened(one.text, 200)) for one in shown],
        "tokens": [tokens_line(one.encoding) for one in shown],
        # No temperature changes it.
        "label": [head.label(row, labels) for row in head.probabilities(logits, temperature)],
    }
    for name, t in (("before", 1.0), ("after", temperature)):
        p = head.probabilities(logits, t)
        columns |= {
            name: head.margins(p, q),
            f"p_{name}": list(p),
            f"said_{name}": [ranked(named(row, labels), 4, 3) for row in p],
            f"entropy_{name}": list(head.entropy(p)),
        }
    return pd.DataFrame(columns)


def tempered_frame(study: Study, temperature: float) -> pd.DataFrame:
    """The sentence and its cases at T = 1 and at another T, for a download: probabilities (one column per label), entropy in nats
    and margin, each twice. Nothing runs: the logits are the study's.
    """
    head, keyed, reference = study.head, study.keyed(), study.reference
    shown: list[Reference | Case] = [reference, *(case for _, case in keyed.values())]
    logits = np.stack([one.logits for one in shown])
    columns: dict[str, Any] = {
        "model": study.model,
        "variant": ["your sentence", *keyed],
        "text": [one.text for one in shown],
        "fate": ["reference", *(row.fate(case) for row, case in keyed.values())],
        "temperature": temperature,
    }
    for at, t in (("T = 1", 1.0), ("T", temperature)):
        p = head.probabilities(logits, t)
        columns[f"label at {at}"] = [head.label(row, study.labels) for row in p]
        columns |= {f"p({name}) at {at}": p[:, i] for i, name in enumerate(unique(study.labels))}
        columns[f"entropy at {at}"] = head.entropy(p)
        columns[f"margin at {at}"] = head.margins(p, head.probabilities(reference.logits))
    return pd.DataFrame(columns)
