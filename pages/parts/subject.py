"""What a page speaks of: the sentence and the models that are chosen, loaded."""

import gc
from collections.abc import Mapping
from functools import partial

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from core.models import catalog
from core.models.classifier import Classifier
from pages import state
from pages.parts import markup, work


def routed() -> None:
    """Make sure that the page runs within app.py."""
    if PagesManager.uses_pages_directory or state.store().snapshot is None:
        # Until app.py has run once, Streamlit answers a link to a page by running that page's file alone, as it did
        # before there was st.navigation. Once more, then, through the router.
        PagesManager.uses_pages_directory = False
        st.rerun()


def sentence() -> str:
    """The current sentence; stops the page with a hint where there is none."""
    routed()
    text = state.current().sentence
    if not text.strip():
        st.info("Type a sentence on the left, or choose an example.", icon=":material/edit:")
        st.stop()
    return text


def chosen_models() -> list[Classifier]:
    """The chosen models that load; for each that does not, one sentence that says why."""
    chosen = state.current().models
    if not chosen:
        st.info("Choose a model on the left.", icon=":material/inventory_2:")
        st.stop()
    loaded = [model for id in chosen if (model := work.attempt(partial(load, id))) is not None]
    if not loaded:
        st.stop()
    for model in loaded:
        for note in model.notes:
            st.warning(markup.escape_markdown(note), icon=":material/warning:")
    return loaded


def one_model() -> Classifier:
    """The first of the chosen models, on a page that shows one; says so where there are several."""
    chosen = chosen_models()
    if len(chosen) > 1:
        st.caption(
            f"This page shows one model: {markup.escape_markdown(chosen[0].id)}, the first of {len(chosen)} chosen."
        )
    return chosen[0]


def say_refused(wanted: Mapping[str, str]) -> None:
    """One sentence for each value of the link that was left out.

    Args:
        wanted: what is taken, in words, by the name in the link.
    """
    left_out = state.refused()
    for name, taken in wanted.items():
        if name in left_out:
            st.warning(
                f"The link asks for {name} = {markup.escape_markdown(left_out[name][:60])}, which is not {taken}: it is left out.",
                icon=":material/link_off:",
            )


def load(id: str) -> Classifier:
    """A classifier of the catalog, with a spinner while it loads."""
    with st.spinner(f"Loading {markup.escape_markdown(id)} …"):
        model = catalog.load(id)
    _settle(model.id, model.weights_hash)
    return model


@st.cache_resource(show_spinner=False)
def _settle(*_: str) -> None:
    """Once a model: take what is loaded by now out of the garbage collector's sight.

    Streamlit runs a full collection after every run of a script; walking all objects of torch and transformers takes it
    0.2 s, in which nothing reaches the browser. What was frozen before is looked through once more, for a model that
    had to make room.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
