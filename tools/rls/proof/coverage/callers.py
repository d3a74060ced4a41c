"""What depends on nothing but the caller, worked out once for every caller.

Policies say `profile_id = any (array(select private.readable_profiles()))`. With the array as a column of a
table of callers, one query answers for all of them, and no role needs to be taken.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from postgast import pg_query_pb2 as pb

from tools.rls.bodies import body_of
from tools.rls.objects import Function
from tools.rls.proof.coverage.trees import sql_of
from tools.rls.reach import Reach
from tools.sandbox.scratch.session import ScratchSession, SqlFailure

ALIAS: Final = "sergei_caller"
_ROLE_WORDS: Final = frozenset(
    {pb.SVFOP_CURRENT_ROLE, pb.SVFOP_CURRENT_USER, pb.SVFOP_USER, pb.SVFOP_SESSION_USER}
)
_CALLS: Final = frozenset({"current_setting", "pg_has_role", "has_table_privilege"})


@dataclass(slots=True, eq=False)
class Callers:
    """The table of callers for one pair of eyes: `role` empty for the callers' own, else a helper's owner."""

    reach: Reach
    role: str
    table: str
    expressions: dict[str, int] = field(default_factory=dict[str, int])

    def written(self, node: Any, path: tuple[str, ...], *, sees_all: bool) -> tuple[Any, bool]:
        """The expression over this table's columns, and whether nothing else in it depends on the caller.

        `sees_all`: row level security does not apply to these eyes, so that subqueries may stay.
        """
        copy = pb.Node()
        copy.CopyFrom(node)
        return copy, self._rewrite(copy, path, sees_all)

    def source(self, roles: frozenset[str]) -> str:
        """The FROM entry: the callers that one of these roles is about."""
        if not roles or "public" in roles or self.role:
            return f"pg_temp.{self.table} as {ALIAS}"
        listed = ", ".join("'" + role.replace("'", "''") + "'" for role in sorted(roles))
        return f"(select * from pg_temp.{self.table} where roles && array[{listed}]) as {ALIAS}"

    def _rewrite(self, node: Any, path: tuple[str, ...], sees_all: bool) -> bool:
        kind = node.WhichOneof("node")
        if kind == "sub_link" and not _named_inside(node):
            select = node.sub_link.subselect
            link = node.sub_link.sub_link_type
            if link in (pb.EXPR_SUBLINK, pb.ARRAY_SUBLINK, pb.EXISTS_SUBLINK):
                self._put(node, sql_of(node))
                return True
            if link == pb.ANY_SUBLINK and not node.sub_link.oper_name:
                return self._membership(node, select, path, sees_all)
        if kind == "sub_link" and not sees_all:
            return False
        if kind == "func_call" and self._personal(node.func_call, path):
            if _named_inside(node):
                return False
            self._put(node, sql_of(node))
            return True
        if kind == "sqlvalue_function" and node.sqlvalue_function.op in _ROLE_WORDS:
            self._put(node, f"{sql_of(node)}::pg_catalog.text")
            return True
        # Every part is rewritten, also behind one that cannot be.
        alone = [self._rewrite(part, path, sees_all) for part in _parts(node)]
        return all(alone)

    def _membership(self, node: Any, select: Any, path: tuple[str, ...], sees_all: bool) -> bool:
        """`x in (select f())` as `x = any (the caller's array)`."""
        test = pb.Node()
        test.CopyFrom(node.sub_link.testexpr)
        gathered = pb.Node()
        gathered.sub_link.sub_link_type = pb.ARRAY_SUBLINK
        gathered.sub_link.subselect.CopyFrom(select)
        text = sql_of(gathered)
        node.Clear()
        node.a_expr.kind = pb.AEXPR_OP_ANY
        node.a_expr.name.add().string.sval = "="
        node.a_expr.lexpr.CopyFrom(test)
        self._put(node.a_expr.rexpr, text)
        return self._rewrite(node.a_expr.lexpr, path, sees_all)

    def _put(self, node: Any, text: str) -> None:
        number = self.expressions.setdefault(text, len(self.expressions) + 1)
        node.Clear()
        for name in (ALIAS, f"v{number}"):
            node.column_ref.fields.add().string.sval = name

    def _personal(self, call: Any, path: tuple[str, ...]) -> bool:
        """Whether a function's answer may differ from caller to caller."""
        names = [part.string.sval for part in call.funcname]
        if names[-1] in _CALLS or (names[0] == "auth" and len(names) == 2):
            return True
        schemas = (names[-2],) if len(names) > 1 else path
        found = [f for s in schemas for f in self.reach.snapshot.functions_named.get(f"{s}.{names[-1]}", ())]
        return any(self._depends(function) for function in found)

    def _depends(self, function: Function) -> bool:
        if self.reach.speaks(function):
            return True
        bodies = [body_of(one) for one in self.reach.closure([function])]
        return any(not b.complete or any(True for f in b.everything() for _ in f.sources()) for b in bodies)

    # -- the table ---------------------------------------------------------------------------

    def build(self, session: ScratchSession, callers: Sequence[Mapping[str, Any]]) -> None:
        """Create it: one row for each caller, with its roles and the value of every expression."""
        texts = list(self.expressions)
        types = self._types(session, texts)
        wanted = [
            f"({text})::pg_catalog.text" if kind else "null" for text, kind in zip(texts, types, strict=True)
        ]
        columns = [
            f"told[{at}]::{kind or 'pg_catalog.text'} as v{at}" for at, kind in enumerate(types, start=1)
        ]
        session.run(
            f"create temp table {self.table} on commit drop as select {', '.join(['roles', *columns])} "
            "from pg_temp.told(%s::jsonb, %s::text[])",
            [json.dumps(callers), wanted],
        )
        session.script(f"analyze pg_temp.{self.table}")

    def _types(self, session: ScratchSession, texts: list[str]) -> list[str]:
        """The type of each expression, empty where it cannot even be planned. None of them is evaluated."""
        try:
            return self._planned(session, texts)
        except SqlFailure:
            found: list[str] = []
            for text in texts:
                try:
                    found += self._planned(session, [text])
                except SqlFailure:
                    found.append("")
            return found

    def _planned(self, session: ScratchSession, texts: list[str]) -> list[str]:
        if not texts:
            return []
        picked = ", ".join(f"({text}) as v{at}" for at, text in enumerate(texts))
        with session.savepoint(keep=False):
            session.script(f"create temp view sergei_types as select {picked}")
            rows = session.rows(
                "select format_type(atttypid, null) from pg_attribute "
                "where attrelid = 'pg_temp.sergei_types'::regclass and attnum > 0 order by attnum"
            )
        return [str(row[0]) for row in rows]


def _parts(node: Any) -> Iterator[Any]:
    """The Nodes below a message."""
    for descriptor, value in node.ListFields():
        if descriptor.message_type is None:
            continue
        for part in value if not hasattr(value, "ListFields") else (value,):
            if isinstance(part, pb.Node):
                yield part
            else:
                yield from _parts(part)


def _named_inside(node: Any) -> bool:
    """Whether anything in it names a column, a parameter or a table."""
    if isinstance(node, pb.ColumnRef | pb.ParamRef | pb.RangeVar | pb.RangeSubselect | pb.RangeFunction):
        return not (isinstance(node, pb.ColumnRef) and node.fields and node.fields[-1].HasField("a_star"))
    if isinstance(node, pb.SubLink) and node.sub_link_type == pb.ANY_SUBLINK:
        return _named_inside(node.subselect)
    for descriptor, value in node.ListFields():
        if descriptor.message_type is not None:
            parts = value if not hasattr(value, "ListFields") else (value,)
            if any(_named_inside(part) for part in parts):
                return True
    return False
