"""A leak as a script that anybody can run on an empty copy of the schema: rows, caller, statements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tools.rls.proof.actors import Actor, literal
from tools.rls.proof.events import Violation
from tools.rls.proof.verdict import Kind
from tools.rls.proof.world import World, WorldRow, named, quoted
from tools.rls.proof.writing import gone, where_key
from tools.sandbox.scratch.session import ScratchSession, SqlFailure


@dataclass(frozen=True, slots=True)
class Replay:
    """The parts of a script. `confirmed`: it was run on emptied tables and showed the leak."""

    seed: tuple[str, ...]
    acting: tuple[str, ...]
    attack: tuple[str, ...]
    expect: str
    witness: str
    confirmed: bool

    @property
    def script(self) -> str:
        """The whole of it, from begin to rollback."""
        lines = ["begin;", *self.seed, *self.acting, *self.attack]
        if self.witness:
            lines += ["reset role;", f"{self.witness};"]
        return "\n".join([*lines, "rollback;"])


def replay_of(
    world: World, violation: Violation, session: ScratchSession, generated: Mapping[str, frozenset[str]]
) -> Replay:
    """The smallest script that shows a violation: the row reached, the actor's own rows, their parents."""
    attack, expect, witness = _attack(world, violation)
    acting = violation.actor.acting()
    replay = Replay((), acting, attack, expect, witness, confirmed=False)
    for rows in (_needed(world, violation), [row for title in world.tables for row in world.rows[title]]):
        seed = (*seed_of(world, rows, generated), *_refreshed(world, violation))
        replay = Replay(seed, acting, attack, expect, witness, confirmed=False)
        if _shows(world, session, replay):
            return Replay(replay.seed, acting, attack, expect, witness, confirmed=True)
    return replay


def _refreshed(world: World, violation: Violation) -> tuple[str, ...]:
    """A materialized view shows what was there when it was filled."""
    relation = world.snapshot.relations.get(violation.function)
    return (
        (f"refresh materialized view {named(relation.title)};",) if relation and relation.kind == "m" else ()
    )


def _needed(world: World, violation: Violation) -> list[WorldRow]:
    """Rows that the attack is about, closed over foreign keys."""
    waiting = [violation.row] if violation.row.id else []
    write = violation.write
    waiting += [row for row in (write.before, write.after) if row is not None] if write else []
    account = violation.actor.account
    tables = {opening.table for opening in world.model.openings} | set(world.model.anchors)
    tables |= {hop.target for opening in world.model.openings for hop in opening.account.hops}
    for title in tables:
        waiting += [row for row in world.rows.get(title, ()) if account and account in row.values.values()]
    waiting += [row for row in world.rows.get(world.model.accounts, ()) if account in row.values.values()]
    text = " ".join(violation.statements)
    for rows in world.rows.values():
        for row in rows:
            key = next(iter(row.values.values()), None)
            if key and len(key) > 8 and key in text:
                waiting.append(row)
    found: dict[tuple[str, str], WorldRow] = {}
    while waiting:
        row = waiting.pop()
        if row.id and (row.table, row.id) in found:
            continue
        if row.id:
            found[row.table, row.id] = row
        relation = world.snapshot.relations.get(row.table)
        for key in relation.foreign_keys if relation else ():
            values = row.key(key.columns)
            if None not in values:
                waiting += world.find(key.target, key.target_columns, values)[:1]
        # A row of the accounts is mirrored by rows that share its key.
        if row.table == world.model.accounts:
            for title in world.model.tables:
                waiting += [
                    mirror
                    for mirror in world.find(title, ("id",), (row.values.get("id"),))
                    if (title, mirror.id) not in found
                ]
    return list(found.values())


def seed_of(world: World, rows: list[WorldRow], generated: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    """INSERT statements for rows, with triggers and foreign keys asleep."""
    lines = ["set local session_replication_role = replica;"]
    for row in sorted(rows, key=lambda row: (row.table, row.id)):
        skipped = generated.get(row.table, frozenset())
        columns = [name for name, value in row.values.items() if value is not None and name not in skipped]
        names = ", ".join(quoted(name) for name in columns)
        values = ", ".join(literal(row.values[name]) for name in columns)
        lines.append(f"insert into {named(row.table)} ({names}) overriding system value values ({values});")
    lines.append("set local session_replication_role = origin;")
    return tuple(lines)


def _attack(world: World, violation: Violation) -> tuple[tuple[str, ...], str, str]:
    """The statements, how success shows, and a witness query where the last one shows nothing itself."""
    statements = [statement for statement in violation.statements if " " in statement]
    relation = world.snapshot.relations[violation.row.table]
    writes = violation.write
    if violation.kind is Kind.CALL:
        witness = _left_behind(world, violation)
        return tuple(f"{one};" for one in statements), "witness" if witness else "value", witness
    if violation.kind is Kind.READ and violation.function:
        return (f"select * from {named(violation.function)};",), "rows", ""
    if violation.command == "SELECT":
        shown = _readable(world, violation.actor, violation.statements[-1])
        return (*(f"{one};" for one in statements), f"{shown} where {_where(world, violation)};"), "rows", ""
    if writes is not None and writes.witness:
        return tuple(f"{one};" for one in statements), "witness", writes.witness
    if writes is not None and writes.before is not None and writes.purpose in ("touch", "delete"):
        at = where_key(relation, writes.before)
        head, _, _ = statements[-1].partition(" where ")
        return (*(f"{one};" for one in statements[:-1]), f"{head} where {at};"), "rows", ""
    return tuple(f"{one};" for one in statements), "rows", ""


def _left_behind(world: World, violation: Violation) -> str:
    """A query that shows what a call did to rows: what it answers tells nothing of that; empty for reads."""
    row, relation = violation.row, world.snapshot.relations[violation.row.table]
    if violation.note == "deletes":
        return gone(row.table, where_key(relation, row))
    if violation.note != "writes" and not violation.note.startswith("lets them make "):
        return ""
    key, before = relation.primary_key, world.known(row)
    known: Mapping[str, str | None] = before.values if before is not None else {}
    changed = {
        name: value
        for name, value in row.values.items()
        if value is not None and value != known.get(name) and (before is not None or name not in key)
        if name in relation.columns and not relation.columns[name].type.startswith(("timestamp", "date"))
    }
    tests = [f"{quoted(name)}::text = {literal(value)}" for name, value in changed.items()]
    tests += [where_key(relation, row)] if before is not None else []
    return f"select to_jsonb(1) from {named(row.table)} where {' and '.join(tests)}" if changed else ""


def _where(world: World, violation: Violation) -> str:
    relation = world.snapshot.relations[violation.row.table]
    text = where_key(relation, violation.row)
    if "ctid" not in text:
        return text
    pairs = [(name, value) for name, value in violation.row.values.items() if value is not None][:6]
    return " and ".join(f"{quoted(name)}::text = {literal(value)}" for name, value in pairs) or "true"


def _readable(world: World, actor: Actor, title: str) -> str:
    relation = world.snapshot.relations[title]
    role = world.snapshot.roles[actor.role]
    if "SELECT" in world.snapshot.may(role, relation, columns=False):
        return f"select * from {named(title)}"
    columns = [name for name in relation.columns if world.snapshot.may_column(role, relation, name, "SELECT")]
    return f"select {', '.join(quoted(name) for name in columns)} from {named(title)}"


def _shows(world: World, session: ScratchSession, replay: Replay) -> bool:
    """Run the script over emptied tables; whether it shows the leak there too."""
    with session.savepoint(keep=False):
        try:
            session.script("set local session_replication_role = replica")
            session.script("; ".join(f"delete from {named(title)}" for title in world.tables))
            for line in (*replay.seed, *replay.acting, *replay.attack[:-1]):
                session.run(line.rstrip(";"))
            last = replay.attack[-1].rstrip(";")
            if replay.expect == "witness":
                session.run(last)
                session.run("reset role")
                return bool(session.rows(replay.witness))
            if last.startswith(("select", "call")):
                rows = session.rows(last)
                return bool(rows) and (replay.expect != "value" or rows[0][0] not in (None, False))
            return session.run(last) > 0
        except SqlFailure:
            return False
