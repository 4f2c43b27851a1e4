"""What each stage of a tokenizer makes of a sentence: raw, normalized, pre-tokens, tokens, ids."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from html import escape
from typing import Any

import pages.parts.engine  # noqa: F401 - before all else

import pandas as pd
import streamlit as st

from core.base.words import listed, plural, tempered, verb
from core.factors.case import Case, Row
from core.factors.registry import factors
from core.factors.segmentation import Segmented
from core.models.classifier import Classifier
from core.studies import difference
from core.studies.study import Study, arranged
from core.studies.verdict import summary
from core.text.segmentation import method, uses
from core.text.stages import Stages, absorbed_by
from core.text.visible import LEGEND, visible
from core.views import documents, scripts, strip, tables, tables_tokens
from core.views.html import share, visible_html
from pages import controls, state
from pages.parts import markup, opened, pinned, plots, results, subject, take_away, variants_table, work
from pages.parts.pieces import SHOWN, counts_html, cut_html, link, linked, resplit_html, untried

PAGE = {
    "title": "Tokens",
    "icon": ":material/toll:",
    "question": "How do up to four tokenizers split the sentence, stage by stage, and what if they split it differently?",
    "factors": ("segmentation",),
    "opens": {"cut": "{case}"},
}

STAGES = {
    "raw": "The text as it was typed.",
    "normalized": "After the normalizer: lower-casing, accents, Unicode forms, white space.",
    "pre-tokens": "Cut into pieces that the vocabulary is applied to one by one.",
    "tokens and ids": "What the model reads.",
}
# Segmentations in the table; downloads hold all of them.
MOST = 100
(SEGMENTATION,) = factors(["segmentation"])
STRIP, TABLE = "segmentation strip", "segmentations_table"
VIEWS = {"drawn": "drawn", "nearest": "the nearest"}


def stages_html(found: Stages, marked: Sequence[int], other: str, name: str) -> tuple[str, ...]:
    """The stages of one text under one model, in the order of `STAGES`; what differs from the other text is marked.

    Args:
        name: of the text's pieces on the page, which link its tokens with its characters.
    """
    normalized = "<span class='w-faint'>no normalizer: read as it is</span>"
    if found.normalized is not None:
        normalized = f"<div class='w-text'>{visible_html(found.normalized)}</div>"
    chips = "<span class='w-faint'>none: applied to the text as a whole</span>"
    if found.pre_tokens is not None:
        each = [f"<span class='w-token'>{escape(visible(piece.text))}</span>" for piece in found.pre_tokens[:400]]
        chips = f"<div class='w-tokens'>{''.join(each)}</div>"
    raw = f"<div class='w-text'>{markup.changed_html(found.raw, other, SHOWN)}</div>"
    return raw, normalized, chips, markup.tokens_html(found.encoding, marked, pieces=linked(found, name))


def grid(columns: Sequence[tuple[str, str, Stages, Sequence[int]]], name: str) -> None:
    """Stages as rows, texts as columns (heading, what stands below it, stages, marked tokens), all aligned.

    Args:
        name: of the pieces of each text, followed by its number.
    """
    heads = (
        f"<div class='heading'><b>{escape(heading)}</b><br><span class='w-faint'>{escape(below)}</span></div>"
        for heading, below, _, _ in columns
    )
    # Two sentences each beside the other; of one sentence under several models nothing differs.
    others = [found.raw for _, _, found, _ in reversed(columns)]
    each = (
        stages_html(found, marked, other, f"{name}{number}")
        for number, ((_, _, found, marked), other) in enumerate(zip(columns, others, strict=True))
    )
    shown = zip(*each, strict=True)
    cells = ["<div class='corner'></div>", *heads]
    for (stage, meaning), texts in zip(STAGES.items(), shown, strict=True):
        cells += [f"<div class='stage' title='{meaning}'>{stage}</div>", *(f"<div>{text}</div>" for text in texts)]
    st.html(f"<div class='w-stages' style='--columns:{len(columns)}'>{''.join(cells)}</div>")
    for note in dict.fromkeys(note for _, _, found, _ in columns for note in found.notes):
        st.caption(markup.escape_markdown(note))


def compared(model: Classifier, one: Stages, two: Stages, name: str) -> None:
    """Two sentences under one model, and what becomes of their difference.

    Args:
        name: of the pieces of both texts on the page.
    """
    st.html(
        f"<p class='w-verdict small'>{escape(model.id)} <span class='w-faint'>{escape(model.encoder.name)}</span></p>"
    )
    marked = before, after = tables.changed_positions(one.encoding, two.encoding)
    if one.raw == two.raw:
        st.info("The two sentences are the same.")
    elif one.encoding.key == two.encoding.key and one.encoding.cut != two.encoding.cut:
        said = "The difference lies beyond the limit, where the model does not read: nothing was compared."
        st.warning(said, icon=":material/content_cut:")
    elif (erased := absorbed_by(model.encoder, one.raw, two.raw)) is not None:
        st.success(
            f"Same ids: the difference is absorbed. {markup.escape_markdown(erased)}", icon=":material/ink_eraser:"
        )
    else:
        said = f"Tokens only in the first: {len(before)}; only in the second: {len(after)}"
        st.warning(f"Different ids: the difference reaches the model. {said}.", icon=":material/visibility:")
    st.html(cut_html(one, f"{name}0") + cut_html(two, f"{name}1"))
    texts = zip(("Your sentence", "The second sentence"), (one, two), marked, strict=True)
    grid([(said, f"{len(found.encoding.ids):,} tokens", found, changed) for said, found, changed in texts], name)


def one_character(text: str, models: Sequence[Classifier]) -> None:
    """How many tokens change when one character does, for every character."""
    st.subheader("Where the split changes when one character changes")
    if rest := untried(text):
        st.caption(rest)
    each = {model.id: results.resplit(model, text) for model in models}
    if not any(one.changes for one in next(iter(each.values()))):
        return
    st.caption(
        "Below each character stands how many tokens change, or are new, when that one character is left out, and when it "
        "changes case. Only the tokenizer runs."
    )
    for id, ways in each.items():
        title = f"<p class='w-line w-faint'><b>{escape(id)}</b></p>" if len(each) > 1 else ""
        st.html(title + resplit_html(ways))
    take_away.downloads(
        (
            "CSV of the changed characters",
            "wobble-characters.csv",
            lambda: pd.concat([tables_tokens.resplit_frame(*one) for one in each.items()]),
        )
    )
    for model in models:
        script = partial(scripts.resplit_script, model, text, len(each[model.id][0].changes))
        take_away.code(script, f"one character changed, by {model.id}", name=f"characters_{model.id}")


def segmented(model: Classifier, text: str, temperature: float) -> None:
    """Other segmentations of the same characters: those that are drawn, and the nearest."""
    if (why_not := SEGMENTATION.missing(model)) is not None:
        st.info(markup.escape_markdown(why_not), icon=":material/info:")
        return
    rate = uses(model.encoder)
    options, smooth = {option.name: option for option in SEGMENTATION.options}, {"step": 0.05, "format": "%g"}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        asked = {
            name: controls.option(label, key, options[name], width=150, **look)
            for name, label, key, look in (
                ("draws", "Draws", "draws", {}),
                (rate, f"Rate {rate}" if rate == "p" else "Smoothing alpha", rate, smooth),
                ("seed", "Seed", "segmentation_seed", {}),
            )
        }
    subject.say_refused(
        {"draws": "a whole number from 1 to 1,000", "p": "a rate from 0 to 1", "alpha": "from 0 to 100"}
    )
    drawn = results.studied(model, text, SEGMENTATION.name, temperature, **asked)
    row = drawn.rows[0]
    cases, notes = results.nearest_to(model, text, temperature)
    near = replace(row, cases=cases, facts={}, notes=notes)
    heading(drawn, near, f"{method(model.encoder)} at {rate} = {asked[rate]:g}, seed {asked['seed']}")
    if not row.cases and not near.cases:
        return
    every = arranged(drawn, [replace(row, cases=(*row.cases, *near.cases))])
    side_by_side_section(model, drawn, every, results.staged(model, text)[0])
    take_away.downloads(
        ("CSV of the segmentations", "wobble-segmentation.csv", lambda: tables.cases_frame(every)),
        (
            "JSON of the segmentations",
            "wobble-segmentation.json",
            lambda: documents.segmentation_document(drawn, near.cases),
        ),
        ("Chart (HTML)", "wobble-segmentation.html", lambda: strip.figure(drawn)),
    )
    take_away.code(
        lambda: scripts.segmentation_script(model, every), "each segmentation's prediction", name="segmentation"
    )


def heading(drawn: Study, near: Row, how: str) -> None:
    """The finding about the segmentations, said first, and how they were drawn."""
    row, reference = drawn.rows[0], drawn.reference
    margin = "" if reference.margin is None else f", margin {reference.margin:+.3f}{tempered(drawn.temperature)}"
    rate = "" if row.flip_rate is None else f" Flip rate {share(row, '95%: ')}."
    closest = "".join(f" {note}" for note in near.notes)
    if near.flips is not None and near.tried:
        names = f": {listed([case.name for case in near.flipping[:3]])}" if near.flips else ""
        more = " among them" if near.flips > 3 else ""
        flip = verb(near.flips or 1, "flips", "flip")
        closest = f" Of the {near.tried} nearest {near.flips or 'none'} {flip} it{names}{more}."
    st.html(
        f"<p class='w-verdict small'>{escape(summary(drawn))}</p>"
        f"<p class='w-line'>Your sentence: <b>{escape(reference.label)}</b>{margin}.{rate}{escape(closest)} "
        f"{markup.noise_floor_html(drawn.noise_floor)}</p>"
        f"<p class='w-line w-faint'>{escape(drawn.model)}: {escape(how)}. {row.facts['rejected']} rejected, because they need an "
        f"unknown token or decode to another text; {row.facts['repeated']} gave the tokenizer's own pieces or those of an "
        f"earlier draw.</p>{markup.truncated_html(reference.encoding)}"
    )


def beside_the_pin(model: Classifier, own: Stages, of_pin: Classifier, text: str) -> None:
    """The tokens of the sentence under a model beside those of the pin, of which the model and the text are given."""
    kept, one = results.staged(of_pin, text)[0], difference.one_tokenizer(of_pin.encoder, model.encoder)
    before, after = tables.changed_positions(kept.encoding, own.encoding) if one else ([], [])
    said = difference.tokens(kept.encoding, own.encoding, one_tokenizer=one, one_text=kept.raw == own.raw)
    with st.container(border=True):
        both = (("Now", own, "pin0"), ("Pinned", kept, "pin1"))
        cut = (f"<p class='w-line w-faint'>{name}</p>{cut_html(one, linked)}" for name, one, linked in both)
        st.html(f"<p class='w-verdict small'>{escape(said)}</p>{''.join(cut)}")
        grid([("Now", model.id, own, after), ("Pinned", of_pin.id, kept, before)], "pin")


@st.fragment
def side_by_side_section(model: Classifier, drawn: Study, every: Study, own: Stages) -> None:
    """The strip, the pieces of each segmentation, and the probabilities beside them; what is opened runs only this again."""

    def draw(marked: str) -> None:
        figure, legend = strip.figure(drawn, dark=plots.dark(), marked=marked), strip.legend_html(drawn)
        alt = f"Margin strip: {summary(drawn)}"
        plots.show(figure, STRIP, "wobble-segmentation", alt, opens=True, legend=legend)

    def cut_twice(case: Case) -> str:
        """The same characters below each other, the sentence's own tokens above."""
        return cut_html(own) + cut_html(replace(own, encoding=case.encoding))

    cut = opened.section(
        [every], draw, opened.scripts_of(model), charts=[STRIP], opens="cut", table=TABLE, texts=cut_twice
    )
    named = {key: case for key, (_, case) in every.keyed().items()}
    view = controls.segments("Segmentations", "cuts", tuple(VIEWS), words=VIEWS.__getitem__)
    shown = entries(every, named, view == "nearest")
    # A draw may stand in the row of another one that gave the same pieces.
    chosen = next((row["key"] for row in shown if cut in row["alike"]), None)
    variants_table.table(
        key=TABLE,
        data={"models": [every.model], "rows": shown[:MOST], "one": "segmentation", "chosen": chosen},
        on_chosen_change=lambda: None,
    )
    state.address("of the segmentations")
    order = "those that change the fewest pieces first" if view == "nearest" else "largest shift first"
    st.caption(
        f"{min(len(shown), MOST)} of {len(shown)} different ones, {order}. Marked pieces are not in your sentence; those crossed "
        "out are in your sentence but not in this segmentation. The thin tick on a bar is your sentence. Click a row to open it."
    )


def entries(every: Study, named: Mapping[str, Case], nearest: bool) -> list[dict[str, Any]]:
    """The rows of the table, one for all draws that gave the same pieces: those that are drawn, or the nearest."""
    found: dict[tuple[int, ...], dict[str, Any]] = {}
    for entry in tables.side_by_side([every]):
        case = named[entry["key"]]
        made = case.made
        assert isinstance(made, Segmented)
        if (made.rank > 0) != nearest:
            continue
        said = f"{plural(made.changed, 'piece')} changed" if made.changed else "the tokenizer's own pieces"
        row = entry | {"text": [], "description": said, "alike": [], "rank": made.rank}
        first = found.setdefault(case.encoding.ids, row)
        first["alike"].append(entry["key"])
        if len(first["alike"]) > 1:
            first["description"] = f"{said}; drawn {len(first['alike'])} times"
    return sorted(found.values(), key=lambda row: row["rank"])


text = subject.sentence()
link()
head = work.header("Cutting it into tokens")
models = subject.chosen_models()
second = controls.text(
    "Compare with a second sentence", "second", placeholder="For example the same sentence without its period"
)
texts = [text, second] if second else [text]
tried = [(model, work.attempt(partial(results.staged, model, *texts))) for model in models]
found = [(model, staged) for model, staged in tried if staged]
if not found:
    work.end()
with work.headed(head):
    if second:
        for number, (model, (one, two)) in enumerate(found):
            with st.container(border=True):
                compared(model, one, two, f"model{number}text")
    else:
        counts = ", ".join(f"{len(staged[0].encoding.ids):,} by {model.id}" for model, staged in found)
        st.html(f"<p class='w-verdict'>The same characters, cut into tokens: {escape(counts)}.</p>")
        for number, (model, staged) in enumerate(found):
            st.html(counts_html(model.id, staged[0]) + cut_html(staged[0], f"text{number}"))
        grid([(m.id, f"{m.encoder.name}, {len(s[0].encoding.ids):,} tokens", s[0], ()) for m, s in found], "text")
first, (own, *_) = found[0]
pinned.bars([model for model, _ in found], partial(beside_the_pin, first, own))
marks = " &nbsp; ".join(f"<span class='w-text'>{mark}</span> {escape(name)}" for mark, name in LEGEND.items())
st.html(f"<p class='w-line w-faint'>{marks}</p>")
every = [(model, one) for model, staged in found for one in staged]
take_away.downloads(
    (
        "CSV",
        "wobble-tokens.csv",
        lambda: pd.concat([tables_tokens.tokens_frame(model.id, one) for model, one in every]),
    ),
    ("JSON", "wobble-tokens.json", lambda: [documents.stages_document(m.id, m.encoder.name, s) for m, s in every]),
)
for model, _ in found:
    name = "" if len(models) == 1 else model.id
    take_away.code(partial(scripts.tokens_script, model, texts), f"every stage, by {model.id}", name=name)
if not second:
    one_character(text, [model for model, _ in found])
st.subheader("Other segmentations of the same characters")
by_id = {model.id: model for model, _ in found}
chosen = controls.segments("Model", "cut_model", list(by_id)) if len(by_id) > 1 else found[0][0].id
work.attempt(partial(segmented, by_id[chosen], text, state.current().temperature))
