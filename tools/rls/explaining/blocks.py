"""Lookup blocks: the queries inside a condition that look the caller up in a table, ready to be looked into.

    profile_id = any (array(select private.readable_profiles()))
        -> select g.profile_id from private.live_grants g where g.grantee_account_id = auth.uid()
        -> the view unfolded: profile_grants, consents, ... each with its own conditions

A block's conditions are kept apart, so that the rows that name the caller and the row can be shown with the
conditions that they fail. Only names of columns and conditions are told, never values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from postgast import pg_query_pb2 as pb

from tools.rls.bodies import body_of
from tools.rls.explaining import trees
from tools.rls.objects import Function, Relation
from tools.rls.snapshot import Snapshot

ROW: Final = "sergei_row"
_IDENTITY: Final = re.compile(r"\bauth\.(uid|jwt|email)\(|current_setting\(", re.IGNORECASE)
_DEEPEST: Final = 6


@dataclass(slots=True)
class Block:
    """One lookup. `source` is its FROM, `tests` its conditions, `links` those that tie it to caller and row.

    `owner`: it runs with an owner's rights; else as the caller. `where`: the functions and views around it.
    """

    where: tuple[str, ...]
    source: str
    tables: tuple[str, ...]
    callers: list[str] = field(default_factory=list[str])
    links: list[str] = field(default_factory=list[str])
    tests: list[str] = field(default_factory=list[str])
    owner: bool = False
    aliases: dict[str, str] = field(default_factory=dict[str, str])
    """What the names in its conditions stand for: alias -> table."""

    def told(self, text: str) -> str:
        """A condition with tables' names in place of aliases."""
        flat = " ".join(text.split())
        return re.sub(r"\b(\w+)\.", lambda found: f"{self.aliases.get(found[1], found[1])}.", flat)


@dataclass(slots=True)
class Finder:
    """Finds the blocks of a condition on `relation`'s rows."""

    snapshot: Snapshot
    relation: Relation

    def of(self, node: pb.Node) -> list[Block]:
        """The blocks that one atomic condition depends on."""
        return list(self._condition(self._of_row(node), (), owner=False, depth=0))

    def _of_row(self, node: pb.Node) -> pb.Node:
        """With the row's own columns under a name that no block uses."""
        own = self.relation

        def change(part: pb.Node) -> pb.Node | None:
            found = trees.names(part) if part.WhichOneof("node") == "column_ref" else ()
            if len(found) == 1 and found[0] in own.columns:
                return trees.column(ROW, found[0])
            if len(found) > 1 and found[-2] == own.name and found[-1] in own.columns:
                return trees.column(ROW, found[-1])
            return None

        return trees.changed(node, change)

    def _condition(
        self, node: pb.Node, where: tuple[str, ...], *, owner: bool, depth: int
    ) -> Iterator[Block]:
        """Blocks inside a condition: subqueries, and helpers that are called outside of them."""
        if depth > _DEEPEST:
            return
        kind = node.WhichOneof("node")
        if kind == "sub_link":
            yield from self._sublink(node.sub_link, None, where, owner=owner, depth=depth)
        elif kind == "a_expr" and node.a_expr.rexpr.WhichOneof("node") == "sub_link":
            link = node.a_expr.rexpr.sub_link
            yield from self._sublink(link, node.a_expr.lexpr, where, owner=owner, depth=depth)
        elif kind == "func_call":
            yield from self._call(node.func_call, None, where, owner=owner, depth=depth)
        elif node.WhichOneof("node") is not None:
            for child in trees.inside(node):
                yield from self._condition(child, where, owner=owner, depth=depth)

    def _sublink(
        self, link: pb.SubLink, test: pb.Node | None, where: tuple[str, ...], *, owner: bool, depth: int
    ) -> Iterator[Block]:
        if link.sub_link_type == pb.ANY_SUBLINK:
            test = link.testexpr
        value = test if link.sub_link_type in (pb.ANY_SUBLINK, pb.ARRAY_SUBLINK) else None
        yield from self._query(link.subselect.select_stmt, value, where, owner=owner, depth=depth)

    def _query(
        self, select: pb.SelectStmt, value: pb.Node | None, where: tuple[str, ...], *, owner: bool, depth: int
    ) -> Iterator[Block]:
        """The block of a query whose output is compared with `value` (None: it only has to give a row)."""
        if select.op != pb.SETOP_NONE:
            for arm in (select.larg, select.rarg):
                yield from self._query(arm, value, where, owner=owner, depth=depth)
            return
        targets = [item.res_target.val for item in select.target_list]
        if not select.from_clause:
            for target in targets:
                if target.WhichOneof("node") == "func_call":
                    yield from self._call(target.func_call, value, where, owner=owner, depth=depth + 1)
                else:
                    yield from self._condition(target, where, owner=owner, depth=depth + 1)
            return
        if select.group_clause or select.distinct_clause:
            return
        yield self._block(select, value, where, owner=owner)

    def _block(
        self, select: pb.SelectStmt, value: pb.Node | None, where: tuple[str, ...], *, owner: bool
    ) -> Block:
        copy = pb.SelectStmt()
        copy.CopyFrom(select)
        tests = list(trees.conjuncts(copy.where_clause))
        for _ in range(_DEEPEST):
            more = self._unfold_one(copy, tests)
            if more is None:
                break
            tests = more
        tables = tuple(dict.fromkeys(_tables(copy)))
        tests += _loosened(copy)
        block = Block(where, trees.from_text(copy), tables, owner=owner)
        block.aliases = _aliases(copy)
        for test in tests:
            text = trees.printed(test)
            names_row = any(trees.names(part)[:1] == (ROW,) for part in trees.walk(test))
            kind = block.callers if _IDENTITY.search(text) else block.links if names_row else block.tests
            kind.append(text)
        if value is not None and len(copy.target_list) == 1:
            block.links.append(trees.printed(trees.equal(copy.target_list[0].res_target.val, value)))
        return block

    def _unfold_one(self, select: pb.SelectStmt, tests: list[pb.Node]) -> list[pb.Node] | None:
        """Put a simple view's query in its place; None when there is none (left)."""
        for item in trees.walk(select):
            if item.WhichOneof("node") != "range_var":
                continue
            view = self.snapshot.named(item.range_var.schemaname, item.range_var.relname)
            if view is None or view.kind != "v":
                continue
            inner = trees.query(view.definition or "")
            if (
                inner is None
                or inner.op != pb.SETOP_NONE
                or inner.group_clause
                or len(inner.from_clause) != 1
            ):
                continue
            alias = item.range_var.alias.aliasname or item.range_var.relname
            fresh, columns = _apart(inner, view, alias)
            item.CopyFrom(fresh.from_clause[0])

            def change(
                part: pb.Node, alias: str = alias, columns: Mapping[str, pb.Node] = columns
            ) -> pb.Node | None:
                found = trees.names(part) if part.WhichOneof("node") == "column_ref" else ()
                return columns.get(found[-1]) if len(found) == 2 and found[0] == alias else None

            trees.rewritten(select, change)
            changed = [trees.changed(test, change) for test in tests]
            return [*changed, *trees.conjuncts(fresh.where_clause)]
        return None

    def _call(
        self, call: pb.FuncCall, value: pb.Node | None, where: tuple[str, ...], *, owner: bool, depth: int
    ) -> Iterator[Block]:
        function = self._function(call)
        if function is None or depth > _DEEPEST:
            return
        arguments = list(call.args)
        inside = (*where, f"{function.schema}.{function.name}()")
        for text in _bodies(function):
            select = trees.query(text)
            if select is not None:
                bound = _bound(select, function, arguments)
                yield from self._query(bound, value, inside, owner=owner or function.definer, depth=depth + 1)

    def _function(self, call: pb.FuncCall) -> Function | None:
        found = tuple(part.string.sval for part in call.funcname)
        if len(found) != 2:
            return None
        named = self.snapshot.functions_named.get(".".join(found), ())
        same = [f for f in named if len(f.argument_types) == len(call.args)]
        return same[0] if len(same) == 1 and same[0].schema != "auth" else None


def _bodies(function: Function) -> Iterator[str]:
    """The queries that a body returns, as text."""
    body = body_of(function)
    if not body.complete or body.dynamic or len(body.facts) != 1:
        return
    text = function.body.strip()
    if function.language == "plpgsql":
        found = re.search(r"\breturn\s+(?:query\s+)?(.*?);\s*end", text, re.IGNORECASE | re.DOTALL)
        text = found[1] if found else ""
    atomic = re.match(r"^\s*begin\s+atomic\b(.*)\bend\s*;?\s*$", text, re.IGNORECASE | re.DOTALL)
    text = (atomic[1] if atomic else text).strip().rstrip(";")
    if text:
        yield text if re.match(r"\s*(select|with|\()", text, re.IGNORECASE) else f"select {text}"


def _bound(select: pb.SelectStmt, function: Function, arguments: list[pb.Node]) -> pb.SelectStmt:
    """The query with arguments in place of parameters."""
    copy = pb.SelectStmt()
    copy.CopyFrom(select)
    positions = {name: n for n, name in enumerate(function.arguments) if name}

    def change(part: pb.Node) -> pb.Node | None:
        if part.WhichOneof("node") == "param_ref":
            number = part.param_ref.number - 1
            return arguments[number] if 0 <= number < len(arguments) else None
        found = trees.names(part) if part.WhichOneof("node") == "column_ref" else ()
        if found and found[-1] in positions and found[:-1] in ((), (function.name,)):
            return arguments[positions[found[-1]]]
        return None

    trees.rewritten(copy, change)
    return copy


def _apart(inner: pb.SelectStmt, view: Relation, alias: str) -> tuple[pb.SelectStmt, dict[str, pb.Node]]:
    """A view's query with aliases of its own, and what its columns are."""
    sources = [
        item.range_var.alias.aliasname or item.range_var.relname
        for item in trees.walk(inner)
        if item.WhichOneof("node") == "range_var"
    ]
    single = sources[0] if len(sources) == 1 else ""

    def change(part: pb.Node) -> pb.Node | None:
        kind = part.WhichOneof("node")
        if kind == "range_var":
            renamed = pb.Node()
            renamed.CopyFrom(part)
            old = part.range_var.alias.aliasname or part.range_var.relname
            renamed.range_var.alias.aliasname = f"{alias}_{old}"
            return renamed
        found = trees.names(part) if kind == "column_ref" else ()
        if len(found) == 2 and found[0] in sources:
            return trees.column(f"{alias}_{found[0]}", found[1])
        if len(found) == 1 and single:
            return trees.column(f"{alias}_{single}", found[0])
        return None

    copy = pb.SelectStmt()
    copy.CopyFrom(inner)
    trees.rewritten(copy, change)
    values = [item.res_target.val for item in copy.target_list]
    return copy, dict(zip(view.columns, values, strict=False))


def _tables(select: pb.SelectStmt) -> Iterator[str]:
    for item in select.from_clause:
        for part in trees.walk(item):
            if part.WhichOneof("node") == "range_var":
                yield f"{part.range_var.schemaname}.{part.range_var.relname}".strip(".")


def _aliases(select: pb.SelectStmt) -> dict[str, str]:
    """Aliases of tables that occur once, which need no alias to be told apart."""
    found = [
        (part.range_var.alias.aliasname or part.range_var.relname, part.range_var.relname)
        for part in trees.walk(select)
        if part.WhichOneof("node") == "range_var"
    ]
    tables = [table for _, table in found]
    return {alias: table for alias, table in found if tables.count(table) == 1} | {ROW: "the row"}


def _loosened(select: pb.SelectStmt) -> list[pb.Node]:
    """Inner joins as left joins, so that a row without its partner is shown; their conditions as tests."""
    found: list[pb.Node] = []
    for part in trees.walk(select):
        if part.WhichOneof("node") == "join_expr" and part.join_expr.jointype == pb.JOIN_INNER:
            part.join_expr.jointype = pb.JOIN_LEFT
            found += list(trees.conjuncts(part.join_expr.quals))
    return found
