"""What each stage of a tokenizer makes of a sentence: raw, normalized, pre-tokens, tokens, ids."""

import json
from collections.abc import Sequence
from html import escape

import pandas as pd
import streamlit as st

from core.models.classifier import Classifier
from core.text.stages import Stages, absorbed_by
from core.text.visible import LEGEND, visible
from core.views.documents import stages_document
from core.views.html import visible_html
from core.views.scripts import tokens_script
from core.views.tables import changed_positions, cuts, tokens_frame
from pages import controls
from pages.parts import markup, results, subject, take_away, work

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
    staged = work.attempt(lambda model=model: [results.staged(model, line) for line in texts])
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
    take_away.code(lambda model=model: tokens_script(model, texts), name="" if len(models) == 1 else model.id)
