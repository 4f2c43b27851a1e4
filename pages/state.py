"""The one state of a session: what it starts from, what changes it, and how widgets get it.

With every message a browser reports what all its widgets show, and that may be older than what the server has set
since. So a widget never holds the truth; the `Store` does. A widget is drawn with the stored value as its own
default (mounting it resets nothing) under a key that names the value's revision. `Store.change` begins a new revision:
what a browser still says under the key of an older one is out of date and ignored; all else is a person's choice.

A page shares one snapshot of the model, the sentence, the temperature and the pin, taken when its run begins.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.store import Field, Snapshot, Store

KEY = "state"
NOTHING = ""
"""What a choice holds where nothing is chosen."""


def component(name: str, html: str | None = None) -> Callable[..., Any]:
    """A component of assets/components, styled by the page's own sheet."""
    code = (Path(__file__).parent.parent / "assets" / "components" / f"{name}.js").read_text(encoding="utf-8")
    made: Callable[..., Any] = st.components.v2.component(f"wobble_{name}", html=html, js=code, isolate_styles=False)
    return made


_address, _wishes = component("address"), component("wishes")
_button = component("button", "<button type='button' class='w-action'></button>\n")


# --- a run -----------------------------------------------------------------------------------------------------------


def store() -> Store:
    """The store of this session."""
    found: Store | None = st.session_state.get(KEY)
    if found is None:
        found = st.session_state[KEY] = Store()
    return found


def begin(page: str, shared: Mapping[str, Field], examples: Sequence[str]) -> Store:
    """A run begins: hear the browser, and take the snapshot that everything in it is computed from.

    Args:
        page: the page that is run.
        shared: what all pages share: model, sentence, temperature, pin, and the example that is to become the sentence.
        examples: the texts that `example` counts.
    """
    found = store()
    context = get_script_run_ctx()
    history = context is not None and context.is_history_navigation
    asked = {name: st.query_params.get_all(name) for name in st.query_params}
    answers = [] if history else heard(found, found.fields)
    wished = (st.session_state.get("wishes") or {}).get("wishes") or []
    # Everything is read. Whatever touches Streamlit may end the run, so what follows does not: it happens as a whole.
    first = not found.fields
    found.fields = {**shared, **{name: one for name, one in found.fields.items() if name not in shared}}
    for name, revision, value in answers:
        found.answer(name, value, revision)
    found.grant(wished)
    if (example := found.get("example")) != NOTHING:
        found.change(sentence=examples[example], example=NOTHING)
    found.open(page, asked, first, history)
    found.snapshot = Snapshot(
        tuple(found.get("model")), found.get("sentence"), found.get("temperature"), found.get("pin")
    )
    return found


def heard(found: Store, names: Iterable[str]) -> list[tuple[str, int, Any]]:
    """What the widgets of some values show, as far as there are any, with the revision each was drawn with."""
    keys = {name: found.key(name) for name in names}
    return [
        (name, found.revision(name), st.session_state[key]) for name, key in keys.items() if key in st.session_state
    ]


def current() -> Snapshot:
    """The snapshot of this run."""
    found = store().snapshot
    assert found is not None, "router.py begins every run"
    return found


def unlinked(name: str, default: Any) -> Any:
    """A value of the session that all pages share and no link holds."""
    found = store()
    found.declare(name, Field(default))
    return found.get(name)


def once(name: str) -> bool:
    """Whether a button that changes a value to True asks for something to be done; the question takes the wish with it."""
    wished: bool = unlinked(name, False)
    if wished:
        store().change(**{name: False})
    return wished


def changing(**values: Any) -> Callable[[], None]:
    """A callback that changes the state.

    It holds the store: asking Streamlit for it within a callback can end the callback before it has changed anything.
    """
    found = store()
    return lambda: found.change(**values)


def listen() -> None:
    """Put in what hears the buttons of all pages; it shows nothing."""
    _wishes(key="wishes", data={"heard": store().heard}, on_wishes_change=lambda: None)


def button(
    label: str,
    key: str,
    help: str = "",
    *,
    plain: bool = False,
    primary: bool = False,
    icon: str = "",
    disabled: bool = False,
    **values: Any,
) -> None:
    """A button that changes the state.

    Args:
        label: shown as it is.
        plain: whether it looks like text.
        icon: name of a Material symbol.
        values: what it changes.
    """
    look = {"plain": plain, "primary": primary, "icon": icon, "disabled": disabled}
    _button(key=key, data={"label": label, "help": help, "wish": store().wish(**values), **look}, width="content")


def give_way() -> None:
    """Within long work: end the run here if the person has asked for something newer meanwhile."""
    # Any question to Streamlit does that.
    store()


def refused() -> dict[str, str]:
    """The values of the link that were left out, by name."""
    return store().refused


# --- the address -----------------------------------------------------------------------------------------------------


def address(key: str, place: DeltaGenerator | None = None) -> None:
    """Put the state into the browser's address.

    Args:
        key: tells several places of a run apart: a fragment that changes the state has one of its own.
        place: where the component is put; it shows nothing.
    """
    found = store()
    with nullcontext() if place is None else place.container():
        # The number tells the browser newer from older: what arrives late must not bring back what was.
        _address(key=f"address {key}", data={"page": found.page, "query": found.query(), "number": time.time()})
