"""The report: a study as one HTML file that needs no network, for the screen and for paper.

The first page is the answer, the rest an appendix. There is no script in it, and a policy in its head forbids every request.
"""

import base64
import json
import shlex
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

from core.base.errors import WobbleError
from core.base.versions import versions
from core.base.words import beginning, listed, shortened, tempered
from core.factors.case import BEYOND, LEAST_STEPS, Case, Reference, Row
from core.models.card import card
from core.models.classifier import Classifier
from core.studies.study import Study
from core.studies.verdict import is_profile, summary, verdict
from core.text.perturb import edits
from core.text.tokens import Encoding
from core.text.visible import LEGEND, visible
from core.views.documents import profile_document, study_document, unique
from core.views.html import factors_table, number, share, table, visible_html, words
from core.views.strip import figure, legend_html
from core.views.style import label_colors
from core.views.svg import strip_svg
from core.views.tables import changed_positions, pieces

WIDTH = 716
"""Pixels of the page and its picture: what a sheet of A4 holds between margins of 10 mm; `report.css` has it too."""
NARROW = 360
"""Pixels of the picture on a phone."""
FIRST_TEXT, LONG_TEXT = 600, 4000
"""Characters of the sentence that are shown on the first page, and in the appendix."""
CONTEXT = 60
"""Characters that stay on either side of an edit in a long text."""
MOST_PIECES = 61
"""Pieces of one text, edited and unedited."""
WHOLE = 60
"""Up to this many tokens are all shown; of more, only those near a change."""
NEAR = 8
MOST_LABELS = 8
"""Labels with a bar."""
LONGEST_COMMAND = 2000
"""Characters of the longest sentence that can be pasted into a command line."""
RECORD = "wobble-profile.json"
FLIP_MEASURES = (
    ("flip rate", "share of what was tried that flips", "r = flips / n, n = tried"),
    (
        "95% interval",
        "Wilson's score interval of the flip rate (1927), z = 1.96",
        "(r + z²/2n ± z·√(r(1 − r)/n + z²/4n²)) / (1 + z²/n)",
    ),
)
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def report(classifier: Classifier, study: Study) -> str:
    """One self-contained HTML file about a complete study, with what is needed to repeat it.

    Raises:
        WobbleError: the study is not complete, or another model's.
    """
    if not study.complete:
        raise WobbleError("The profile is not complete yet: wait until every factor has its row.")
    if classifier.weights_hash != study.weights_hash:
        raise WobbleError(f"The profile is of {study.model}, not of {classifier.id}.")
    clauses = verdict(study).clauses if is_profile(study) else ()
    rests_on = table(("statement", "evidence"), ((words(c.said), words(c.evidence)) for c in clauses))
    parts = [
        _sentence(study),
        f"<p class='verdict'>{words(summary(study))}</p>",
        _bars(study.reference),
        _flip(study),
        _picture(study),
        _caveats(classifier, study),
        "<h1 class='appendix'>Appendix</h1>",
        _whole_text(study.reference.text),
        _section("What the verdict rests on", rests_on) if clauses else "",
        f"<h2>The factors at a glance</h2><div class='glance'>{factors_table(study)}</div>",
        "<h2>Factor by factor</h2>",
        *(_factor(row, study) for row in study.shown),
        _model(classifier),
        _run(study),
        _definitions(study),
        _replay(study),
    ]
    style = Path(__file__).with_suffix(".css").read_text(encoding="utf-8")
    return (
        "<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'>"
        f"<meta http-equiv='Content-Security-Policy' content=\"{POLICY}\">"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>Wobble: {words(shortened(study.reference.text, 80))}</title><style>{style}</style></head>\n"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


# --- the first page --------------------------------------------------------------------------------------------------


def _sentence(study: Study) -> str:
    reference = study.reference
    margin = "" if reference.margin is None else f", margin {reference.margin:+.4f}"
    read, full = len(reference.encoding.ids), reference.encoding.full_length
    cut = f"<p>⚠ Truncated: the model reads {read:,} of {full:,} tokens.</p>" if reference.encoding.truncated else ""
    shown = visible(beginning(reference.text, FIRST_TEXT))
    marks = [f"<code>{mark}</code> {name}" for mark, name in LEGEND.items() if mark in shown]
    return (
        f"<header><h1>Wobble <small>why a text classifier changes its mind; {datetime.now(UTC):%-d %B %Y, %H:%M} UTC</small>"
        f"</h1><p class='text' dir='auto'>{visible_html(reference.text, FIRST_TEXT) or '<i>(an empty text)</i>'}</p>"
        + (f"<p class='faint'>{', '.join(marks)}</p>" if marks else "")
        + f"{cut}<p>Predicted <b>{words(reference.label)}</b>{tempered(study.temperature)} by {words(study.model)}{margin}.</p>"
        "</header>"
    )


def _bars(reference: Reference) -> str:
    """Probabilities as bars, the largest first; a regression's values as they are."""
    p, names, colors = reference.probabilities, unique(reference.labels), label_colors(reference.labels)
    order = sorted(range(len(names)), key=lambda i: -p[i])
    filled = "<span class='track'><i style='width:{:.2f}%;background:{}'></i></span>"
    track = filled if reference.head.has_labels else "<span></span>"
    lines = [
        f"<span>{words(names[i])}</span>{track.format(100 * p[i], colors[reference.labels[i]])}<span>{p[i]:.4f}</span>"
        for i in order[:MOST_LABELS]
    ]
    if len(order) > MOST_LABELS:
        lines.append(f"<span class='faint'>{len(order) - MOST_LABELS} other labels</span><span></span><span></span>")
    return f"<div class='bars'>{''.join(lines)}</div><p class='faint'>{escape(reference.head.meaning)}</p>"


def _flip(study: Study) -> str:
    """The edit that flips it furthest, as text whose changed characters are marked."""
    flipping = [case for row in study.shown if row.factor.edits for case in row.flipping]
    if not flipping:
        return ""
    worst = min(flipping, key=lambda case: case.margin or 0.0)
    spans = [edit.variant for edit in edits(study.reference.text, worst.text)]
    return f"<p>Flipped by {words(worst.made.said)}: {_answer(worst, study)}</p>{_text(worst.text, spans)}"


def _picture(study: Study) -> str:
    has_labels, reference = study.head.has_labels, study.reference
    label = f"“{words(reference.label)}”" if len(reference.label) <= 40 else "the prediction"
    title = "How far each case moves the output"
    if has_labels:
        title = f"{study.flips or 'None'} of {study.tried} cases {'flips' if study.flips < 2 else 'flip'} {label}"
    cases = listed(list(dict.fromkeys(row.factor.one for row in study.shown)), "or")
    uncounted = [row.factor.many for row in study.shown if not row.factor.flips_count]
    said = [
        f"one dot is one {words(cases)}",
        *([f"{words(listed(uncounted))} cannot flip and are not counted"] * bool(has_labels and uncounted)),
    ]
    drawn = figure(study, title="")
    return (
        f"<section class='card'><h2>{title}</h2><div class='wide'>{strip_svg(drawn, WIDTH, summary(study))}</div>"
        f"<div class='narrow'>{strip_svg(drawn, NARROW, summary(study), tips=False)}</div>"
        f"{legend_html(study)}<p class='faint'>{'; '.join(said)}.</p></section>"
    )


def _caveats(classifier: Classifier, study: Study) -> str:
    """What the answer does not say."""
    said = [
        *classifier.notes,
        card(classifier.source.top).said,
        f"This is about one sentence and one model, {classifier.id}.",
        "What was not tried can still flip it: the appendix gives each rate its 95% interval.",
        f"A shift of {study.noise_floor:.1e} or less is rounding, and counts as none.",
    ]
    return f"<ul class='caveats'>{''.join(f'<li>{words(one)}</li>' for one in said)}</ul>"


def _whole_text(text: str) -> str:
    """The sentence again, where the first page shows only its beginning."""
    if len(text) <= FIRST_TEXT:
        return ""
    return _section("The sentence", f"<p class='text' dir='auto'>{visible_html(text, LONG_TEXT)}</p>")


# --- a factor --------------------------------------------------------------------------------------------------------


def _factor(row: Row, study: Study) -> str:
    counts = (
        (row.tried, "tried", True),
        (row.absorbed, "absorbed by the tokenizer", row.factor.edits),
        (row.beyond, "beyond the limit", row.beyond),
        (len(row.moving), "above the noise floor", row.cases),
        (row.flips, "flip", row.cases and row.can_flip),
    )
    counted = "; ".join(f"<b>{count}</b> {what}" for count, what, told in counts if told)
    rate = share(row, "95% interval ")
    moved = f"Largest shift <b>{number(row.largest_shift)}</b>, median <b>{number(row.median_shift)}</b>."
    measured = f"<p>{'' if rate == '–' else f'Flip rate {rate}. '}{moved}</p>" if row.tried else ""
    notes = "".join(f"<li>{words(note)}</li>" for note in row.notes)
    return (
        f"<section class='card' id='{words(row.name)}'><h3>{words(row.name)}</h3><p>{counted}.</p>{measured}"
        f"{_worst(row, study)}{f'<ul>{notes}</ul>' if notes else ''}</section>"
    )


def _worst(row: Row, study: Study) -> str:
    """The case that goes furthest, as before and after."""
    worst, reference = row.worst, study.reference
    if worst is None:
        moves_all = not row.cases or not row.factor.flips_count
        return "" if moves_all else "<p>Nothing here moves the prediction beyond the noise floor.</p>"
    margin, far = "", "Furthest"
    if worst.margin is not None and reference.margin is not None:
        margin = f", margin {worst.margin:+.4f}"
        if not worst.flip:
            nearer = worst.margin < reference.margin
            far = "Nearest to a flip" if nearer else "Smallest margin, though nothing here brings it nearer to a flip"
    head = f"<p>{far}: <b>{words(worst.made.said)}</b>, shift {number(worst.shift)}{margin}.</p>"
    said = [_answer(one, study) for one in (reference, worst)]
    if worst.text == reference.text and worst.encoding.key == reference.encoding.key:
        return f"{head}<p>Before: {said[0]}; after: {said[1]}; the text and its tokens are the same.</p>"
    made = edits(reference.text, worst.text)
    before, after = changed_positions(reference.encoding, worst.encoding)
    cells = (
        _text(reference.text, [edit.original for edit in made]) + _tokens(reference.encoding, before),
        _text(worst.text, [edit.variant for edit in made]) + _tokens(worst.encoding, after),
    )
    return head + table(("", "text and tokens", "prediction"), zip(("before", "after"), cells, said, strict=True))


def _answer(one: Case | Reference, study: Study) -> str:
    return f"<b>{words(one.label)}</b>" + (f" {one.probabilities.max():.4f}" if study.head.exclusive else "")


def _text(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """A text with its edited spans marked; of a long one, what lies around them."""
    found = pieces(text, spans)
    shown = []
    for piece, edited in found[:MOST_PIECES]:
        html = visible_html(piece if len(piece) <= 3 * CONTEXT else f"{piece[:CONTEXT]}…{piece[-CONTEXT:]}")
        shown.append(f"<mark>{html}</mark>" if edited else html)
    return f"<div class='text' dir='auto'>{''.join(shown)}{' <i>…</i>' if len(found) > MOST_PIECES else ''}</div>"


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


# --- what is needed to understand and to repeat it --------------------------------------------------------------------


def _section(title: str, content: str) -> str:
    return f"<section class='card'><h2>{title}</h2>{content}</section>"


def _model(classifier: Classifier) -> str:
    return _section(
        "The model",
        table(
            ("", ""),
            [
                ("id", words(classifier.id)),
                ("architecture", f"{words(classifier.architecture)} ({words(classifier.family)})"),
                ("head", escape(classifier.head.meaning)),
                (
                    f"labels ({len(classifier.labels)})",
                    ", ".join(f"{i} {words(label)}" for i, label in enumerate(classifier.labels)),
                ),
                ("parameters", f"{classifier.parameters:,}"),
                ("longest text", f"{classifier.limit:,} tokens"),
                ("weights", f"sha256 {words(classifier.weights_hash)}"),
                ("precision", f"stored in {words(classifier.checkpoint_dtype)}, computed with in float32"),
                ("device", words(str(classifier.device))),
                ("notes", "<br>".join(map(words, classifier.notes)) or "none"),
            ],
        ),
    )


def _run(study: Study) -> str:
    used = [(row, _used(row, study)) for row in study.shown]
    return _section(
        "The run",
        table(
            ("", ""),
            [
                *((words(row.name), words("; ".join(said))) for row, said in used if said),
                ("noise floor", f"{study.noise_floor:.4g}"),
                ("predictions", f"{study.rows_asked:,} asked for, {study.rows_run:,} run through a model"),
                ("seconds", f"{study.seconds:.2f}"),
                ("versions", ", ".join(f"{words(name)} {words(version)}" for name, version in versions().items())),
            ],
        ),
    )


def _used(row: Row, study: Study) -> list[str]:
    """The options that a factor ran with, and what else it found, as far as they fit in a line."""
    usual = {option.name: option.default for option in row.factor.options}
    values: dict[str, Any] = {**usual, **study.options.get(row.factor.name, {}), **row.facts}
    said = []
    for name, value in values.items():
        numbers = value if isinstance(value, list | tuple) else [value]
        if all(isinstance(one, str | int | float) and not isinstance(one, bool) for one in numbers):
            shown = (one if isinstance(one, str) else f"{one:.4g}" for one in numbers)
            said.append(f"{name.replace('_', ' ')} {', '.join(shown)}")
    return said


def _definitions(study: Study) -> str:
    """The measures as they are taken for this head, p the probabilities of a case and q the reference's."""
    return _section(
        "The measures",
        table(
            ("measure", "meaning", "formula"),
            [
                (
                    "reference q",
                    f"the text as it is: dropout off, fp32, alone in its batch, T = {study.temperature:g}",
                    "",
                ),
                (
                    "absorbed",
                    "the tokenizer erased the edit, so the prediction cannot change",
                    "ids of the variant = ids of the text",
                ),
                (
                    "beyond the limit",
                    "the edit lies beyond what the model reads, so it was not tried and does not count",
                    "equal ids, but not what truncation cut off",
                ),
                *((name, *said) for name, said in study.head.measures.items()),
                *(FLIP_MEASURES if study.head.has_labels else ()),
                (
                    "noise floor",
                    "the most that rounding alone can do to this model and text; a case at or below it counts as unmoved",
                    f"shift of logits off by {BEYOND} × the largest difference in fp32, at least {LEAST_STEPS} steps",
                ),
                (
                    "temperature T",
                    "what the logits z are divided by before they become probabilities",
                    f"p = {study.head.formula}",
                ),
            ],
        ),
    )


def _replay(study: Study) -> str:
    document = profile_document(study) if is_profile(study) else study_document(study)
    record = base64.b64encode(json.dumps(document).encode()).decode()
    link = f"<a class='screen' download='{RECORD}' href='data:application/json;base64,{record}'>Save the record of this run</a>"
    repeat = f"<p>To compute a record again and compare every number:</p><pre>python -m core replay {RECORD}</pre>"
    if not is_profile(study):
        return _section("Replay", f"<p>{link}</p>{repeat}")
    text = quoted(study.reference.text)
    if study.temperature != 1:
        anew = "<p>The command line makes records at T = 1: use the record of this run.</p>"
    elif text is None or len(text) > LONGEST_COMMAND:
        anew = (
            "<p>The text is too long for a command line, or holds a character that none can carry: use the record.</p>"
        )
    else:
        chosen = {name: value for options in study.options.values() for name, value in options.items()}
        options = "".join(f" --{name} {value}" for name, value in chosen.items())
        command = f"python -m core profile --json --model {quoted(study.model)}{options} -- {text} > {RECORD}"
        anew = f"<p>To make a new record, in Wobble's folder:</p><pre>{words(command)}</pre>"
    return _section("Replay", f"<p>{link}</p>{repeat}{anew}")


def quoted(text: str) -> str | None:
    """A text as one word of a shell (bash, zsh), hidden characters spelled out; None where no command line can carry it."""
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        return None
    if text.isprintable():
        return shlex.quote(text)
    spelled = (
        c if c.isprintable() else f"\\U{ord(c):08X}" if ord(c) > 0xFFFF else f"\\u{ord(c):04X}"
        for c in text.replace("\\", "\\\\").replace("'", "\\'")
    )
    return f"$'{''.join(spelled)}'"
