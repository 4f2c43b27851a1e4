"""The sidebar: models, sentence, examples, temperature, the link and the catalog."""

from html import escape
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.data.snippets import gallery
from core.factors.temperature import COLDEST, HOTTEST
from core.models import catalog
from core.text.perturb import perturbations
from core.text.visible import LEGEND, visible
from core.views.html import visible_html
from pages import controls, state, store
from pages._shell import STYLE
from pages.parts import markup, pinned, subject
from pages.parts.catalog import dialog

ASSETS = Path(__file__).parent.parent.parent / "assets"

MAX_MODELS = 4


copy_link = st.components.v2.component(
    "wobble_copy_link",
    html="<button type='button' class='w-copy'>Copy link</button>\n",
    css=STYLE,
    js=(ASSETS / "components" / "copy_link.js").read_text(encoding="utf-8"),
)


def begin(page: str) -> dict[str, list[str]]:
    """Begin the run of a page with what all pages share; returns that as a link says it."""
    found = state.begin(
        page,
        {
            "model": store.Field([catalog.DEFAULT], store.read_texts(MAX_MODELS)),
            "sentence": store.Field(gallery()[0].text, store.read_text),
            "temperature": store.Field(1.0, store.read_number(COLDEST, HOTTEST)),
            "pin": store.Field(None, store.read_pin(COLDEST, HOTTEST)),
            "example": store.Field(state.NOTHING),
        },
        [example.text for example in gallery()],
    )
    return found.parameters(found.shared())


def sidebar() -> DeltaGenerator:
    """Model and sentence, the same on every page; returns where the address is kept."""
    with st.sidebar:
        controls.several(
            "Models",
            "model",
            model_ids(),
            st.multiselect,
            [catalog.DEFAULT],
            most=MAX_MODELS,
            free=True,
            max_selections=MAX_MODELS,
            accept_new_options=True,
            help="Up to four, side by side. Choose from the catalog, or type any Hugging Face hub id or the path of a "
            "model directory, and press Enter.",
        )
        _sentence()
        controls.number(
            "Temperature",
            "temperature",
            COLDEST,
            HOTTEST,
            1.0,
            step=0.1,
            format="%g",
            help="All probabilities on all pages are softmax(logits / T). 1 is the model's own; the Temperature page can fit one. "
            "No label moves with it.",
        )
        with st.empty():
            subject.say_refused({"temperature": f"a number from {COLDEST:g} to {HOTTEST:,.0f}"})
        pinned.button()
        copy_link(key="copy_link")
        help = "What can be loaded here, and what the hub offers"
        state.button("Catalog", "catalog button", help, icon="inventory_2", catalog=True)
        dialog()
        state.listen()
        place = st.empty()
        # At once, so that a click while the page computes leaves the right entry in the history.
        state.address("of the run", place)
    return place


def _sentence() -> None:
    """The sentence and its visible form, and examples to choose from."""
    examples = gallery()
    text = controls.text(
        "Sentence",
        "sentence",
        examples[0].text,
        area=True,
        height=120,
        placeholder="Type a sentence",
        help="Press Ctrl+Enter to see what becomes of it.",
    )
    # What is not always there has a place of its own: what follows would be drawn twice while the places move.
    preview = st.empty()
    if text:
        marks = "  ".join(f"{mark} {meaning}" for mark, meaning in LEGEND.items())
        preview.html(
            f"<div class='w-text w-faint' title='{escape(marks)}' style='font-size:.85rem'>{visible_html(text, 400)}</div>"
        )
    controls.choice(
        "Examples",
        "example",
        range(len(examples)),
        nothing="Sentences worth trying",
        words=lambda i: visible(examples[i].text),
        linked=False,
    )
    shown = next((example for example in examples if example.text == text), None)
    worth = st.empty()
    if shown is not None:
        said = {rule.name: rule.said for rule in perturbations()}
        flips = "; ".join(f"“{said[edit]}” flips it under {model}" for model, edit in shown.flips.items())
        worth.caption(markup.escape_markdown(f"{shown.why}. {flips}." if flips else f"{shown.why}."))


@st.cache_data(ttl=30, show_spinner=False)
def model_ids() -> list[str]:
    """Ids to choose from; asks no network."""
    return [*catalog.local_ids(), *(id for id, _ in catalog.CURATED)]
