"""Expressions as libpg_query's messages, which can be changed in place and written back as SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import postgast
from google.protobuf.message import Message

from tools.rls.sqltree import UNREADABLE

ANY, EXISTS, SCALAR, ARRAY = "ANY_SUBLINK", "EXISTS_SUBLINK", "EXPR_SUBLINK", "ARRAY_SUBLINK"
TOO_LONG: Final = 2_000
"""Longer texts are not parsed here: a chain of operators overflows the parser's stack."""


def script(text: str) -> Any | None:
    """The parsed statements, or None."""
    if len(text) > TOO_LONG:
        return None
    try:
        return postgast.parse(text)
    except UNREADABLE:
        return None


def value(text: str) -> Any | None:
    """The parse result of `select <text>`; `expression` of it is the expression itself."""
    parsed = script(f"select {text}")
    return parsed if parsed is not None and expression(parsed) is not None else None


def expression(parsed: Any) -> Any | None:
    """The one expression of a `select` without FROM, as a Node message."""
    if len(parsed.stmts) != 1 or parsed.stmts[0].stmt.WhichOneof("node") != "select_stmt":
        return None
    select = parsed.stmts[0].stmt.select_stmt
    if len(select.target_list) != 1 or len(select.from_clause) or select.HasField("where_clause"):
        return None
    return select.target_list[0].res_target.val


def written(parsed: Any) -> str:
    """The SQL of a parse result."""
    return postgast.deparse(parsed)


def expression_text(parsed: Any) -> str:
    """The SQL of the expression of `select <expression>`."""
    return written(parsed).removeprefix("SELECT ")


def select_text(select: Any) -> str:
    """The SQL of a SelectStmt message."""
    holder: Any = postgast.parse("select 1")
    holder.stmts[0].stmt.select_stmt.CopyFrom(select)
    return written(holder)


def node_text(node: Any) -> str:
    """The SQL of an expression Node."""
    holder: Any = postgast.parse("select 1")
    holder.stmts[0].stmt.select_stmt.target_list[0].res_target.val.CopyFrom(node)
    return expression_text(holder)


def replace(node: Any, text: str) -> None:
    """Put the expression `text` in place of a Node."""
    parsed = value(text)
    if parsed is None:
        raise ValueError(f"not an expression: {text}")
    node.CopyFrom(expression(parsed))


def kind(node: Any) -> str:
    """Which message a Node holds: `column_ref`, `func_call`, `sub_link`, ..."""
    return node.WhichOneof("node") or ""


def nodes(message: Any) -> Iterator[Any]:
    """Every Node message below (and including) a message, outermost first."""
    if type(message).__name__ == "Node":
        yield message
    for descriptor, found in message.ListFields():
        if descriptor.message_type is None:
            continue
        for one in [found] if isinstance(found, Message) else found:
            yield from nodes(one)


def bare(node: Any) -> Any:
    """The node without casts around it."""
    while kind(node) == "type_cast":
        node = node.type_cast.arg
    return node


def names(node: Any) -> tuple[str, ...]:
    """The parts of a column reference; empty for anything else and for `*`."""
    if kind(node) != "column_ref" or any(kind(field) != "string" for field in node.column_ref.fields):
        return ()
    return tuple(field.string.sval for field in node.column_ref.fields)


def called(node: Any) -> tuple[str, str]:
    """Schema and name of a called function; the schema is empty where none is written."""
    parts = [field.string.sval for field in node.func_call.funcname]
    return (parts[-2] if len(parts) > 1 else "", parts[-1])


def aliases(select: Any) -> frozenset[str]:
    """Every alias and relation name that a query or one inside it brings in."""
    found: set[str] = set()
    for node in nodes(select):
        match kind(node):
            case "range_var":
                alias = node.range_var.alias.aliasname
                found.add(alias or node.range_var.relname)
            case "range_subselect":
                found.add(node.range_subselect.alias.aliasname)
            case "range_function":
                found.add(node.range_function.alias.aliasname)
            case "join_expr":
                found.add(node.join_expr.alias.aliasname)
            case "common_table_expr":
                found.add(node.common_table_expr.ctename)
            case _:
                pass
    return frozenset(found - {""})


def conjuncts(node: Any) -> list[Any]:
    """The parts of `a and b and c`."""
    return _parts(node, "AND_EXPR")


def disjuncts(node: Any) -> list[Any]:
    """The parts of `a or b or c`."""
    return _parts(node, "OR_EXPR")


def _parts(node: Any, word: str) -> list[Any]:
    if kind(node) == "bool_expr" and boolean(node) == word:
        return [part for argument in node.bool_expr.args for part in _parts(argument, word)]
    return [node]


def boolean(node: Any) -> str:
    """AND_EXPR, OR_EXPR or NOT_EXPR."""
    return _enum(node.bool_expr, "boolop")


def link(node: Any) -> str:
    """The type of a sub_link, such as EXISTS_SUBLINK."""
    return _enum(node.sub_link, "sub_link_type")


def operator(node: Any) -> str:
    """The operator of a plain `a op b`, or an empty string."""
    if kind(node) != "a_expr" or _enum(node.a_expr, "kind") != "AEXPR_OP":
        return ""
    return node.a_expr.name[-1].string.sval


def array_test(node: Any) -> Any | None:
    """The query of `x = any (array(select ...))`, or None."""
    if kind(node) != "a_expr" or _enum(node.a_expr, "kind") != "AEXPR_OP_ANY":
        return None
    right = bare(node.a_expr.rexpr)
    if node.a_expr.name[-1].string.sval != "=" or kind(right) != "sub_link" or link(right) != ARRAY:
        return None
    return right.sub_link.subselect.select_stmt


def mentions(message: Any, test: Callable[[Any], bool]) -> bool:
    """Whether some Node below passes the test."""
    return any(test(node) for node in nodes(message))


def plain(select: Any) -> bool:
    """Whether a query is just FROM and WHERE: no grouping, limit, set operation, CTE or locking."""
    odd = (
        "group_clause",
        "having_clause",
        "with_clause",
        "limit_count",
        "limit_offset",
        "larg",
        "values_lists",
    )
    present = {descriptor.name for descriptor, _ in select.ListFields()}
    return not present & {*odd, "distinct_clause", "locking_clause", "window_clause"}


def _enum(message: Any, name: str) -> str:
    descriptor = message.DESCRIPTOR.fields_by_name[name]
    return descriptor.enum_type.values_by_number[getattr(message, name)].name
