"""The widgets of Wobble: each shows a value of the state, and what a person chooses there becomes that value.

A page draws none of Streamlit's own inputs: mounted again, those would start at a bare default.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, TypeVar

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from core.base.words import capital
from core.factors.registry import Option
from pages import state, store

T = TypeVar("T")
MOST = 2**31 - 1
"""The largest whole number of an option that has no bound of its own."""


def _bound(
    name: str,
    default: T,
    read: store.Read | None,
    draw: Callable[[str, T], T],
    offered: Callable[[T], T] = lambda value: value,
) -> T:
    """Draw the widget of a value, and take what it shows.

    Args:
        name: of the value, in links too.
        default: its value where nobody chose one.
        read: reads a link's parameter; raises ValueError where it holds no such value. None where no link holds the value.
        draw: draws the widget under a key with a value and returns what it shows.
        offered: what becomes of a value that may no longer be offered.
    """
    found = state.store()
    known = found.fields.get(name)
    shared = known is not None and not known.pages
    for one, revision, value in state.heard(found, [name]):
        found.answer(one, value, revision)
    found.declare(name, store.Field(default, read, frozenset() if shared else frozenset({found.page or ""})))
    if (kept := offered(found.get(name))) != found.get(name):
        found.change(**{name: kept})
    revision = found.revision(name)
    shown = draw(found.key(name), found.get(name))
    found.answer(name, shown, revision)
    return shown


def read_switch(given: Sequence[str]) -> bool:
    """Reads true or false."""
    return _read_option((True, False), str)([given[-1].lower()])


def _read_option(options: Iterable[T], words: Callable[[T], str]) -> Callable[[Sequence[str]], T]:
    """Reads one of some options, which links hold as itself or in words."""
    by_text = {text: one for one in options for text in (words(one), store.written(one)[0])}

    def read(given: Sequence[str]) -> T:
        if given[-1] not in by_text:
            raise ValueError(given[-1])
        return by_text[given[-1]]

    return read


def number(label: str, name: str, low: Any, high: Any, default: Any, **look: Any) -> Any:
    """A number input; for whole numbers where its bounds are."""
    return _bound(
        name,
        default,
        store.read_number(low, high),
        lambda key, value: st.number_input(label, low, high, value, key=key, **look),
        lambda value: min(max(value, low), high),
    )


def option(label: str, name: str, of: Option, **look: Any) -> Any:
    """A number input for an option of a factor, whose range and words are the factor's own."""
    kind, most = (float, 1e6) if isinstance(of.default, float) else (int, MOST)
    low, high = of.range.low or 0, most if of.range.high is None else of.range.high
    help = f"{capital(of.range.help)}." if of.range.help else None
    return number(label, name, kind(low), kind(high), of.default, help=help, **look)


def optional(label: str, name: str, low: float, high: float, **look: Any) -> float | None:
    """A number that may be left out; a text input, since a number input that starts with a number cannot be emptied."""
    read_it = store.read_number(low, high)
    typed = text(label, name, read=lambda given: store.written(read_it(given))[0] if given[-1] else "", **look)
    try:
        return read_it([typed]) if typed.strip() else None
    except ValueError:
        st.error(f"{label}: type a number from {low:g} to {high:g}, or nothing.", icon=":material/error:")
        return None


def text(
    label: str, name: str, default: str = "", *, read: store.Read = store.read_text, area: bool = False, **look: Any
) -> str:
    """A text input, or a text area."""
    draw = st.text_area if area else st.text_input
    return _bound(name, default, read, lambda key, value: draw(label, value, key=key, **look) or "")


def switch(label: str, name: str, default: bool = False, **look: Any) -> bool:
    """A toggle."""
    return _bound(name, default, read_switch, lambda key, value: st.toggle(label, value, key=key, **look))


def choice(
    label: str,
    name: str,
    options: Iterable[Any],
    default: Any = None,
    *,
    nothing: str | None = None,
    words: Callable[[Any], str] = str,
    free: bool = False,
    linked: bool = True,
    **look: Any,
) -> Any:
    """A select box.

    Args:
        default: one of the options; the first where it is not given.
        nothing: how it says that nothing is chosen; that is the default then, and the value `state.NOTHING`.
        words: an option as it is read.
        free: whether anything may be typed.
        linked: whether a link holds it.
    """
    every = [*([] if nothing is None else [state.NOTHING]), *options]
    usual = every[0] if default is None else default

    def said(one: Any) -> str:
        return nothing if nothing is not None and one == state.NOTHING else words(one)

    def draw(key: str, value: Any) -> Any:
        offered = every if value in every else [*every, value]
        return st.selectbox(
            label, offered, offered.index(value), format_func=said, key=key, accept_new_options=free, **look
        )

    read = None if not linked else store.read_text if free else _read_option(every, said)
    return _bound(name, usual, read, draw, lambda value: value if free or value in every else usual)


def segments(
    label: str, name: str, options: Sequence[T], default: T | None = None, words: Callable[[T], str] = str, **look: Any
) -> T:
    """A segmented control in which one option is always chosen."""
    usual = options[0] if default is None else default
    return _bound(
        name,
        usual,
        _read_option(options, words),
        lambda key, value: st.segmented_control(
            label, options, default=value, format_func=words, key=key, required=True, **look
        ),
        lambda value: value if value in options else usual,
    )


def several(
    label: str,
    name: str,
    options: Collection[str],
    draw: Callable[..., list[str]],
    default: Sequence[str] = (),
    *,
    most: int = 100,
    free: bool = False,
    **look: Any,
) -> list[str]:
    """Some of several options.

    Args:
        draw: `st.pills` or `st.multiselect`.
        most: how many may be chosen at once.
        free: whether others may be typed.
    """
    return _bound(
        name,
        list(default),
        store.read_texts(most, None if free else options),
        lambda key, value: list(draw(label, list(dict.fromkeys([*options, *value])), default=value, key=key, **look)),
        lambda value: value if free else [one for one in value if one in options],
    )


def steps(label: str, name: str, options: Sequence[T], default: T, words: Callable[[T], str], **look: Any) -> T:
    """A slider over given values."""
    return _bound(
        name,
        default,
        _read_option(options, words),
        lambda key, value: st.select_slider(label, options, value, format_func=words, key=key, **look),
        lambda value: value if value in options else default,
    )


def slider(label: str, name: str, low: float, high: float, default: float, step: float, **look: Any) -> float:
    """A slider."""
    return _bound(
        name,
        default,
        store.read_number(low, high),
        lambda key, value: float(st.slider(label, low, high, value, step, key=key, **look)),
    )


def upload(label: str, name: str, types: Sequence[str]) -> UploadedFile | None:
    """A person's own file, at most as large as the server accepts; kept, with its name, until it is removed.

    Args:
        types: endings of the names of files that may be chosen.
    """

    nothing: dict[str, Any] = {name: None}

    def draw(key: str, kept: UploadedFile | None) -> UploadedFile | None:
        # An uploader that is mounted again is empty, so none is drawn while a file is kept.
        if kept is None:
            return st.file_uploader(label, type=list(types), key=key)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(kept.name, width="content")
            state.button("Remove", f"remove {key}", "Forget this file", **nothing)
        return kept

    return _bound(name, None, None, draw)


def panel(label: str, name: str, icon: str) -> Any:
    """An expander that says whether it is open."""
    drawn: list[Any] = []

    def draw(key: str, value: bool) -> bool:
        drawn.append(st.expander(label, value, icon=icon, key=key, on_change="rerun"))
        return bool(drawn[0].open)

    _bound(name, False, read_switch, draw)
    return drawn[0]
