"""What the pages share: the sidebar, cached results of the engine, and small pieces of HTML.

Text of users and of models reaches the page through `escape` or through components that only set text.
"""

import gc
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.pages_manager import PagesManager

from core.base.errors import WobbleError
from core.data.labelled import EMBEDDED, FORMATS, LABELS, SPLITS, TEXTS, DataSource, Labelled, read, read_table
from core.data.snippets import gallery
from core.factors.dropout import Dropout, Passes, run_passes
from core.factors.numerics import Numerics, numerics
from core.factors.temperature import COLDEST, HEAD_MEANING, HOTTEST
from core.families.agreement import OnData, on_data
from core.families.interpolation import Interpolation, interpolate, predict_between
from core.families.members import family_data, members
from core.families.stacked import Family, FamilyPrediction, load_family, predict_family
from core.models import catalog
from core.models.classifier import Classifier, Logits
from core.studies.calibration import Calibration, calibrate_on
from core.studies.compare import Comparison, compare
from core.studies.profile import Profile, profiles
from core.text.perturb import Variant, custom, variants
from core.text.stages import Stages, stages
from core.text.tokens import Encoding
from core.text.visible import LEGEND, visible
from core.views.figures import label_colors
from core.views.html import visible_html
from core.views.tables import unique
from pages import state
from pages._shell import STYLE

T = TypeVar("T")
ASSETS = Path(__file__).parent.parent / "assets"
MAX_MODELS = 4

copy_link = st.components.v2.component(
    "wobble_copy_link",
    html="<button type='button' class='w-copy'>Copy link</button>\n",
    css=STYLE,
    js=(ASSETS / "components" / "copy_link.js").read_text(encoding="utf-8"),
)
variants_table = st.components.v2.component(
    "wobble_variants",
    html="<div class='w-variants' role='listbox' aria-label='Variants, largest shift first'></div>\n",
    css=STYLE,
    js=(ASSETS / "components" / "variants.js").read_text(encoding="utf-8"),
)


def dark() -> bool:
    """Whether the person looks at the dark theme."""
    return st.context.theme.type == "dark"


# --- the sidebar -----------------------------------------------------------------------------------------------------


def begin(page: str) -> dict[str, list[str]]:
    """Begin the run of a page with what all pages share; returns that as a link says it."""
    found = state.begin(
        page,
        {
            "model": state.Field([catalog.DEFAULT], state.read_texts(MAX_MODELS)),
            "sentence": state.Field(gallery()[0].text, state.read_text),
            "temperature": state.Field(1.0, state.read_number(COLDEST, HOTTEST)),
            "example": state.Field(state.NOTHING, state.read_text, linked=False),
        },
        [example.text for example in gallery()],
    )
    return found.parameters(found.shared())


def sidebar() -> DeltaGenerator:
    """Model and sentence, the same on every page; returns where the address is kept."""
    examples = gallery()
    with st.sidebar:
        state.several(
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
        text = state.text(
            "Sentence",
            "sentence",
            examples[0].text,
            area=True,
            height=120,
            placeholder="Type a sentence",
            help="Press Ctrl+Enter to see what becomes of it.",
        )
        if text:
            marks = "  ".join(f"{mark} {meaning}" for mark, meaning in LEGEND.items())
            st.html(
                f"<div class='w-text w-faint' title='{escape(marks)}' style='font-size:.85rem'>{visible_html(text, 400)}</div>"
            )
        state.choice(
            "Examples",
            "example",
            range(len(examples)),
            nothing="Sentences worth trying",
            words=lambda i: visible(examples[i].text),
            linked=False,
        )
        shown = next((example for example in examples if example.text == text), None)
        if shown is not None:
            flips = "; ".join(f"{edit} flips it under {model}" for model, edit in shown.flips.items())
            st.caption(escape_markdown(f"{shown.why}. {flips}." if flips else f"{shown.why}."))
        state.number(
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
        say_refused({"temperature": f"a number from {COLDEST:g} to {HOTTEST:,.0f}"})
        copy_link(key="copy_link")
        if st.button("Catalog", icon=":material/inventory_2:", help="What can be loaded here, and what the hub offers"):
            _catalog()
        state.listen()
        place = st.empty()
        # At once, so that a click while the page computes leaves the right entry in the history.
        state.address("of the run", place)
    return place


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


def routed() -> None:
    """Make sure that the page runs within app.py."""
    if PagesManager.uses_pages_directory:
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
    loaded = [model for id in chosen if (model := attempt(lambda id=id: load(id))) is not None]
    if not loaded:
        st.stop()
    for model in loaded:
        for note in model.notes:
            st.warning(escape_markdown(note), icon=":material/warning:")
    return loaded


def one_model() -> Classifier:
    """The first of the chosen models, on a page that shows one; says so where there are several."""
    chosen = chosen_models()
    if len(chosen) > 1:
        st.caption(f"This page shows one model: {escape_markdown(chosen[0].id)}, the first of {len(chosen)} chosen.")
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
                f"The link asks for {name} = {escape_markdown(left_out[name][:60])}, which is not {taken}: it is left out.",
                icon=":material/link_off:",
            )


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


def identity(classifier: Classifier) -> tuple[str, str, str]:
    """What results of a classifier are kept under."""
    return classifier.id, classifier.weights_hash, str(classifier.device)


_UNHASHED = {Classifier: identity}


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


@st.cache_resource(max_entries=64, show_spinner="Running the conditions …", hash_funcs=_UNHASHED)
def numerics_of(classifier: Classifier, text: str, temperature: float) -> Numerics:
    """A sentence under every condition; what is known does not run again."""
    return numerics(classifier, text, temperature)


def profiles_of(classifier: Classifier, text: str) -> Iterator[Profile]:
    """The profile of a sentence as it grows, the complete one last; computed once."""
    key = ("profile", *identity(classifier), text)
    store = _kept()
    found: Profile | None = store.get(key)
    if found is None:
        for found in profiles(classifier, text):
            state.give_way()
            yield found
        store.put(key, found)
    else:
        yield found


def calibrated(classifier: Classifier, data: Labelled) -> Calibration:
    """The calibration of a classifier on labelled data; each text runs once."""
    return long_work(
        ("calibration", *identity(classifier), data.fingerprint, data.own_split),
        "texts",
        lambda progress: calibrate_on(classifier, data, progress),
    )


def family(id: str) -> Family:
    """A family of seeds, loaded once."""
    found = members(id)
    return _family(id, tuple((member.id, catalog.stamp(member.id)) for member in found))


@st.cache_resource(max_entries=4, show_spinner="Loading the seeds …")
def _family(id: str, _stamps: tuple[tuple[str, int], ...]) -> Family:
    return load_family(id)


def _identity(family: Family) -> tuple[str, str, tuple[str, ...]]:
    return family.id, family.first.weights_hash, tuple(member.id for member in family.members)


@st.cache_resource(max_entries=64, show_spinner="Asking every seed …", hash_funcs={Family: _identity})
def asked(family: Family, texts: tuple[str, ...]) -> FamilyPrediction:
    """Every seed on some texts; computed once."""
    return predict_family(family, texts)


def interpolated(family: Family, first: str, second: str) -> Interpolation:
    """Loss and accuracy between two members; computed once."""
    return long_work(
        (*_identity(family), "interpolation", first, second),
        "rows",
        lambda progress: interpolate(family, family_data(family.id), first, second, progress=progress),
    )


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs={Family: _identity})
def along(family: Family, text: str, first: str, second: str) -> Logits:
    """One sentence between two members: `[points, n_labels]`; computed once."""
    return predict_between(family, first, second, [text])[:, 0]


def tested(family: Family) -> OnData:
    """Every seed on labelled texts that none was trained on; computed once."""
    return long_work(
        (*_identity(family), "data"),
        "texts",
        lambda progress: on_data(family, family_data(family.id), progress),
    )


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


def long_work(key: Any, unit: str, run: Callable[[Callable[[int, int], None]], T]) -> T:
    """The result of long work, computed once; shows what is left, and stops when the person presses Stop.

    Args:
        key: what the result depends on.
        unit: what is counted, in the plural.
        run: does the work, telling what is done and what was asked for.
    """
    store = _kept()
    if (known := store.get(key)) is not None:
        found: T = known
        return found
    if state.store().values.get("stopped") == key:
        st.info("Stopped.", icon=":material/stop_circle:")
        st.button("Run it", key=f"run {hash(key)}", on_click=state.changing(stopped=None))
        st.stop()
    place, begin = st.empty(), time.monotonic()
    bars: list[DeltaGenerator] = []

    def progress(done: int, total: int) -> None:
        state.give_way()
        seconds = time.monotonic() - begin
        if seconds < 1:
            return
        if not bars:
            with place.container(horizontal=True, vertical_alignment="center"):
                bars.append(st.progress(0.0))
                st.button("Stop", key=f"stop {hash(key)}", on_click=state.changing(stopped=key))
        bars[0].progress(done / total, f"{done:,} of {total:,} {unit}, {seconds * (total - done) / done:.0f} s left")

    found = run(progress)
    place.empty()
    store.put(key, found)
    return found


def passes_of(classifier: Classifier, text: str, passes: int, dropout: Dropout) -> Passes:
    """Stochastic passes of a text, computed once."""
    return long_work(
        (*identity(classifier), text, passes, dropout),
        "passes",
        lambda progress: run_passes(classifier, [text], passes, dropout, progress=progress),
    )


# --- labelled data ---------------------------------------------------------------------------------------------------


@st.cache_resource(max_entries=16, show_spinner="Reading the data …")
def labelled(source: DataSource, content: bytes | None) -> Labelled:
    """Labelled texts; read once."""
    return read(source, content)


def labelled_data(key: str, embedded: Sequence[str] = tuple(EMBEDDED)) -> tuple[DataSource, Labelled] | None:
    """Lets a person choose labelled data: embedded, uploaded or on the hub; None while nothing usable is chosen.

    Args:
        key: tells several of them apart.
        embedded: names of the embedded data that fit here.
    """
    kinds = [*(["Embedded"] if embedded else []), "Your file", "Hugging Face hub"]
    kind = state.segments("Data", f"{key}_data", kinds)
    if kind == "Embedded":
        name = state.choice(
            "Embedded data", f"{key}_embedded", embedded, words=lambda name: f"{name}: {EMBEDDED[name]}"
        )
        source, content = DataSource(name), None
    elif kind == "Your file":
        file = st.file_uploader("A CSV, JSONL or Parquet file", type=list(FORMATS), key=f"{key}_file")
        if file is None:
            st.caption("One row a text, with a column of texts and a column of labels. Nothing leaves this machine.")
            return None
        content = file.getvalue()
        table = attempt(lambda: read_table(content, file.name))
        if table is None:
            return None
        columns = [str(column) for column in table.columns]
        usual = [next((i for i, c in enumerate(columns) if c in names), None) for names in (TEXTS, LABELS)]
        left, right = st.columns(2)
        text_column = left.selectbox("Column of the texts", columns, index=usual[0], key=f"{key}_text")
        label_column = right.selectbox("Column of the labels", columns, index=usual[1], key=f"{key}_label")
        if text_column is None or label_column is None:
            st.caption("Choose the two columns.")
            return None
        source = DataSource(file.name, text_column, label_column)
    else:
        id = state.text("Data set of the hub", f"{key}_hub", placeholder="glue/sst2").strip()
        left, right = st.columns(2)
        with left:
            text_column = state.text("Column of the texts", f"{key}_hub_text", placeholder="text or sentence")
        with right:
            label_column = state.text("Column of the labels", f"{key}_hub_label", placeholder="label")
        if not id:
            return None
        source, content = DataSource(id, text_column.strip() or None, label_column.strip() or None), None
    found: Labelled | None = attempt(lambda: labelled(source, content))
    if found is not None:
        counts = ", ".join(f"{int((found.split == part).sum()):,} {part}" for part in SPLITS if part in found.split)
        names = ", ".join(found.names[:6]) + (", …" if len(found.names) > 6 else "")
        own = "" if found.own_split else " The validation split was held out by the hash of the text."
        st.caption(
            escape_markdown(f"{counts}; {len(found.names)} labels: {names}.{own} {' '.join(found.notes)}".rstrip())
        )
    return None if found is None else (source, found)


# --- pieces of HTML --------------------------------------------------------------------------------------------------


def escape_markdown(text: str) -> str:
    """Text for the elements that read Markdown, LaTeX, icons and colours: shown as it is."""
    return "".join(f"\\{character}" if character in "\\`*_{}[]()<>#+-.!|$:~^=" else character for character in text)


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


def table_html(columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[str]]) -> str:
    """A table whose cells wrap, each column's definition one hover away.

    Args:
        columns: name and definition.
        rows: cells that are HTML already.
    """
    head = "".join(
        f"<th title='{escape(said)}'>{escape(name)}</th>" if said else f"<th>{escape(name)}</th>"
        for name, said in columns
    )
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<div class='w-scroll'><table class='w-table'><tr>{head}</tr>{body}</table></div>"


def noise_floor_html(noise_floor: float) -> str:
    """The noise floor, what it is one hover away."""
    return (
        "<span class='w-faint' title='The largest shift that rounding alone causes for this model and sentence: padding, other "
        "texts in the batch, another attention kernel, all in fp32. No shift of anything else that is not above it means "
        f"anything. The Numerics page shows each.'>Noise floor {noise_floor:.1e}.</span>"
    )


def truncated_html(encoding: Encoding) -> str:
    """A line that says how much of a text the model reads; nothing where it reads all of it."""
    if not encoding.truncated:
        return ""
    return f"<p class='w-line'>\u26a0 Truncated: the model reads {len(encoding.ids):,} of {encoding.full_length:,} tokens.</p>"


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


def code(make: Callable[[], str | Mapping[str, str]], beside: str = "", name: str = "") -> None:
    """The "show the code" panel; the script is made and sent when the panel is open.

    Args:
        make: gives one script, or several by the names of their tabs.
        beside: name of the file that the script reads, a download of the same page.
        name: tells several panels of a page apart.
    """
    panel = state.panel("Show the code", f"code_{name}" if name else "code", ":material/code:")
    if not panel.open:
        return
    with panel:
        reads = f", with the download {escape_markdown(beside)} beside it," if beside else ""
        st.caption(
            f"Plain transformers, without Wobble: run it in Wobble's folder{reads} and it prints the numbers on this page."
        )
        script = make()
        if isinstance(script, str):
            st.code(script, language="python")
            return
        for tab, one in zip(st.tabs(list(script)), script.values(), strict=True):
            tab.code(one, language="python")
