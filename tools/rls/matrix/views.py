"""Access through views: as their owner, or as the caller with security_invoker.

A view without security_invoker reads its relations with the rights and policies of its owner, auth.uid()
being the caller's all the same. A security_invoker view always asks as the current user, also when another
view reads it (CREATE VIEW, "Notes").
"""

from __future__ import annotations

from typing import Final

from tools.rls.matrix.access import Access, Extent, access
from tools.rls.matrix.privilege import Held, held
from tools.rls.objects import Relation
from tools.rls.privileges import Role
from tools.rls.reach import Reach, reach
from tools.rls.snapshot import Snapshot
from tools.rls.sqltree import Node

_INSTEAD: Final = 64
_BITS: Final = {"INSERT": 4, "DELETE": 8, "UPDATE": 16}
_GATHERING: Final = frozenset(
    {"count", "sum", "avg", "min", "max", "array_agg", "string_agg", "jsonb_agg", "json_agg", "bool_or"}
)
_PLAIN: Final = (
    "distinct_clause",
    "group_clause",
    "with_clause",
    "limit_count",
    "limit_offset",
    "having_clause",
)


def through_view(snapshot: Snapshot, role: Role, view: Relation, command: str, privilege: Held) -> Access:
    """What `role` reaches through a view or materialized view on which it holds the privilege."""
    if view.kind == "m":
        if command != "SELECT":
            return Access(Extent.NONE, "a materialized view is only read")
        return Access(
            Extent.EVERY, "a materialized view has no row level security", columns=privilege.columns
        )
    if command == "TRUNCATE":
        return Access(Extent.NONE, "a view cannot be truncated")
    if command != "SELECT":
        return _written(snapshot, role, view, command, privilege)
    found = _read(snapshot, role, view, frozenset({view.title}))
    return Access(found.extent, found.why, columns=privilege.columns)


def _read(snapshot: Snapshot, role: Role, view: Relation, seen: frozenset[str]) -> Access:
    """What reading a view gives, its own privilege apart."""
    reader = role if view.invoker else snapshot.roles.get(view.owner)
    if reader is None:
        return Access(Extent.ROWS, f"its owner {view.owner} is not known")
    inside = [
        (title, _inside(snapshot, role, reader, snapshot.relations[title], seen | {title}))
        for title in view.reads
        if title in snapshot.relations and title not in seen
    ]
    who = "the caller" if view.invoker else f"its owner {view.owner}"
    refused = next(((title, one) for title, one in inside if one.extent is Extent.NONE), None)
    if refused is not None:
        return Access(Extent.NONE, f"it reads {refused[0]} as {who}: {refused[1].why}")
    asks = _asks(reach(snapshot), view)
    if inside and all(one.extent is Extent.DENIED for _, one in inside):
        return Access(Extent.DENIED, f"it reads {inside[0][0]} as {who}: {inside[0][1].why}")
    bound = [title for title, one in inside if one.extent is not Extent.EVERY]
    if bound:
        own = " and its own condition on the caller" if asks else ""
        return Access(Extent.ROWS, f"policies of {', '.join(bound)} as {who}{own}")
    if asks:
        return Access(
            Extent.ROWS, "its own condition asks who calls" + ("" if view.invoker else f"; it reads as {who}")
        )
    return Access(Extent.EVERY, f"it reads as {who}, whom no policy binds" if inside else "it reads no table")


def _inside(snapshot: Snapshot, role: Role, reader: Role, relation: Relation, seen: frozenset[str]) -> Access:
    """What a view gets from one relation that it reads as `reader`, `role` being the current user."""
    if relation.kind != "v":
        return access(snapshot, reader, relation, "SELECT")
    privilege = held(snapshot, reader, relation, "SELECT")
    if not privilege.yes:
        return Access(Extent.NONE, privilege.why)
    return _read(snapshot, role, relation, seen)


def _asks(reached: Reach, view: Relation) -> bool:
    return any(reached.identifies(facts) for facts in reached.view_facts(view))


def _written(
    snapshot: Snapshot, role: Role, view: Relation, command: str, privilege: Held, depth: int = 0
) -> Access:
    if any(t.enabled and t.kind & _INSTEAD and t.kind & _BITS[command] for t in view.triggers):
        return Access(Extent.ROWS, "an INSTEAD OF trigger decides", columns=privilege.columns)
    target = updatable(snapshot, view)
    if target is None or depth > 16:
        return Access(Extent.NONE, "the view is not updatable")
    reader = role if view.invoker else snapshot.roles.get(view.owner)
    if reader is None:
        return Access(Extent.ROWS, f"its owner {view.owner} is not known", columns=privilege.columns)
    found = _target(snapshot, role, reader, target, command, depth)
    who = "the caller" if view.invoker else f"its owner {view.owner}"
    asks = found.extent is Extent.EVERY and command != "INSERT" and _asks(reach(snapshot), view)
    extent = Extent.ROWS if asks else found.extent
    return Access(extent, f"it writes {target.title} as {who}: {found.why}", columns=privilege.columns)


def _target(
    snapshot: Snapshot, role: Role, reader: Role, target: Relation, command: str, depth: int
) -> Access:
    """What writing to the relation behind a view reaches, as `reader`, `role` being the current user."""
    if target.kind != "v":
        return access(snapshot, reader, target, command)
    privilege = held(snapshot, reader, target, command)
    if not privilege.yes:
        return Access(Extent.NONE, privilege.why)
    return _written(snapshot, role, target, command, privilege, depth + 1)


def updatable(snapshot: Snapshot, view: Relation) -> Relation | None:
    """The one relation that a simple view writes to; None where it joins or gathers rows."""
    facts = reach(snapshot).view_facts(view)
    root = facts[0].root if len(facts) == 1 else None
    if root is None or root.kind != "SelectStmt" or any(root.parts.get(part) for part in _PLAIN):
        return None
    sources = root.many("from_clause")
    if len(sources) != 1 or sources[0].kind != "RangeVar" or _gathers(root):
        return None
    return snapshot.named(sources[0].word("schemaname"), sources[0].word("relname"))


def _gathers(root: Node) -> bool:
    """An aggregate or window function among the outputs: such a view is only read."""
    values = [value for target in root.many("target_list") if (value := target.one("val")) is not None]
    calls = [value for value in values if value.kind == "FuncCall"]
    return any(
        call.one("over") is not None or (call.words("funcname") or ("",))[-1] in _GATHERING for call in calls
    )
