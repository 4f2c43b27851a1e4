"""The sidebar below the menu: what is tested, how it looks, and what can be taken away."""

from html import escape

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.data.snippets import gallery
from core.factors.temperature import COLDEST, HOTTEST
from core.models import catalog
from core.text.perturb import perturbations
from core.text.visible import LEGEND
from core.views.html import visible_html
from pages import controls, state, store
from pages.parts import copy_link, markup, pinned, presenter, subject
from pages.parts.catalog import dialog

MAX_MODELS = 4
SEEN = 60
"""Characters of the sentence's visible form that stand here, on two lines; pages show all of it."""
OWN = "place of a page's own controls"
"""Of this run: pages are run by the router and cannot be handed anything."""


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
            "presenter": presenter.FIELD,
        },
        [example.text for example in gallery()],
    )
    return found.parameters(found.shared())


def sidebar() -> DeltaGenerator:
    """What all pages share, in groups; returns where the address is kept."""
    with st.sidebar:
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            _group("What you test")
            help = "What can be loaded here, and what the hub offers"
            state.button("Catalog", "catalog button", help, plain=True, icon="inventory_2", catalog=True)
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
        st.session_state[OWN] = st.container(key="own")
        looks, away = st.columns(2, gap="small")
        with looks:
            _group("How it looks")
            _temperature()
            pinned.button()
        with away:
            _group("Take away")
            copy_link.button()
            presenter.enter()
        copy_link.answer()
        dialog()
        state.listen()
        place = st.empty()
        # At once, so that a click while the page computes leaves the right entry in the history.
        state.address("of the run", place)
    return place


def own() -> DeltaGenerator:
    """Where a page's own controls stand: among what is tested."""
    found: DeltaGenerator = st.session_state[OWN]
    return found


def _group(name: str) -> None:
    st.html(f"<h2 class='w-group'>{name}</h2>", width="content")


def _temperature() -> None:
    controls.number(
        "Temperature",
        "temperature",
        COLDEST,
        HOTTEST,
        1.0,
        step=0.1,
        format="%g",
        help="All probabilities on all pages are softmax(logits / T). 1 is the model's own; the Temperature page can fit one. "
        "It never changes a label.",
    )
    with st.empty():
        subject.say_refused({"temperature": f"a number from {COLDEST:g} to {HOTTEST:,.0f}"})


def _sentence() -> None:
    """The sentence and its visible form, and examples to choose from."""
    examples = gallery()
    text = controls.text(
        "Sentence",
        "sentence",
        examples[0].text,
        area=True,
        height=80,
        placeholder="Type a sentence",
        help="Press Ctrl+Enter to see what becomes of it.",
    )
    # What is not always there has a place of its own: what follows would be drawn twice while the places move.
    preview = st.empty()
    if text:
        marks = "  ".join(f"{mark} {meaning}" for mark, meaning in LEGEND.items())
        preview.html(f"<div class='w-text w-faint w-small' title='{escape(marks)}'>{visible_html(text, SEEN)}</div>")
    controls.choice(
        "Examples",
        "example",
        range(len(examples)),
        nothing="Sentences worth trying",
        # As one types it: the search finds no space by another mark or of another kind.
        words=lambda i: f"{' '.join(examples[i].text.split())} ({examples[i].why})",
        linked=False,
        label_visibility="collapsed",
    )
    shown = next((example for example in examples if example.text == text), None)
    worth = st.empty()
    if shown is not None:
        said = {rule.name: rule.said for rule in perturbations()}
        flips = "; ".join(f"“{said[edit]}” flips it under {model}" for model, edit in shown.flips.items())
        worth.caption(
            markup.escape_markdown(f"{shown.why}."), help=markup.escape_markdown(f"{flips}.") if flips else None
        )


@st.cache_data(ttl=30, show_spinner=False)
def model_ids() -> list[str]:
    """Ids to choose from; asks no network."""
    return [*catalog.local_ids(), *(id for id, _ in catalog.CURATED)]
