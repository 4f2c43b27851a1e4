"""What the pages share: the sidebar, cached results of the engine, and small pieces of HTML.

Text of users and of models reaches the page through `escape` or through components that only set text.
"""

import gc
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.pages_manager import PagesManager

from core import catalog
from core.calibration import Calibration, calibrate_on
from core.classifier import Classifier
from core.compare import Comparison, compare
from core.data import gallery
from core.dropout import Dropout, Passes, run_passes
from core.errors import WobbleError
from core.figures import label_colors
from core.perturb import Variant, custom, variants
from core.seeds import Family, FamilyPrediction, OnData, Way, load_family, on_data, predict_family, way
from core.stages import Stages, stages
from core.tables import unique
from core.temperature import COLDEST, HEAD_MEANING, HOTTEST
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
    st.session_state.setdefault("temperature", 1.0)
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
        shown = next((example for example in gallery() if example.text == text), None)
        if shown is not None:
            flips = "; ".join(f"{edit} flips it under {model}" for model, edit in shown.flips.items())
            st.caption(escape_markdown(f"{shown.why}. {flips}." if flips else f"{shown.why}."))
        st.number_input(
            "Temperature",
            COLDEST,
            HOTTEST,
            step=0.1,
            format="%g",
            key="temperature",
            bind="query-params",
            help="All probabilities on all pages are softmax(logits / T). 1 is the model's own; the Temperature page can fit one. "
            "No label moves with it.",
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
    if "sentence" not in st.session_state:
        # Until app.py has run once, Streamlit answers a link to a page by running that page's file alone, as it did
        # before there was st.navigation. Once more, then, through the router.
        PagesManager.uses_pages_directory = False
        st.rerun()
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


def attempt(call: Callable[[], Any]) -> Any:
    """The result of a call, or None and its one sentence on the page."""
    try:
        return call()
    except WobbleError as error:
        st.error(escape_markdown(str(error)), icon=":material/error:")
        return None


_UNHASHED = {Classifier: lambda classifier: (classifier.id, classifier.weights_hash, str(classifier.device))}


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs=_UNHASHED)
def compared(classifier: Classifier, text: str, own: tuple[str, ...], seed: int, temperature: float) -> Comparison:
    """The comparison of a sentence with its variants and the person's own edits; another T runs nothing again."""
    made: list[Variant] = [*variants(text, seed=seed), *(custom(text, edit) for edit in own if edit != text)]
    known = None
    if own:
        known = compared(classifier, text, (), seed, temperature)
    elif temperature != 1:
        known = compared(classifier, text, (), seed, 1.0)
    return compare(classifier, text, made, known=known, temperature=temperature)


@st.cache_resource(max_entries=16, show_spinner="Running the labelled data …", hash_funcs=_UNHASHED)
def calibrated(classifier: Classifier, content: bytes | None) -> Calibration:
    """The calibration of a classifier on labelled data; each text runs once."""
    return calibrate_on(classifier, content)


@st.cache_resource(show_spinner="Loading the seeds …")
def family() -> Family:
    """The embedded family of seeds, loaded once."""
    return load_family()


_BY_ID = {Family: lambda family: (family.id, family.members)}


@st.cache_resource(max_entries=64, show_spinner="Asking every seed …", hash_funcs=_BY_ID)
def family_of(family: Family, texts: tuple[str, ...]) -> FamilyPrediction:
    """Every seed on some texts; computed once."""
    return predict_family(family, texts)


@st.cache_resource(max_entries=64, show_spinner="Walking from one seed to the other …", hash_funcs=_BY_ID)
def walked(family: Family, text: str, first: int, second: int) -> Way:
    """The way from one seed to another; computed once."""
    return way(family, text, first, second)


@st.cache_resource(
    show_spinner="Running all seeds on the test split: about half a minute on two cores …", hash_funcs=_BY_ID
)
def family_data(family: Family) -> OnData:
    """Every seed on the movie test split; computed once."""
    return on_data(family)


@st.cache_resource(max_entries=256, show_spinner=False, hash_funcs=_UNHASHED)
def staged(classifier: Classifier, text: str) -> Stages:
    """The stages of a tokenizer on a text; computed once."""
    return stages(classifier.encoder, text)


class _Kept:
    """Results of long work, at most `limit`, least recently used first out; unlike Streamlit's caches it shows progress."""

    def __init__(self, limit: int) -> None:
        self._limit, self._lock = limit, threading.Lock()
        self._results: OrderedDict[Any, Any] = OrderedDict()

    def get(self, key: Any) -> Any:
        """The result of a key, or None."""
        with self._lock:
            if key in self._results:
                self._results.move_to_end(key)
            return self._results.get(key)

    def put(self, key: Any, result: Any) -> None:
        """Keep a result."""
        with self._lock:
            self._results[key] = result
            while len(self._results) > self._limit:
                self._results.popitem(last=False)


@st.cache_resource(show_spinner=False)
def _kept() -> _Kept:
    return _Kept(limit=256)


def _stop(key: Any) -> None:
    st.session_state.stopped = key


def passes_of(classifier: Classifier, text: str, passes: int, dropout: Dropout) -> Passes:
    """Stochastic passes of a text, computed once; shows what is left, and stops when the person presses Stop."""
    key = (classifier.id, classifier.weights_hash, str(classifier.device), text, passes, dropout)
    store = _kept()
    if (known := store.get(key)) is not None:
        found: Passes = known
        return found
    if st.session_state.get("stopped") == key:
        st.info("Stopped.", icon=":material/stop_circle:")
        st.button("Run it", key=f"run {hash(key)}", on_click=_stop, args=(None,))
        st.stop()
    place, begin = st.empty(), time.monotonic()
    bars: list[DeltaGenerator] = []

    def progress(done: int, total: int) -> None:
        seconds = time.monotonic() - begin
        if seconds < 1:
            return
        if not bars:
            with place.container(horizontal=True, vertical_alignment="center"):
                bars.append(st.progress(0.0))
                st.button("Stop", key=f"stop {hash(key)}", on_click=_stop, args=(key,))
        bars[0].progress(done / total, f"{done:,} of {total:,} passes, {seconds * (total - done) / done:.0f} s left")

    found = run_passes(classifier, [text], passes, dropout, progress=progress)
    place.empty()
    store.put(key, found)
    return found


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


def chart(file_name: str) -> dict[str, Any]:
    """How charts behave; the camera saves a PNG of twice the size under this name."""
    return {"displaylogo": False, "toImageButtonOptions": {"filename": file_name, "scale": 2}}


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
