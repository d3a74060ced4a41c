"""Arrays on the right of ANY and ALL: written out, gathered from a query, or behind a function."""

from __future__ import annotations

from collections.abc import Iterable

from tools.rls.proof.symbolic.formula import (
    TRUE,
    Formula,
    Truth,
    all_of,
    any_of,
    both,
    either,
    negated,
    plain,
)
from tools.rls.proof.symbolic.lookups import Admitted
from tools.rls.proof.symbolic.scopes import Expression, Scope, Unclear
from tools.rls.proof.symbolic.values import Values
from tools.rls.sqltree import ARRAY, SCALAR, Node, bare, constant


class Arrays(Values):
    """Membership in arrays and queries."""

    def array(self, operator: str, left: Node, right: Node, scope: Scope, *, every: bool) -> Truth:
        found = self._elements(right, scope)
        if isinstance(found, list):
            tests = [self._mixed(operator, (left, scope), item) for item in found]
            return both(tests) if every else either(tests)
        query, at = found
        rows = self.admitted(query, at, [(left, scope)], operator)
        return self.within(rows, operator, every=every)

    def _mixed(self, operator: str, one: Expression, other: Expression) -> Truth:
        return self.equated(operator, self.scalar(*one), self.scalar(*other))

    def _elements(self, node: Node, scope: Scope) -> list[Expression] | Expression:
        """The members of an array expression, or the query that gives them."""
        inner = bare(node)
        if inner is None:
            raise Unclear("an array")
        if inner.kind == "A_ArrayExpr":
            return [(item, scope) for item in inner.many("elements")]
        text = constant(inner)
        if isinstance(text, str) and text.startswith("{") and '"' not in text:
            words = [word for word in text.strip("{}").split(",") if word]
            return [(Node("A_Const", {"sval": Node("String", {"sval": word})}), scope) for word in words]
        if inner.kind == "SubLink":
            query = inner.one("subselect")
            if query is not None and inner.number("sub_link_type") == ARRAY:
                return query, scope
            if query is not None and inner.number("sub_link_type") == SCALAR:
                return self._gathered(query, scope)
        stood = self.stands_for(inner, scope)
        if stood is not None:
            return self._elements(*stood)
        body = self.inlined(inner, scope) if inner.kind == "FuncCall" else None
        if inner.kind == "CoalesceExpr" or (inner.kind == "FuncCall" and body is None):
            arguments = inner.many("args")
            if inner.kind == "CoalesceExpr" or inner.words("funcname")[-1] == "array_agg":
                return self._elements(arguments[0], scope)
        if body is not None:
            return self._gathered(*body) if body[0].kind == "SelectStmt" else self._elements(*body)
        raise Unclear("an array that is not written out")

    def _gathered(self, query: Node, scope: Scope) -> list[Expression] | Expression:
        """The array of `select array(...)`, `select array_agg(x) from ...`, or a query of arrays."""
        targets = query.many("target_list")
        value = bare(targets[0].one("val")) if len(targets) == 1 else None
        if value is not None and value.kind == "CoalesceExpr":
            value = bare(value.many("args")[0])
        if value is None:
            raise Unclear("an array that is not written out")
        if value.kind == "FuncCall" and value.words("funcname")[-1] == "array_agg" and value.many("args"):
            plain_target = Node("ResTarget", {"val": value.many("args")[0]})
            return Node("SelectStmt", {**query.parts, "target_list": (plain_target,)}), scope
        if not query.many("from_clause"):
            return self._elements(value, scope)
        raise Unclear("arrays out of a table")

    def within(self, rows: Iterable[Admitted], operator: str, *, every: bool) -> Truth:
        """`x op any (rows)` or `x op all (rows)`; what was compared stands in the rows."""
        true: list[Formula] = []
        false: list[Formula] = []
        for row in rows:
            match = row.match if row.match is not None else plain(TRUE)
            if every:
                true.append(any_of((negated(row.formula), match.true)))
                false.append(all_of((row.formula, match.false)))
            else:
                true.append(all_of((row.formula, match.true)))
                false.append(any_of((negated(row.formula), match.false)))
        return Truth(all_of(true), any_of(false)) if every else Truth(any_of(true), all_of(false))
