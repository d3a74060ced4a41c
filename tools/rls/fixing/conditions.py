"""Conditions of life put back into a helper or a view: the model's own, where a query reads the rows.

A query is changed as a tree and written back; it only ever gets narrower.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import postgast

from tools.rls.bodies import body_of
from tools.rls.design.existing import Right
from tools.rls.design.queries import test_of
from tools.rls.fixing import trees
from tools.rls.mending import redefined
from tools.rls.objects import Function, Relation
from tools.rls.proof.model import Condition, Model, Opening
from tools.rls.reach import Reach
from tools.rls.wording import literal, quoted, table_name


def mended_function(reached: Reach, model: Model, function: Function, right: Right | None) -> str | None:
    """CREATE OR REPLACE of an SQL function with the conditions that its queries lack, or None."""
    if function.language != "sql":
        return None
    path = reached.path(function)
    return redefined(function, lambda body: narrowed(reached, model, body, path, right) or body)


def mended_view(reached: Reach, model: Model, view: Relation) -> str | None:
    """CREATE OR REPLACE of a view with the conditions that its query lacks, or None."""
    if view.kind != "v" or not view.definition:
        return None
    new = narrowed(reached, model, view.definition.rstrip().rstrip(";"), (), None)
    options = f" with ({', '.join(view.options)})" if view.options else ""
    return f"create or replace view {table_name(view)}{options} as\n{new};" if new is not None else None


def narrowed(
    reached: Reach, model: Model, text: str, path: tuple[str, ...], right: Right | None
) -> str | None:
    """The query with the conditions that a living row of each of its tables must pass; None: it has them."""
    parsed = trees.script(text)
    if parsed is None:
        return None
    changed = False
    for select in [node.select_stmt for node in trees.nodes(parsed) if trees.kind(node) == "select_stmt"]:
        changed = _narrow(reached, model, select, path, right) or changed
    for raw in parsed.stmts:
        if trees.kind(raw.stmt) == "select_stmt" and raw.stmt.select_stmt.HasField("larg"):
            for side in _sides(raw.stmt.select_stmt):
                changed = _narrow(reached, model, side, path, right) or changed
    return "\n" + _laid_out(trees.written(parsed)) + "\n" if changed else None


def _laid_out(text: str) -> str:
    """The query over several lines, indented as the body of a function."""
    return "\n".join(f"  {line}" for line in postgast.format_sql(text).rstrip().rstrip(";").splitlines())


def living_view(reached: Reach, model: Model, function: Function) -> Iterator[tuple[str, str]]:
    """The function reading the view of living rows that other helpers read, in place of the table itself."""
    openings = {opening.table for opening in model.openings}
    for facts in body_of(function).facts:
        for source in facts.sources():
            table = reached.relation(source, reached.path(function))
            if table is None or table.title not in openings:
                continue
            asked = {
                c.name for c in facts.columns if c.qualifier in ("", source.alias) and c.name in table.columns
            }
            for view in _views_of(reached, table):
                if asked <= set(view.columns):
                    written = rf"\b{re.escape(table.schema)}\.{re.escape(table.name)}\b"
                    new = redefined(function, lambda body, w=written, v=view: re.sub(w, table_name(v), body))
                    if new is not None:
                        yield view.title, new


def _views_of(reached: Reach, table: Relation) -> list[Relation]:
    """Views over a table that helpers of policies read."""
    found: dict[str, Relation] = {}
    for unit in reached.units:
        for source in unit.block.sources if unit.function is not None else ():
            view = reached.relation(source, unit.path)
            if view is not None and view.kind == "v" and table.title in view.reads:
                found[view.title] = view
    return list(found.values())


def _sides(select: Any) -> Iterator[Any]:
    """The plain queries of a UNION: set operations hold them without a Node around."""
    if select.HasField("larg"):
        yield from _sides(select.larg)
        yield from _sides(select.rarg)
    else:
        yield select


def _narrow(reached: Reach, model: Model, select: Any, path: tuple[str, ...], right: Right | None) -> bool:
    if not select.from_clause or select.group_clause:
        return False
    sources = list(_sources(reached, select.from_clause, path))
    wanted: list[tuple[str, str]] = []
    for alias, relation in sources:
        wanted += [(c.column, test) for c, test in _tests(model, alias, relation, sources)]
        if right is not None:
            wanted += _level_tests(reached, model, alias, relation, right)
    present = {trees.node_text(part) for part in _where(select)}
    new = [(column, test) for column, test in wanted if _normal(test) not in present]
    added = [_add(select, test) for _, test in dict.fromkeys(new)]
    return any(added)


def _where(select: Any) -> list[Any]:
    return trees.conjuncts(select.where_clause) if select.HasField("where_clause") else []


def _normal(test: str) -> str:
    parsed = trees.value(test)
    return trees.expression_text(parsed) if parsed is not None else test


def _add(select: Any, test: str) -> bool:
    """Narrow the query by a test; whether it could be: a condition may be too long to be read again."""
    before = trees.node_text(select.where_clause) if select.HasField("where_clause") else ""
    text = f"({before}) and {test}" if before else test
    if trees.value(text) is None:
        return False
    trees.replace(select.where_clause, text)
    return True


def _sources(reached: Reach, items: Iterable[Any], path: tuple[str, ...]) -> Iterator[tuple[str, Relation]]:
    """Alias and relation of every entry of a FROM that names one."""
    for item in items:
        if trees.kind(item) == "join_expr":
            yield from _sources(reached, [item.join_expr.larg, item.join_expr.rarg], path)
        elif trees.kind(item) == "range_var":
            one = item.range_var
            relation = reached.snapshot.named(one.schemaname, one.relname, path or ("public",))
            if relation is not None:
                yield one.alias.aliasname or one.relname, relation


def _tests(
    model: Model, alias: str, relation: Relation, sources: list[tuple[str, Relation]]
) -> Iterator[tuple[Condition, str]]:
    """What a living row of this relation must pass, as tests on the alias."""
    for condition in _conditions(model, relation):
        if condition.column not in relation.columns and not condition.hops:
            continue
        if not condition.hops:
            yield condition, test_of(condition, relation.columns[condition.column], quoted(alias))
            continue
        joined = any(one.title == condition.table for _, one in sources)
        if not joined and len(condition.hops) == 1:
            yield condition, _through(model, alias, condition)


def _conditions(model: Model, relation: Relation) -> Iterator[Condition]:
    for opening in model.openings:
        if opening.table == relation.title:
            yield from opening.conditions
        for condition in opening.conditions:
            if condition.hops and condition.table == relation.title:
                yield Condition((), condition.table, condition.column, condition.kind, condition.values)
    anchor = model.anchors.get(relation.title)
    if anchor is not None:
        yield from anchor.conditions


def _through(model: Model, alias: str, condition: Condition) -> str:
    """The condition of a referred row, as a query on it."""
    hop = condition.hops[0]
    schema, _, name = hop.target.partition(".")
    tied = " and ".join(
        f"r.{quoted(theirs)} = {quoted(alias)}.{quoted(ours)}"
        for ours, theirs in zip(hop.columns, hop.target_columns, strict=True)
    )
    word = "r." + quoted(condition.column)
    tests = {
        "one_of": f"{word}::text in ({', '.join(map(literal, condition.values))})",
        "null": f"{word} is null",
        "not_null": f"{word} is not null",
        "future": f"({word} is null or {word} > now())",
        "past": f"({word} is null or {word} <= now())",
        "true": f"{word} is true",
        "false": f"{word} is not true",
    }
    return f"exists (select from {quoted(schema, name)} r where {tied} and {tests[condition.kind]})"


def _level_tests(
    reached: Reach, model: Model, alias: str, relation: Relation, right: Right
) -> Iterator[tuple[str, str]]:
    """The levels that have the right, where the relation is an opening or a view that shows its level."""
    for opening in model.openings:
        if not opening.level or opening.level not in relation.columns:
            continue
        if reached.base_column(relation, opening.level) not in _bases(reached, opening):
            continue
        values = [literal(rank.value) for rank in opening.ranks if right in rank.rights]
        if values and len(values) < len(opening.ranks):
            yield opening.level, f"{quoted(alias)}.{quoted(opening.level)}::text in ({', '.join(values)})"


def _bases(reached: Reach, opening: Opening) -> tuple[tuple[Relation, str], ...]:
    table = reached.snapshot.relations.get(opening.table)
    return ((table, opening.level),) if table is not None else ()
