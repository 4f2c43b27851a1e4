"""What each stage of a tokenizer makes of a sentence: raw, normalized, pre-tokens, tokens, ids."""

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from core.base.words import capital, listed, plural, verb
from core.factors.case import Case, Reference, Row
from core.factors.registry import factors
from core.factors.segmentation import Segmented
from core.models.classifier import Classifier
from core.studies.study import Study, arranged
from core.studies.verdict import summary
from core.text.segmentation import method, uses
from core.text.stages import Stages, absorbed_by
from core.text.visible import LEGEND, visible
from core.views import strip
from core.views.documents import segmentation_document, stages_document
from core.views.html import share, visible_html
from core.views.scripts import segmentation_script, tokens_script
from core.views.tables import cases_frame, changed_positions, cuts, explanation, side_by_side, tokens_frame
from pages import controls, state
from pages.parts import charts, markup, results, subject, take_away, variants_table, work

TITLE = "Tokens"
ICON = ":material/toll:"
QUESTION = "How do up to four tokenizers split the sentence, stage by stage, and what if they split it otherwise?"
FACTORS = ("segmentation",)

STAGES = {
    "raw": "The text as it was typed.",
    "normalized": "After the normalizer: lower-casing, accents, Unicode forms, white space.",
    "pre-tokens": "Cut into pieces that the vocabulary is applied to one by one.",
    "tokens and ids": "What the model reads.",
}
# Characters of a text that are drawn; downloads hold all of it.
LONGEST = 2000
# Segmentations in the table; downloads hold all of them.
SHOWN = 100
(SEGMENTATION,) = factors(FACTORS)
OPTIONS = {option.name: option for option in SEGMENTATION.options}
VIEWS = {"drawn": "drawn", "nearest": "the nearest"}


def cut_html(found: Stages) -> str:
    """The raw text with each token's characters boxed: the same characters stand below each other for every model."""
    pieces, number = [], 0
    for cut in cuts(found, LONGEST):
        number += bool(cut.tokens)
        said = "  ".join(f"{visible(token)} {id}" for token, id in cut.tokens) or "read by no token"
        kind = "gap" if not cut.tokens else "odd" if number % 2 else "even"
        pieces.append(f"<span class='{kind}' title='{escape(said)}'>{escape(visible(cut.text))}</span>")
    return f"<div class='w-cut'>{''.join(pieces)}</div>"


def stage_html(found: Stages, name: str, marked: Sequence[int] = ()) -> str:
    """One stage of one text under one model."""
    if name == "raw":
        return f"<div class='w-text'>{visible_html(found.raw)}</div>"
    if name == "normalized":
        if found.normalized is None:
            return "<span class='w-faint'>no normalizer: read as it is</span>"
        return f"<div class='w-text'>{visible_html(found.normalized)}</div>"
    if name == "pre-tokens":
        if found.pre_tokens is None:
            return "<span class='w-faint'>none: applied to the text as a whole</span>"
        chips = [f"<span class='w-token'>{escape(visible(piece.text))}</span>" for piece in found.pre_tokens[:400]]
        return f"<div class='w-tokens'>{''.join(chips)}</div>"
    return markup.tokens_html(found.encoding, marked)


def grid(columns: Sequence[tuple[str, str, Stages, Sequence[int]]]) -> None:
    """Stages as rows, texts as columns (heading, what stands below it, stages, marked tokens), all aligned."""
    cells = ["<div class='corner'></div>"]
    for heading, below, _, _ in columns:
        cells.append(
            f"<div class='heading'><b>{escape(heading)}</b><br><span class='w-faint'>{escape(below)}</span></div>"
        )
    for name, meaning in STAGES.items():
        cells.append(f"<div class='stage' title='{meaning}'>{name}</div>")
        cells += [f"<div>{stage_html(found, name, marked)}</div>" for _, _, found, marked in columns]
    st.html(f"<div class='w-stages' style='--columns:{len(columns)}'>{''.join(cells)}</div>")
    for note in dict.fromkeys(note for _, _, found, _ in columns for note in found.notes):
        st.caption(markup.escape_markdown(note))


def compared(model: Classifier, one: Stages, two: Stages) -> None:
    """Two sentences under one model, and what becomes of their difference."""
    st.html(
        f"<p class='w-verdict small'>{escape(model.id)} <span class='w-faint'>{escape(model.encoder.name)}</span></p>"
    )
    erased = absorbed_by(model.encoder, one.raw, two.raw)
    before, after = changed_positions(one.encoding, two.encoding)
    if one.raw == two.raw:
        st.info("The two sentences are the same.")
    elif erased is not None:
        st.success(
            f"Same ids: the difference is erased. {markup.escape_markdown(erased)}", icon=":material/ink_eraser:"
        )
    else:
        said = f"Tokens only in the first: {len(before)}; only in the second: {len(after)}"
        st.warning(f"Different ids: the difference reaches the model. {said}.", icon=":material/visibility:")
    st.html(cut_html(one) + cut_html(two))
    columns = []
    for heading, found, marked in (("Your sentence", one, before), ("The second sentence", two, after)):
        columns.append((heading, f"{len(found.encoding.ids):,} tokens", found, marked))
    grid(columns)


def downloads(found: Sequence[tuple[Classifier, Stages]]) -> None:
    """Everything on the page to take away."""

    def csv() -> bytes:
        frames = [tokens_frame(model.id, stages) for model, stages in found]
        return pd.concat(frames).to_csv(index=False).encode()

    def record() -> bytes:
        return json.dumps([stages_document(m.id, m.encoder.name, s) for m, s in found], ensure_ascii=False).encode()

    with st.container(horizontal=True):
        take_away.download("CSV", "wobble-tokens.csv", csv)
        take_away.download("JSON", "wobble-tokens.json", record)


def all_staged(model: Classifier, texts: Sequence[str]) -> list[Stages]:
    """The stages of each text under one model."""
    return [results.staged(model, text) for text in texts]


def segmented(model: Classifier, text: str, temperature: float) -> None:
    """Other segmentations of the same characters: those that are drawn, and the nearest."""
    if (why_not := SEGMENTATION.missing(model)) is not None:
        st.info(markup.escape_markdown(why_not), icon=":material/info:")
        return
    rate = uses(model.encoder)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        asked = {
            name: controls.option(label, key, OPTIONS[name], width=150, **look)
            for name, label, key, look in (
                ("draws", "Draws", "draws", {}),
                (rate, f"Rate {rate}" if rate == "p" else "Smoothing alpha", rate, {"step": 0.05, "format": "%g"}),
                ("seed", "Seed", "segmentation_seed", {}),
            )
        }
    subject.say_refused(
        {"draws": "a whole number from 1 to 1,000", "p": "a rate from 0 to 1", "alpha": "from 0 to 100"}
    )
    drawn = results.studied(model, text, SEGMENTATION.name, temperature, **asked)
    row = drawn.rows[0]
    near = replace(row, cases=results.nearest_to(model, text, temperature), facts={}, notes=())
    heading(drawn, near, f"{method(model.encoder)} at {rate} = {asked[rate]:g}, seed {asked['seed']}")
    if not row.cases and not near.cases:
        return
    figure = strip.figure(drawn, dark=charts.dark())
    st.plotly_chart(
        figure,
        key="segmentation strip",
        config=charts.chart("wobble-segmentation"),
        alt=f"Margin strip: {summary(drawn)}",
        on_select="rerun",
        selection_mode="points",
    )
    every = arranged(drawn, [replace(row, cases=(*row.cases, *near.cases))])
    side_by_side_section(every, results.staged(model, text))
    with st.container(horizontal=True):
        take_away.download(
            "CSV of the segmentations",
            "wobble-segmentation.csv",
            lambda: cases_frame(every).to_csv(index=False).encode(),
        )
        take_away.download(
            "JSON of the segmentations",
            "wobble-segmentation.json",
            lambda: json.dumps(segmentation_document(drawn, near.cases), ensure_ascii=False).encode(),
        )
        take_away.download("Chart (HTML)", "wobble-segmentation.html", lambda: figure.to_html(include_plotlyjs=True))
    take_away.code(lambda: segmentation_script(model, every), name="segmentation")


def heading(drawn: Study, near: Row, how: str) -> None:
    """What the segmentations come to, said first, and how they were drawn."""
    row, reference = drawn.rows[0], drawn.reference
    at = "" if drawn.temperature == 1 else f" at T = {drawn.temperature:g}"
    margin = "" if reference.margin is None else f", margin {reference.margin:+.3f}{at}"
    rate = "" if row.flip_rate is None else f" Flip rate {share(row, '95 %: ')}."
    closest = ""
    if near.flips is not None and near.tried:
        which = f": {listed([case.name for case in near.flipping[:3]])}{' among them' * (near.flips > 3)}" * bool(
            near.flips
        )
        closest = (
            f" Of the {near.tried} nearest {near.flips or 'none'} {verb(near.flips or 1, 'flips', 'flip')} it{which}."
        )
    st.html(
        f"<p class='w-verdict small'>{escape(summary(drawn))}</p>"
        f"<p class='w-line'>Your sentence: <b>{escape(reference.label)}</b>{margin}.{rate}{closest} "
        f"{markup.noise_floor_html(drawn.noise_floor)}</p>"
        f"<p class='w-line w-faint'>{escape(drawn.model)}: {escape(how)}. {row.facts['rejected']} rejected, since they need an "
        f"unknown token or decode to another text; {row.facts['repeated']} gave the tokenizer's own pieces or those of an "
        f"earlier draw.</p>{markup.truncated_html(reference.encoding)}"
    )


@st.fragment
def side_by_side_section(every: Study, own: Stages) -> None:
    """The pieces of each segmentation, and the probabilities beside them; what is opened here runs only this again."""
    state.pointed("segmentation strip", "cut")
    state.picked("segmentations_table", "cut")
    named = every.keyed()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        view = controls.segments("Segmentations", "cuts", tuple(VIEWS), words=VIEWS.__getitem__)
        cut = controls.choice("Open a segmentation", "cut", list(named), nothing="none", width=260)
    if cut:
        with st.container(border=True):
            opened(every, named[cut][1], own)
    rows = entries(every, view == "nearest")
    # A draw may stand in the row of another one that gave the same pieces.
    chosen = next((row["key"] for row in rows if cut in row["alike"]), None)
    variants_table.table(
        key="segmentations_table",
        data={"models": [every.model], "rows": rows[:SHOWN], "one": "segmentation", "chosen": chosen},
        on_chosen_change=lambda: None,
    )
    state.address("of the segmentations")
    order = "those that change the fewest pieces first" if view == "nearest" else "largest shift first"
    st.caption(
        f"{min(len(rows), SHOWN)} of {len(rows)} different ones, {order}. Marked pieces are not your sentence's; those crossed "
        "out are your sentence's and not this segmentation's. The thin tick on a bar is your sentence. Click a row to open it."
    )


def entries(every: Study, nearest: bool) -> list[dict[str, Any]]:
    """The rows of the table, one for all draws that gave the same pieces: those that are drawn, or the nearest."""
    named = every.keyed()
    rows: dict[tuple[int, ...], dict[str, Any]] = {}
    for entry in side_by_side([every]):
        made = made_of(named[entry["key"]])
        if (made.rank > 0) != nearest:
            continue
        said = f"{plural(made.changed, 'piece')} changed" if made.changed else "the tokenizer's own pieces"
        row = entry | {"text": [], "description": said, "alike": [], "rank": made.rank}
        first = rows.setdefault(named[entry["key"]][1].encoding.ids, row)
        first["alike"].append(entry["key"])
        if len(first["alike"]) > 1:
            first["description"] = f"{said}; drawn {len(first['alike'])} times"
    return sorted(rows.values(), key=lambda row: row["rank"])


def made_of(found: tuple[Row, Case]) -> Segmented:
    """What made a case of this page."""
    made = found[1].made
    assert isinstance(made, Segmented)
    return made


def opened(every: Study, case: Case, own: Stages) -> None:
    """One segmentation at large: the same characters below each other, then the tokens, your sentence's left."""
    reference = every.reference
    before, after = changed_positions(reference.encoding, case.encoding)
    st.html(
        f"<p class='w-line'>{escape(explanation(case))}</p>{cut_html(own)}{cut_html(replace(own, encoding=case.encoding))}"
    )
    sides: tuple[tuple[str, Reference | Case, Sequence[int]], ...] = (
        ("Your sentence", reference, before),
        (capital(case.made.said), case, after),
    )
    for column, (title, found, marked) in zip(st.columns(2), sides, strict=True):
        column.html(
            f"<p class='w-line'><b>{escape(title)}</b></p>{markup.tokens_html(found.encoding, marked)}"
            f"<div style='height:.6rem'></div>{markup.bars_html(every.labels, found.probabilities, every.head, top=8)}"
        )


text = subject.sentence()
models = subject.chosen_models()
second = controls.text(
    "Compare with a second sentence",
    "second",
    placeholder="For example the same sentence without its full stop",
)
texts = [text, second] if second else [text]
found: list[tuple[Classifier, list[Stages]]] = []
for model in models:
    staged = work.attempt(partial(all_staged, model, texts))
    if staged is not None:
        found.append((model, staged))
if not found:
    st.stop()
if second:
    for model, (one, two) in found:
        with st.container(border=True):
            compared(model, one, two)
else:
    counts = ", ".join(f"{len(staged[0].encoding.ids):,} by {model.id}" for model, staged in found)
    st.html(f"<p class='w-verdict'>The same characters, cut into tokens: {escape(counts)}.</p>")
    for model, staged in found:
        st.html(f"<p class='w-line w-faint'>{escape(model.id)}</p>{cut_html(staged[0])}")
    grid([(m.id, f"{m.encoder.name}, {len(s[0].encoding.ids):,} tokens", s[0], ()) for m, s in found])
marks = " &nbsp; ".join(f"<span class='w-text'>{mark}</span> {escape(name)}" for mark, name in LEGEND.items())
st.html(f"<p class='w-line w-faint'>{marks}</p>")
downloads([(model, one) for model, staged in found for one in staged])
for model, _ in found:
    take_away.code(partial(tokens_script, model, texts), name="" if len(models) == 1 else model.id)
st.subheader("Other segmentations of the same characters")
ids = [model.id for model, _ in found]
chosen = controls.segments("Model", "cut_model", ids) if len(ids) > 1 else ids[0]
subject_of = next(model for model, _ in found if model.id == chosen)
work.attempt(partial(segmented, subject_of, text, state.current().temperature))
