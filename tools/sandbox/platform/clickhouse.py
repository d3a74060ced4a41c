"""Runs the ClickHouse SQL of the logs endpoint over rows in memory.

It knows what log queries need: columns, log_attributes['key'], comparisons, like, in, match, the usual string
and number functions, toStartOf..., and the aggregates count, countIf, uniq, min, max, sum, avg and quantile.
Anything else is refused, as the backend refuses what it does not know; count(*) and select * among it.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from tools.sandbox.platform.clickhouse_functions import FUNCTIONS, STAMP, STARTS, floor
from tools.sandbox.platform.clickhouse_parse import BadQuery, Node, Select, parse
from tools.sandbox.platform.shapes import Json

COLUMNS: Final = ("id", "timestamp", "event_message", "source", "log_attributes")
AGGREGATES: Final = frozenset(
    {"count", "countif", "uniq", "uniqexact", "min", "max", "sum", "avg", "quantile", "any", "argmax"}
)

OPERATORS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
}


def _average(values: list[Any]) -> float:
    return sum(values) / len(values)


def _any(values: list[Any]) -> Any:
    return values[0]


SIMPLE: Final[dict[str, Callable[[list[Any]], Any]]] = {
    "count": len,
    "min": min,
    "max": max,
    "sum": sum,
    "avg": _average,
    "any": _any,
}


def run(query: Select, rows: Sequence[Json], now: datetime) -> list[Json]:
    """The result of a query."""
    scope = _Scope(dict(query.items), now)
    chosen = [row for row in rows if query.where is None or scope.value(query.where, row, None)]
    if query.group or any(_aggregated(node) for _, node in query.items):
        groups: dict[tuple[Any, ...], list[Json]] = {} if query.group else {(): []}
        for row in chosen:
            key = tuple(_frozen(scope.value(node, row, None)) for node in query.group)
            groups.setdefault(key, []).append(row)
        found: list[tuple[Json, list[Json] | None]] = [
            (each[0] if each else {}, each) for each in groups.values()
        ]
        if query.having:
            condition = query.having
            found = [pair for pair in found if scope.value(condition, *pair)]
    else:
        found = [(row, None) for row in chosen]
    for node, down in reversed(query.order):
        found.sort(key=lambda pair: _sortable(scope.value(node, *pair)), reverse=down)
    if query.limit is not None:
        found = found[query.offset : query.offset + query.limit]
    return [{name: scope.value(node, *pair) for name, node in query.items} for pair in found]


def sources(query: Select) -> set[str] | None:
    """The sources that a query asks for in its conjunction, None for any."""
    nodes = [query.where] if query.where else []
    while nodes:
        node = nodes.pop()
        if node.kind == "and":
            nodes.extend(node.parts)
        if node.kind in ("=", "in") and node.parts[0] == Node("column", "source"):
            right = node.parts[1]
            return {str(each.value) for each in (right.parts if node.kind == "in" else (right,))}
    return None


def prepared(sql: str) -> Select:
    """The parsed query, with what is never allowed refused."""
    query = parse(sql)
    for _, node in query.items:
        _check(node)
    return query


def _check(node: Node) -> None:
    if (
        node.kind == "call"
        and str(node.value).lower() == "count"
        and node.parts
        and node.parts[0].kind == "star"
    ):
        raise BadQuery("count(*) is not supported; use count()")
    for part in node.parts:
        _check(part)


def _aggregated(node: Node) -> bool:
    own = node.kind == "call" and str(node.value).lower() in AGGREGATES
    return own or any(_aggregated(part) for part in node.parts)


class _Scope:
    def __init__(self, aliases: dict[str, Node], now: datetime) -> None:
        self._aliases = aliases
        self._now = now

    def value(self, node: Node, row: Json, group: list[Json] | None) -> Any:
        """The value of an expression for a row, or for the rows of a group."""
        if node.kind == "literal":
            return node.value
        if node.kind == "interval":
            amount, unit = str(node.value).split()
            return timedelta(**{f"{unit}s": float(amount)})
        if node.kind == "attribute":
            return row.get("log_attributes", {}).get(node.value, "")
        if node.kind == "column":
            return self._column(str(node.value), row, group)
        if node.kind == "call":
            name = str(node.value).lower()
            if name in AGGREGATES:
                return self._aggregate(name, node, group)
            return self._call(name, node, row, group)
        if node.kind in ("and", "or"):
            left = bool(self.value(node.parts[0], row, group))
            return left if left == (node.kind == "or") else bool(self.value(node.parts[1], row, group))
        if node.kind == "not":
            return not self.value(node.parts[0], row, group)
        if node.kind == "list":
            return [self.value(part, row, group) for part in node.parts]
        if node.kind == "star":
            raise BadQuery("Syntax error: unexpected *")
        left, right = (self.value(part, row, group) for part in node.parts)
        return _operate(node.kind, left, right)

    def _column(self, name: str, row: Json, group: list[Json] | None) -> Any:
        alias = self._aliases.get(name)
        if alias is not None and alias != Node("column", name):
            return self.value(alias, row, group)
        if name not in COLUMNS:
            raise BadQuery(f"Unknown expression identifier `{name}`")
        return row.get(name)

    def _aggregate(self, name: str, node: Node, group: list[Json] | None) -> Any:
        if group is None:
            raise BadQuery(f"Aggregate function {name} is found in wrong place")
        if name == "count" and not node.parts:
            return len(group)
        values = [self.value(node.parts[0], row, None) for row in group]
        if name == "countif":
            return sum(map(bool, values))
        if name in ("uniq", "uniqexact") or node.distinct:
            return len({_frozen(each) for each in values})
        if name == "quantile":
            part = float(node.params[0].value or 0.5) if node.params else 0.5
            ordered = sorted(float(each) for each in values)
            return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else None
        if not values:
            return 0 if name in ("count", "sum") else None
        if name not in SIMPLE:
            raise BadQuery(f"Function {name} is not supported")
        return SIMPLE[name](values)

    def _call(self, name: str, node: Node, row: Json, group: list[Json] | None) -> Any:
        parts = [self.value(part, row, group) for part in node.parts]
        if name in STARTS:
            return floor(parts[0], STARTS[name])
        if name == "now":
            return self._now.strftime(STAMP)
        if name not in FUNCTIONS:
            raise BadQuery(f"Function with name `{node.value}` does not exist")
        try:
            return FUNCTIONS[name](*parts)
        except (TypeError, ValueError, re.error) as error:
            raise BadQuery(f"Illegal arguments of function {node.value}") from error


def _operate(kind: str, left: Any, right: Any) -> Any:
    if kind == "in":
        return left in right
    if kind in ("like", "ilike"):
        pattern = "".join({"%": ".*", "_": "."}.get(each, re.escape(each)) for each in str(right))
        return (
            re.fullmatch(pattern, str(left), re.DOTALL | (re.IGNORECASE if kind == "ilike" else 0))
            is not None
        )
    if kind in ("+", "-") and isinstance(right, timedelta):
        moment = datetime.strptime(str(left), STAMP)  # noqa: DTZ007  # the log's times are UTC without saying so
        return (moment + right if kind == "+" else moment - right).strftime(STAMP)
    if isinstance(left, str) and isinstance(right, str) and re.match(r"\d{4}-\d\d-\d\d[ T]", right):
        right = right.replace(" ", "T").removesuffix("Z")
    if isinstance(left, str) != isinstance(right, str):
        raise BadQuery("There is no supertype for types String, UInt8: convert one side")
    if kind == "/":
        return float(left) / float(right) if right else None
    return OPERATORS[kind](left, right)


def _frozen(value: Any) -> Any:
    return value if isinstance(value, str | int | float | None) else str(value)


def _sortable(value: Any) -> tuple[int, Any]:
    return (0, 0) if value is None else (1, value) if not isinstance(value, str) else (2, value)
