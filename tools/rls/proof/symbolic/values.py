"""Values in SQL as variables, numbers and times, under the conditions of CASE, COALESCE and outer joins."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from tools.rls.proof.model import Opening
from tools.rls.proof.symbolic.compare import seconds
from tools.rls.proof.symbolic.formula import FALSE, TRUE, Formula, Truth, all_of, any_of, negated
from tools.rls.proof.symbolic.identity import identity_of, same
from tools.rls.proof.symbolic.lookups import Admitted, Lookups
from tools.rls.proof.symbolic.scopes import Expression, Scope, Source, Unclear, column_of
from tools.rls.proof.symbolic.terms import NULL, Scalar, Space, ValueKind
from tools.rls.reach import Reach
from tools.rls.sqltree import ANY, EXISTS, SCALAR, Node, bare, constant

NULLIF: Final = 6
"""AEXPR_NULLIF in libpg_query's protobuf."""
_ALL_LINK: Final = 2
_NOW: Final = frozenset({"now", "transaction_timestamp", "statement_timestamp", "clock_timestamp"})
_MOMENTS: Final = frozenset({1, 4, 5, 8, 9})
"""CURRENT_DATE, CURRENT_TIMESTAMP(_N), LOCALTIMESTAMP(_N)."""
_TODAY: Final = -43_200
"""Midnight has passed, and a date column is never within a day of it (see terms.py)."""


class Values(Lookups):
    """Translates values; conditions among them are reading.py's."""

    def __init__(self, reached: Reach, space: Space, opening: Opening) -> None:
        super().__init__(reached, space, opening)
        self.free: dict[tuple[int, str], str] = {}

    def compared(self, operator: str, left: Node, right: Node, scope: Scope) -> Truth:
        """A comparison of two expressions."""
        raise NotImplementedError

    def scalar(self, node: Node, scope: Scope) -> Scalar:
        """A value. What is not known is the same unknown wherever it stands in the same scope."""
        try:
            return self._scalar(node, scope)
        except Unclear as unclear:
            self.unclear(node, scope, str(unclear.args[0]))
            return self.space.opaque(self.free.setdefault((id(node), scope.name), f"value {len(self.free)}"))

    def _scalar(self, node: Node, scope: Scope) -> Scalar:
        """A caller's identity, what a parameter stands for, or what the expression is itself."""
        identity = identity_of(node)
        if identity is not None:
            if same(identity, self.opening.account.identity):
                return self.space.caller
            return self.space.opaque(identity.name)
        inner = bare(node)
        if inner is None:
            raise Unclear("nothing")
        stood = self.stands_for(inner, scope)
        if stood is not None:
            return self.scalar(*stood)
        return self._itself(inner, scope)

    def _itself(self, inner: Node, scope: Scope) -> Scalar:
        match inner.kind:
            case "A_Const":
                return _constant(inner)
            case "ColumnRef":
                found = column_of(inner, scope)
                if not isinstance(found, tuple) or not isinstance(found[0], Source):
                    raise Unclear(f"column {'.'.join(inner.words('fields'))}")
                return self.cell(found[0], str(found[1]))
            case "SQLValueFunction" if inner.number("op") in _MOMENTS:
                return Scalar(((TRUE, _TODAY if inner.number("op") == 1 else 0),), FALSE, "time")
            case "A_Expr":
                return self._computed(inner, scope)
            case "CoalesceExpr":
                return self._first([self.scalar(part, scope) for part in inner.many("args")])
            case "CaseExpr":
                return self._chosen(inner, scope)
            case "FuncCall":
                return self._function(inner, scope)
            case "SubLink" if inner.number("sub_link_type") == SCALAR:
                query = inner.one("subselect")
                return self._single(self.admitted(query, scope)) if query is not None else NULL
            case _:
                if is_boolean(inner):
                    return _from_truth(self.truth(inner, scope))
                raise Unclear(inner.kind)

    def stands_for(self, node: Node, scope: Scope) -> Expression | None:
        """What a parameter or a view's column is, where it is an expression of its own."""
        if node.kind == "ParamRef":
            name = f"${node.number('number')}"
            return next((level.arguments[name] for level in scope.chain() if name in level.arguments), None)
        if node.kind != "ColumnRef":
            return None
        found = column_of(node, scope)
        if found is None or isinstance(found[0], Source):
            return None
        inner, at = found
        return (inner, at) if isinstance(at, Scope) and isinstance(inner, Node) else None

    def _computed(self, node: Node, scope: Scope) -> Scalar:
        operator, left, right = (node.words("name") or ("",))[-1], node.one("lexpr"), node.one("rexpr")
        if node.number("kind") == NULLIF and left is not None and right is not None:
            value = self.scalar(left, scope)
            equal = self.compared("=", left, right, scope).true
            return replace(value, null=any_of((value.null, equal)))
        if is_boolean(node):
            return _from_truth(self.truth(node, scope))
        if operator in ("+", "-") and left is not None and right is not None:
            for base, length, sign in ((left, right, -1 if operator == "-" else 1), (right, left, 1)):
                text = constant(length)
                moved = seconds(text) if isinstance(text, str) else None
                if moved is not None and (operator == "+" or base is left):
                    value = self.scalar(base, scope)
                    if value.kind == "time":
                        return _moved(value, sign * moved)
        raise Unclear(f"operator {operator}")

    def _function(self, node: Node, scope: Scope) -> Scalar:
        names, arguments = node.words("funcname"), node.many("args")
        name = names[-1]
        if name in _NOW and names[0] in ("pg_catalog", name):
            return Scalar(((TRUE, 0),), FALSE, "time")
        if name == "timezone" and len(arguments) == 2:
            return self.scalar(arguments[1], scope)
        if name in ("min", "max", "lower", "upper", "trim", "btrim") and len(arguments) == 1:
            value = self.scalar(arguments[0], scope)
            if name in ("min", "max") or value.kind == "literal":
                return value
        body = self.inlined(node, scope)
        if body is None:
            raise Unclear(f"{'.'.join(names)}()")
        return self._single(self.admitted(*body)) if body[0].kind == "SelectStmt" else self.scalar(*body)

    def _single(self, rows: list[Admitted]) -> Scalar:
        values = [(row.formula, self.scalar(*row.targets[0])) for row in rows if row.targets]
        return self._guarded(values)

    def _guarded(self, values: list[tuple[Formula, Scalar]]) -> Scalar:
        """One of several values, each under its condition; NULL where none holds."""
        kinds: set[ValueKind] = {value.kind for _, value in values if value.kind != "literal"}
        if len(kinds) > 1:
            raise Unclear("values of several types")
        kind: ValueKind = kinds.pop() if kinds else "literal"
        texts = {value.text for _, value in values if value.kind == "literal" and value.null != TRUE}
        if kind == "literal" and len(texts) == 1 and len(values) == 1:
            formula, value = values[0]
            return replace(value, null=negated(formula)) if formula != TRUE else value
        kind = "text" if kind == "literal" else kind
        cases: list[tuple[Formula, str | int]] = []
        present: list[Formula] = []
        for formula, value in values:
            if value.shift:
                raise Unclear("moved times in a choice")
            known = value.cases
            if value.kind == "literal" and value.null != TRUE:
                number = self.space.constant(value.text, kind)
                if number is None:
                    raise Unclear(f"{value.text!r} as {kind}")
                known = ((TRUE, number),)
            cases += [(all_of((formula, guard)), atom) for guard, atom in known]
            present.append(all_of((formula, negated(value.null))))
        origin = values[0][1].origin if len(values) == 1 else ""
        return Scalar(tuple(cases), negated(any_of(present)), kind, origin=origin)

    def _first(self, parts: list[Scalar]) -> Scalar:
        rest: list[Formula] = []
        values: list[tuple[Formula, Scalar]] = []
        for part in parts:
            values.append((all_of((*rest, negated(part.null))), part))
            rest.append(part.null)
        return self._guarded(values)

    def _chosen(self, node: Node, scope: Scope) -> Scalar:
        rest: list[Formula] = []
        values: list[tuple[Formula, Scalar]] = []
        subject = node.one("arg")
        for when in node.many("args"):
            test, result = when.one("expr"), when.one("result")
            if test is None or result is None:
                raise Unclear("CASE")
            holds = self.compared("=", subject, test, scope) if subject else self.truth(test, scope)
            values.append((all_of((*rest, holds.true)), self.scalar(result, scope)))
            rest.append(negated(holds.true))
        last = node.one("defresult")
        if last is not None:
            values.append((all_of(rest), self.scalar(last, scope)))
        return self._guarded(values)


def _moved(value: Scalar, by: int) -> Scalar:
    """A time that many seconds later."""
    if all(isinstance(atom, int) for _, atom in value.cases):
        cases = tuple((guard, atom + by) for guard, atom in value.cases if isinstance(atom, int))
        return replace(value, cases=cases)
    return replace(value, shift=value.shift + by)


def _constant(node: Node) -> Scalar:
    value = constant(node)
    if isinstance(value, bool):
        return Scalar(((TRUE, int(value)),), FALSE, "boolean")
    if isinstance(value, int):
        return Scalar(((TRUE, value),), FALSE, "number")
    if isinstance(value, str):
        return Scalar((), FALSE, "literal", value)
    if node.parts.get("isnull"):
        return NULL
    raise Unclear("a number with a fraction")


def _from_truth(truth: Truth) -> Scalar:
    return Scalar(((truth.true, 1), (truth.false, 0)), truth.null, "boolean")


def is_boolean(node: Node | None) -> bool:
    """Whether a node is a condition by its form."""
    if node is None:
        return False
    if node.kind in ("BoolExpr", "NullTest", "BooleanTest"):
        return True
    if node.kind == "SubLink":
        return node.number("sub_link_type") in (EXISTS, ANY, _ALL_LINK)
    if node.kind != "A_Expr":
        return False
    comparing = (node.words("name") or ("",))[-1] in ("=", "<>", "<", ">", "<=", ">=", "!=")
    return comparing and node.number("kind") != NULLIF
