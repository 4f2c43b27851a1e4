"""Factors: registered makers of cases.

A factor is a decorated function that yields cases. Its keyword arguments are its options: command line, sliders, checks of
links and the record of a run are made from its signature, whose annotations say the range and the help.
"""

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter, ValidationError

from core.base.errors import WobbleError
from core.models.classifier import Classifier

Maker = Callable[..., Iterable[Any]]
"""From an `Ask` and options to cases; they stand above this module, so their types are not named here."""


@dataclass(frozen=True)
class Range:
    """What an option accepts, as the annotation of an argument: `passes: Annotated[int, Range("...", 1, 1000)] = 100`."""

    help: str
    low: float | None = None
    high: float | None = None
    """Inclusive bounds of a number; None: no bound."""
    choices: tuple[str, ...] = ()
    """The words that it accepts, for each of several; empty: anything."""


@dataclass(frozen=True)
class Option:
    """One keyword argument of a factor."""

    name: str
    kind: Any
    """Its type, as annotated."""
    default: Any
    range: Range

    @property
    def several(self) -> bool:
        """Whether it takes several values: a tuple, a list or a sequence, or none of them."""
        kinds = (self.kind, *get_args(self.kind))
        return any((get_origin(kind) or kind) in (tuple, list, Sequence) for kind in kinds)

    def typed(self, words: str) -> Any:
        """Several values from words with commas between them.

        Raises:
            WobbleError: a word is not what the option takes.
        """
        try:
            return TypeAdapter(self.kind).validate_python([word.strip() for word in words.split(",")])
        except ValidationError as error:
            raise WobbleError(f"{self.name} cannot be {words!r}.") from error

    def check(self, value: Any) -> None:
        """Refuse a value that the option does not take.

        Raises:
            WobbleError: with one sentence that says why.
        """
        try:
            TypeAdapter(self.kind).validate_python(value, strict=True)
        except ValidationError as error:
            raise WobbleError(f"{self.name} cannot be {value!r}.") from error
        low, high, choices = self.range.low, self.range.high, self.range.choices
        for one in value if isinstance(value, tuple | list) else (value,):
            is_number = isinstance(one, int | float) and not isinstance(one, bool)
            # `not` around the comparison, so that NaN is refused too.
            if is_number and ((low is not None and not one >= low) or (high is not None and not one <= high)):
                bounds = f"from {low:,g}" if high is None else f"from {low or 0:,g} to {high:,g}"
                raise WobbleError(f"{self.name} = {one:,g} is not in the range {bounds}.")
            if isinstance(one, str) and choices and one not in choices:
                raise WobbleError(f"{self.name}: {one!r} is not one of {', '.join(choices)}.")


@dataclass(frozen=True)
class Factor:
    """One source of instability, and how its cases are spoken of."""

    name: str
    one: str
    """One case in words: "formatting edit", "dropout pass". Factors with equal words are spoken of together."""
    many: str
    make: Maker = field(repr=False)
    options: tuple[Option, ...]
    flips_count: bool = True
    """Whether its flips count as instability; temperature cannot flip anything."""
    floor_applies: bool = True
    """Whether a shift at or below the noise floor means nothing; not for numerics, which is where the floor comes from."""
    rounding: bool = False
    """Whether its cases are equal on paper, so that a flip among them is a tie: rounding alone decides the label."""
    moved: str = "{count} {many} move it by up to {shift}"
    """How a verdict says that its cases move a value; not for edits, whose furthest is named."""
    often: float | None = 0.1
    """From this share of flips among what reaches the model, the factor alone decides the mood of a verdict: on the edge, or
    for edits brittle; None: it never does.
    """
    edits: bool = False
    """Whether its cases are edits of the text, which the tokenizer may erase."""
    effort: int = 0
    """The order in which factors run where all do: those that take longest last."""
    missing: Callable[[Classifier], str | None] = field(default=lambda classifier: None, repr=False)
    """The sentence that says why a classifier has nothing to try here; None where it has."""

    def check(self, options: Mapping[str, Any]) -> None:
        """Refuse options that are not the factor's, and values that they do not take.

        Raises:
            WobbleError: with one sentence that says why.
        """
        known = {option.name: option for option in self.options}
        for name, value in options.items():
            if name not in known:
                raise WobbleError(f"{self.name} has no option {name!r}: choose from {', '.join(known) or 'none'}.")
            known[name].check(value)


_registered: dict[str, Factor] = {}


def factor(name: str, *, one: str, many: str, **attributes: Any) -> Callable[[Maker], Maker]:
    """Register the decorated maker of cases as a factor, after those that are registered already.

    Args:
        name: the factor's, as in the documents.
        one, many: what a case is called.
        attributes: of `Factor`, where they are not the usual ones.

    Raises:
        ValueError: another factor has the name.
    """

    def register(make: Maker) -> Maker:
        if name in _registered:
            raise ValueError(f"two factors are named {name}")
        _registered[name] = Factor(name, one, many, make, _options(make), **attributes)
        return make

    return register


def unregister(name: str) -> None:
    """Take a factor out again, as a test does with its own."""
    del _registered[name]


def _options(make: Maker) -> tuple[Option, ...]:
    hints = get_type_hints(make, include_extras=True)
    _, *arguments = inspect.signature(make).parameters.values()
    annotated = [(argument, hints[argument.name]) for argument in arguments]
    return tuple(
        Option(one.name, getattr(hint, "__origin__", hint), one.default, *getattr(hint, "__metadata__", (Range(""),)))
        for one, hint in annotated
    )


def factors(only: Collection[str] | None = None) -> tuple[Factor, ...]:
    """All factors in their order, or those that are named.

    Raises:
        WobbleError: there is no factor of a name.
    """
    if only is not None and (unknown := [name for name in only if name not in _registered]):
        names = ", ".join(f'"{name}"' for name in unknown)
        raise WobbleError(f"There is no factor {names}: choose from {', '.join(_registered)}.")
    return tuple(one for one in _registered.values() if only is None or one.name in only)
