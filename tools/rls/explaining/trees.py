"""Parse trees that keep everything (casts, types), so that a part can be printed and run as SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias, cast

import postgast
from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb

from tools.rls.sqltree import UNREADABLE

Change: TypeAlias = Callable[[pb.Node], pb.Node | None]


def expression(text: str) -> pb.Node | None:
    """An expression of the catalog as a tree; None where it does not parse."""
    select = query(f"select {text}")
    if select is None or len(select.target_list) != 1:
        return None
    return select.target_list[0].res_target.val


def query(text: str) -> pb.SelectStmt | None:
    """A single SELECT; None for anything else."""
    try:
        parsed = postgast.parse(text)
    except UNREADABLE:
        return None
    if len(parsed.stmts) != 1 or parsed.stmts[0].stmt.WhichOneof("node") != "select_stmt":
        return None
    return parsed.stmts[0].stmt.select_stmt


def printed(node: pb.Node) -> str:
    """An expression as SQL."""
    made = postgast.parse("select 1")
    made.stmts[0].stmt.select_stmt.target_list[0].res_target.val.CopyFrom(node)
    return postgast.deparse(made).removeprefix("SELECT ")


def from_text(select: pb.SelectStmt) -> str:
    """What stands between FROM and WHERE."""
    made = postgast.parse("select")
    made.stmts[0].stmt.select_stmt.from_clause.extend(select.from_clause)
    return postgast.deparse(made).removeprefix("SELECT").strip().removeprefix("FROM").strip()


def conjuncts(node: pb.Node) -> Iterator[pb.Node]:
    """The parts of AND."""
    if node.WhichOneof("node") == "bool_expr" and node.bool_expr.boolop == pb.AND_EXPR:
        for part in node.bool_expr.args:
            yield from conjuncts(part)
    elif node.WhichOneof("node") is not None:
        yield node


def walk(message: Message) -> Iterator[pb.Node]:
    """Every Node at or below a message."""
    if isinstance(message, pb.Node):
        yield message
    for child in _children(message):
        yield from walk(child)


def _children(message: Message) -> Iterator[Message]:
    for descriptor, value in cast("list[tuple[Any, Any]]", message.ListFields()):
        if descriptor.message_type is None:
            continue
        if isinstance(value, Message):
            yield value
        else:
            yield from value


def rewritten(message: Message, change: Change) -> None:
    """Replace Nodes below a message, in place; what `change` gives is not looked into again."""
    for child in _children(message):
        other = change(child) if isinstance(child, pb.Node) else None
        if other is not None:
            child.CopyFrom(other)
        else:
            rewritten(child, change)


def changed(node: pb.Node, change: Change) -> pb.Node:
    """A copy with Nodes replaced."""
    holder = pb.ResTarget(val=node)
    rewritten(holder, change)
    return holder.val


def names(node: pb.Node) -> tuple[str, ...]:
    """The dotted name of a column reference or call; empty for anything else."""
    match node.WhichOneof("node"):
        case "column_ref":
            fields = node.column_ref.fields
        case "func_call":
            fields = node.func_call.funcname
        case _:
            return ()
    return tuple(part.string.sval for part in fields if part.WhichOneof("node") == "string")


def column(*parts: str) -> pb.Node:
    """A column reference."""
    return pb.Node(column_ref=pb.ColumnRef(fields=[pb.Node(string=pb.String(sval=part)) for part in parts]))


def equal(one: pb.Node, other: pb.Node) -> pb.Node:
    """`one = other`."""
    name = [pb.Node(string=pb.String(sval="="))]
    return pb.Node(a_expr=pb.A_Expr(kind=pb.AEXPR_OP, name=name, lexpr=one, rexpr=other))


def inside(node: pb.Node) -> Iterator[pb.Node]:
    """The Nodes directly below one."""
    waiting = list(_children(node))
    while waiting:
        child = waiting.pop(0)
        if isinstance(child, pb.Node):
            yield child
        else:
            waiting[:0] = list(_children(child))
