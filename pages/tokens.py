"""What each stage of a tokenizer makes of a sentence: raw, normalized, pre-tokens, tokens, ids."""

import json
from collections.abc import Sequence
from html import escape

import pandas as pd
import streamlit as st

from core.classifier import Classifier
from core.documents import stages_document
from core.scripts import tokens_script
from core.stages import Stages, absorbed_by
from core.tables import changed_positions, tokens_frame
from core.visible import LEGEND, visible
from pages import _widgets

STAGE_HELP = {
    "raw": "The text as it was typed.",
    "normalized": "After the normalizer: lower-casing, accents, Unicode forms, white space.",
    "pre-tokens": "Cut into pieces that the vocabulary is applied to one by one.",
    "tokens and ids": "What the model reads. Marked: different from the other sentence.",
}


def text_row(text: str | None, missing: str) -> str:
    """One stage that is a text."""
    if text is None:
        return f"<span class='w-faint'>{missing}</span>"
    return f"<div class='w-text'>{_widgets.visible_html(text)}</div>"


def show(found: Stages, marked: Sequence[int]) -> None:
    """The stages of one sentence under one model, top to bottom."""
    pieces = found.pre_tokens
    cut = "none: applied to the text as a whole"
    chips = (
        f"<span class='w-faint'>{cut}</span>"
        if pieces is None
        else "<div class='w-tokens'>"
        + "".join(f"<span class='w-token'>{escape(visible(piece.text))}</span>" for piece in pieces[:400])
        + "</div>"
    )
    rows = {
        "raw": text_row(found.raw, ""),
        "normalized": text_row(found.normalized, "no normalizer: read as it is"),
        "pre-tokens": chips,
        "tokens and ids": _widgets.tokens_html(found.encoding, marked),
    }
    for name, html in rows.items():
        st.html(f"<p class='w-line w-faint' title='{STAGE_HELP[name]}'>{name}</p>{html}")
    for note in found.notes:
        st.caption(_widgets.escape_markdown(note))


def compared(model: Classifier, one: Stages, two: Stages) -> None:
    """Two sentences under one model, and what becomes of their difference."""
    erased = absorbed_by(model.encoder, one.raw, two.raw)
    if one.raw == two.raw:
        st.info("The two sentences are the same.")
    elif erased is not None:
        st.success(
            f"Same ids: the difference is erased. {_widgets.escape_markdown(erased)}", icon=":material/ink_eraser:"
        )
    else:
        st.warning("Different ids: the difference reaches the model.", icon=":material/visibility:")
    before, after = changed_positions(one.encoding, two.encoding)
    left, right = st.columns(2)
    with left:
        show(one, before)
    with right:
        show(two, after)


def downloads(found: Sequence[tuple[Classifier, Stages]]) -> None:
    """Everything on the page to take away."""

    def csv() -> bytes:
        frames = [tokens_frame(model.id, stages) for model, stages in found]
        return pd.concat(frames).to_csv(index=False).encode()

    def record() -> bytes:
        return json.dumps([stages_document(m.id, m.encoder.name, s) for m, s in found], ensure_ascii=False).encode()

    with st.container(horizontal=True):
        _widgets.download("CSV", "wobble-tokens.csv", csv)
        _widgets.download("JSON", "wobble-tokens.json", record)


text = _widgets.sentence()
second = st.text_input(
    "Compare with a second sentence",
    key="second",
    bind="query-params",
    placeholder="For example the same sentence without its full stop",
)
texts = [text, second] if second else [text]
models = _widgets.chosen_models()
st.html(
    "<p class='w-line w-faint'>"
    + " &nbsp; ".join(f"<span class='w-text'>{mark}</span> {escape(name)}" for mark, name in LEGEND.items())
    + "</p>"
)
columns = [st.container(border=True) for _ in models] if second else st.columns(len(models), border=True)
found: list[tuple[Classifier, Stages]] = []
for column, model in zip(columns, models, strict=True):
    with column:
        st.html(
            f"<p class='w-verdict' style='font-size:1.15rem'>{escape(model.id)}</p>"
            f"<p class='w-line w-faint'>{escape(model.encoder.name)}</p>"
        )
        staged = _widgets.attempt(lambda model=model: [_widgets.staged(model, line) for line in texts])
        if staged is None:
            continue
        found += [(model, one) for one in staged]
        if second:
            compared(model, *staged)
        else:
            st.html(f"<p class='w-line'><b>{len(staged[0].encoding.ids):,} tokens</b></p>")
            show(staged[0], ())
downloads(found)
for model in models:
    _widgets.code(tokens_script(model, texts))
