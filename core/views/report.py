"""The report: a profile as one HTML file that needs no network, for the screen and for paper; and a result's picture.

Plotly's own script stands in the file once. Everything else is plain HTML, and a policy in its head forbids every request.
"""

import base64
import json
import shlex
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

import pandas as pd

from core.base.errors import WobbleError
from core.base.versions import versions
from core.factors.temperature import HEAD_MEANING, Head
from core.models.classifier import Classifier
from core.models.heads import THRESHOLD, Probabilities
from core.studies.compare import Comparison, Reference
from core.studies.profile import FACTORS, Case, FactorRow, Profile, described
from core.studies.verdict import verdict
from core.text.perturb import FACTORS as EDITS
from core.text.tokens import Encoding
from core.text.visible import LEGEND, visible
from core.views import figures, tables
from core.views.documents import profile_document
from core.views.html import factors_table, number, share, table, visible_html, words

if TYPE_CHECKING:
    import plotly.graph_objects as go

WIDTH = 716
"""Pixels of the page and its picture: what a sheet of A4 holds between margins of 10 mm."""
LONG_TEXT = 4000
"""Characters of the sentence that are shown."""
CONTEXT = 60
"""Characters that stay on either side of an edit in a long text."""
MOST_PIECES = 61
"""Pieces of one text, edited and unedited."""
WHOLE = 60
"""Up to so many tokens all are shown, else those near a change."""
NEAR = 8
MOST_LABELS = 8
"""Labels with a bar."""
LONGEST_COMMAND = 2000
"""Characters of a sentence that one can still paste into a command line."""
RECORD = "wobble-profile.json"


def figure(
    result: Profile | Comparison,
    *,
    beside: Profile | None = None,
    title: str | None = None,
    title_width: int = 84,
    dark: bool = False,
) -> "go.Figure":
    """The margin strip of a result: a row a factor, a dot a case.

    Args:
        beside: another model's profile of the same text, drawn factor by factor below the first's.
        title: the finding in words; by default the result's own.
        title_width: characters in a line of the title.
    """
    reference, colors, axis = result.reference, figures.label_colors(result.labels), None
    rows: Sequence[str]
    if isinstance(result, Profile):
        frame, rows, unit = tables.profile_strip_frame(result), FACTORS, "tried"
        finding = verdict(result).text if result.complete else ""
    else:
        frame, rows, unit = tables.strip_frame(result), (*EDITS, "custom"), "edits"
        finding = result.finding
    if beside is not None:
        both = ((result.model, frame), (beside.model, tables.profile_strip_frame(beside)))
        frame = pd.concat(
            [one.assign(row=[f"{row}, {model}" for row in one["row"]]) for model, one in both], ignore_index=True
        )
        rows = [f"{row}, {model}" for row in rows for model, _ in both]
        colors = {**figures.label_colors(beside.labels), **colors}
        axis = "margin of each model's own label: its probability minus the next one's"
    return figures.margin_strip(
        frame,
        reference=tables.strip_value(reference),
        reference_label=reference.label,
        noise_floor=result.noise_floor,
        rows=rows,
        colors=colors,
        title=finding if title is None else title,
        title_width=title_width,
        unit=unit,
        dark=dark,
        has_labels=result.head != "regression",
        axis=axis,
        row_pixels=36 if beside is None else 30,
    )


def report(classifier: Classifier, profile: Profile) -> str:
    """One self-contained HTML file that tells a complete profile, with what is needed to repeat it.

    Raises:
        WobbleError: the profile is not complete, or another model's.
    """
    if not profile.complete:
        raise WobbleError("The profile is not complete yet: wait until every factor has its row.")
    if classifier.weights_hash != profile.weights_hash:
        raise WobbleError(f"The profile is of {profile.model}, not of {classifier.id}.")
    said = verdict(profile)
    parts = [
        _sentence(profile),
        f"<p class='verdict'>{words(said.text)}</p>",
        _bars(profile.labels, profile.reference.probabilities, profile.head),
        _picture(profile),
        _section(
            "What the verdict rests on",
            table(("statement", "evidence"), ((words(c.said), words(c.evidence)) for c in said.clauses)),
        ),
        f"<h2>The factors at a glance</h2><div class='glance'>{factors_table(profile)}</div>",
        "<h2>Factor by factor</h2>",
        *(_factor(profile[factor], profile) for factor in FACTORS),
        _model(classifier),
        _run(profile),
        _definitions(profile.head),
        _replay(profile),
    ]
    return (
        "<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'>"
        f"<meta http-equiv='Content-Security-Policy' content=\"{POLICY}\">"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>Wobble: {words(profile.reference.text[:80])}</title><style>{STYLE}</style></head>\n"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


# --- the first page --------------------------------------------------------------------------------------------------


def _sentence(profile: Profile) -> str:
    reference = profile.reference
    margin = "" if reference.margin is None else f", margin {reference.margin:+.4f}"
    cut = ""
    if reference.encoding.truncated:
        read, full = len(reference.encoding.ids), reference.encoding.full_length
        cut = f"<p>⚠ Truncated: the model reads {read:,} of {full:,} tokens.</p>"
    shown = visible(reference.text[:LONG_TEXT])
    marks = [f"<code>{mark}</code> {name}" for mark, name in LEGEND.items() if mark in shown]
    return (
        "<header><h1>Wobble <small>why a text classifier changes its mind</small></h1>"
        f"<p class='text' dir='auto'>{visible_html(reference.text, LONG_TEXT) or '<i>(an empty text)</i>'}</p>"
        + (f"<p class='faint'>{', '.join(marks)}</p>" if marks else "")
        + f"{cut}<p>Predicted <b>{words(reference.label)}</b> by {words(profile.model)}{margin}.</p></header>"
    )


def _bars(labels: tuple[str, ...], p: Probabilities, head: Head) -> str:
    """Probabilities as bars, the largest first; a regression's values as they are."""
    names, colors = tables.unique(labels), figures.label_colors(labels)
    order = sorted(range(len(labels)), key=lambda i: -p[i])
    lines = []
    for i in order[:MOST_LABELS]:
        bar = f"<i style='width:{100 * p[i]:.2f}%;background:{colors[labels[i]]}'></i>"
        track = "<span></span>" if head == "regression" else f"<span class='track'>{bar}</span>"
        lines.append(f"<span>{words(names[i])}</span>{track}<span>{p[i]:.4f}</span>")
    if len(order) > MOST_LABELS:
        lines.append(f"<span class='faint'>{len(order) - MOST_LABELS} other labels</span><span></span><span></span>")
    return f"<div class='bars'>{''.join(lines)}</div><p class='faint'>{escape(HEAD_MEANING[head])}</p>"


def _picture(profile: Profile) -> str:
    has_labels = profile.head != "regression"
    drawn = figure(profile, title="").update_layout(width=WIDTH)
    html = drawn.to_html(
        full_html=False, include_plotlyjs=True, div_id="strip", config={"displayModeBar": False}, validate=False
    )
    label = f"“{words(profile.reference.label)}”" if len(profile.reference.label) <= 40 else "the prediction"
    flips = (
        f"{profile.flips or 'None'} of {profile.tried} conditions {'flips' if profile.flips < 2 else 'flip'} {label}"
    )
    title = flips if has_labels else "How far each condition moves the output"
    legend = [
        "one dot is one edit, pass, temperature, seed or condition, in the colour of the label that it predicts",
        "○ absorbed: the tokenizer erased the edit",
        "● reaches the model",
        *(["◆ flips: it lies in the grey half, beyond the line where the label changes"] if has_labels else []),
        "dotted line: your sentence, with the noise floor as a band around it",
        *(["temperatures cannot flip and are not counted"] if has_labels else []),
    ]
    colors = figures.label_colors(profile.labels)
    keys = [
        f"<span class='key'><i style='background:{colors[label]}'></i>{words(label)}</span>"
        for label in dict.fromkeys(case.label for row in profile.factors for case in row.cases)
        if label in colors
    ]
    return (
        f"<section class='card'><h2>{title}</h2><div class='strip' role='img' aria-label='{words(verdict(profile).text)}'>"
        f"{html}</div><noscript><p>The picture needs JavaScript; the tables below hold its numbers.</p></noscript>"
        f"<p class='faint'>{'; '.join(legend)}.</p>"
        f"<p>{' '.join(keys[:MOST_LABELS])}</p></section>"
    )


# --- a factor --------------------------------------------------------------------------------------------------------


def _factor(row: FactorRow, profile: Profile) -> str:
    counted = [f"<b>{row.tried}</b> tried"]
    if row.factor in EDITS:
        counted.append(f"<b>{row.absorbed}</b> absorbed by the tokenizer")
    if row.cases:
        counted.append(f"<b>{len(row.moving)}</b> above the noise floor")
        if row.flips is not None:
            counted.append(f"<b>{row.flips}</b> flip")
    rate = share(row, "95 % interval ")
    moved = f"Largest shift <b>{number(row.largest_shift)}</b>, median <b>{number(row.median_shift)}</b>."
    measured = f"<p>{'' if rate == '–' else f'Flip rate {rate}. '}{moved}</p>" if row.cases else ""
    notes = "".join(f"<li>{words(note)}</li>" for note in row.notes)
    return (
        f"<section class='card' id='{row.factor}'><h3>{row.factor}</h3><p>{'; '.join(counted)}.</p>{measured}"
        f"{_worst(row, profile)}{f'<ul>{notes}</ul>' if notes else ''}</section>"
    )


def _worst(row: FactorRow, profile: Profile) -> str:
    """The case that goes furthest, as before and after."""
    worst, reference = row.worst, profile.reference
    if worst is None:
        moves_all = not row.cases or row.factor == "temperature"
        return "" if moves_all else "<p>Nothing here moves the prediction beyond the noise floor.</p>"
    margin = "" if worst.margin is None else f", margin {worst.margin:+.4f}"
    far = "Furthest"
    if not worst.flip and worst.margin is not None and reference.margin is not None:
        nearer = worst.margin < reference.margin
        far = "Nearest to a flip" if nearer else "Smallest margin, though nothing here brings it nearer to a flip"
    head = f"<p>{far}: <b>{words(described(worst))}</b>, shift {number(worst.shift)}{margin}.</p>"
    said = [_answer(one, profile) for one in (reference, worst)]
    if worst.row is None:
        return f"{head}<p>Before: {said[0]}; after: {said[1]}; the text and its tokens are the same.</p>"
    made, edits = worst.row, worst.row.variant.edits
    before, after = tables.changed_positions(reference.encoding, made.encoding)
    cells = [
        _text(reference.text, [edit.original for edit in edits]) + _tokens(reference.encoding, before),
        _text(made.variant.text, [edit.variant for edit in edits]) + _tokens(made.encoding, after),
    ]
    return head + table(
        ("", "text and tokens", "prediction"), (("before", cells[0], said[0]), ("after", cells[1], said[1]))
    )


def _answer(one: Case | Reference, profile: Profile) -> str:
    top = f" {one.probabilities.max():.4f}" if profile.head == "softmax" else ""
    return f"<b>{words(one.label)}</b>{top}"


def _text(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """A text with its edited spans marked; of a long one what lies around them."""
    pieces, at = [], 0
    for begin, end in spans:
        pieces += [(text[at:begin], False), (text[begin:end], True)]
        at = end
    pieces.append((text[at:], False))
    shown = [
        f"<mark>{visible_html(_middle_cut(piece))}</mark>" if edited else visible_html(_middle_cut(piece))
        for piece, edited in pieces[:MOST_PIECES]
        if piece
    ]
    rest = " <i>…</i>" if len(pieces) > MOST_PIECES else ""
    return f"<div class='text' dir='auto'>{''.join(shown)}{rest}</div>"


def _middle_cut(piece: str) -> str:
    return piece if len(piece) <= 3 * CONTEXT else f"{piece[:CONTEXT]}…{piece[-CONTEXT:]}"


def _tokens(encoding: Encoding, changed: Iterable[int]) -> str:
    """Token chips with their ids, the changed ones marked; of a long sequence those near a change."""
    stand_out = set(changed)
    total = len(encoding.tokens)
    near = {i for position in stand_out for i in range(position - NEAR, position + NEAR + 1)} & set(range(total))
    kept = range(total) if total <= WHOLE else sorted(near)[:WHOLE] or range(WHOLE)
    chips, at = [], 0
    for i in kept:
        if i > at:
            chips.append(f"<span class='faint'>… {i - at} more …</span>")
        at = i + 1
        names = f"token{' changed' if i in stand_out else ''}{' special' if encoding.special[i] else ''}"
        chips.append(
            f"<span class='{names}'>{escape(visible(encoding.tokens[i]))}<small>{encoding.ids[i]}</small></span>"
        )
    if total > at:
        chips.append(f"<span class='faint'>… {total - at} more</span>")
    return f"<div class='tokens'>{''.join(chips)}</div>"


# --- what it takes to understand and to repeat it --------------------------------------------------------------------


def _section(title: str, content: str) -> str:
    return f"<section class='card'><h2>{title}</h2>{content}</section>"


def _model(classifier: Classifier) -> str:
    labels = ", ".join(f"{i} {words(label)}" for i, label in enumerate(classifier.labels))
    pairs = [
        ("id", words(classifier.id)),
        ("architecture", f"{words(classifier.architecture)} ({words(classifier.family)})"),
        ("head", escape(HEAD_MEANING[classifier.head])),
        (f"labels ({len(classifier.labels)})", labels),
        ("parameters", f"{classifier.parameters:,}"),
        ("longest text", f"{classifier.limit:,} tokens"),
        ("weights", f"sha256 {words(classifier.weights_hash)}"),
        ("precision", f"stored in {words(classifier.checkpoint_dtype)}, computed with in float32"),
        ("device", words(str(classifier.device))),
        ("notes", "<br>".join(map(words, classifier.notes)) or "none"),
    ]
    return _section("The model", table(("", ""), pairs))


def _run(profile: Profile) -> str:
    pairs = [
        ("seed", f"{profile.seed} (of the perturbations that draw, and of the dropout passes)"),
        ("dropout passes", str(profile.passes)),
        ("seed family", "none" if profile.family is None else words(profile.family)),
        ("noise floor", f"{profile.noise_floor:.4g}"),
        ("rows", f"{profile.rows_run:,} run through a model for {profile.rows_asked:,} asked"),
        ("seconds", f"{profile.seconds:.2f}"),
        ("versions", ", ".join(f"{words(name)} {words(version)}" for name, version in versions().items())),
    ]
    return _section("The run", table(("", ""), pairs))


def _definitions(head: Head) -> str:
    """The measures as they are taken for this head, p the probabilities of a case and q the reference's."""
    margins = {
        "softmax": ("probability of the reference's label y minus the largest other one", "p(y) − max p(k), k ≠ y"),
        "sigmoid": (
            "twice the distance of the label that is nearest to crossing its threshold, or has crossed it furthest",
            f"min over labels of 2·|p(k) − {THRESHOLD}|, negative where k has crossed",
        ),
    }
    shifts = {
        "softmax": ("total variation distance, in [0, 1]", "½ · Σ |p(k) − q(k)|"),
        "sigmoid": ("largest total variation distance of one label's yes or no, in [0, 1]", "max |p(k) − q(k)|"),
        "regression": ("how far the output moves, in its own unit", "max |p(k) − q(k)|"),
    }
    flips = {
        "softmax": ("the predicted label is not the reference's", "argmax p ≠ argmax q"),
        "sigmoid": (
            "the set of labels above the threshold is not the reference's",
            f"{{k: p(k) > {THRESHOLD}}} differs",
        ),
    }
    rows = [
        ("reference q", "the text as it is: dropout off, fp32, alone in its batch, T = 1", ""),
        (
            "absorbed",
            "the tokenizer erased the edit, so the prediction cannot change",
            "ids of the variant = ids of the text",
        ),
        ("shift", *shifts[head]),
    ]
    if head != "regression":
        rows += [
            ("margin", f"{margins[head][0]}; in [−1, 1], below 0 is a flip", margins[head][1]),
            ("flip", *flips[head]),
            ("flip rate", "share of what was tried that flips", "r = flips / n, n = tried"),
            (
                "95 % interval",
                "Wilson's score interval of the flip rate (1927), z = 1.96",
                "(r + z²/2n ± z·√(r(1 − r)/n + z²/4n²)) / (1 + z²/n)",
            ),
        ]
    rows += [
        (
            "noise floor",
            "largest shift that rounding alone causes for this model and text; a case at or below it counts as unmoved",
            "max shift over the fp32 conditions",
        ),
        (
            "temperature",
            "what the logits z are divided by before they become probabilities",
            "p = " + _with_temperature(head),
        ),
    ]
    return _section("The measures", table(("measure", "meaning", "formula"), rows))


def _with_temperature(head: Head) -> str:
    return "z (a value has no temperature)" if head == "regression" else f"{head}(z / T)"


def _replay(profile: Profile) -> str:
    """The record to download, and the commands that compute the numbers anew."""
    record = base64.b64encode(json.dumps(profile_document(profile)).encode()).decode()
    link = f"<a class='screen' download='{RECORD}' href='data:application/json;base64,{record}'>Save the record of this run</a>"
    text = quoted(profile.reference.text)
    if text is None or len(text) > LONGEST_COMMAND:
        anew = (
            "<p>The text is too long for a command line, or holds a character that none can carry: use the record.</p>"
        )
    else:
        options = f"--model {quoted(profile.model)} --seed {profile.seed} --passes {profile.passes}"
        command = f"python -m core profile --json {options} -- {text} > {RECORD}"
        anew = f"<p>To make the record anew, in Wobble's folder:</p><pre>{words(command)}</pre>"
    repeat = f"<p>To compute a record again and compare every number:</p><pre>python -m core replay {RECORD}</pre>"
    return _section("Replay", f"<p>{link}</p>{repeat}{anew}")


def quoted(text: str) -> str | None:
    """A text as one word of a shell (bash, zsh), hidden characters spelled out; None where no command line can carry it."""
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        return None
    if text.isprintable():
        return shlex.quote(text)
    spelled = (
        f"\\{c}"
        if c in "\\'"
        else c
        if c.isprintable()
        else f"\\U{ord(c):08X}"
        if ord(c) > 0xFFFF
        else f"\\u{ord(c):04X}"
        for c in text
    )
    return f"$'{''.join(spelled)}'"


POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
MONOSPACE = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"
STYLE = f"""
:root {{ color-scheme: light; }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; background: #fff; color: #1F2430;
  font: 14px/1.45 system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; }}
main {{ width: {WIDTH}px; max-width: 100%; margin: 24px auto; }}
h1 {{ font-size: 20px; margin: 0 0 12px; border-bottom: 3px solid #0072B2; padding-bottom: 6px; }}
h1 small, .faint {{ font-size: 12.5px; font-weight: 400; color: #59606C; }}
h2 {{ font-size: 17px; margin: 26px 0 8px; }}
h3 {{ font-size: 14px; margin: 14px 0 4px; }}
p {{ margin: 5px 0; }}
ul {{ margin: 6px 0; padding-left: 20px; }}
header > .text {{ font-size: 17px; padding: 10px 12px; background: #F3F5F8; border-radius: 6px; }}
.text, pre, code {{ font-family: {MONOSPACE}; white-space: pre-wrap; overflow-wrap: anywhere; }}
.verdict {{ font-size: 19px; line-height: 1.35; font-weight: 600; margin: 12px 0; }}
.bars {{ display: grid; grid-template-columns: minmax(90px, max-content) 1fr max-content; gap: 4px 10px; align-items: center;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }}
.track {{ height: 12px; background: #E9ECF0; border-radius: 2px; }}
.track i, .key i {{ display: block; height: 100%; border-radius: 2px; }}
.key {{ margin-right: 14px; white-space: nowrap; }}
.key i {{ display: inline-block; width: 11px; height: 11px; margin-right: 5px; border-radius: 50%; }}
.strip {{ overflow-x: auto; overflow-y: hidden; }}
table {{ width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px; }}
th {{ font-weight: 600; color: #59606C; }}
th, td {{ padding: 4px 10px 4px 0; border-bottom: 1px solid #DDE1E7; overflow-wrap: anywhere; }}
th {{ overflow-wrap: normal; }}
td:first-child {{ min-width: 92px; }}
.glance td:not(:last-child) {{ white-space: nowrap; }}
section.card > h3 {{ text-transform: capitalize; font-size: 15px; margin-top: 0; }}
section[id] {{ border: 1px solid #CDD3DB; border-radius: 8px; padding: 10px 14px; margin: 10px 0; }}
section[id] table tr:last-child td {{ border-bottom: 0; }}
mark {{ background: #FBE3B4; color: inherit; box-shadow: inset 0 -2px 0 #E69F00; }}
.tokens {{ display: flex; flex-wrap: wrap; gap: 3px; margin-top: 5px; align-items: center; }}
.token {{ font: 11.5px/1.2 {MONOSPACE}; padding: 1px 4px; border: 1px solid #BFC6D0; border-radius: 4px; white-space: pre-wrap; }}
.token small {{ display: block; font-size: 9px; color: #59606C; }}
.token.special {{ color: #59606C; }}
.token.changed {{ background: #FBE3B4; border-color: #E69F00; font-weight: 700; }}
pre {{ background: #F3F5F8; border-radius: 6px; padding: 8px 10px; margin: 5px 0; font-size: 12.5px; }}
@page {{ size: A4; margin: 10mm; }}
@media screen and (max-width: {WIDTH + 32}px) {{ main {{ padding: 0 12px; }} }}
@media print {{
  main {{ margin: 0; }}
  .screen {{ display: none; }}
  .card, tr, .bars, header {{ break-inside: avoid; }}
  h2, h3, thead {{ break-after: avoid; }}
  * {{ print-color-adjust: exact; -webkit-print-color-adjust: exact; }}
}}
"""
