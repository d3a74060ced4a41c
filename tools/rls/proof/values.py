"""Where the values of an expression come from, and what it tests: the part of a flow without calls and queries."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final

from tools.rls.proof import identities
from tools.rls.proof.graph import NOTHING, Const, Frame, Now, Ref, Source, Sources, Test, TestKind
from tools.rls.proof.model import Identity
from tools.rls.proof.scopes import Derived, Scope
from tools.rls.sqltree import NOT, Node, bare, constant

_MOST: Final = 400
"""Pairs of sources of one comparison; more tell nothing."""
_NOW_WORDS: Final = range(1, 10)  # CURRENT_DATE ... LOCALTIMESTAMP(n) in libpg_query's SQLValueFunctionOp
_ROLE_WORDS: Final = range(10, 14)  # CURRENT_ROLE, CURRENT_USER, USER, SESSION_USER
_JSON: Final = frozenset({"->", "->>", "#>", "#>>"})
_EQUAL_KINDS: Final = frozenset({1, 2, 5, 7})  # OP, OP ANY, IS NOT DISTINCT FROM, IN
_ROLE: Final = Identity("role", ())


class Values(ABC):
    """Evaluates expressions; what calls and queries mean is the subclass's part."""

    def __init__(self) -> None:
        self.negative = 0

    @abstractmethod
    def call(self, node: Node, scope: Scope) -> Sources:
        """What a function call gives."""

    @abstractmethod
    def sublink(self, node: Node, scope: Scope) -> Sources:
        """What a subquery in an expression gives."""

    @abstractmethod
    def select(self, node: Node, outer: Scope) -> Derived:
        """The columns of a query."""

    # -- conditions ----------------------------------------------------------------------

    def truth(self, node: Node | None, scope: Scope) -> None:
        """Note what a condition tests."""
        inner = bare(node)
        if inner is None:
            return
        if inner.kind == "BoolExpr":
            negated = inner.number("boolop") == NOT
            for part in inner.many("args"):
                plain = bare(part)
                if negated and plain is not None and plain.kind == "ColumnRef":
                    self.test(self.value(plain, scope), "false", scope)
                elif negated:
                    self.negative += 1
                    self.truth(part, scope)
                    self.negative -= 1
                else:
                    self.truth(part, scope)
        elif inner.kind == "ColumnRef":
            self.test(self.value(inner, scope), "true", scope)
        elif inner.kind == "CoalesceExpr":
            for part in inner.many("args")[:1]:
                self.truth(part, scope)
        else:
            self.value(inner, scope)

    def test(self, sources: Sources, kind: TestKind, scope: Scope, value: str = "") -> None:
        """Note a test on every column among the sources."""
        for source in sources:
            if isinstance(source, Ref):
                scope.frame.tests[Test(source, kind, value)] = None

    def link(self, left: Sources, right: Sources, scope: Scope) -> None:
        """Note that two values must be equal."""
        if len(left) * len(right) > _MOST:
            return
        for one in left:
            for other in right:
                self._pair(one, other, scope.frame)

    def _pair(self, one: Source, other: Source, frame: Frame) -> None:
        if isinstance(other, Ref) and not isinstance(one, Ref):
            one, other = other, one
        if isinstance(one, Identity) and isinstance(other, Const):
            if identities.complete(one):
                frame.claims[(one, other.value)] = None
        elif isinstance(other, Identity) and isinstance(one, Const):
            self._pair(other, one, frame)
        elif isinstance(one, Ref) and isinstance(other, Const):
            kind: TestKind = "unequal" if self.negative else "equal"
            frame.tests[Test(one, kind, other.value)] = None
        elif self.negative or not isinstance(one, Ref):
            return
        elif isinstance(other, Ref) and other.row != one.row:
            frame.equal[(one, other)] = None
        elif isinstance(other, Identity) and identities.complete(other):
            frame.asks[(one, other)] = None

    # -- values --------------------------------------------------------------------------

    def value(self, node: Node | None, scope: Scope) -> Sources:
        """Where a value comes from; conditions inside it are noted."""
        if node is None:
            return NOTHING
        match node.kind:
            case "A_Const":
                known = constant(node)
                text = str(known).lower() if isinstance(known, bool) else str(known)
                return frozenset({Const(text)}) if known is not None else NOTHING
            case "ColumnRef":
                names = node.words("fields")
                return scope.column(names) if names else NOTHING
            case "ParamRef":
                return scope.parameter(node.number("number"))
            case "TypeCast" | "CollateClause" | "NamedArgExpr":
                return self.value(node.one("arg"), scope)
            case "FuncCall":
                return self.call(node, scope)
            case "SubLink":
                return self.sublink(node, scope)
            case "BoolExpr":
                self.truth(node, scope)
                return NOTHING
            case "NullTest":
                null = node.number("nulltesttype") == 1
                self.test(self.value(node.one("arg"), scope), "null" if null else "not_null", scope)
                return NOTHING
            case "BooleanTest":
                kind: TestKind = "true" if node.number("booltesttype") in (1, 4) else "false"
                self.test(self.value(node.one("arg"), scope), kind, scope)
                return NOTHING
            case "A_Expr":
                return self.operator(node, scope)
            case "CaseExpr":
                return self.case(node, scope)
            case "SQLValueFunction":
                op = node.number("op")
                return (
                    frozenset({_ROLE})
                    if op in _ROLE_WORDS
                    else frozenset({Now()})
                    if op in _NOW_WORDS
                    else NOTHING
                )
            case "A_Indirection":
                held = self.value(node.one("arg"), scope)
                steps = [self.value(part.one("uidx"), scope) for part in node.many("indirection")]
                for step in steps:
                    held = identities.below(held, step)
                return held
            case "SelectStmt":
                return every(self.select(node, scope))
            case _:
                return frozenset().union(*(self.value(child, scope) for child in node.children()))

    def case(self, node: Node, scope: Scope) -> Sources:
        """CASE: what any of its results may be."""
        found = self.value(node.one("defresult"), scope)
        for when in node.many("args"):
            self.truth(when.one("expr"), scope)
            found |= self.value(when.one("result"), scope)
        return found

    def operator(self, node: Node, scope: Scope) -> Sources:
        """Comparisons are noted; JSON operators take a path; other operators mix their operands."""
        kind, name = node.number("kind"), (node.words("name") or ("",))[-1]
        left_node, right_node = bare(node.one("lexpr")), bare(node.one("rexpr"))
        if (
            left_node is not None
            and right_node is not None
            and left_node.kind == right_node.kind == "RowExpr"
        ):  # (a, b) = (c, d)
            for one, other in zip(left_node.many("args"), right_node.many("args"), strict=False):
                self.link(self.value(one, scope), self.value(other, scope), scope)
            return NOTHING
        left, right = self.value(node.one("lexpr"), scope), self.value(node.one("rexpr"), scope)
        if name in _JSON:
            return identities.below(left, right)
        if name == "=" and kind in _EQUAL_KINDS:
            truths = {"true", "t"}
            for one, other in ((left, right), (right, left)):
                if any(isinstance(s, Const) and s.value in truths for s in other):
                    self.test(one, "true", scope)
            self.link(left, right, scope)
            return NOTHING
        if name in ("<>", "!="):
            for one, other in ((left, right), (right, left)):
                for source in other:
                    if isinstance(source, Const):
                        self.test(one, "unequal", scope, source.value)
            return NOTHING
        if name in ("<", "<=", ">", ">="):
            self._compare_time(left, right, name, scope)
            return NOTHING
        if name == "||":  # a text or path made of several values is none of them
            return NOTHING
        if kind in (3, 8, 9, 10, 11, 12, 13, 14) or name in ("~~", "~", "~*", "!~", "@>", "<@", "?", "&&"):
            return self._contains(left, right, name, scope)
        return left | right

    def _compare_time(self, left: Sources, right: Sources, name: str, scope: Scope) -> None:
        later = name.startswith(">")
        if Now() in right:
            self.test(left, "future" if later else "past", scope)
        if Now() in left:
            self.test(right, "past" if later else "future", scope)

    def _contains(self, left: Sources, right: Sources, name: str, scope: Scope) -> Sources:
        """`members @> array[uid]` and `uid <@ members` name the caller; LIKE and ranges say nothing."""
        if name in ("@>", "<@", "&&"):
            self.link(left, right, scope)
        return NOTHING


def every(found: Derived) -> Sources:
    """The sources of all columns together."""
    return frozenset[Source]().union(*found.columns.values())
