"""Names in function bodies that mean nothing, or two things: what PostgreSQL notices only when they run.

A PL/pgSQL body is not checked against the catalog when it is created. Parameters, RETURNS TABLE columns and
declared variables are names in its queries as well, and where a column has the same name the query fails
with 42702 "column reference is ambiguous".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tools.rls.bodies import body_of, plpgsql_source
from tools.rls.facts import Column, Facts, Source
from tools.rls.objects import Function, Relation
from tools.rls.reach import Reach
from tools.rls.snapshot import PLATFORM_SCHEMAS
from tools.rls.sqltree import Node

_DECLARED: Final = re.compile(r"\bdeclare\b(.*?)\bbegin\b", re.IGNORECASE | re.DOTALL)
_NAME: Final = re.compile(r"^\s*(?:--[^\n]*\n\s*)*\"?([A-Za-z_]\w*)\"?", re.DOTALL)
_CONFLICT: Final = re.compile(r"#variable_conflict\s+use_(column|variable)", re.IGNORECASE)
_SETS: Final = re.compile(r"(?:;|\bbegin|\bthen|\belse|\bloop)\s*new\.\"?(\w+)\"?\s*:?=", re.IGNORECASE)


def variables(function: Function) -> set[str]:
    """Names that PL/pgSQL puts into every query of a body: parameters, OUT and TABLE columns, DECLARE."""
    names = {name for name in (*function.arguments, *function.outputs) if name}
    for section in _DECLARED.findall(function.body):
        for piece in section.split(";"):
            match = _NAME.match(piece)
            if match and match[1].lower() not in ("declare", "begin"):
                names.add(match[1].lower())
    return names


def ambiguous(reached: Reach, function: Function) -> Iterator[str]:
    """Unqualified names that are a variable and a column of a table in the same query."""
    if plpgsql_source(function) is None or _CONFLICT.search(function.body):
        return
    names, path = variables(function), reached.path(function)
    for facts in body_of(function).facts if names else ():
        sorted_by = _output_names(facts)
        for column in facts.columns:
            if column.qualifier or column.name not in names or id(column.node) in sorted_by:
                continue
            for source in _sources(column):
                relation = reached.relation(source, path)
                if relation is not None and column.name in relation.columns:
                    yield f"{column.name} (a variable and {relation.title}.{column.name})"


def _sources(column: Column) -> list[Source]:
    """Relations whose columns a reference may mean. VALUES and SELECT do not see what INSERT writes to."""
    return [
        source
        for block in column.block.chain()
        for source in block.sources
        if source.name
        and (block is column.block or block.select is None or block.select.kind != "InsertStmt")
    ]


def _output_names(facts: Facts) -> set[int]:
    """References in ORDER BY and GROUP BY: they may mean a column of the result."""
    found: set[int] = set()
    for block in facts.blocks:
        if block.select is not None:
            for item in (*block.select.many("sort_clause"), *block.select.many("group_clause")):
                node = item.one("node") or item
                if node.kind == "ColumnRef":
                    found.add(id(node))
    return found


def row_fields(reached: Reach, function: Function) -> Iterator[str]:
    """Fields of NEW and OLD that no table has on which the trigger function is used."""
    snapshot = reached.snapshot
    tables = [
        relation for relation in snapshot.relations.values()
        if any(trigger.function == function.oid for trigger in relation.triggers)
    ]  # fmt: skip
    if function.returns != "trigger" or not tables:
        return
    for row, name in _fields(function):
        if not any(_has(table, name) for table in tables):
            yield f"{row}.{name} (of {tables[0].title})"


def _fields(function: Function) -> Iterator[tuple[str, str]]:
    for facts in body_of(function).facts:
        for column in facts.columns:
            inside = any(source.alias == column.qualifier for source in _sources(column))
            if column.qualifier.lower() in ("new", "old") and not inside and column.name != "*":
                yield column.qualifier.upper(), column.name
    for match in _SETS.finditer(function.body):
        yield "NEW", match[1].lower()


def _has(table: Relation, name: str) -> bool:
    return name in table.columns


def missing_functions(reached: Reach, function: Function) -> Iterator[str]:
    """Calls, by schema and name, of functions that are not there.

    Only in schemas of one's own that hold no extension: an extension's functions are not in the snapshot.
    """
    snapshot = reached.snapshot
    shared = {extension.schema for extension in snapshot.installed} | PLATFORM_SCHEMAS
    for facts in body_of(function).facts:
        for call in facts.calls:
            own = call.schema in snapshot.schemas and call.schema not in shared
            known = snapshot.functions_named.get(f"{call.schema}.{call.name}")
            if own and not known and not _aggregate(call.node):
                yield f"{call.schema}.{call.name}()"


def _aggregate(node: Node) -> bool:
    """Aggregates are not in the snapshot either; their calls often look like one."""
    return any(node.number(name) for name in ("agg_star", "agg_distinct", "agg_within_group")) or bool(
        node.many("agg_order") or node.one("agg_filter") or node.one("over")
    )
