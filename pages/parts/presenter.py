"""Presenter mode: large type, no sidebar, and keys that go through the sentences or the lessons."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from pages import controls, state
from pages.store import Field

FIELD = Field(False, controls.read_switch)
"""Whether it is on; all pages share it, and a link holds it."""
LARGER = 1.3
"""How much larger charts are; the style sheet enlarges the page."""

_keys = state.component("keys", "<span class='w-keys'></span>\n")


def is_on() -> bool:
    """Whether this session presents."""
    on: bool = state.store().get("presenter")
    return on


def enter() -> None:
    """Draw the button that begins it."""
    help = "Large type and no sidebar; the arrow keys go to the next sentence or lesson"
    state.button("Present", "present", help, icon="slideshow", presenter=True)


def bar() -> None:
    """While it is on: the way out, which also tells the style sheet that it is on."""
    if is_on():
        with st.container(key="presenter"):
            state.button("Leave", "leave presenter mode", "Back to the sidebar (Escape)", icon="close", presenter=False)
            _listen("leave", {"Escape": {"presenter": False}})


def steps(name: str, values: Sequence[str], one: str) -> None:
    """While it is on: let the arrow keys go through the values of a field, round and round.

    Args:
        name: of the field.
        values: in their order; where the present one is none of them, the arrows lead to the first and the last.
        one: the noun for one of them.
    """
    if not is_on():
        return
    now = state.store().get(name)
    at = values.index(now) if now in values else None
    back, on = (len(values) - 1, 0) if at is None else ((at - 1) % len(values), (at + 1) % len(values))
    place = "" if at is None else f" ({at + 1} of {len(values)})"
    said = f"← → for another {one}{place}, Esc to leave"
    _listen("steps", {"ArrowLeft": {name: values[back]}, "ArrowRight": {name: values[on]}}, said)


def _listen(key: str, changes: Mapping[str, Mapping[str, Any]], said: str = "") -> None:
    """Change the state on keys of the keyboard, unless what has the focus uses them itself."""
    wishes = {name: state.store().wish(**values) for name, values in changes.items()}
    _keys(key=f"keys {key}", data={"wishes": wishes, "said": said})
