"""How a script comes from its template: every value arrives as a Python literal, so that no text can become code."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Undefined

from core.families.stacked import Family
from core.models.catalog import resolve
from core.models.classifier import Classifier
from core.views.documents import unique

ROOT = Path(__file__).parent.parent.parent.parent
BATCH = 32


class Code(str):
    """A piece of a script that is code itself: written as it is. Never made of anything that a person or a model brings."""

    def __repr__(self) -> str:
        return str(self)


def _literal(value: object) -> object:
    # Undefined goes on to be turned into a string, which is what StrictUndefined refuses; its repr would pass.
    return value if isinstance(value, Undefined) else ascii(value)


def lines(values: Mapping[str, object] | Sequence[object], indent: str = "") -> Code:
    """A dictionary or a list as a literal with an item per line; the lists in a dictionary likewise."""
    if isinstance(values, Mapping):
        items = [
            f"{key!a}: {lines(v, f'{indent}    ') if isinstance(v, list) else ascii(v)}" for key, v in values.items()
        ]
    else:
        items = [ascii(value) for value in values]
    opening, closing = "{}" if isinstance(values, Mapping) else "[]"
    return Code("\n".join((opening, *(f"{indent}    {item}," for item in items), indent + closing)))


# No autoescape: it would write HTML entities into Python code. What keeps texts from becoming code is `finalize`, which
# turns whatever stands in braces into a literal, in ASCII, so that nothing hidden or reordering gets onto the page either.
TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=False,
    finalize=_literal,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
TEMPLATES.filters["lines"] = lines
TEMPLATES.filters["code"] = Code


def render(name: str, **values: object) -> str:
    """The script that a template makes of some values.

    Raises:
        jinja2.UndefinedError: the template asks for another value.
    """
    return TEMPLATES.get_template(f"{name}.py.j2").render(values)


def model_values(classifier: Classifier, temperature: float = 1.0) -> dict[str, object]:
    """What the templates need to know of a model: its files, its limit and what its head's numbers mean."""
    source = classifier.source
    return {
        "tokenizer": tokenizer_of(classifier),
        # The directory that carries the model's name: of the model itself, or of an adapter on a base.
        "folder": where(classifier, source.top),
        "base": where(classifier, source.directory) if source.adapter else Code("folder"),
        "adapter": source.adapter is not None,
        # What the adapter does not bring either is drawn at random, and Wobble says so.
        "untrained": bool(classifier.untrained),
        # An adapter with labels of its own brings the config that knows them; its head has their shape.
        "config": source.adapter is not None and source.config.parent == source.adapter,
        "limit": classifier.limit,
        # Where padding changes the answer, each text runs alone.
        "batch": BATCH if classifier.batching == "padded" else 1,
        "head": {name: said and Code(said) for name, said in classifier.head.code.items()},
        "temperature": temperature,
    }


def family_values(family: Family, temperature: float = 1.0) -> dict[str, Any]:
    """What the templates need to know of a family: how a member is loaded, the members' folders and the labels."""
    sources = {member.name: resolve(member.id) for member in family.members}
    folders = {name: where(replace(family.first, source=source), source.top) for name, source in sources.items()}
    return model_values(family.first, temperature) | {"members": folders, "names": list(unique(family.first.labels))}


def tokenizer_of(classifier: Classifier) -> str:
    """Where transformers finds the tokenizer."""
    return where(classifier, classifier.source.tokenizer or classifier.source.top)


def where(classifier: Classifier, directory: Path) -> str:
    """How a script on the user's own machine names the files: the hub id, or a path from Wobble's folder."""
    if classifier.source.kind == "hub" and directory == classifier.source.top:
        return classifier.source.id
    return relative(directory)


def relative(path: Path) -> str:
    """A path from Wobble's folder where it lies there."""
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else str(path)
