"""SQL conditions and queries in one normal form, so that only what they mean is compared.

Formatting, parentheses, casts, aliases, the order of AND, OR and `=`, `(select f())` around a call, IN
against `= any (...)`, NOT before a comparison: none of it makes a difference. A form is a nested tuple, its
first item a word:

    ("and", {...}) ("or", {...}) ("not", x)                   conditions; `not` stands before atoms only
    ("in", x, {constants}) ("=", {x, y}) ("<", x, y) ("<=", x, y) ("null", x)
    ("exists", query) ("among", x, query) ("call" | "called", name, arguments, rest)
    ("query", targets, sources, condition, rest) ("union", {queries})
    ("relation" | "owned", title, name in the query)          a source; owned: read with an owner's rights
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Final, cast

from tools.rls.diffing.forms import PLAIN, TRUE, Form, both, compared, either, negated
from tools.rls.objects import Function, Relation
from tools.rls.snapshot import Snapshot
from tools.rls.sqltree import AND, ANY, ARRAY, EXISTS, IS_NULL, NOT, SCALAR, Node, bare, constant

if TYPE_CHECKING:
    from tools.rls.diffing.unfolding import Unfold


_ANY, _ALL, _DISTINCT, _NOT_DISTINCT, _IN = 2, 3, 4, 5, 7
_INNER: Final = 1
_IS_TRUE: Final = 1
_NO_SET, _UNION = 1, 2
_PLACES: Final = frozenset({"rexpr_list_start", "rexpr_list_end", "list_start", "list_end", "limit_option"})
_SHOWN: Final = frozenset({"target_list", "from_clause", "where_clause", "op", *_PLACES})


@dataclass(frozen=True)
class Scope:
    """Names of one query level: alias -> (canonical name, columns where known); `outer` is around it."""

    sources: dict[str, tuple[str, frozenset[str] | None]]
    outer: Scope | None = None
    columns: dict[str, dict[str, Form]] = field(default_factory=dict[str, "dict[str, Form]"])
    """For an unfolded view: what its columns are."""
    inner: set[str] = field(default_factory=set[str])

    def taken(self) -> set[str]:
        """The names of sources that are in use here and around: each names one source only."""
        own = {canonical for canonical, _ in self.sources.values()} | self.inner
        return own | (self.outer.taken() if self.outer is not None else set[str]())


class Normal:
    """Normal forms over one snapshot. `own` is a policy's table; `function` one whose body is read.

    `owned`: evaluated with an owner's rights (a definer function, a view without security_invoker), so that
    no policy of the caller counts; relations and calls are marked for it. `unfold` puts the bodies of simple
    helpers and views in their place (see unfolding.py).
    """

    def __init__(
        self,
        snapshot: Snapshot,
        path: tuple[str, ...] = ("public",),
        own: Relation | None = None,
        function: Function | None = None,
        *,
        owned: bool = False,
        unfold: Unfold | None = None,
    ) -> None:
        self.snapshot = snapshot
        self.path = path
        self.function = function
        self.owned = owned
        self.unfold = unfold
        sources = {own.name: ("", frozenset(own.columns))} if own is not None else {}
        self.top = Scope(cast("dict[str, tuple[str, frozenset[str] | None]]", sources))

    # -- conditions ----------------------------------------------------------------------

    def condition(self, node: Node | None, scope: Scope | None = None) -> Form:
        """A condition: what counts is for which rows it is true."""
        scope = scope or self.top
        node = bare(node)
        if node is None:
            return TRUE
        if node.kind == "BoolExpr":
            word = node.number("boolop")
            if word == NOT:
                return negated(self.condition(node.many("args")[0], scope))
            parts = [self.condition(part, scope) for part in node.many("args")]
            return both(parts) if word == AND else either(parts)
        if node.kind == "CoalesceExpr":
            first, *rest = node.many("args")
            if len(rest) == 1 and constant(rest[0]) is False:
                return ("known", self.condition(first, scope))  # true exactly where the first is
        if node.kind == "BooleanTest" and node.number("booltesttype") == _IS_TRUE:
            return ("known", self.condition(node.one("arg"), scope))
        return self.value(node, scope)

    def value(self, node: Node | None, scope: Scope) -> Form:
        """Any expression."""
        node = bare(node)
        if node is None:
            return ("nothing",)
        known = constant(node)
        if known is not None:
            return ("const", known if isinstance(known, bool) else str(known))
        match node.kind:
            case "BoolExpr":
                return self.condition(node, scope)
            case "A_Expr":
                return self._operator(node, scope)
            case "SubLink":
                return self._sublink(node, scope)
            case "SelectStmt":
                return self.query(node, scope)
            case "NullTest":
                test: Form = ("null", self.value(node.one("arg"), scope))
                return test if node.number("nulltesttype") == IS_NULL else ("not", test)
            case "FuncCall":
                return self._call(node, scope)
            case "ColumnRef":
                return self._column(node, scope)
            case "ParamRef":
                return ("param", node.number("number"))
            case _:
                return self._other(node, scope)

    def _operator(self, node: Node, scope: Scope) -> Form:
        kind, name = node.number("kind"), (node.words("name") or ("",))[-1]
        left, right = node.one("lexpr"), bare(node.one("rexpr"))
        if kind == _IN and right is not None:
            found = self._among(self.value(left, scope), right.many("items"), scope)
            return found if name == "=" else negated(found)
        if kind in (_ANY, _ALL) and right is not None and name == ("=" if kind == _ANY else "<>"):
            listed = self._listed(left, right, scope)
            if listed is not None:
                return listed if kind == _ANY else negated(listed)
        one, other = self.value(left, scope), self.value(right, scope)
        if kind in (_DISTINCT, _NOT_DISTINCT):
            same: Form = ("same", frozenset({one, other}))
            return same if kind == _NOT_DISTINCT else ("not", same)
        if kind == PLAIN:
            return compared(name, one, other)
        return ("operator", kind, name, one, other)

    def _listed(self, left: Node | None, right: Node, scope: Scope) -> Form | None:
        """`x = any (...)` over an array of values or a query; None for another array."""
        if right.kind == "A_ArrayExpr":
            return self._among(self.value(left, scope), right.many("elements"), scope)
        query = right.one("subselect") if right.kind == "SubLink" else None
        if query is not None and right.number("sub_link_type") == ARRAY:
            return ("among", self.value(left, scope), self.query(query, scope))
        text = constant(right)
        if isinstance(text, str) and text.startswith("{") and not set('"\\').intersection(text):
            items = [part.strip() for part in text.strip("{}").split(",") if part.strip()]
            return ("in", self.value(left, scope), frozenset(("const", item) for item in items))
        return None

    def _among(self, value: Form, items: tuple[Node, ...], scope: Scope) -> Form:
        forms = [self.value(item, scope) for item in items]
        constants = frozenset(form for form in forms if form[0] == "const")
        others = [compared("=", value, form) for form in forms if form[0] != "const"]
        listed: list[Form] = [("in", value, constants)] if constants else []
        return either([*listed, *others])

    def _sublink(self, node: Node, scope: Scope) -> Form:
        query = self.query(node.one("subselect"), scope)
        match node.number("sub_link_type"):
            case kind if kind == EXISTS:
                return ("exists", query)
            case kind if kind == ANY and (node.words("oper_name") or ("=",)) == ("=",):
                return ("among", self.value(node.one("testexpr"), scope), query)
            case kind if kind in (ARRAY, SCALAR):
                return ("array" if kind == ARRAY else "scalar", query)
            case kind:
                return (
                    "sublink",
                    kind,
                    self.value(node.one("testexpr"), scope),
                    node.words("oper_name"),
                    query,
                )

    def _call(self, node: Node, scope: Scope) -> Form:
        arguments = tuple(self.value(argument, scope) for argument in node.many("args"))
        rest = tuple(
            (name, self._part(value, scope))
            for name, value in sorted(node.parts.items())
            if name not in ("args", "funcname", "funcformat")
        )
        name = self._name(node.words("funcname"), len(arguments))
        if self.unfold is not None and not rest:
            body = self.unfold.call(name, arguments, owned=self.owned)
            if body is not None:
                return body
        return ("called" if self.owned else "call", name, arguments, rest)

    def _name(self, words: tuple[str, ...], arguments: int) -> str:
        """`schema.name/arguments`: overloads that take equally many count as one."""
        name = words[-1] if words else ""
        schemas = words[-2:-1] or self.path
        for schema in schemas:
            if f"{schema}.{name}" in self.snapshot.functions_named:
                return f"{schema}.{name}/{arguments}"
        schema = f"{words[-2]}." if len(words) > 1 and words[-2] != "pg_catalog" else ""
        return f"{schema}{name}/{arguments}"

    def _column(self, node: Node, scope: Scope) -> Form:
        *qualifiers, name = node.words("fields") or ("",)
        qualifier = qualifiers[-1] if qualifiers else ""
        around: Scope | None = scope
        while around is not None:
            for alias, (canonical, columns) in around.sources.items():
                matches = alias == qualifier if qualifier else columns is not None and name in columns
                if matches:
                    return around.columns.get(alias, {}).get(name, ("column", canonical, name))
            around = around.outer
        return self._parameter(qualifier, name) or ("column", qualifier, name)

    def _parameter(self, qualifier: str, name: str) -> Form | None:
        """A named parameter is its number: `p` and `$1` are the same."""
        function = self.function
        if function is not None and name in function.arguments and qualifier in ("", function.name):
            return ("param", function.arguments.index(name) + 1)
        return None

    def _other(self, node: Node, scope: Scope) -> Form:
        parts = (
            (name, self._part(value, scope))
            for name, value in sorted(node.parts.items())
            if name not in _PLACES
        )
        return (node.kind, *parts)

    def _part(self, value: Any, scope: Scope) -> Any:
        if isinstance(value, Node):
            return ("text", value.word("sval")) if value.kind == "String" else self.value(value, scope)
        if isinstance(value, tuple):
            return tuple(self._part(item, scope) for item in cast("tuple[Any, ...]", value))
        return value

    # -- queries -------------------------------------------------------------------------

    def query(self, node: Node | None, outer: Scope | None = None, *, conditions: bool = False) -> Form:
        """A SELECT: what it gives (`conditions`: as a condition), from where, under which condition."""
        if node is None:
            return ("nothing",)
        outer = outer or self.top
        operation = node.number("op")
        if operation == _UNION:
            arms = [self.query(node.one("larg"), outer), self.query(node.one("rarg"), outer)]
            flat = [inner for arm in arms for inner in (arm[1] if arm[0] == "union" else (arm,))]
            return ("union", frozenset(flat))
        if operation > _UNION:
            return (
                "setop",
                operation,
                self.query(node.one("larg"), outer),
                self.query(node.one("rarg"), outer),
            )
        sources: list[Form] = []
        scope = Scope({}, outer)
        tests = [c for item in node.many("from_clause") for c in self._from(item, scope, sources)]
        tests.append(self.condition(node.one("where_clause"), scope))
        rest = tuple(
            (name, self._part(value, scope))
            for name, value in sorted(node.parts.items())
            if name not in _SHOWN
        )
        read = self.condition if conditions else self.value
        targets = tuple(read(_output(target), scope) for target in node.many("target_list"))
        alone = len(targets) == 1 and not sources and not rest and both(tests) == TRUE
        if alone and targets[0][0] in ("query", "union"):
            return targets[0]  # select f(), where f() is a query in itself
        return ("query", targets, tuple(sorted(sources, key=repr)), both(tests), rest)

    def _from(self, item: Node, scope: Scope, sources: list[Form]) -> list[Form]:
        """Adds the sources of a FROM entry; gives the conditions of its inner joins."""
        if item.kind == "JoinExpr" and item.number("jointype") == _INNER and not item.many("using_clause"):
            sides = [side for side in (item.one("larg"), item.one("rarg")) if side is not None]
            found = [c for side in sides for c in self._from(side, scope, sources)]
            return [*found, self.condition(item.one("quals"), scope)]
        if item.kind == "RangeVar":
            return self._relation(item, scope, sources)
        if item.kind == "JoinExpr":
            inside = self._outer(item, scope, sources)
            quals = self.condition(item.one("quals"), scope)
            sources.append(("join", item.number("jointype"), item.words("using_clause"), quals, *inside))
        else:
            alias = item.one("alias")
            name = alias.word("aliasname") if alias is not None else ""
            canonical = unused("from", scope.taken())
            sources.append(("from", canonical, self._other(item, Scope({}, scope))))
            scope.sources[name or canonical] = (canonical, None)
        return []

    def _outer(self, item: Node, scope: Scope, sources: list[Form]) -> list[Form]:
        """The sides of an outer join: the conditions that hold inside belong to the join."""
        sides = [side for side in (item.one("larg"), item.one("rarg")) if side is not None]
        return [c for side in sides for c in self._from(side, scope, sources)]

    def _relation(self, item: Node, scope: Scope, sources: list[Form]) -> list[Form]:
        """Adds a relation; a simple view is unfolded, and its own conditions are given back."""
        relation = self.snapshot.named(item.word("schemaname"), item.word("relname"), self.path)
        title = relation.title if relation is not None else item.word("relname")
        alias = item.one("alias")
        name = alias.word("aliasname") if alias is not None else item.word("relname")
        if relation is not None and self.unfold is not None:
            view = self.unfold.view(relation, owned=self.owned)
            if view is not None:
                inner, condition, columns = view.apart(scope.taken())
                sources.extend(inner)
                scope.sources[name] = ("", frozenset(columns))
                scope.columns[name] = columns
                scope.inner.update(name for source in inner for name in source[2:])
                return [condition]
        canonical = unused(title, scope.taken())
        columns = frozenset(relation.columns) if relation is not None else None
        scope.sources[name] = (canonical, columns)
        sources.append(("owned" if self.owned else "relation", title, canonical))
        return []


def unused(title: str, taken: Collection[str]) -> str:
    """The title, or the first `title#n` that no other source of the query has."""
    return next(name for n in count() if (name := f"{title}#{n}" if n else title) not in taken)


def _output(target: Node) -> Node | None:
    return target.one("val") if target.kind == "ResTarget" else target
