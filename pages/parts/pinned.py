"""The pin: a sentence, a model and a temperature that are kept, and drawn beside whatever comes next."""

from collections.abc import Callable, Sequence
from html import escape
from typing import TypeVar

import streamlit as st

from core.base.errors import WobbleError
from core.base.words import tempered
from core.factors.case import Reference
from core.models.classifier import Classifier
from core.studies import difference
from core.studies.study import Study
from core.views.html import visible_html
from pages import state
from pages.parts import markup, results, subject

T = TypeVar("T")
BESIDE = 3
"""Models that a pin of another one can stand beside: more than four at once are not kept in memory."""


def button() -> None:
    """The button that pins the current sentence, first model and temperature."""
    now = state.current()
    state.button(
        "Pin this", "pin button",
        "Keep this sentence, model and temperature: whatever comes next is drawn beside it",
        icon="keep", disabled=now.to_pin in (None, now.pin), pin=now.to_pin,
    )  # fmt: skip


def line() -> None:
    """The pin in one line, the same on every page, with buttons that swap and remove it; nothing where there is none."""
    now = state.current()
    pin, here = now.pin, now.to_pin
    # A place that is always there: what follows would be drawn twice while it moves.
    with st.container():
        subject.say_refused({"pin": "a sentence, a model and a temperature"})
        if pin is None:
            return
        same = " The same as now: change something to compare." if pin == here else ""
        with st.container(horizontal=True, vertical_alignment="center", key="pin"):
            st.html(
                f"<p class='w-line'><b>Pinned:</b> <span class='w-text'>{visible_html(pin.sentence, 80)}</span> "
                f"by {escape(pin.model)}{tempered(pin.temperature)}.<span class='w-faint'>{same}</span></p>"
            )
            models = list(dict.fromkeys([pin.model, *now.models[1:]]))
            state.button(
                "Swap", "swap the pin", "Go back to what is pinned, and pin what is shown now instead",
                icon="swap_horiz", disabled=here in (None, pin),
                pin=here, sentence=pin.sentence, model=models, temperature=pin.temperature,
            )  # fmt: skip
            state.button("Unpin", "unpin", "Forget the pin", icon="keep_off", pin=None)


def beside(shown: Sequence[Classifier], run: Callable[[Classifier, str, float], T]) -> T | None:
    """The pin's own result, to be drawn beside those of a page; where there is none, one sentence that says why.

    Args:
        shown: the models of the page.
        run: the result of a model, a sentence and a temperature; may raise a WobbleError.

    Returns:
        None where nothing is pinned, or where the pin is shown already.
    """
    now, ids = state.current(), [model.id for model in shown]
    pin = now.pin
    if pin is None or (pin.model in ids and (pin.sentence, pin.temperature) == (now.sentence, now.temperature)):
        return None
    if pin.model not in now.models and len(now.models) > BESIDE:
        st.info(f"Choose {BESIDE} models or fewer to see the pin of another model beside them.", icon=":material/keep:")
        return None
    try:
        with st.spinner("Running the pin …"):
            model = subject.load(pin.model)
            found = run(model, pin.sentence, pin.temperature)
    except WobbleError as error:
        st.warning(f"The pin cannot be drawn: {markup.escape_markdown(str(error))}", icon=":material/keep_off:")
        return None
    for note in model.notes if model.id not in ids else ():
        st.warning(markup.escape_markdown(note), icon=":material/warning:")
    return found


def bars(shown: Sequence[Classifier], above: Callable[[Classifier, str], None] | None = None) -> None:
    """The predictions of the pin and of what is there now beside each other, and the difference in words.

    Args:
        shown: the models of the page; the first is asked.
        above: draws what else a page shows of the pin, of which it is told the model and the sentence.
    """
    here, model = state.current(), shown[0]

    def both(of_pin: Classifier, text: str, temperature: float) -> tuple[Classifier, Reference, Reference]:
        now = results.predicted(model, here.sentence, here.temperature)
        return of_pin, results.predicted(of_pin, text, temperature), now

    if found := beside(shown, both):
        of_pin, pin, now = found
        if above is not None:
            above(of_pin, pin.text)
        _predictions(pin, now, results.identity(of_pin) == results.identity(model))


def _predictions(pin: Reference, now: Reference, one_model: bool, this: str = "this") -> None:
    said = difference.predictions(pin, now, one_model=one_model, this=this)
    with st.container(border=True):
        st.html(f"<p class='w-line'><b>{escape(said)}</b></p>")
        for column, name, one in zip(st.columns(2), ("Now", "Pinned"), (now, pin), strict=True):
            column.html(named_bars_html(name, one))


def named_bars_html(name: str, one: Reference) -> str:
    """A sentence with what it is called and its probabilities."""
    return (
        f"<p class='w-line'><b>{escape(name)}</b> <span class='w-text'>{visible_html(one.text, 160)}</span></p>"
        f"{markup.bars_html(one.labels, one.probabilities, one.head)}"
    )


def profiles_html(pin: Study | None, shown: Sequence[Study]) -> str:
    """The difference between the pin's profile and the first of a page in words; nothing before that is complete."""
    if pin is None or not shown[0].complete:
        return ""
    said = difference.profiles(pin, shown[0], _this(shown))
    return f"<p class='w-verdict small'>{escape(said)}</p>"


def compared(pin: Study | None, shown: Sequence[Study]) -> None:
    """The pin's prediction beside that of the first study of a page, and the difference in words."""
    if pin is not None:
        now = shown[0]
        _predictions(pin.reference, now.reference, pin.weights_hash == now.weights_hash, _this(shown))


def edits(pin: Study | None, shown: Sequence[Study]) -> str | None:
    """Which edits flip the pin and not the first of some studies, or the other way round; None where there is nothing to say."""
    return None if pin is None else difference.edits(pin, shown[0], _this(shown)) or None


def joined(shown: Sequence[Study], pin: Study | None) -> tuple[list[Study], list[str]]:
    """The studies of a strip with the pin's as the last, where they have an axis in common, and what each is called there."""
    models = [one.model for one in shown]
    if pin is None or pin.head.has_labels != shown[0].head.has_labels:
        return [*shown], models
    return [*shown, pin], ["now", "pinned"] if len(shown) == 1 else [*models, f"pinned: {pin.model}"]


def _this(shown: Sequence[Study]) -> str:
    """What the first of some studies is called in a sentence about it and the pin."""
    return "this" if len(shown) == 1 else shown[0].model
