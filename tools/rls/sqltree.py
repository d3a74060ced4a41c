"""SQL parse trees as small nodes.

postgast gives protobuf messages; reading those again and again costs more than parsing, so they are copied
once.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from math import prod
from typing import Any, Final, cast

from google.protobuf.message import DecodeError, Message
from postgast import PgQueryError

AND: Final = 1
OR: Final = 2
NOT: Final = 3
EXISTS: Final = 1
ANY: Final = 3
SCALAR: Final = 5
ARRAY: Final = 7
IS_NULL: Final = 1
EQUALS_ANY: Final = 2

UNREADABLE: Final = (PgQueryError, DecodeError)
"""What parsing may raise: a syntax error, or nesting beyond 100 levels, protobuf's limit (60 times `||`)."""

_NODE: Final = "Node"
_SCALARS: Final = (str, int, float, bytes)
_SKIPPED: Final = frozenset({"location", "stmt_location", "stmt_len", "version"})


class Node:
    """One parse node: `kind` is libpg_query's name (FuncCall, ColumnRef, ...), parts are its set fields."""

    __slots__ = ("kind", "parts")

    def __init__(self, kind: str, parts: dict[str, Any]) -> None:
        self.kind = kind
        self.parts = parts

    def one(self, name: str) -> Node | None:
        """A child node, if set."""
        value = self.parts.get(name)
        return value if isinstance(value, Node) else None

    def many(self, name: str) -> tuple[Node, ...]:
        """Child nodes of a list field."""
        value: Any = self.parts.get(name)
        return cast("tuple[Node, ...]", value) if isinstance(value, tuple) else ()

    def number(self, name: str) -> int:
        """An integer, enum or boolean field; 0 when unset."""
        value = self.parts.get(name, 0)
        return int(value) if isinstance(value, int) else 0

    def word(self, name: str) -> str:
        """A string field; empty when unset."""
        value = self.parts.get(name, "")
        return value if isinstance(value, str) else ""

    def words(self, name: str) -> tuple[str, ...]:
        """The strings of a list of String nodes (a dotted name, an operator); `*` for A_Star."""
        return tuple("*" if n.kind == "A_Star" else n.word("sval") for n in self.many(name))

    def children(self) -> Iterator[Node]:
        """Direct child nodes."""
        for value in self.parts.values():
            if isinstance(value, Node):
                yield value
            elif isinstance(value, tuple):
                yield from cast("tuple[Node, ...]", value)

    def walk(self) -> Iterator[Node]:
        """This node and everything below it."""
        stack: list[Node] = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(node.children())


def copied(message: Any) -> Node:
    """A protobuf message of libpg_query as Nodes; wrappers are unfolded and positions left out."""
    fields: list[tuple[Any, Any]] = message.ListFields()
    kind = type(message).__name__
    if kind == _NODE:
        if not fields:
            return Node("Empty", {})
        message = fields[0][1]
        fields = message.ListFields()
        kind = type(message).__name__
    if kind == "String":
        return _string(message.sval)
    if kind == "TypeName":
        return _TYPE
    parts: dict[str, Any] = {}
    for descriptor, value in fields:
        name = descriptor.name
        if isinstance(value, _SCALARS):
            if name not in _SKIPPED:
                parts[name] = value
        elif isinstance(value, Message):
            parts[name] = copied(value)
        else:
            parts[name] = tuple([copied(item) for item in value])
    return Node(kind, parts)


@lru_cache(maxsize=20_000)
def _string(text: str) -> Node:
    """Names and constants repeat: one Node for each text."""
    return Node("String", {"sval": text})


_TYPE: Final = Node("TypeName", {})
"""No rule asks what something is cast to."""


def conjuncts(node: Node | None) -> Iterator[Node]:
    """The parts of `a and b and c`; a single part for anything else."""
    if node is None:
        return
    if node.kind == "BoolExpr" and node.number("boolop") == AND:
        for part in node.many("args"):
            yield from conjuncts(part)
    else:
        yield node


def disjuncts(node: Node | None) -> Iterator[Node]:
    """The parts of `a or b or c`; a single part for anything else."""
    if node is None:
        return
    if node.kind == "BoolExpr" and node.number("boolop") == OR:
        for part in node.many("args"):
            yield from disjuncts(part)
    else:
        yield node


def alternatives(node: Node, most: int = 32) -> list[tuple[Node, ...]]:
    """A condition as OR of ANDs; one alternative, the whole, when there would be more than `most`."""
    if node.kind == "BoolExpr" and node.number("boolop") == OR:
        return [one for part in node.many("args") for one in alternatives(part, most)]
    if node.kind == "BoolExpr" and node.number("boolop") == AND:
        sides = [alternatives(part, most) for part in node.many("args")]
        if prod(map(len, sides)) <= most:
            return [tuple(one for part in parts for one in part) for parts in product(*sides)]
    return [(node,)]


def bare(node: Node | None) -> Node | None:
    """The node without casts around it, and without a `(select x)` that has no FROM."""
    while node is not None:
        if node.kind == "TypeCast":
            node = node.one("arg")
        elif node.kind == "SubLink" and node.number("sub_link_type") == SCALAR:
            select = node.one("subselect")
            targets = select.many("target_list") if select is not None else ()
            if select is None or select.many("from_clause") or len(targets) != 1:
                return node
            node = targets[0].one("val")
        else:
            return node
    return None


def constant(node: Node | None) -> str | bool | int | None:
    """The value of a constant (casts removed), or None."""
    node = bare(node)
    if node is None or node.kind != "A_Const":
        return None
    for name, reading in (("boolval", "boolval"), ("sval", "sval"), ("ival", "ival")):
        value = node.one(name)
        if value is not None:
            if name == "boolval":
                return bool(value.number(reading))
            return value.number(reading) if name == "ival" else value.word(reading)
    return None
