"""All small breakages that mutmut's operators make of a module, each with an identity that survives edits elsewhere.

mutmut's own runner mutates neither decorated functions, which all factors are, nor what stands outside of functions, so only
its operators are used.
"""

import ast
import difflib
import hashlib
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators

MUTATED = (
    "core/base/statistics.py",
    "core/models/heads.py",
    "core/models/passes.py",
    "core/models/predict.py",
    "core/factors/*.py",
    "core/studies/*.py",
    "core/text/segmentation/*.py",
    "core/text/truncation.py",
    "core/text/perturb/registry.py",
    "core/text/perturb/preprocessing.py",
)


@dataclass(frozen=True)
class Key:
    """What a mutant is known by."""

    file: str
    line: str
    """The text of the line where the mutated expression starts."""
    operator: str
    occurrence: int
    """Among the mutants of this operator in lines of this text, from 0."""

    @property
    def id(self) -> str:
        """Short, to be named on a command line."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:8]


@dataclass(frozen=True)
class Mutant:
    """A module with one small breakage."""

    key: Key
    number: int
    """The number of the line."""
    module: cst.Module = field(repr=False)
    old: cst.CSTNode = field(repr=False)
    new: cst.CSTNode = field(repr=False)

    @property
    def before(self) -> str:
        """The module's source."""
        return self.module.code

    @cached_property
    def after(self) -> str:
        """The source with the breakage."""
        replaced = self.module.deep_replace(self.old, self.new)
        assert isinstance(replaced, cst.Module)
        return replaced.code

    @property
    def differs(self) -> bool:
        """Whether it is another program, and one at all."""
        try:
            return ast.dump(ast.parse(self.before)) != ast.dump(ast.parse(self.after))
        except SyntaxError:
            return False

    @property
    def diff(self) -> str:
        """The lines that differ, as a unified diff without context, below a line that names the mutant."""
        lines = list(difflib.unified_diff(self.before.splitlines(), self.after.splitlines(), lineterm="", n=0))
        return "\n".join(
            [
                f"{self.key.file}:{self.number} ({self.key.operator}, {self.key.id})",
                *(x for x in lines[2:] if x[:2] != "@@"),
            ]
        )


def mutants(root: Path, patterns: Iterable[str] = MUTATED) -> list[Mutant]:
    """All mutants of the modules below a root that match, in the order of files and lines."""
    files = sorted({file for pattern in patterns for file in root.glob(pattern)})
    return [mutant for file in files for mutant in _of_file(file.relative_to(root).as_posix(), file.read_text("utf-8"))]


def sample(population: Sequence[Mutant], count: int, seed: int) -> list[Mutant]:
    """Some mutants, drawn without replacement, in the order of files and lines."""
    order = random.Random(seed).sample(range(len(population)), len(population))
    return [population[i] for i in sorted(islice((i for i in order if population[i].differs), count))]


def _of_file(name: str, source: str) -> Iterator[Mutant]:
    wrapper = MetadataWrapper(cst.parse_module(source))
    collector = _Collector()
    wrapper.visit(collector)
    lines, seen = source.splitlines(), Counter[tuple[str, str]]()
    for number, operator, old, new in collector.found:
        line = lines[number - 1].strip()
        yield Mutant(Key(name, line, operator, seen[line, operator]), number, wrapper.module, old, new)
        seen[line, operator] += 1


class _Collector(cst.CSTVisitor):
    """Applies mutmut's operators wherever a breakage can change what is computed."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self) -> None:
        self.found: list[tuple[int, str, cst.CSTNode, cst.CSTNode]] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if _computes_nothing(node):
            return False
        for kind, operator in mutation_operators:
            if isinstance(node, kind) and not (operator.__name__ == "operator_string" and _prose(node)):
                number = self.get_metadata(PositionProvider, node).start.line
                name = operator.__name__.removeprefix("operator_")
                self.found += [(number, name, node, mutated) for mutated in operator(node)]
        return True


def _computes_nothing(node: cst.CSTNode) -> bool:
    """Whether a node only says types: all annotations but those that declare options, and mutmut's own two exceptions."""
    if isinstance(node, cst.Annotation):
        return "Annotated[" not in cst.Module([]).code_for_node(node.annotation)
    if isinstance(node, cst.Call):
        return isinstance(node.func, cst.Name) and node.func.value in {"len", "isinstance", "TypeVar", "NewType"}
    return isinstance(node, (cst.Import, cst.ImportFrom))


def _prose(node: cst.CSTNode) -> bool:
    """Whether a string is said to people: the wording of a sentence is not a promise, a name or a key is."""
    value = getattr(node, "evaluated_value", None)
    return not isinstance(value, str) or any(c.isspace() for c in value.strip())
