"""What a statement reaches: names and shapes, read from its parse tree alone.

    parse tree ── inspect() ──▶ Reach ── read_catalog() ──▶ Catalog ── judge() ──▶ objections

Pure. It over-collects on purpose: a CTE counts as a relation and a column as a possible function call
(`t.f` calls f(t)); what does not exist in the catalog drops out there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb
from postgast.walk import unwrap_node, walk


class Name(NamedTuple):
    """A possibly qualified name, as the parser folded it."""

    schema: str | None
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name


@dataclass(frozen=True, slots=True)
class Reach:
    """Everything a statement names, and what its shape alone already forbids."""

    kind: str
    relations: frozenset[Name] = frozenset()
    functions: frozenset[Name] = frozenset()
    operators: frozenset[Name] = frozenset()
    types: frozenset[Name] = frozenset()
    fields: frozenset[str] = frozenset()
    settings: frozenset[str | None] = frozenset()
    forbidden: tuple[str, ...] = ()
    shapes: tuple[str, ...] = ()
    rows_from_functions: bool = False
    recursive: bool = False


@dataclass(slots=True)
class _Found:
    relations: set[Name] = field(default_factory=set[Name])
    functions: set[Name] = field(default_factory=set[Name])
    operators: set[Name] = field(default_factory=set[Name])
    types: set[Name] = field(default_factory=set[Name])
    fields: set[str] = field(default_factory=set[str])
    settings: set[str | None] = field(default_factory=set[str | None])
    forbidden: list[str] = field(default_factory=list[str])
    rows_from_functions: bool = False
    recursive: bool = False


_IMPLIED: Final = {Name(None, operator) for operator in ("=", "<", ">", "<=", ">=", "<>")}
"""GROUP BY, ORDER BY, DISTINCT, USING and BETWEEN compare without naming an operator."""
TYPE_AS_TEXT: Final = frozenset({"pg_input_is_valid", "pg_input_error_info"})
"""Functions that take the name of a type as text."""
_WORD: Final = re.compile(r'"[^"]*"|\w+')
_COUNT: Final = frozenset({Name(None, "count"), Name("pg_catalog", "count")})
_WRITES: Final = {
    "InsertStmt": "INSERT", "UpdateStmt": "UPDATE", "DeleteStmt": "DELETE", "MergeStmt": "MERGE",
}  # fmt: skip


def inspect(node: Message) -> Reach:
    """The reach of one statement (the message inside RawStmt)."""
    found = _Found()
    for _, part in walk(node):
        _visit(part, found)
    return Reach(
        kind=str(node.DESCRIPTOR.name),
        relations=frozenset(found.relations),
        functions=frozenset(found.functions),
        operators=frozenset(found.operators | _IMPLIED),
        types=frozenset(found.types),
        fields=frozenset(found.fields),
        settings=frozenset(found.settings),
        forbidden=tuple(dict.fromkeys(found.forbidden)),
        shapes=_shapes(node),
        rows_from_functions=found.rows_from_functions,
        recursive=found.recursive,
    )


def strings(nodes: Iterable[Message]) -> list[str]:
    """The String nodes of a list: a dotted name's parts."""
    parts = (unwrap_node(item) for item in nodes)
    return [part.sval for part in parts if isinstance(part, pb.String)]


def name_of(parts: list[str]) -> Name:
    """The last two parts of a dotted name."""
    return Name(parts[-2] if len(parts) > 1 else None, parts[-1]) if parts else Name(None, "")


def _visit(part: Message, found: _Found) -> None:
    if isinstance(part, pb.RangeVar):
        found.relations.add(Name(part.schemaname or None, part.relname))
    elif isinstance(part, pb.FuncCall):
        _call(part, found)
    elif isinstance(part, pb.ColumnRef):
        if len(part.fields) > 1:  # t.f may call f(t); a bare f never does
            found.fields.update(strings(part.fields)[-1:])
    elif isinstance(part, pb.A_Indirection):
        found.fields.update(strings(part.indirection))
    elif isinstance(part, pb.A_Expr | pb.SubLink | pb.SortBy):
        _operator(part, found)
    elif isinstance(part, pb.TypeName):
        found.types.add(name_of(strings(part.names)))
    elif isinstance(part, pb.RangeFunction | pb.RangeTableFunc | pb.JsonTable):
        found.rows_from_functions = True
    elif isinstance(part, pb.SelectStmt):
        bounds = [part.limit_count, part.limit_offset]
        # A computed LIMIT makes as many rows as some value says.
        found.rows_from_functions |= any(_computed(bound) for bound in bounds)
    elif isinstance(part, pb.WithClause):
        found.recursive = found.recursive or part.recursive
    else:
        _forbid(part, found)


def _operator(part: pb.A_Expr | pb.SubLink | pb.SortBy, found: _Found) -> None:
    if isinstance(part, pb.A_Expr):
        names = strings(part.name)
    else:
        names = strings(part.oper_name if isinstance(part, pb.SubLink) else part.use_op)
    if names:
        found.operators.add(name_of(names))


def _computed(bound: pb.Node) -> bool:
    return bound.WhichOneof("node") not in {None, "a_const"}


def _call(call: pb.FuncCall, found: _Found) -> None:
    name = name_of(strings(call.funcname))
    found.functions.add(name)
    if name.name in TYPE_AS_TEXT:
        _types_as_text(call, found)
    if name.name == "current_setting":
        first = unwrap_node(call.args[0]) if call.args else None
        constant = isinstance(first, pb.A_Const) and first.HasField("sval")
        found.settings.add(first.sval.sval if constant and isinstance(first, pb.A_Const) else None)


def _types_as_text(call: pb.FuncCall, found: _Found) -> None:
    """pg_input_is_valid('1', 'a_domain') runs the CHECK of a domain that is named in a string."""
    for item in call.args:
        value = unwrap_node(item)
        value = unwrap_node(value.arg) if isinstance(value, pb.NamedArgExpr) else value
        if not isinstance(value, pb.A_Const):
            found.forbidden.append(f"{call.funcname[-1].string.sval}() takes the name of a type as text")
        elif value.HasField("sval"):
            found.types.update(Name(None, word.strip('"')) for word in _WORD.findall(value.sval.sval))


def _forbid(part: Message, found: _Found) -> None:
    """Shapes that no reading statement has."""
    if isinstance(part, pb.LockingClause):
        found.forbidden.append("FOR UPDATE / FOR SHARE locks rows")
    elif isinstance(part, pb.IntoClause):
        found.forbidden.append("SELECT INTO creates a table")
    elif isinstance(part, pb.ParamRef):
        found.forbidden.append("$1 stands for a parameter and none is passed; write the value")
    elif part.DESCRIPTOR.name in _WRITES:
        found.forbidden.append(f"{_WRITES[part.DESCRIPTOR.name]} changes rows")


def _shapes(node: Message) -> tuple[str, ...]:
    """For each output column: `count`, `constant` or `other`; empty when positions are unknown.

    The arms of a UNION must agree on a column, else it is `other`.
    """
    if not isinstance(node, pb.SelectStmt):
        return ()
    if node.op != pb.SETOP_NONE:
        left, right = _shapes(node.larg), _shapes(node.rarg)
        pairs = zip(left, right, strict=False) if len(left) == len(right) else ()
        return tuple(one if one == other else "other" for one, other in pairs)
    shapes: list[str] = []
    for item in node.target_list:
        target = unwrap_node(item)
        value = unwrap_node(target.val) if isinstance(target, pb.ResTarget) else target
        if isinstance(value, pb.ColumnRef) and any(
            isinstance(unwrap_node(part), pb.A_Star) for part in value.fields
        ):
            return ()  # a star stands for any number of columns: positions after it are unknown
        shapes.append(_shape(value, alone=not node.from_clause))
    return tuple(shapes)


def _shape(value: Message, *, alone: bool) -> str:
    if isinstance(value, pb.A_Const):
        return "constant"
    if isinstance(value, pb.FuncCall) and name_of(strings(value.funcname)) in _COUNT:
        return "count"
    if alone and isinstance(value, pb.SubLink) and value.sub_link_type == pb.EXPR_SUBLINK:
        inner = _shapes(unwrap_node(value.subselect))  # without FROM around it, it cannot be correlated
        return inner[0] if len(inner) == 1 else "other"
    return "other"
