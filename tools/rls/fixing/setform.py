"""Questions about one row turned into sets: `exists (... where m.key = row.key ...)` as the keys themselves.

A query is asked once per statement where it does not mention the row. So the one comparison that ties it to
the row is taken out, and what it was compared with becomes the output.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tools.rls.fixing import trees
from tools.rls.objects import Function

_RETURNS: Final = re.compile(r"\A\s*begin\s+return\s+(.*?);\s*end\s*;?\s*\Z", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Turned:
    """`outer` is what the row was compared with (SQL), `query` gives the keys."""

    outer: str
    query: str


@dataclass(frozen=True, slots=True)
class KeySet:
    """A function's answer as a set: the parameter that named the row, and the queries whose union it is.

    `others` are the positions of further parameters that the queries use.
    """

    parameter: int
    queries: tuple[str, ...]
    others: tuple[int, ...]


def turned(select: Any, outside: Callable[[Any], bool], also: tuple[Any, ...] = ()) -> Turned | None:
    """An EXISTS query without the one conjunct that ties it to the outside; None where it cannot be done.

    `also` are further conditions that the set depends on; they must not mention the outside.
    """
    if not trees.plain(select) or not select.from_clause or not select.HasField("where_clause"):
        return None
    tie: tuple[Any, Any] | None = None
    rest: list[Any] = list(also)
    for part in trees.conjuncts(select.where_clause):
        if not trees.mentions(part, outside):
            rest.append(part)
            continue
        sides = _tie(part, outside)
        if sides is None or tie is not None:
            return None
        tie = sides
    if tie is None or any(trees.mentions(one, outside) for one in (*select.from_clause, *also)):
        return None
    inner, outer = tie
    keys = type(select)()
    keys.CopyFrom(select)
    del keys.target_list[:]
    keys.target_list.add().res_target.val.CopyFrom(inner)
    keys.ClearField("where_clause")
    if len(rest) == 1:
        keys.where_clause.CopyFrom(rest[0])
    elif rest:
        every = keys.where_clause.bool_expr
        every.boolop = 1  # AND_EXPR
        for part in rest:
            every.args.add().CopyFrom(part)
    return Turned(trees.node_text(outer), trees.select_text(keys))


def _tie(part: Any, outside: Callable[[Any], bool]) -> tuple[Any, Any] | None:
    """The inner and the outer side of `inner = outer`."""
    if trees.operator(part) != "=":
        return None
    left, right = part.a_expr.lexpr, part.a_expr.rexpr
    for inner, outer in ((left, right), (right, left)):
        if outside(trees.bare(outer)) and not trees.mentions(inner, outside):
            return inner, outer
    return None


def key_set(function: Function, columns: Callable[[Any], frozenset[str]]) -> KeySet | None:
    """The function's answer as a set of keys, for the one parameter that ties every part of it to a row.

    `columns` gives the column names of the relations that a query reads: an unqualified name that is also
    such a column is the column, not the parameter.
    """
    body = function.body
    if function.language == "plpgsql":
        found = _RETURNS.match(body)
        body = f"select {found[1]}" if found is not None else ""
    parsed = trees.script(body) if function.language in ("sql", "plpgsql") and body else None
    root = trees.expression(parsed) if parsed is not None else None
    if root is None or function.returns != "boolean":
        return None
    for position, name in enumerate(function.arguments):
        outside = _parameter(function, name, position, columns(parsed))
        queries = [_disjunct(part, outside) for part in trees.disjuncts(_certain(root))]
        if all(query is not None for query in queries):
            others = tuple(
                other
                for other, title in enumerate(function.arguments)
                if other != position
                and trees.mentions(root, _parameter(function, title, other, columns(parsed)))
            )
            return KeySet(position, tuple(query for query in queries if query is not None), others)
    return None


def _certain(node: Any) -> Any:
    """The node inside `coalesce(node, false)`: in a policy NULL and false are the same."""
    if trees.kind(node) == "coalesce_expr" and len(node.coalesce_expr.args) == 2:
        return _certain(node.coalesce_expr.args[0])
    return node


def _parameter(function: Function, name: str, position: int, hidden: frozenset[str]) -> Callable[[Any], bool]:
    def is_parameter(node: Any) -> bool:
        if trees.kind(node) == "param_ref":
            return node.param_ref.number == position + 1
        parts = trees.names(node)
        if parts == (name,):
            return bool(name) and name not in hidden
        return bool(name) and parts == (function.name, name)

    return is_parameter


def _disjunct(part: Any, outside: Callable[[Any], bool]) -> str | None:
    """The keys for which one part of the answer is true."""
    several = trees.conjuncts(part)
    tied = [one for one in several if trees.mentions(one, outside)]
    if len(tied) != 1:
        return None
    also = tuple(one for one in several if one is not tied[0])
    one = tied[0]
    if trees.kind(one) == "sub_link" and trees.link(one) == trees.EXISTS:
        found = turned(one.sub_link.subselect.select_stmt, outside, also)
        return found.query if found is not None else None
    query, test = _membership(one)
    if query is None or also or not outside(trees.bare(test)) or trees.mentions(query, outside):
        return None
    return trees.select_text(query)


def _membership(node: Any) -> tuple[Any | None, Any]:
    """The query and the tested value of `x in (select ...)` or `x = any (array(select ...))`."""
    if trees.kind(node) == "sub_link" and trees.link(node) == trees.ANY:
        named = [part.string.sval for part in node.sub_link.oper_name]
        return (node.sub_link.subselect.select_stmt if named in ([], ["="]) else None), node.sub_link.testexpr
    query = trees.array_test(node)
    return query, (node.a_expr.lexpr if query is not None else node)
