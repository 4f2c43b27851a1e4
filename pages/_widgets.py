"""What the pages share: the sidebar, cached results of the engine, and small pieces of HTML.

Text of users and of models reaches the page through `escape` or through components that only set text.
"""

from collections.abc import Callable, Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

from core import catalog
from core.classifier import Classifier
from core.compare import Comparison, compare
from core.data import gallery
from core.errors import WobbleError
from core.figures import label_colors
from core.perturb import Variant, custom, variants
from core.stages import Stages, stages
from core.tables import unique
from core.temperature import HEAD_MEANING
from core.tokens import Encoding
from core.visible import LEGEND, visible

ASSETS = Path(__file__).parent.parent / "assets"
STYLE = (ASSETS / "styles" / "wobble.css").read_text(encoding="utf-8")
MAX_MODELS = 4

variants_table = st.components.v2.component(
    "wobble_variants",
    html="<div class='w-variants' role='listbox' aria-label='Variants, largest shift first'></div>\n",
    css=STYLE,
    js=(ASSETS / "components" / "variants.js").read_text(encoding="utf-8"),
)


def style() -> None:
    """Put the style sheet into the page."""
    st.html(f"<style>{STYLE}</style>")


def dark() -> bool:
    """Whether the person looks at the dark theme."""
    return st.context.theme.type == "dark"


# --- the sidebar -----------------------------------------------------------------------------------------------------


def sidebar() -> None:
    """Model and sentence: kept in the URL, and the same on every page."""
    st.session_state.setdefault("model", [catalog.DEFAULT])
    st.session_state.setdefault("sentence", gallery()[0].text)
    with st.sidebar:
        st.multiselect(
            "Models",
            options=model_ids(),
            key="model",
            bind="query-params",
            max_selections=MAX_MODELS,
            accept_new_options=True,
            help="Up to four, side by side. Choose from the catalog, or type any Hugging Face hub id or the path of a "
            "model directory, and press Enter.",
        )
        st.text_area(
            "Sentence",
            key="sentence",
            bind="query-params",
            height=120,
            placeholder="Type a sentence",
            help="Press Ctrl+Enter to see what becomes of it.",
        )
        text = st.session_state.sentence
        if text:
            marks = "  ".join(f"{mark} {meaning}" for mark, meaning in LEGEND.items())
            st.html(
                f"<div class='w-text w-faint' title='{escape(marks)}' style='font-size:.85rem'>{visible_html(text, 400)}</div>"
            )
        st.selectbox(
            "Examples",
            options=range(len(gallery())),
            index=None,
            format_func=lambda i: visible(gallery()[i].text),
            key="example",
            placeholder="Sentences worth trying",
            on_change=_take_example,
        )
        if st.button("Catalog", icon=":material/inventory_2:", help="What can be loaded here, and what the hub offers"):
            _catalog()


def _take_example() -> None:
    if st.session_state.example is not None:
        st.session_state.sentence = gallery()[st.session_state.example].text


@st.cache_data(ttl=30, show_spinner=False)
def model_ids() -> list[str]:
    """Ids to choose from; asks no network."""
    return [*catalog.local_ids(), *(id for id, _ in catalog.CURATED)]


@st.dialog("Catalog", width="large")
def _catalog() -> None:
    with st.spinner("Asking the hub …"):
        entries = catalog.entries()
    st.dataframe(
        [
            {
                "id": entry.id,
                "source": entry.source,
                "available": entry.available,
                "family": entry.family,
                "tokenizer": entry.tokenizer,
                "labels": ", ".join(entry.labels),
                "parameters": entry.parameters,
            }
            for entry in entries
        ],
        hide_index=True,
        column_config={"parameters": st.column_config.NumberColumn(format="compact")},
    )
    st.caption(
        "“downloadable” models are fetched from the Hugging Face hub when they are first chosen; “unreachable” ones are "
        "not on this machine and the hub does not answer. Local models are those under the folders of WOBBLE_MODEL_DIRS."
    )


# --- the engine, cached ----------------------------------------------------------------------------------------------


def sentence() -> str:
    """The current sentence; stops the page with a hint where there is none."""
    text: str = st.session_state.sentence
    if not text.strip():
        st.info("Type a sentence on the left, or choose an example.", icon=":material/edit:")
        st.stop()
    return text


def chosen_models() -> list[Classifier]:
    """The chosen models that load; for each that does not, one sentence that says why."""
    if not st.session_state.model:
        st.info("Choose a model on the left.", icon=":material/inventory_2:")
        st.stop()
    loaded = [model for id in st.session_state.model if (model := attempt(lambda id=id: load(id))) is not None]
    if not loaded:
        st.stop()
    for model in loaded:
        for note in model.notes:
            st.warning(escape_markdown(note), icon=":material/warning:")
    return loaded


def load(id: str) -> Classifier:
    """A classifier of the catalog, with a spinner while it loads."""
    with st.spinner(f"Loading {escape_markdown(id)} …"):
        return catalog.load(id)


def attempt(call: Callable[[], Any]) -> Any:
    """The result of a call, or None and its one sentence on the page."""
    try:
        return call()
    except WobbleError as error:
        st.error(escape_markdown(str(error)), icon=":material/error:")
        return None


_UNHASHED = {Classifier: lambda classifier: (classifier.id, classifier.weights_hash, str(classifier.device))}


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs=_UNHASHED)
def compared(classifier: Classifier, text: str, own: tuple[str, ...], seed: int) -> Comparison:
    """The comparison of a sentence with its variants and the person's own edits; computed once."""
    made: list[Variant] = [*variants(text, seed=seed), *(custom(text, edit) for edit in own if edit != text)]
    known = compared(classifier, text, (), seed) if own else None
    return compare(classifier, text, made, known=known)


@st.cache_resource(max_entries=256, show_spinner=False, hash_funcs=_UNHASHED)
def staged(classifier: Classifier, text: str) -> Stages:
    """The stages of a tokenizer on a text; computed once."""
    return stages(classifier.encoder, text)


# --- pieces of HTML --------------------------------------------------------------------------------------------------


def escape_markdown(text: str) -> str:
    """Text for the elements that read Markdown, LaTeX, icons and colours: shown as it is."""
    return "".join(f"\\{character}" if character in "\\`*_{}[]()<>#+-.!|$:~^=" else character for character in text)


def visible_html(text: str, limit: int = 2000) -> str:
    """Text with visible white space, escaped; long ones are cut, and say so."""
    rest = f" <i>… {len(text) - limit:,} more characters</i>" if len(text) > limit else ""
    return breakable(visible(text[:limit])) + rest


def breakable(shown: str) -> str:
    """Visible text, escaped, with a place to break after each space: the mark itself is no white space."""
    return escape(shown).replace("\u00b7", "\u00b7<wbr>")


def tokens_html(encoding: Encoding, marked: Iterable[int] = (), limit: int = 400) -> str:
    """Token chips with their ids; those at the marked positions stand out."""
    stand_out = set(marked)
    chips = [
        f"<span class='w-token{' special' if special else ''}{' changed' if i in stand_out else ''}'>"
        f"{escape(visible(token))}<small>{id}</small></span>"
        for i, (token, id, special) in enumerate(zip(encoding.tokens, encoding.ids, encoding.special, strict=True))
    ]
    rest = f"<span class='w-faint'>… {len(chips) - limit} more</span>" if len(chips) > limit else ""
    return f"<div class='w-tokens'>{''.join(chips[:limit])}{rest}</div>"


def bars_html(labels: tuple[str, ...], row: Sequence[float], head: str, top: int = 4) -> str:
    """Probabilities as bars, the largest first; further labels are counted."""
    names, colors = unique(labels), label_colors(labels)
    ranked = sorted(range(len(labels)), key=lambda i: -row[i])
    lines = []
    for i in ranked[:top]:
        track = (
            ""
            if head == "regression"
            else f"<span class='fill' style='width:{100 * row[i]:.2f}%;background:{colors[labels[i]]}'></span>"
        )
        lines.append(
            f"<span class='name' title='{escape(names[i])}'>{escape(names[i])}</span><span class='track'>{track}</span>"
            f"<span class='p'>{row[i]:.3f}</span>"
        )
    if len(ranked) > top:
        rest = sum(row[i] for i in ranked[top:])
        said = f"{rest:.3f}" if head == "softmax" else ""
        lines.append(
            f"<span class='name w-faint'>{len(ranked) - top} other labels</span><span></span><span class='p'>{said}</span>"
        )
    return f"<div class='w-bars' title='{escape(HEAD_MEANING[head])}'>{''.join(lines)}</div>"


def download(label: str, file_name: str, make: Callable[[], bytes | str]) -> None:
    """A button that makes a file when it is clicked; the page does not run again."""
    st.download_button(
        escape_markdown(label),
        make,
        file_name,
        on_click="ignore",
        icon=":material/download:",
        key=f"download {label} {file_name}",
    )


def code(script: str) -> None:
    """The "show the code" panel."""
    with st.expander("Show the code", icon=":material/code:"):
        st.caption(
            "Plain transformers, without Wobble: run it in Wobble's folder and it prints the numbers on this page."
        )
        st.code(script, language="python")
