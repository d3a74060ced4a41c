"""A table lacks the guard trigger that all others with the same key have.

What it finds
    The one table without a trigger that can refuse a change of a key column, where every other table with
    that key (a column of the same name that leads to the same table), three at least, has one with the same
    function; where row level security is on, an API role may update the column and no policy compares it with
    the caller.

Why it matters
    Rows must not move from one record to another, and a policy cannot compare the old row with the new one:
    whoever may write two records moves rows between them, in this table only.

Fix
    Create the trigger as the others have it, or revoke UPDATE on the column.

When to ignore
    Rows of this table that are moved on purpose.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.guards import created, refuses, watched
from tools.rls.objects import Function, Relation
from tools.rls.reach import Reach, identity_columns, reach
from tools.rls.snapshot import Snapshot
from tools.rls.wording import listed, on_table, personal
from tools.rls.writers import written

_SIBLINGS = 3


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per table, with every column that it leaves out."""
    tables: dict[str, tuple[Relation, dict[Function, list[str]], int]] = {}
    for relation, function, column, siblings in _lacking(reach(snapshot)):
        known = tables.setdefault(relation.title, (relation, {}, siblings))
        columns = known[1].setdefault(function, [])
        if column not in columns:
            columns.append(column)
    for relation, functions, siblings in tables.values():
        names = dict.fromkeys(name for columns in functions.values() for name in columns)
        yield on_table(
            "guard_trigger_missing", Level.WARN, relation,
            f"{relation.title} has no trigger that holds {listed(names)}, as {siblings} other tables with the"
            f" same key have: {listed(written(snapshot, relation, 'UPDATE'))} may move rows.",
            evidence=f"elsewhere: {listed(function.title for function in functions)}",
            fix="\n".join(created(relation, function, columns) for function, columns in functions.items()),
            rank=28 if personal(snapshot, relation) else 45,
        )  # fmt: skip


def _lacking(reached: Reach) -> Iterator[tuple[Relation, Function, str, int]]:
    """The one table without the guard that every other table with the same key has."""
    having: dict[tuple[str, str], dict[str, frozenset[Function]]] = {}
    bare: dict[tuple[str, str], list[Relation]] = {}
    for relation in reached.snapshot.tables:
        if relation.partition:
            continue
        held = _held(reached, relation)
        for key in relation.foreign_keys:
            for column in key.columns:
                if column in held:
                    having.setdefault((column, key.target), {})[relation.title] = held[column]
                elif relation not in bare.setdefault((column, key.target), []):
                    bare[column, key.target].append(relation)
    for place, guards in having.items():
        common = frozenset[Function].intersection(*guards.values())
        if len(guards) < _SIBLINGS or not common:
            continue
        lacking = [relation for relation in bare.get(place, ()) if _movable(reached, relation, place[0])]
        if len(lacking) == 1:
            yield lacking[0], min(common, key=lambda function: function.title), place[0], len(guards)


def _held(reached: Reach, relation: Relation) -> dict[str, frozenset[Function]]:
    """By column, the functions of triggers that can refuse an update of it."""
    found: dict[str, set[Function]] = {}
    for trigger in relation.triggers:
        function = reached.snapshot.function_by_oid.get(trigger.function)
        if function is None or not trigger.concerns("UPDATE") or not refuses(reached, function, trigger):
            continue
        for column in watched(reached, function, trigger):
            found.setdefault(column, set()).add(function)
    return {column: frozenset(functions) for column, functions in found.items()}


def _movable(reached: Reach, relation: Relation, column: str) -> bool:
    """Whether a caller may set the column to anybody's key: the policies do not compare it with himself."""
    snapshot = reached.snapshot
    rows = (
        [p.new_row for p in relation.policies if p.permissive and p.covers("UPDATE")] if relation.rls else []
    )
    own = [row is not None and column in {c.name for c, _ in identity_columns(row)} for row in rows]
    return (
        relation.rls
        and not (own and all(own))
        and any(
            snapshot.may_column(snapshot.roles[name], relation, column, "UPDATE")
            for name in written(snapshot, relation, "UPDATE")
        )
    )


RULE = Rule(
    name="guard_trigger_missing",
    title="A table lacks the guard trigger that all others with the same key have",
    level=Level.WARN,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
