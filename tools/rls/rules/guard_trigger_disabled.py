"""A trigger that guards rows is disabled.

What it finds
    Triggers that do not fire in an ordinary session (disabled, or enabled for replicas only) on a table that
    API roles may write, where the trigger's function can refuse a row or overwrites a column that policies or
    keys rely on. Triggers that only notify, log or stamp a time are left out.

Why it matters
    A policy cannot compare the old row with the new one: what must not change (the owner, the author, a
    revoked state) is held by such a trigger. A load or a migration that switched it off and never on again
    leaves the table open.

Fix
    Enable it again: alter table t enable trigger name.

When to ignore
    While a load is under way and nobody else writes; or when a policy or a revoked column privilege has taken
    its place: then drop it.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.guards import overwritten, refuses, watched
from tools.rls.objects import Function, Relation, Trigger
from tools.rls.reach import Reach, reach
from tools.rls.snapshot import Snapshot
from tools.rls.wording import doing, listed, on_table, personal, quoted, table_name
from tools.rls.writers import free_columns, written

_COMMANDS = ("INSERT", "UPDATE", "DELETE")


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per table, naming the triggers; a partition only where its parent's trigger fires."""
    reached = reach(snapshot)
    for relation in snapshot.tables:
        off: dict[str, tuple[Trigger, Function]] = {}
        for trigger in relation.triggers:
            function = snapshot.function_by_oid.get(trigger.function)
            if trigger.enabled or function is None or _off_above(snapshot, relation, trigger):
                continue
            if refuses(reached, function, trigger) or _settles(relation, function, trigger):
                off[trigger.name] = (trigger, function)
        if off and (finding := _finding(snapshot, reached, relation, off)):
            yield finding


def _finding(
    snapshot: Snapshot, reached: Reach, relation: Relation, off: dict[str, tuple[Trigger, Function]]
) -> Finding | None:
    commands = [c for c in _COMMANDS if any(t.concerns(c) for t, _ in off.values())]
    writers = {c: roles for c in commands if (roles := written(snapshot, relation, c))}
    if not writers:
        return None
    columns = {
        column
        for trigger, function in off.values()
        for command in writers
        if trigger.concerns(command) and command != "DELETE"
        for column in free_columns(reached, relation, watched(reached, function, trigger), command)
    }
    deletes = "DELETE" in writers
    open_to = listed(dict.fromkeys(name for roles in writers.values() for name in roles))
    several = len(off) > 1
    reason = (
        f" and no policy says anything about {listed(sorted(columns))}, which"
        f" {'they hold' if several else 'it holds'}."
        if columns
        else f": nothing refuses what {'they refuse' if several else 'it refuses'}."
    )
    return on_table(
        "guard_trigger_disabled",
        Level.ERROR if columns or (deletes and not columns and set(writers) == {"DELETE"}) else Level.WARN,
        relation,
        f"{'Triggers' if several else 'Trigger'} {listed(off)} on {relation.title}"
        f" {'do' if several else 'does'} not fire: {open_to} may {doing(writers)} it{reason}",
        evidence="; ".join(f"{t.name}: {f.title}" for t, f in off.values()),
        fix="\n".join(f"alter table {table_name(relation)} enable trigger {quoted(name)};" for name in off),
        rank=8 if personal(snapshot, relation) else 30,
    )


def _settles(relation: Relation, function: Function, trigger: Trigger) -> bool:
    """Whether the trigger writes a column itself that a key or a policy of the table looks at."""
    relied = {name for key in relation.keys for name in key.columns}
    relied |= {c.name for p in relation.policies for part in p.parts() for c in part.columns}
    return trigger.before and bool(overwritten(function) & relied & set(relation.columns))


def _off_above(snapshot: Snapshot, relation: Relation, trigger: Trigger) -> bool:
    """Whether the partitioned parent has the same trigger switched off: it is named there."""
    above = [snapshot.relations[title] for title in relation.parents if title in snapshot.relations]
    return relation.partition and any(
        other.name == trigger.name and not other.enabled for parent in above for other in parent.triggers
    )


RULE = Rule(
    name="guard_trigger_disabled",
    title="A trigger that guards rows is disabled",
    level=Level.WARN,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
