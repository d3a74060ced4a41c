"""Names of a query as what they stand for: columns of rows, expressions of a view or subquery, parameters.

FROM is flattened: views, subqueries, WITH and SQL functions in FROM give their own sources and conditions to
the block that reads them, so that a condition outside a view may say which row of its table is meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TypeAlias

from tools.rls.facts import Source as Named
from tools.rls.objects import Function, Relation
from tools.rls.proof.symbolic.terms import Row
from tools.rls.reach import Reach
from tools.rls.sqltree import Node

INNER, LEFT, FULL, RIGHT = 1, 2, 3, 4
"""JoinType in libpg_query's protobuf."""
DEEPEST = 24
_NO_SET, _UNION = 1, 2
"""SetOperation in libpg_query's protobuf; 3 and 4 are INTERSECT and EXCEPT."""
_FEWER = ("having_clause", "limit_count", "limit_offset")


class Unclear(Exception):
    """SQL that is not translated. `args[0]` says what it is."""


@dataclass(slots=True, eq=False)
class Source:
    """A table in FROM. `optional` is the join under which it may be missing."""

    relation: Relation
    optional: Optional | None
    name: str
    row: Row | None = None


@dataclass(slots=True, eq=False)
class Optional:
    """The right side of a LEFT JOIN and its ON conditions."""

    conditions: list[Expression] = field(default_factory=list["Expression"])


@dataclass(slots=True, eq=False)
class Derived:
    """A view, subquery or function in FROM: its columns are expressions of the inner query."""

    columns: Mapping[str, Expression]


@dataclass(slots=True, eq=False)
class Scope:
    """Where names are looked up: this block's FROM, then the function's parameters, then the block around."""

    path: tuple[str, ...]
    parent: Scope | None
    name: str
    sources: dict[str, Source | Derived] = field(default_factory=dict[str, "Source | Derived"])
    arguments: dict[str, Expression] = field(default_factory=dict[str, "Expression"])
    ctes: dict[str, Node] = field(default_factory=dict[str, Node])
    depth: int = 0
    function: Function | None = None

    def chain(self) -> Iterator[Scope]:
        """This scope and those around it."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent


Expression: TypeAlias = tuple[Node, Scope]


@dataclass(slots=True, eq=False)
class Block:
    """One SELECT without set operations, flattened: all tables, all conditions, what it gives out."""

    scope: Scope
    sources: list[Source] = field(default_factory=list[Source])
    conditions: list[Expression] = field(default_factory=list["Expression"])
    targets: list[Expression] = field(default_factory=list["Expression"])
    names: list[str] = field(default_factory=list[str])
    partial: bool = False
    """LIMIT, HAVING or the like were left out: fewer rows may come than the conditions let through."""


def column_of(reference: Node, scope: Scope) -> tuple[Source, str] | Expression | None:
    """What a column reference means: a table's column, an expression elsewhere, or nothing known."""
    names = reference.words("fields")
    name, qualifier = names[-1], names[-2] if len(names) > 1 else ""
    for level in scope.chain():
        for alias, source in level.sources.items():
            if qualifier and alias != qualifier:
                continue
            if isinstance(source, Derived):
                if name in source.columns:
                    return source.columns[name]
            elif name in source.relation.columns:
                return source, name
            if qualifier:
                return None
        if name in level.arguments and (not qualifier or _names(level, qualifier)):
            return level.arguments[name]
    return None


def _names(scope: Scope, qualifier: str) -> bool:
    return scope.function is not None and scope.function.name == qualifier


class Flattener:
    """Blocks of a SELECT. Each call gives fresh sources, so that rows can be placed in more than one way."""

    def __init__(self, reached: Reach, bodies: Bodies) -> None:
        self.reach = reached
        self.bodies = bodies
        self._numbers = count()

    def blocks(self, select: Node, scope: Scope) -> Iterator[Block]:
        """One block for each way through UNIONs, in the query itself and in its FROM."""
        if scope.depth > DEEPEST:
            raise Unclear("too deeply nested")
        below = self._below(scope, _named_queries(select, scope))
        if select.number("op") > _NO_SET:
            yield from self._sides(select, below)
            return
        if select.kind != "SelectStmt" or select.many("values_lists"):
            raise Unclear("VALUES" if select.kind == "SelectStmt" else "a statement that writes")
        start = Block(below)
        for block in self._through(list(select.many("from_clause")), start, None):
            where = select.one("where_clause")
            if where is not None:
                block.conditions.append((where, block.scope))
            block.partial |= any(
                select.parts.get(part) for part in ("having_clause", "limit_count", "limit_offset")
            )
            for target in select.many("target_list"):
                self._target(target, block)
            yield block

    def _sides(self, select: Node, scope: Scope) -> Iterator[Block]:
        """Both sides of a UNION; of INTERSECT and EXCEPT the left, of which fewer rows may come."""
        union = select.number("op") == _UNION
        for side in (select.one("larg"), select.one("rarg") if union else None):
            if side is not None:
                for block in self.blocks(side, scope):
                    block.partial |= not union
                    yield block

    def _below(self, scope: Scope, ctes: dict[str, Node]) -> Scope:
        return Scope(
            scope.path, scope, f"{scope.name}/{next(self._numbers)}", ctes=ctes, depth=scope.depth + 1
        )

    def _target(self, target: Node, block: Block) -> None:
        value = target.one("val")
        if value is None:
            return
        written = value.words("fields") if value.kind == "ColumnRef" else ()
        if written and written[-1] == "*":
            for alias, source in block.scope.sources.items():
                if len(written) > 1 and alias != written[-2]:
                    continue
                names = source.columns if isinstance(source, Derived) else source.relation.columns
                for name in names:
                    star = Node("ColumnRef", {"fields": (_string(alias), _string(name))})
                    block.targets.append((star, block.scope))
                    block.names.append(name)
            return
        called = value.words("funcname") if value.kind == "FuncCall" else ()
        block.targets.append((value, block.scope))
        block.names.append(target.word("name") or (written or called or ("",))[-1])

    def _through(self, items: list[Node], block: Block, optional: Optional | None) -> Iterator[Block]:
        """The block with these FROM items added, once for each way through a UNION in them."""
        if not items:
            yield block
            return
        for added in self._item(items[0], block, optional):
            yield from self._through(items[1:], added, optional)

    def _item(self, item: Node, block: Block, optional: Optional | None) -> Iterator[Block]:
        if item.kind == "JoinExpr":
            yield from self._join(item, block, optional)
        elif item.kind == "RangeVar":
            yield from self._named(item, block, optional)
        elif item.kind == "RangeSubselect":
            query = item.one("subquery")
            if query is None:
                raise Unclear("an empty subquery")
            yield from self._derived(query, block.scope, item, block, optional)
        elif item.kind == "RangeFunction":
            yield from self._function(item, block, optional)
        else:
            raise Unclear(f"{item.kind} in FROM")

    def _join(self, item: Node, block: Block, optional: Optional | None) -> Iterator[Block]:
        kind, left, right = item.number("jointype"), item.one("larg"), item.one("rarg")
        if left is None or right is None or kind not in (INNER, LEFT, RIGHT) or item.number("is_natural"):
            raise Unclear("a FULL or NATURAL join")
        if kind == RIGHT:
            left, right = right, left
        for one in self._item(left, block, optional):
            group = Optional() if kind != INNER else optional
            for number, both in enumerate(self._item(right, one, group)):
                if number and kind != INNER:
                    raise Unclear("an outer join with a UNION")
                conditions = group.conditions if group is not None else both.conditions
                test = item.one("quals")
                if test is not None:
                    conditions.append((test, both.scope))
                for name in item.words("using_clause"):
                    conditions.append((_using(name, both.scope), both.scope))
                yield both

    def _named(self, item: Node, block: Block, optional: Optional | None) -> Iterator[Block]:
        alias = item.one("alias")
        name, schema = item.word("relname"), item.word("schemaname")
        cte = (
            next((s.ctes[name] for s in block.scope.chain() if name in s.ctes), None) if not schema else None
        )
        if cte is not None:
            yield from self._derived(cte, block.scope, item, block, optional)
            return
        relation = self.reach.relation(Named("", schema, name), block.scope.path)
        if relation is None:
            raise Unclear(f"unknown relation {name}")
        if relation.kind == "v":
            facts = self.reach.view_facts(relation)
            if len(facts) != 1:
                raise Unclear(f"view {relation.title} cannot be read")
            outside = Scope((), None, f"{block.scope.name}/{relation.title}", depth=block.scope.depth + 1)
            yield from self._derived(facts[0].root, outside, item, block, optional)
            return
        called = alias.word("aliasname") if alias else name
        source = Source(relation, optional, f"{block.scope.name}.{called}")
        block.sources.append(source)
        block.scope.sources[called] = source
        yield block

    def _function(self, item: Node, block: Block, optional: Optional | None) -> Iterator[Block]:
        call = next((node for node in item.walk() if node.kind == "FuncCall"), None)
        body = self.bodies.inlined(call, block.scope) if call is not None else None
        if call is None or body is None or body[0].kind != "SelectStmt":
            raise Unclear("a function in FROM")
        yield from self._derived(body[0], body[1], item, block, optional, call.words("funcname")[-1])

    def _derived(
        self, query: Node, scope: Scope, item: Node, block: Block, optional: Optional | None, name: str = ""
    ) -> Iterator[Block]:
        alias = item.one("alias")
        called = alias.word("aliasname") if alias else item.word("relname") or name
        renamed = alias.words("colnames") if alias else ()
        for inner in self.blocks(query, scope):
            copy = _copy(block)
            names = [*renamed, *inner.names[len(renamed) :]]
            if name and len(names) == 1 and not renamed:
                names = [called]
            copy.scope.sources[called] = Derived(dict(zip(names, inner.targets, strict=False)))
            for source in inner.sources:
                source.optional = source.optional or optional
            copy.sources += inner.sources
            (optional.conditions if optional else copy.conditions).extend(inner.conditions)
            copy.partial |= inner.partial
            yield copy


class Bodies:
    """How a function call is written out; see reading.py."""

    def inlined(self, call: Node, scope: Scope) -> Expression | None:
        """The body (a SELECT or an expression) with its parameters bound, or None."""
        raise NotImplementedError


def _named_queries(select: Node, scope: Scope) -> dict[str, Node]:
    """WITH: these names and those around them."""
    found = dict(scope.ctes)
    with_clause = select.one("with_clause")
    for cte in with_clause.many("ctes") if with_clause is not None else ():
        query = cte.one("ctequery")
        if query is None or (with_clause is not None and with_clause.number("recursive")):
            raise Unclear("WITH RECURSIVE")
        found[cte.word("ctename")] = query
    return found


def _copy(block: Block) -> Block:
    """A block whose scope can take one more source without the other ways seeing it."""
    scope = block.scope
    own = replace(scope, sources=dict(scope.sources))
    moved = [(node, own if at is scope else at) for node, at in block.conditions]
    return Block(own, list(block.sources), moved, partial=block.partial)


def _using(name: str, scope: Scope) -> Node:
    aliases = [
        alias
        for alias, source in scope.sources.items()
        if name in (source.columns if isinstance(source, Derived) else source.relation.columns)
    ]
    if len(aliases) < 2:
        raise Unclear("USING")
    sides = [
        Node("ColumnRef", {"fields": (_string(alias), _string(name))}) for alias in (aliases[0], aliases[-1])
    ]
    return Node("A_Expr", {"kind": 1, "name": (_string("="),), "lexpr": sides[0], "rexpr": sides[1]})


def _string(text: str) -> Node:
    return Node("String", {"sval": text})
