"""The values of a session: the `Store` with their revisions, what each may be, and how links hold them.

Nothing here touches Streamlit, so nothing interrupts a change. `pages.state` says how the browser comes in.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import uuid4

Read = Callable[[Sequence[str]], Any]
MOST_WISHES = 500


class Pin(NamedTuple):
    """A sentence, a model and a temperature that are kept, to be drawn beside whatever comes next."""

    sentence: str
    model: str
    temperature: float


@dataclass(frozen=True)
class Snapshot:
    """What every number of one run of a page is computed from."""

    models: tuple[str, ...]
    sentence: str
    temperature: float
    pin: Pin | None = None

    @property
    def to_pin(self) -> Pin | None:
        """What a pin would keep of it (the first of several models); None where there is nothing to keep."""
        return Pin(self.sentence, self.models[0], self.temperature) if self.models and self.sentence.strip() else None


@dataclass(frozen=True)
class Field:
    """One value of the state.

    Args:
        default: its value where nobody chose one, and in a link that does not name it.
        read: reads a link's parameter; raises ValueError where it holds no such value. None where no link holds the value.
        pages: the visited pages that show it; none for what all pages share.
    """

    default: Any
    read: Read | None = None
    pages: frozenset[str] = frozenset()


@dataclass
class Store:
    """The values of a session with their revisions."""

    fields: dict[str, Field] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    revisions: dict[str, int] = field(default_factory=dict)
    asked: dict[str, list[str]] = field(default_factory=dict)
    """Parameters of the link whose widgets have not been drawn yet."""
    refused: dict[str, str] = field(default_factory=dict)
    """Values of the link that were left out."""
    wishes: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What the buttons that were drawn last would change."""
    heard: int = 0
    """The number of the last click of such a button that was heard."""
    page: str | None = None
    entered: str | None = None
    """The page that the session began with."""
    snapshot: Snapshot | None = None
    # Tells the keys of this session from those of one that the browser was connected to before.
    name: str = field(default_factory=lambda: uuid4().hex[:8])

    def key(self, name: str) -> str:
        """The key of a value's widget in its current revision."""
        return f"{name} {self.name} {self.revision(name)}"

    def revision(self, name: str) -> int:
        """How often a value was changed by anything but its own widget."""
        return self.revisions.get(name, 0)

    def change(self, **values: Any) -> None:
        """Set values, whatever their widgets show; answers to what they were before no longer count."""
        for name, value in values.items():
            self.values[name] = value
            self.revisions[name] = self.revision(name) + 1
            self.asked.pop(name, None)
            self.refused.pop(name, None)

    def answer(self, name: str, value: Any, revision: int) -> bool:
        """Take what a widget shows, unless the value was changed since the revision that the widget was drawn with.

        Returns:
            Whether the answer counts.
        """
        if revision != self.revision(name):
            return False
        if value != self.get(name):
            self.refused.pop(name, None)
        self.values[name] = value
        return True

    def wish(self, **values: Any) -> str:
        """The name of a wish to change some values; it stays the same when the page is drawn again."""
        name = blake2b(repr(values).encode(), digest_size=8).hexdigest()
        self.wishes.pop(name, None)
        self.wishes[name] = values
        for oldest in list(self.wishes)[:-MOST_WISHES]:
            del self.wishes[oldest]
        return name

    def grant(self, wished: Iterable[Mapping[str, Any]]) -> None:
        """Change what buttons asked for, each click once: a browser repeats a click until it is told that it was heard.

        Args:
            wished: the clicks in their order, each with its `wish` and its `number`.
        """
        for click in wished:
            if click["number"] > self.heard:
                self.heard = click["number"]
                self.change(**self.wishes.get(click["wish"], {}))

    def get(self, name: str) -> Any:
        """A value, or its default."""
        return self.values.get(name, self.fields[name].default)

    def declare(self, name: str, found: Field) -> None:
        """Say what a value may be, and take it from the link that asks for it."""
        known = self.fields.get(name, found)
        self.fields[name] = replace(found, pages=found.pages | known.pages)
        given = self.asked.pop(name, None)
        if given is None or found.read is None:
            return
        try:
            value = found.read(given)
        except ValueError:
            self.refused[name] = given[-1]
            return
        if value != self.get(name):
            self.change(**{name: value})

    def shared(self) -> list[str]:
        """Names of the values that all pages share."""
        return [name for name, found in self.fields.items() if not found.pages]

    def on_page(self) -> list[str]:
        """Names of the values that the current page shows, as far as it has drawn them."""
        return [name for name, found in self.fields.items() if not found.pages or self.page in found.pages]

    def open(self, page: str, asked: Mapping[str, list[str]], first: bool = False, history: bool = False) -> None:
        """A page is run: take what its address asks for.

        Args:
            page: which page.
            asked: the parameters of the address.
            first: the session begins: the address says everything.
            history: the person went back or forward: the address says all that links hold, and what it does not name is
                the default. Else it speaks for a page only when the page is switched to, and never for what pages share:
                a link can be older than what it was clicked beside.
        """
        switched, self.page = page != self.page, page
        self.entered = page if self.entered is None else self.entered
        if not (switched or history):
            return
        self.refused.clear()
        everything = first or history
        self.asked = {name: list(given) for name, given in asked.items() if everything or name not in self.shared()}
        if history:
            asked_for = dict(self.asked)
            for name in self.on_page():
                # A new revision even where the value stays: the browser may have sent another one with the same message.
                self.change(**{name: self.get(name) if self.fields[name].read is None else self.fields[name].default})
            self.asked = asked_for
        for name in self.on_page():
            self.declare(name, self.fields[name])

    def parameters(self, names: Iterable[str]) -> dict[str, list[str]]:
        """The parameters of a link for some names; values that are the default are left out."""
        return {
            name: written(self.get(name))
            for name in names
            if self.fields[name].read is not None and self.get(name) != self.fields[name].default
        }

    def query(self) -> str:
        """The address's parameters: everything on the page that is not the default."""
        return urlencode(self.parameters(self.on_page()) | self.asked, doseq=True)


def written(value: Any) -> list[str]:
    """A value as a link holds it: one text for each parameter of its name."""
    if isinstance(value, list | tuple):
        return [text for one in value for text in written(one)] or [""]
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, float):
        return [f"{value:.12g}"]
    return ["" if value is None else str(value)]


def read_number(low: float, high: float) -> Read:
    """Reads a number between two others, a whole one where they are."""

    def read(given: Sequence[str]) -> float:
        number = int(given[-1]) if isinstance(low, int) else float(given[-1])
        if not low <= number <= high:
            raise ValueError(given[-1])
        return number

    return read


def read_pin(low: float, high: float) -> Read:
    """Reads a pin: in this order its sentence, its model, and its temperature between two numbers."""
    read_temperature = read_number(low, high)

    def read(given: Sequence[str]) -> Pin:
        sentence, model, temperature = given
        if not (sentence.strip() and model.strip()):
            raise ValueError(given[-1])
        return Pin(sentence, model, read_temperature([temperature]))

    return read


def read_text(given: Sequence[str]) -> str:
    """Reads a text, which may be empty."""
    return given[-1]


def read_texts(most: int, among: Collection[str] | None = None) -> Read:
    """Reads some texts, none twice; those that are not among the offered ones are left out while any is left."""

    def read(given: Sequence[str]) -> list[str]:
        found = [text for text in dict.fromkeys(given) if text and (among is None or text in among)]
        if not found and any(given):
            raise ValueError(given[-1])
        return found[:most]

    return read
