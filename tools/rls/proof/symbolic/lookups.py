"""Query blocks: which row each table in FROM means, and when the block lets a row through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from tools.rls.bodies import body_of
from tools.rls.defaults import omitted
from tools.rls.facts import Block as FactsBlock
from tools.rls.facts import Call, Facts, expression, statements
from tools.rls.objects import Function
from tools.rls.proof.model import Opening
from tools.rls.proof.straight import Crooked, expression_of, query_of
from tools.rls.proof.symbolic.formula import Flag, Formula, Truth, all_of, any_of, both, negated
from tools.rls.proof.symbolic.scopes import (
    Block,
    Bodies,
    Expression,
    Flattener,
    Scope,
    Source,
    Unclear,
    column_of,
)
from tools.rls.proof.symbolic.terms import Scalar, Space
from tools.rls.reach import Reach
from tools.rls.sqltree import Node, bare, conjuncts

_DEEPEST_CALL: Final = 8


class Unplaced(Exception):
    """A column of a table in FROM whose row is not decided yet."""


@dataclass(frozen=True, slots=True, eq=False)
class Admitted:
    """A row that a query gives: when it does, whether what was compared with it matches, and its columns."""

    formula: Formula
    match: Truth | None
    targets: tuple[Expression, ...]


class Lookups(Bodies):
    """Everything about query blocks. `ties` counts comparisons of the caller with the opening's account."""

    def __init__(self, reached: Reach, space: Space, opening: Opening) -> None:
        self.reach = reached
        self.space = space
        self.opening = opening
        self.ties = 0
        self.used: set[str] = set()
        self.beyond: dict[str, str] = {}
        self._flattener = Flattener(reached, self)
        self._free_rows = 0
        self._joining: set[int] = set()

    # What reading.py gives.
    def truth(self, node: Node, scope: Scope) -> Truth:
        """A condition."""
        raise NotImplementedError

    def scalar(self, node: Node, scope: Scope) -> Scalar:
        """A value."""
        raise NotImplementedError

    def equated(self, operator: str, one: Scalar, other: Scalar) -> Truth:
        """A comparison."""
        raise NotImplementedError

    def unclear(self, node: Node, scope: Scope, reason: str) -> None:
        """Note what was not translated, where it may hide a lookup in the opening's table."""
        title = self.opening.table
        names = {title, title.partition(".")[2]}
        for part in node.walk():
            if part.kind == "RangeVar" and part.word("relname") in names:
                self.beyond.setdefault(_place(scope), reason)
            if part.kind == "FuncCall":
                for function in self._resolve(part, scope):
                    if any(title in tables_of(self.reach, one) for one in self.reach.closure([function])):
                        self.beyond.setdefault(function.title, reason)

    # -- functions -----------------------------------------------------------------------

    def _resolve(self, call: Node, scope: Scope) -> tuple[Function, ...]:
        *around, name = call.words("funcname") or ("",)
        schema = around[-1] if around else ""
        found = self.reach.resolve(Call(schema, name, call.many("args"), FactsBlock(None), call), scope.path)
        return tuple(function for function in found if function.schema not in ("auth", "pg_catalog"))

    def inlined(self, call: Node, scope: Scope) -> Expression | None:
        """The one statement or expression of a function's body with its parameters bound."""
        found = self._resolve(call, scope)
        if len(found) != 1 or found[0].kind != "f":
            return None
        function = found[0]
        if scope.depth > _DEEPEST_CALL * 3:
            raise Unclear(f"{function.title} calls itself")
        root = _root(function)
        inside = Scope(
            self.reach.path(function),
            None,
            f"{scope.name}/{function.name}",
            depth=scope.depth + 1,
            function=function,
        )
        arguments = call.many("args")
        for number, argument in enumerate(arguments):
            name, value = function.arguments[number] if number < len(function.arguments) else "", argument
            if argument.kind == "NamedArgExpr":
                name, value = argument.word("name"), argument.one("arg") or argument
                number = function.arguments.index(name) if name in function.arguments else number
            inside.arguments[f"${number + 1}"] = (value, scope)
            if name:
                inside.arguments[name] = (value, scope)
        for number, facts in omitted(function, arguments).items():
            default = (facts.root, Scope((), None, scope.name, depth=scope.depth))
            inside.arguments[f"${number + 1}"] = default
            if function.arguments[number]:
                inside.arguments[function.arguments[number]] = default
        return root, inside

    # -- blocks --------------------------------------------------------------------------

    def admitted(
        self, query: Node, scope: Scope, tests: Sequence[Expression] = (), operator: str = "="
    ) -> list[Admitted]:
        """The rows of a query; `tests` are compared with its columns, one each."""
        found: list[Admitted] = []
        for number in range(sum(1 for _ in self._flattener.blocks(query, scope))):
            found += self._one(query, scope, number, tests, operator)
        return found

    def _one(
        self, query: Node, scope: Scope, number: int, tests: Sequence[Expression], operator: str
    ) -> list[Admitted]:
        """One way through the query, with each table of the opening as the caller's row in turn."""
        own = [s for s in self._block(query, scope, number).sources if s.relation is self.space.own.relation]
        found: list[Admitted] = []
        outer = self.ties
        for chosen in range(len(own)):
            self.ties = 0
            rows = self._rows(self._block(query, scope, number), chosen, tests, operator)
            if self.ties:
                found += rows
                self.used.add(_place(rows_scope(rows, scope)))
        if own:
            # What ties this query's own row to the caller says nothing about the row around it.
            self.ties = outer
        return found or self._rows(self._block(query, scope, number), None, tests, operator)

    def _block(self, query: Node, scope: Scope, number: int) -> Block:
        return next(block for at, block in enumerate(self._flattener.blocks(query, scope)) if at == number)

    def _rows(
        self, block: Block, chosen: int | None, tests: Sequence[Expression], operator: str
    ) -> list[Admitted]:
        nested = self._set_returning(block)
        if nested is not None:
            return self.admitted(*nested, tests, operator)
        self._place_sources(
            block, chosen, [*zip(tests, block.targets, strict=False)] if operator == "=" else []
        )
        parts: list[Formula] = [
            source.row.exists
            for source in block.sources
            if source.row is not None and source.optional is None
        ]
        parts += [self.truth(node, scope).true for node, scope in block.conditions]
        if block.partial:
            self._free_rows += 1
            parts.append(Flag(f"among the rows {self._free_rows}"))
        formula = all_of(parts)
        match = None
        if tests:
            if len(tests) > len(block.targets):
                raise Unclear("fewer columns than are compared")
            pairs = zip(tests, block.targets, strict=False)
            match = both(self.equated(operator, self.scalar(*a), self.scalar(*b)) for a, b in pairs)
        return [Admitted(formula, match, tuple(block.targets))]

    def _set_returning(self, block: Block) -> Expression | None:
        """The query of `select f()`, which gives the rows of f."""
        if block.scope.sources or block.conditions or len(block.targets) != 1:
            return None
        node, scope = block.targets[0]
        call = bare(node)
        body = self.inlined(call, scope) if call is not None and call.kind == "FuncCall" else None
        return body if body is not None and body[0].kind == "SelectStmt" else None

    # -- rows of tables ------------------------------------------------------------------

    def cell(self, source: Source, column: str) -> Scalar:
        """A column of a table in FROM; NULL where its outer join found nothing."""
        if source.row is None:
            raise Unplaced
        value = self.space.cell(source.row, column)
        join = source.optional
        if join is None or id(join) in self._joining:
            return value
        self._joining.add(id(join))
        try:
            present = [source.row.exists, *(self.truth(node, scope).true for node, scope in join.conditions)]
        finally:
            self._joining.discard(id(join))
        return replace(value, null=any_of((value.null, negated(all_of(present)))))

    def _place_sources(
        self, block: Block, chosen: int | None, matched: list[tuple[Expression, Expression]]
    ) -> None:
        """Decide for every table which row it means: the caller's, one found by a key, or just any."""
        own = [source for source in block.sources if source.relation is self.space.own.relation]
        if chosen is not None:
            own[chosen].row = self.space.own
        equalities = [*_equalities(block.conditions), *matched]
        for source in block.sources:
            if source.optional is not None:
                equalities += _equalities(source.optional.conditions)
        while waiting := [source for source in block.sources if source.row is None]:
            placed = False
            for source in waiting:
                row = self.space.found(source.relation, self._known(source, equalities))
                if row is not None and (chosen is None or row is not self.space.own or source not in own):
                    source.row, placed = row, True
            if not placed:
                waiting[0].row = self.space.fresh(waiting[0].relation, waiting[0].name)

    def _known(self, source: Source, equalities: list[tuple[Expression, Expression]]) -> dict[str, Scalar]:
        """The columns of a table that must equal a value which is known already."""
        found: dict[str, Scalar] = {}
        for one, other in equalities:
            for (node, scope), value in ((one, other), (other, one)):
                at = self._column(node, scope)
                if at is None or at[0] is not source or at[1] in found:
                    continue
                try:
                    scalar = self.scalar(*value)
                except Unplaced:
                    continue
                if scalar.atom is not None:
                    found[at[1]] = scalar
        return found

    def _column(self, node: Node, scope: Scope) -> tuple[Source, str] | None:
        """The table column that an expression is in the end, through views and parameters."""
        inner = bare(node)
        if inner is None:
            return None
        if inner.kind == "ParamRef":
            name = f"${inner.number('number')}"
            bound = next((level.arguments[name] for level in scope.chain() if name in level.arguments), None)
            return self._column(*bound) if bound is not None else None
        if inner.kind != "ColumnRef":
            return None
        found = column_of(inner, scope)
        if found is None:
            return None
        if isinstance(found[0], Source):
            return found[0], str(found[1])
        return self._column(*found)  # pyright: ignore[reportArgumentType]  an expression, as column_of says


def _equalities(conditions: list[Expression]) -> list[tuple[Expression, Expression]]:
    found: list[tuple[Expression, Expression]] = []
    for node, scope in conditions:
        for part in conjuncts(node):
            if part.kind != "A_Expr" or part.words("name")[-1:] != ("=",) or part.number("kind") != 1:
                continue
            left, right = part.one("lexpr"), part.one("rexpr")
            if left is not None and right is not None:
                found.append(((left, scope), (right, scope)))
    return found


def _root(function: Function) -> Node:
    """The one statement or expression that a function is. Raises Unclear."""
    if function.language == "plpgsql":
        try:
            value = expression(expression_of(function.body))
            rows = None
        except Crooked as crooked:
            value, rows = None, _rows_of(function, str(crooked.args[0]))
        found = value or (rows[0] if rows is not None and len(rows) == 1 else None)
        if found is None:
            raise Unclear(f"PL/pgSQL of {function.title} does not parse")
        return found.root
    body = body_of(function)
    if not body.complete or len(body.facts) != 1:
        raise Unclear(f"{function.title} is not one SELECT")
    return body.facts[0].root


def _rows_of(function: Function, reason: str) -> tuple[Facts, ...] | None:
    try:
        return statements(query_of(function.body))
    except Crooked as crooked:
        why = reason if "rows" not in reason else str(crooked.args[0])
        raise Unclear(f"PL/pgSQL: {why}") from None


def rows_scope(rows: list[Admitted], scope: Scope) -> Scope:
    """Where the rows were looked up."""
    return rows[0].targets[0][1] if rows and rows[0].targets else scope


def _place(scope: Scope) -> str:
    """The function that a scope belongs to, or where the expression stands."""
    for level in scope.chain():
        if level.function is not None:
            return level.function.title
    return next((level.name for level in scope.chain() if level.parent is None), "")


def tables_of(reached: Reach, function: Function) -> frozenset[str]:
    """The tables that a function itself reads, views followed."""
    found: set[str] = set()
    for facts in body_of(function).everything():
        for source in facts.sources():
            relation = reached.relation(source, reached.path(function))
            if relation is not None:
                found.update(base.title for base in reached.base_tables(relation))
    return frozenset(found)
