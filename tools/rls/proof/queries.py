"""Queries of a flow: FROM entries become numbered rows, views and subqueries the columns they give."""

from __future__ import annotations

from itertools import pairwise, zip_longest

from tools.rls.facts import statements
from tools.rls.objects import Relation
from tools.rls.proof.graph import NOTHING, Frame, Sources, union
from tools.rls.proof.scopes import Derived, Scope, of_row
from tools.rls.proof.values import Values, every
from tools.rls.reach import DEFAULT_PATH
from tools.rls.snapshot import Snapshot
from tools.rls.sqltree import ANY, EXISTS, Node, bare

VIEWS: int = 8
"""Views inside one another; deeper ones are taken as they are."""


class Queries(Values):
    """`tables` tells the table of every numbered row."""

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__()
        self.snapshot = snapshot
        self.tables: list[str] = []
        self.places: list[Frame] = []
        """The frame in which each numbered row stands."""
        self._views = 0

    def row(self, table: str, frame: Frame) -> int:
        """A new numbered row."""
        self.tables.append(table)
        self.places.append(frame)
        return len(self.tables) - 1

    def sublink(self, node: Node, scope: Scope) -> Sources:
        """EXISTS, IN (select ...), = any (select ...), (select ...), array(select ...)."""
        kind, query = node.number("sub_link_type"), node.one("subselect")
        if query is None:
            return NOTHING
        with self.inside():
            found = self.select(query, scope)
        operator = (node.words("oper_name") or ("=",))[-1]
        test = bare(node.one("testexpr"))
        if kind == ANY and operator == "=" and test is not None:
            if test.kind == "RowExpr":
                for one, other in zip(test.many("args"), found.columns.values(), strict=False):
                    self.link(self.value(one, scope), other, scope)
            else:
                self.link(self.value(test, scope), every(found), scope)
        return NOTHING if kind in (ANY, EXISTS) else every(found)

    def select(self, node: Node, outer: Scope) -> Derived:
        """Columns of a SELECT (also UNION, VALUES and WITH); its conditions are noted."""
        scope = outer.nested()
        self._with(node, scope)
        left, right = node.one("larg"), node.one("rarg")
        if left is not None and right is not None:
            return _joined(self.select(left, scope), self.select(right, scope))
        for item in node.many("from_clause"):
            self._from(item, scope)
        self.truth(node.one("where_clause"), scope)
        self.truth(node.one("having_clause"), scope)
        columns: dict[str, Sources] = {}
        for row in node.many("values_lists"):
            for i, item in enumerate(row.many("items")):
                columns[f"column{i + 1}"] = columns.get(f"column{i + 1}", NOTHING) | self.value(item, scope)
        for i, target in enumerate(node.many("target_list")):
            self._target(target, i, columns, scope)
        return Derived(columns)

    def write(self, node: Node, outer: Scope) -> Derived:
        """INSERT, UPDATE or DELETE inside a function: only its conditions and sources matter."""
        scope = outer.nested()
        self._with(node, scope)
        target = node.one("relation")
        if target is not None and node.kind != "InsertStmt":
            self._from(target, scope)
        for item in (*node.many("from_clause"), *node.many("using_clause")):
            self._from(item, scope)
        self.truth(node.one("where_clause"), scope)
        source = node.one("select_stmt")
        if source is not None:
            self.select(source, scope)
        columns: dict[str, Sources] = {}
        for i, returned in enumerate(node.many("returning_list")):
            self._target(returned, i, columns, scope)
        return Derived(columns)

    def _with(self, node: Node, scope: Scope) -> None:
        clause = node.one("with_clause")
        for cte in clause.many("ctes") if clause is not None else ():
            query, name = cte.one("ctequery"), cte.word("ctename")
            if query is None:
                continue
            first = query.one("larg")
            if clause is not None and clause.number("recursive") and first is not None:
                scope.ctes[name] = _renamed(self.select(first, scope), cte.words("aliascolnames"))
            found = self.select(query, scope) if query.kind == "SelectStmt" else self.write(query, scope)
            scope.ctes[name] = _renamed(found, cte.words("aliascolnames"))

    def _target(self, target: Node, position: int, columns: dict[str, Sources], scope: Scope) -> None:
        value = target.one("val")
        if value is None:
            return
        names = value.words("fields") if value.kind == "ColumnRef" else ()
        if names and names[-1] == "*":
            wanted = names[-2] if len(names) > 1 else ""
            for alias, entry in scope.entries.items():
                if wanted in ("", alias):
                    columns.update(entry.columns)
            return
        name = target.word("name") or (names[-1] if names else _called(value) or f"?{position}")
        found = self.value(value, scope)
        columns[name] = columns.get(name, NOTHING) | found

    def _from(self, item: Node, scope: Scope) -> None:
        if item.kind == "JoinExpr":
            for side in (item.one("larg"), item.one("rarg")):
                if side is not None:
                    self._from(side, scope)
            for name in item.words("using_clause"):
                held = [found for entry in scope.entries.values() if (found := entry.get(name)) is not None]
                for one, other in pairwise(held):
                    self.link(one, other, scope)
            self.truth(item.one("quals"), scope)
            return
        alias = item.one("alias")
        name = alias.word("aliasname") if alias is not None else ""
        renamed = alias.words("colnames") if alias is not None else ()
        if item.kind == "RangeVar":
            found = self._named(item, scope)
            scope.entries[name or item.word("relname")] = _renamed(found, renamed)
        elif item.kind == "RangeSubselect":
            query = item.one("subquery")
            if query is not None:
                scope.entries[name or f"?{len(scope.entries)}"] = _renamed(self.select(query, scope), renamed)
        elif item.kind == "RangeFunction":
            calls = [
                part for one in item.many("functions") for part in one.many("items") if part.kind != "Empty"
            ]
            held = union(self.value(call, scope) for call in calls)
            label = name or (_called(calls[0]) if calls else "")
            columns = dict.fromkeys(renamed, held) or {label or "?": held}
            scope.entries[label or f"?{len(scope.entries)}"] = Derived(columns, loose=True)

    def _named(self, item: Node, scope: Scope) -> Derived:
        schema, name = item.word("schemaname"), item.word("relname")
        known = scope.cte(name) if not schema else None
        if known is not None:
            return known
        relation = self.snapshot.named(schema, name, scope.path or DEFAULT_PATH)
        if relation is None:
            return Derived({})
        if relation.kind in "vm" and relation.definition and self._views < VIEWS:
            return self._view(relation, scope.frame)
        return of_row(self.row(relation.title, scope.frame), relation.columns)

    def _view(self, view: Relation, frame: Frame) -> Derived:
        """A view's columns by position, under the names that the view gives them."""
        self._views += 1
        found = Derived({})
        for facts in statements(view.definition or "") or ():
            found = self.select(facts.root, Scope(frame))
        self._views -= 1
        return _renamed(found, tuple(view.columns))


def _renamed(found: Derived, names: tuple[str, ...]) -> Derived:
    if not names:
        return found
    held = list(found.columns.items())
    return Derived(
        {names[i] if i < len(names) else name: sources for i, (name, sources) in enumerate(held)}, found.loose
    )


def _joined(left: Derived, right: Derived) -> Derived:
    """UNION and its kin: columns by position, named by the first query."""
    columns: dict[str, Sources] = {}
    for one, other in zip_longest(left.columns.items(), right.columns.items()):
        name = one[0] if one else other[0]
        columns[name] = (one[1] if one else NOTHING) | (other[1] if other else NOTHING)
    return Derived(columns, left.loose or right.loose)


def _called(node: Node) -> str:
    """The name that a column gets from a function call or a cast."""
    inner = bare(node)
    names = inner.words("funcname") if inner is not None and inner.kind == "FuncCall" else ()
    return names[-1] if names else ""
