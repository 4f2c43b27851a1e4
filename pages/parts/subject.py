"""What a page is about: the sentence and the chosen models, loaded."""

import gc
from collections.abc import Mapping
from functools import partial
from html import escape
from typing import NoReturn

import streamlit as st

from core.base.words import megabytes, shortened
from core.data.snippets import gallery
from core.models import catalog
from core.models.classifier import Classifier
from core.studies.study import Study
from core.views.html import visible_html
from pages import _shell, state
from pages.parts import markup, presenter, work


def sentence() -> str:
    """The current sentence; stops the page with a hint where there is none."""
    _shell.through_router()
    presenter.steps("sentence", [example.text for example in gallery()], "sentence")
    text = state.current().sentence
    if not text.strip():
        st.info("Type a sentence on the left, or choose an example.", icon=":material/edit:")
        work.end()
    return text


def chosen_models() -> list[Classifier]:
    """The chosen models that load; for each that does not, one sentence that says why."""
    chosen = state.current().models
    if not chosen:
        st.info("Choose a model on the left.", icon=":material/inventory_2:")
        _default_instead()
    loaded = [model for id in chosen if (model := work.attempt(partial(load, id))) is not None]
    if not loaded:
        _default_instead()
    for note in (note for model in loaded for note in model.notes):
        st.warning(markup.escape_markdown(note), icon=":material/warning:")
    return loaded


def _default_instead() -> NoReturn:
    """End a page that has no model with the button that chooses the model that is always there."""
    if catalog.DEFAULT not in state.current().models:
        state.button(f"Use {catalog.DEFAULT}", "use the default model", primary=True, model=[catalog.DEFAULT])
    work.end()


def one_model() -> Classifier:
    """The first of the chosen models, on a page that shows one; says so where there are several."""
    chosen = chosen_models()
    if len(chosen) > 1:
        st.caption(
            f"This page shows one model: {markup.escape_markdown(chosen[0].id)}, the first of {len(chosen)} chosen."
        )
    return chosen[0]


def headline(study: Study, said: str, margin: str, device: str = "", alone: bool = True) -> None:
    """The finding first, then the sentence and the prediction that everything is compared with.

    Args:
        margin: what follows the predicted label.
        device: what follows the model's name, as HTML.
        alone: False where several models stand beside each other: narrow, and without the sentence, which is one for all.
    """
    reference = study.reference
    left, right = st.columns([3, 1.2], vertical_alignment="center") if alone else (st.container(),) * 2
    text = f"<p class='w-line'><span class='w-text'>{visible_html(reference.text, 300)}</span></p>"
    left.html(
        f"<p class='w-verdict{'' if alone else ' small'}'>{escape(said)}</p>{text if alone else ''}"
        f"<p class='w-line'>Predicted <b>{escape(reference.label)}</b>{margin} by {escape(study.model)}{device}. "
        f"{markup.noise_floor_html(study.noise_floor)}</p>{markup.truncated_html(reference.encoding)}"
    )
    right.html(markup.bars_html(study.labels, reference.probabilities, study.head))


def say_refused(wanted: Mapping[str, str]) -> None:
    """One sentence for each value of the link that was left out.

    Args:
        wanted: what is taken, in words, by the name in the link.
    """
    for name in (name for name in wanted if name in state.refused()):
        given = markup.escape_markdown(shortened(state.refused()[name], 60))
        st.warning(
            f"The link asks for {name} = {given}, which is not {wanted[name]}: it is left out.",
            icon=":material/link_off:",
        )


def files(id: str) -> None:
    """Make sure that the files of a model are on this machine: where the hub has to send them, a bar shows megabytes and time.

    Raises:
        WobbleError: the id names nothing that may be loaded.
    """
    # Where they are is not remembered, only that they were found: whoever loads the model looks again.
    work.long_work(
        ("files", id, catalog.stamp(id)),
        f"MB of {markup.escape_markdown(id)}",
        lambda progress: bool(catalog.resolve(id, progress)),
        megabytes,
        "Go on",
    )


def load(id: str) -> Classifier:
    """The classifier of an id.

    Raises:
        WobbleError: see `core.models.catalog.load`.
    """
    with st.spinner(f"Loading {markup.escape_markdown(id)} …"):
        files(id)
        model = catalog.load(id)
    settle(model)
    return model


def settle(model: Classifier, beside: str = "") -> None:
    """Once a model, and once for what is loaded beside it: see `_settled`."""
    _settled(model.id, model.weights_hash, beside)


@st.cache_resource(show_spinner=False)
def _settled(*_: str) -> None:
    """Take what is loaded by now out of the garbage collector's sight.

    Streamlit runs a full collection after every run of a script; walking all objects of torch and transformers takes it
    0.2 s, in which nothing reaches the browser. What was frozen before is looked through once more, for a model that
    had to make room.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
