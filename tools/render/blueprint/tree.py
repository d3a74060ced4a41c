"""YAML as a tree in which everything knows its line, with what is wrong in the YAML itself.

Scalars keep their text: Render reads `off` as a word where a word is expected, YAML 1.1 as a boolean.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Kind = Literal["mapping", "list", "text", "number", "boolean", "null"]
LARGEST: Final = 1_000_000
"""Characters that are read; Render takes ten times as many, and nobody writes them."""
_MOST_NODES: Final = 50_000
_DEEPEST: Final = 40
_KINDS: Final[Mapping[str, Kind]] = {
    "bool": "boolean", "int": "number", "float": "number", "null": "null",
}  # fmt: skip
_QUOTED: Final = re.compile(r" '[^']{2,}'")
"""A piece of the file in a parser's message: it may be part of a secret."""
_TRUE: Final = frozenset({"true", "yes", "on"})


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong in a file: where, and what, without any value that could be a secret."""

    path: str
    line: int
    message: str
    grave: bool = True
    """False where Render accepts the file all the same."""
    deprecated: bool = False


@dataclass(frozen=True, slots=True)
class Tree:
    """One value. `path` is as Render writes it: `services[0].envVars[2].value`."""

    kind: Kind
    line: int
    path: str
    text: str = ""
    fields: Mapping[str, Tree] = field(default_factory=dict[str, "Tree"])
    items: tuple[Tree, ...] = ()

    def get(self, *names: str) -> Tree | None:
        """The value below these names; None where one is absent or null."""
        found: Tree | None = self
        for name in names:
            found = found.fields.get(name) if found else None
        return found if found and found.kind != "null" else None

    def word(self, *names: str) -> str:
        """The scalar below these names as it is written; empty where there is none."""
        found = self.get(*names)
        return found.text if found and found.kind in ("text", "number", "boolean") else ""

    def flag(self, *names: str) -> bool | None:
        """The boolean below these names; None where there is none."""
        found = self.get(*names)
        return found.text.lower() in _TRUE if found and found.kind == "boolean" else None

    def number(self, *names: str) -> int | None:
        """The whole number below these names; None where there is none."""
        text = self.word(*names)
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None

    def each(self, *names: str) -> Iterator[Tree]:
        """The mappings in the list below these names."""
        found = self.get(*names)
        yield from (item for item in found.items if item.kind == "mapping") if found else ()

    def words(self, *names: str) -> tuple[str, ...]:
        """The scalars in the list below these names."""
        found = self.get(*names)
        return tuple(item.text for item in found.items if item.text) if found else ()


EMPTY: Final = Tree("mapping", 1, "")


def parse(text: str) -> tuple[Tree, list[Fault]]:
    """The document and its faults; the document is empty where it could not be read at all."""
    if len(text) > LARGEST:
        return EMPTY, [Fault("", 1, f"The file has more than {LARGEST:,} characters and was not read.")]
    try:
        documents = _documents(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        said = _QUOTED.sub("", error.problem or "it cannot be parsed")
        return EMPTY, [Fault("", line, f"It is not valid YAML: {said}.")]
    except (yaml.YAMLError, RecursionError):
        return EMPTY, [Fault("", 1, "It is not valid YAML.")]
    if not documents or not isinstance(documents[0], MappingNode):
        return EMPTY, [Fault("", 1, "The file is a mapping with services, databases, envVarGroups ...")]
    builder = _Builder()
    tree = builder.tree(documents[0], "", 0)
    if len(documents) > 1:
        builder.faults.append(Fault("", 1, "Render reads one YAML document; what follows `---` is left out."))
    return tree, builder.faults


def _documents(text: str) -> list[Node | None]:
    loader = yaml.SafeLoader(text)
    found: list[Node | None] = []
    while loader.check_node():
        found.append(loader.get_node())
    return found


class _Builder:
    """Turns YAML nodes into trees. Counts them: a few lines of aliases can stand for millions."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._left = _MOST_NODES
        self._stopped = False

    def tree(self, node: Node, path: str, depth: int) -> Tree:
        """One node with what is below it."""
        line = node.start_mark.line + 1
        self._left -= 1
        if self._left < 0 or depth > _DEEPEST:
            if not self._stopped:
                self.faults.append(Fault("", line, "It is nested too deeply, or aliases make it too large."))
            self._left, self._stopped = 0, True
            return Tree("null", line, path)
        if isinstance(node, MappingNode):
            return Tree("mapping", line, path, fields=self._fields(node, path, depth))
        if isinstance(node, SequenceNode):
            several = (self.tree(item, f"{path}[{n}]", depth + 1) for n, item in enumerate(node.value))
            return Tree("list", line, path, items=tuple(several))
        text = str(node.value) if isinstance(node, ScalarNode) else ""
        return Tree(_KINDS.get(node.tag.rpartition(":")[2], "text"), line, path, text)

    def _fields(self, node: MappingNode, path: str, depth: int) -> dict[str, Tree]:
        found: dict[str, Tree] = {}
        merged: dict[str, Tree] = {}
        for key, value in node.value:
            name = str(key.value) if isinstance(key, ScalarNode) else ""
            below = f"{path}.{name}" if path else name
            if key.tag.endswith(":merge"):
                parts = value.value if isinstance(value, SequenceNode) else [value]
                for part in parts:
                    merged |= {**self.tree(part, path, depth + 1).fields, **merged}
            elif not name:
                self.faults.append(Fault(path, key.start_mark.line + 1, "A name of a field is a plain word."))
            else:
                if name in found:
                    message = f"{name} is given twice; the first is on line {found[name].line}."
                    self.faults.append(Fault(below, key.start_mark.line + 1, message))
                found[name] = self.tree(value, below, depth + 1)
        return {**merged, **found}
