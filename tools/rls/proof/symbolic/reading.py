"""SQL expressions as formulas over the caller's row in an opening and the rows that its keys lead to.

What is not translated becomes a free flag: it may be true, false or (where it matters) NULL. A formula with
free flags admits more states than the database does, so "no state passes" stays true; whatever passes is only
a candidate, and execution decides.
"""

from __future__ import annotations

from typing import Final

from tools.rls.proof.symbolic.arrays import Arrays
from tools.rls.proof.symbolic.compare import compare, distinct
from tools.rls.proof.symbolic.formula import (
    FALSE,
    TRUE,
    Flag,
    Formula,
    Truth,
    all_of,
    any_of,
    both,
    compared,
    either,
    negated,
    plain,
)
from tools.rls.proof.symbolic.lookups import Admitted
from tools.rls.proof.symbolic.scopes import Scope, Unclear
from tools.rls.proof.symbolic.terms import Scalar
from tools.rls.proof.symbolic.values import is_boolean
from tools.rls.sqltree import AND, ANY, EXISTS, IS_NULL, OR, SCALAR, Node, bare

_ALL_LINK: Final = 2
_OPERATOR, _OP_ANY, _OP_ALL, _DISTINCT, _NOT_DISTINCT, _IN, _BETWEEN, _NOT_BETWEEN = 1, 2, 3, 4, 5, 7, 11, 12
"""A_Expr_Kind in libpg_query's protobuf."""


class Reader(Arrays):
    """Translates the expressions of one schema for one opening."""

    # -- conditions ----------------------------------------------------------------------

    def truth(self, node: Node, scope: Scope) -> Truth:
        """A boolean expression. What cannot be translated is a free flag."""
        try:
            return self._truth(node, scope)
        except Unclear as unclear:
            self.unclear(node, scope, str(unclear.args[0]))
            return self._anything(node, scope)

    def _anything(self, node: Node, scope: Scope) -> Truth:
        """A condition that nothing is known of, the same wherever it stands in the same scope."""
        name = self.free.setdefault((id(node), scope.name), f"condition {len(self.free)}")
        null, value = Flag(f"{name} null"), Flag(name)
        return Truth(all_of((value, negated(null))), all_of((negated(value), negated(null))))

    def _truth(self, node: Node, scope: Scope) -> Truth:
        match node.kind:
            case "BoolExpr":
                parts = [self.truth(part, scope) for part in node.many("args")]
                operator = node.number("boolop")
                return (
                    both(parts)
                    if operator == AND
                    else either(parts)
                    if operator == OR
                    else parts[0].negated()
                )
            case "A_Expr":
                return self._operator(node, scope)
            case "NullTest":
                return self._null_test(node, scope)
            case "BooleanTest":
                return self._boolean_test(node, scope)
            case "SubLink":
                return self._sublink(node, scope)
            case "CaseExpr":
                return self._case(node, scope)
            case "CoalesceExpr":
                return self._coalesce([self.truth(part, scope) for part in node.many("args")])
            case "TypeCast":
                inner = node.one("arg")
                return self._truth(inner, scope) if inner is not None else self._anything(node, scope)
            case "FuncCall":
                return self._called(node, scope)
            case _:
                return self._as_truth(node, scope)

    def _as_truth(self, node: Node, scope: Scope) -> Truth:
        inner = self.stands_for(node, scope)
        if inner is not None:
            return self._truth(*inner)
        value = self.scalar(node, scope)
        if value.null == TRUE:
            return Truth(FALSE, FALSE)
        if value.kind == "literal":
            return plain(compared("=", self.space.constant(value.text, "boolean") or 0, 1))
        if value.kind != "boolean":
            raise Unclear("a value used as a condition")
        known = negated(value.null)
        true = any_of(all_of((guard, compared("=", atom, 1))) for guard, atom in value.cases)
        return Truth(all_of((known, true)), all_of((known, negated(true))))

    def _operator(self, node: Node, scope: Scope) -> Truth:
        kind, name = node.number("kind"), (node.words("name") or ("",))[-1]
        left, right = node.one("lexpr"), node.one("rexpr")
        if right is None or (left is None and kind != _OPERATOR):
            raise Unclear("an operator without sides")
        if left is None:
            raise Unclear(f"operator {name}")
        if kind in (_OP_ANY, _OP_ALL):
            return self.array(name, left, right, scope, every=kind == _OP_ALL)
        if kind == _IN:
            tests = [self.compared("=", left, item, scope) for item in right.many("items")]
            return either(tests) if name == "=" else either(tests).negated()
        if kind in (_DISTINCT, _NOT_DISTINCT):
            truth = distinct(self.space, self.scalar(left, scope), self.scalar(right, scope))
            return truth if kind == _DISTINCT else truth.negated()
        if kind in (_BETWEEN, _NOT_BETWEEN):
            low, high = right.many("items")
            truth = both([self.compared(">=", left, low, scope), self.compared("<=", left, high, scope)])
            return truth if kind == _BETWEEN else truth.negated()
        if kind != _OPERATOR:
            raise Unclear(f"operator {name}")
        return self.compared(name, left, right, scope)

    def compared(self, operator: str, left: Node, right: Node, scope: Scope) -> Truth:
        one, other = bare(left), bare(right)
        if one is not None and other is not None and one.kind == other.kind == "RowExpr" and operator == "=":
            pairs = zip(one.many("args"), other.many("args"), strict=True)
            return both([self.compared("=", a, b, scope) for a, b in pairs])
        if operator == "=":
            # `(select owner_id from t where ...) = auth.uid()` asks whose row it is, as IN would.
            for side, test in ((one, right), (other, left)):
                query = side.one("subselect") if side is not None and side.kind == "SubLink" else None
                if side is not None and query is not None and side.number("sub_link_type") == SCALAR:
                    return self.within(self.admitted(query, scope, [(test, scope)]), "=", every=False)
        if is_boolean(one) or is_boolean(other):
            if operator not in ("=", "<>"):
                raise Unclear("the order of conditions")
            a, b = self.truth(left, scope), self.truth(right, scope)
            equal = Truth(
                any_of((all_of((a.true, b.true)), all_of((a.false, b.false)))),
                any_of((all_of((a.true, b.false)), all_of((a.false, b.true)))),
            )
            return equal if operator == "=" else equal.negated()
        return self.equated(operator, self.scalar(left, scope), self.scalar(right, scope))

    def equated(self, operator: str, one: Scalar, other: Scalar) -> Truth:
        """A comparison; notes when the caller's identity meets the column of the opening that holds it."""
        if operator == "=" and {one.origin, other.origin} == {"identity", "account"}:
            self.ties += 1
        return compare(self.space, operator, one, other)

    def _null_test(self, node: Node, scope: Scope) -> Truth:
        inner = node.one("arg")
        if inner is None:
            raise Unclear("a test of nothing")
        null = self.truth(inner, scope).null if is_boolean(bare(inner)) else self.scalar(inner, scope).null
        return plain(null if node.number("nulltesttype") == IS_NULL else negated(null))

    def _boolean_test(self, node: Node, scope: Scope) -> Truth:
        inner = node.one("arg")
        if inner is None:
            raise Unclear("a test of nothing")
        truth, kind = self.truth(inner, scope), node.number("booltesttype")
        asked = {1: truth.true, 2: truth.true, 3: truth.false, 4: truth.false}.get(kind, truth.null)
        return plain(asked if kind in (1, 3, 5) else negated(asked))

    def _case(self, node: Node, scope: Scope) -> Truth:
        rest: list[Formula] = []
        true: list[Formula] = []
        false: list[Formula] = []
        subject = node.one("arg")
        for when in (*node.many("args"), None):
            result = when.one("result") if when is not None else node.one("defresult")
            value = self.truth(result, scope) if result is not None else Truth(FALSE, FALSE)
            guard: Formula = TRUE
            if when is not None:
                test = when.one("expr")
                if test is None:
                    raise Unclear("CASE")
                holds = self.compared("=", subject, test, scope) if subject else self.truth(test, scope)
                guard = holds.true
            true.append(all_of((*rest, guard, value.true)))
            false.append(all_of((*rest, guard, value.false)))
            rest.append(negated(guard))
        return Truth(any_of(true), any_of(false))

    def _coalesce(self, parts: list[Truth]) -> Truth:
        rest: list[Formula] = []
        true: list[Formula] = []
        false: list[Formula] = []
        for part in parts:
            true.append(all_of((*rest, part.true)))
            false.append(all_of((*rest, part.false)))
            rest.append(part.null)
        return Truth(any_of(true), any_of(false))

    # -- subqueries and functions ----------------------------------------------------------

    def _sublink(self, node: Node, scope: Scope) -> Truth:
        query, test = node.one("subselect"), node.one("testexpr")
        kind = node.number("sub_link_type")
        if query is None:
            raise Unclear("an empty subquery")
        if kind == EXISTS:
            return plain(any_of(row.formula for row in self.admitted(query, scope)))
        if kind in (ANY, _ALL_LINK) and test is not None:
            operator = (node.words("oper_name") or ("=",))[-1]
            tests = bare(test)
            several = tests.many("args") if tests is not None and tests.kind == "RowExpr" else (test,)
            rows = self.admitted(query, scope, [(one, scope) for one in several], operator)
            return self.within(rows, operator, every=kind == _ALL_LINK)
        if kind == SCALAR:
            return self._value_of(self.admitted(query, scope))
        raise Unclear("a subquery")

    def _value_of(self, rows: list[Admitted]) -> Truth:
        """The boolean that a query or function gives; NULL when it gives no row."""
        values = [(row.formula, self.truth(*row.targets[0])) for row in rows if row.targets]
        return Truth(
            any_of(all_of((formula, value.true)) for formula, value in values),
            any_of(all_of((formula, value.false)) for formula, value in values),
        )

    def _called(self, node: Node, scope: Scope) -> Truth:
        names = node.words("funcname")
        arguments = node.many("args")
        if names[-1] in ("bool_or", "bool_and", "every") and arguments:
            return self.truth(arguments[0], scope)
        body = self.inlined(node, scope)
        if body is None:
            raise Unclear(f"{'.'.join(names)}()")
        if body[0].kind == "SelectStmt":
            return self._value_of(self.admitted(*body))
        return self.truth(*body)
