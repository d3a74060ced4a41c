"""What a policy costs: one table of the scratch copy filled with many rows, read as one caller, and timed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from tools.rls.objects import Relation
from tools.rls.proof.actors import Actor, literal
from tools.rls.proof.world import World, WorldRow, named, quoted
from tools.sandbox.scratch.session import ScratchSession, SqlFailure

SECONDS: Final = 30
"""How long one reading may take before it is stopped; what was stopped is said so."""
SHARE: Final = 100
"""One row of so many belongs to the caller."""
_GROUPS: Final = 1000


@dataclass(frozen=True, slots=True)
class Cost:
    """One reading: milliseconds (of a stopped one: the limit), rows given, and how the table was read."""

    milliseconds: float
    rows: int
    plan: str
    stopped: bool = False


class NotMeasured(Exception):
    """The table cannot be filled for a measurement; the message says why."""


def fill(
    session: ScratchSession,
    world: World,
    relation: Relation,
    template: WorldRow,
    rows: int,
    scopes: Iterable[str],
) -> None:
    """Many rows like `template`, one in SHARE with its scope columns and the others with scopes of nobody.

    Foreign keys and triggers sleep; unique keys other than the primary one are dropped. All of it is undone
    by the caller's savepoint.
    """
    primary = relation.primary_key
    wanted = {name for name in scopes if relation.columns[name].type == "uuid"}
    free = [name for name in primary if name not in wanted]
    if primary and not free:
        raise NotMeasured("every column of its primary key says whose a row is")
    try:
        session.script("set local session_replication_role = replica")
        for key in relation.keys:
            if key.kind == "u":
                session.script(
                    f"alter table {named(relation.title)} drop constraint {quoted(key.name)} cascade"
                )
        for index in relation.indexes:
            if index.unique and index.name not in {key.name for key in relation.keys}:
                session.script(f"drop index {quoted(relation.schema)}.{quoted(index.name)} cascade")
        session.script(_insert(session, relation, template, rows, wanted, free))
        session.script("set local session_replication_role = origin")
        session.script(f"analyze {named(relation.title)}")
    except SqlFailure as failure:
        raise NotMeasured(failure.message) from None


def _insert(
    session: ScratchSession,
    relation: Relation,
    template: WorldRow,
    rows: int,
    wanted: set[str],
    free: Sequence[str],
) -> str:
    found = session.rows(
        "select a.attname from pg_attribute a where a.attrelid = %s::regclass and a.attgenerated <> ''",
        [named(relation.title)],
    )
    generated = {str(row[0]) for row in found}
    names: list[str] = []
    values: list[str] = []
    for name, column in relation.columns.items():
        if name in generated:
            continue
        names.append(quoted(name))
        value = f"{literal(template.values.get(name))}::{column.type}"
        if name in free:
            value = _fresh(column.type, value)
        elif name in wanted:
            value = f"case when n % {SHARE} = 0 then {value} else md5((n % {_GROUPS})::text)::uuid end"
        values.append(value)
    head = f"insert into {named(relation.title)} ({', '.join(names)}) overriding system value"
    return " ".join([head, "select", ", ".join(values), f"from generate_series(1, {rows}) n"])


def _fresh(kind: str, value: str) -> str:
    """Another value of a key for every row."""
    if kind == "uuid":
        return "gen_random_uuid()"
    if kind in ("integer", "bigint", "numeric"):
        return "1000000 + n"
    if kind == "text" or kind.startswith("character"):
        return "'measured ' || n"
    if kind == "date" or kind.startswith("timestamp"):
        return f"{value} + n * interval '1 second'" if kind != "date" else value
    raise NotMeasured(f"its key is of type {kind}")


def cost(session: ScratchSession, relation: Relation, actor: Actor) -> Cost:
    """Read the whole table once as the actor, with EXPLAIN ANALYZE."""
    reading = " ".join(["select * from", named(relation.title)])
    try:
        with session.savepoint(keep=False):
            session.script(f"set local statement_timeout = '{SECONDS}s'")
            for statement in actor.acting():
                session.run(statement)
            found = session.rows(f"explain (analyze, timing off, format json) {reading}")
    except SqlFailure as failure:
        if failure.sqlstate != "57014":
            raise NotMeasured(failure.message) from None
        return Cost(SECONDS * 1000.0, 0, "stopped", stopped=True)
    answer: Any = found[0][0]
    top = cast("list[dict[str, Any]]", json.loads(answer) if isinstance(answer, str) else answer)[0]
    plan = cast("dict[str, Any]", top["Plan"])
    return Cost(float(top["Execution Time"]), int(plan["Actual Rows"]), _scan(plan, relation.name))


def _scan(plan: Mapping[str, Any], name: str) -> str:
    """How the table itself is read: `Seq Scan`, `Bitmap Heap Scan`, `Index Scan using x`."""
    if plan.get("Relation Name") == name:
        index = plan.get("Index Name")
        return f"{plan['Node Type']}{f' using {index}' if index else ''}"
    for child in cast("list[dict[str, Any]]", plan.get("Plans", [])):
        found = _scan(child, name)
        if found:
            return found
    return ""
