"""Where values come from, and what an expression tests: the part of a flow without calls and queries."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from tools.rls.proof import identities
from tools.rls.proof.graph import (
    NOTHING,
    Const,
    Frame,
    Now,
    Ref,
    Source,
    Sources,
    Test,
    TestKind,
    ordered,
    union,
)
from tools.rls.proof.model import Identity
from tools.rls.proof.scopes import Derived, Scope
from tools.rls.sqltree import AND, IS_NULL, NOT, Node, bare, constant

_MOST: Final = 400
"""Pairs of sources of one comparison; more tell nothing."""
_NOW_WORDS: Final = range(1, 10)  # CURRENT_DATE ... LOCALTIMESTAMP(n) in libpg_query's SQLValueFunctionOp
_ROLE_WORDS: Final = range(10, 14)  # CURRENT_ROLE, CURRENT_USER, USER, SESSION_USER
_JSON: Final = frozenset({"->", "->>", "#>", "#>>"})
_EQUAL_KINDS: Final = frozenset({1, 2, 5, 7})  # OP, OP ANY, IS NOT DISTINCT FROM, IN
_DISTINCT: Final = 4
_UNEQUAL_KINDS: Final = frozenset({3, _DISTINCT})  # OP ALL, IS DISTINCT FROM
_SILENT_KINDS: Final = frozenset({3, *range(8, 15)})  # OP ALL, LIKE and BETWEEN and their kin
_SILENT: Final = frozenset({"||", "~~", "~", "~*", "!~", "!~*", "?", "?|", "?&"})
"""Operators whose result is none of their operands: a path made of two ids is neither."""
_TRUE_TESTS: Final = frozenset({1, 4})  # IS TRUE, IS NOT FALSE
_ROLE: Final = Identity("role", ())


class Values(ABC):
    """Evaluates expressions; what calls and queries mean is the subclass's part."""

    def __init__(self) -> None:
        self.negative: bool = False
        """Whether an odd number of NOTs stands around."""
        self.hidden: bool = False
        self.log: list[tuple[Frame, tuple[Ref, Identity] | int]] = []
        """What was asked of the caller, in order: the ask, or the called frame that holds it."""

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
            self.negative ^= negated
            held = [self._asked(part, scope) for part in inner.many("args")]
            if inner.number("boolop") == AND and sum(1 for asks in held if asks) > 1:
                scope.frame.gated.update(*held)
            self.negative ^= negated
        elif inner.kind == "ColumnRef":
            self.test(self.value(inner, scope), "false" if self.negative else "true", scope)
        elif inner.kind == "CoalesceExpr":
            for part in inner.many("args")[:1]:
                self.truth(part, scope)
        else:
            self.value(inner, scope)

    def _asked(self, part: Node, scope: Scope) -> set[tuple[Ref, Identity] | int]:
        """Note what a part tests; what it asks of the caller in this frame."""
        start = len(self.log)
        self.truth(part, scope)
        return {ask for frame, ask in self.log[start:] if frame is scope.frame}

    @contextmanager
    def inside(self) -> Generator[None]:
        """Enter a subquery or a function: under NOT, nothing in there lets anybody in."""
        negative, hidden = self.negative, self.hidden
        self.negative, self.hidden = False, hidden or negative
        try:
            yield
        finally:
            self.negative, self.hidden = negative, hidden

    def test(self, sources: Sources, kind: TestKind, scope: Scope, value: str = "") -> None:
        """Note a test on every column among the sources."""
        for source in ordered(sources):
            if isinstance(source, Ref):
                scope.frame.tests[Test(source, kind, value)] = None

    def link(self, left: Sources, right: Sources, scope: Scope) -> None:
        """Note that two values must be equal."""
        if len(left) * len(right) > _MOST:
            return
        for one in ordered(left):
            for other in ordered(right):
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
            kind: TestKind = "unequal" if self.negative or self.hidden else "equal"
            frame.tests[Test(one, kind, other.value)] = None
        elif self.negative or self.hidden or not isinstance(one, Ref):
            return
        elif isinstance(other, Ref):
            (frame.equal if other.row != one.row else frame.same)[(one, other)] = None
        elif isinstance(other, Identity) and identities.complete(other):
            frame.asks[(one, other)] = None
            self.log.append((frame, (one, other)))

    # -- values --------------------------------------------------------------------------

    def value(self, node: Node | None, scope: Scope) -> Sources:
        """Where a value comes from; conditions inside it are noted."""
        if node is None:
            return NOTHING
        match node.kind:
            case "A_Const":
                return _constant(node)
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
            case "A_Expr":
                return self.operator(node, scope)
            case _:
                return self._other(node, scope)

    def _other(self, node: Node, scope: Scope) -> Sources:
        match node.kind:
            case "BoolExpr":
                self.truth(node, scope)
                return NOTHING
            case "NullTest" | "BooleanTest":
                return self._tested(node, scope)
            case "CaseExpr":
                return self.case(node, scope)
            case "SQLValueFunction":
                op = node.number("op")
                if op in _ROLE_WORDS:
                    scope.frame.seen[_ROLE] = None
                    return frozenset({_ROLE})
                return frozenset({Now()}) if op in _NOW_WORDS else NOTHING
            case "A_Indirection":
                held = self.value(node.one("arg"), scope)
                for part in node.many("indirection"):
                    held = identities.below(held, self.value(part.one("uidx"), scope))
                return held
            case "SelectStmt":
                return every(self.select(node, scope))
            case _:
                return union(self.value(child, scope) for child in node.children())

    def _tested(self, node: Node, scope: Scope) -> Sources:
        """IS [NOT] NULL, IS [NOT] TRUE, IS [NOT] FALSE."""
        kind: TestKind
        if node.kind == "NullTest":
            kind = "null" if (node.number("nulltesttype") == IS_NULL) != self.negative else "not_null"
        else:
            kind = "true" if (node.number("booltesttype") in _TRUE_TESTS) != self.negative else "false"
        self.test(self.value(node.one("arg"), scope), kind, scope)
        return NOTHING

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
        if self._rows(node, name, scope):
            return NOTHING
        left, right = self.value(node.one("lexpr"), scope), self.value(node.one("rexpr"), scope)
        if name in _JSON:
            for step in self.steps(node.one("rexpr"), scope):
                left = identities.below(left, step)
            return left
        if name in ("=", "<>", "!=") and kind in _EQUAL_KINDS | _UNEQUAL_KINDS:
            # NOT (a <> b) is a = b, and IS DISTINCT FROM is spelt with `=`.
            same = (name == "=") != (kind == _DISTINCT)
            self.negative ^= not same
            self._equal(left, right, scope)
            self.negative ^= not same
        elif name in ("<", "<=", ">", ">="):
            self._compare_time(left, right, name, scope)
        elif name in ("@>", "<@", "&&"):  # members @> array[uid] names the caller
            self.link(left, right, scope)
        elif kind not in _SILENT_KINDS and name not in _SILENT:
            return left | right
        return NOTHING

    def steps(self, node: Node | None, scope: Scope) -> list[Sources]:
        """The steps of a JSON path in their order: the elements of an array, or the value itself."""
        inner = bare(node)
        if inner is not None and inner.kind == "A_ArrayExpr":
            return [self.value(element, scope) for element in inner.many("elements")]
        return [self.value(node, scope)]

    def _rows(self, node: Node, name: str, scope: Scope) -> bool:
        """`(a, b) = (c, d)`, part by part."""
        left, right = bare(node.one("lexpr")), bare(node.one("rexpr"))
        if left is None or right is None or name != "=" or not left.kind == right.kind == "RowExpr":
            return False
        for one, other in zip(left.many("args"), right.many("args"), strict=False):
            self.link(self.value(one, scope), self.value(other, scope), scope)
        return True

    def _equal(self, left: Sources, right: Sources, scope: Scope) -> None:
        for one, other in ((left, right), (right, left)):
            if any(isinstance(s, Const) and s.value in ("true", "t") for s in other):
                self.test(one, "false" if self.negative else "true", scope)
        self.link(left, right, scope)

    def _compare_time(self, left: Sources, right: Sources, name: str, scope: Scope) -> None:
        later = name.startswith(">") != self.negative
        if Now() in right:
            self.test(left, "future" if later else "past", scope)
        if Now() in left:
            self.test(right, "past" if later else "future", scope)


def _constant(node: Node) -> Sources:
    known = constant(node)
    if known is None:
        return NOTHING
    return frozenset({Const(str(known).lower() if isinstance(known, bool) else str(known))})


def every(found: Derived) -> Sources:
    """The sources of all columns together."""
    return union(found.columns.values())
