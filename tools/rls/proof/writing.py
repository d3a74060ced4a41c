"""Statements that try to write: new rows for somebody else's record, rows moved, raised, revived, deleted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Final, Literal

from tools.rls.objects import Relation
from tools.rls.proof.actors import Actor, literal
from tools.rls.proof.model import STAFF, Belonging, Condition, Kind, Model, Opening
from tools.rls.proof.offices import appointments
from tools.rls.proof.side import FAR, FUTURE, Side, living, top_rank
from tools.rls.proof.templates import NOTHING, Templates
from tools.rls.proof.world import World, WorldRow, named, place, quoted

Purpose = Literal["insert", "mix", "upsert", "touch", "move", "raise", "take", "delete", "vary"]


@dataclass(frozen=True, slots=True)
class Write:
    """One statement with the row it is about: as it was (None for a new one) and as it would be."""

    purpose: Purpose
    command: str
    table: str
    sql: str
    before: WorldRow | None
    after: WorldRow | None
    changed: frozenset[str] = frozenset()
    living: bool = True
    witness: str = ""
    """A query of the superuser that counts the row as changed, where the statement itself names no row."""


def inserts(
    world: World,
    templates: Templates,
    actor: Actor,
    side: Side,
    belonging: Belonging,
    brought: Sequence[Mapping[str, str | None]] = (),
) -> Iterator[Write]:
    """New rows of a table in this side's records, written as the actor would write them.

    `brought`: values to try in other columns, such as the key of a row of the actor's own.
    """
    relation = world.snapshot.relations[belonging.table]
    for row in templates.rows(side, belonging):
        seen: set[str] = set()
        for named_by, more in product(people(belonging, actor), (NOTHING, *brought)):
            values = {**row.values, **named_by, **more}
            sql = insert_statement(world, relation, actor, values, templates.shapes_generated)
            if sql and sql not in seen:
                seen.add(sql)
                opens = alive(world.model, belonging.table, values)
                yield Write(
                    "insert",
                    "INSERT",
                    belonging.table,
                    sql,
                    None,
                    WorldRow(belonging.table, "", values),
                    living=opens,
                )


def mixes(
    world: World, templates: Templates, actor: Actor, belonging: Belonging, own: Side
) -> Iterator[Write]:
    """New rows of a record that is the actor's own, or open to him, under a parent of the other family's."""
    relation = world.snapshot.relations[belonging.table]
    other = next(side for side in world.sides[:2] if side is not own)
    named_by = {hops[0].columns for hops in belonging.paths if len(hops) == 1}
    if belonging.kind is not Kind.SCOPED or not named_by:
        return
    for key in relation.foreign_keys:
        parent = world.model.tables.get(key.target)
        theirs = other.of(key.target)
        if parent is None or theirs is None or key.target in world.model.anchors or key.columns in named_by:
            continue
        if parent.kind is not Kind.SCOPED or not set(parent.anchors) & set(belonging.anchors):
            continue
        scoping = {column for columns in named_by for column in columns}
        changes = {
            column: theirs.values.get(target)
            for column, target in zip(key.columns, key.target_columns, strict=True)
            if column not in scoping
        }
        for row in templates.rows(own, belonging)[:1] if changes else ():
            values = {**row.values, **next(people(belonging, actor)), **changes}
            sql = insert_statement(world, relation, actor, values, templates.shapes_generated)
            if sql:
                yield Write(
                    "mix", "INSERT", belonging.table, sql, None, WorldRow(belonging.table, "", values)
                )


def people(belonging: Belonging, actor: Actor) -> Iterator[dict[str, str | None]]:
    """Who the new row names: as author always the actor; as party the actor, or whoever the row named."""
    authors = {way.column: actor.account for way in belonging.authors if not way.hops and actor.account}
    parties = {way.column: actor.account for way in belonging.parties if not way.hops and actor.account}
    yield {**authors, **parties}
    if parties:
        yield dict(authors)


def insert_statement(
    world: World,
    relation: Relation,
    actor: Actor,
    values: Mapping[str, str | None],
    generated: Mapping[str, frozenset[str]],
) -> str:
    """An INSERT of all columns that the role may write; empty where it may write none."""
    role = world.snapshot.roles[actor.role]
    skipped = generated.get(relation.title, frozenset())
    columns = [
        name
        for name in relation.columns
        if name not in skipped
        and name in values
        and world.snapshot.may_column(role, relation, name, "INSERT")
    ]
    if not columns:
        return ""
    names = ", ".join(quoted(name) for name in columns)
    given = ", ".join(literal(values[name]) for name in columns)
    return f"insert into {named(relation.title)} ({names}) values ({given})"


def touches(
    world: World,
    actor: Actor,
    rows: Sequence[WorldRow],
    generated: Mapping[str, frozenset[str]],
    may: frozenset[str],
) -> Iterator[Write]:
    """UPDATE of a row without changing it, and DELETE of it, as far as the role `may`."""
    for row in rows:
        relation = world.snapshot.relations[row.table]
        column = _plain_column(world, relation, actor, generated) if "UPDATE" in may else ""
        whole = "SELECT" in world.snapshot.may(world.snapshot.roles[actor.role], relation, columns=False)
        at = place(row.id) if whole else where_key(relation, row)  # no grant on columns names ctid
        if column:
            sql = f"update {named(row.table)} set {quoted(column)} = {quoted(column)} where {at}"
            yield Write("touch", "UPDATE", row.table, sql, row, row)
        if "DELETE" in may:
            yield Write(
                "delete", "DELETE", row.table, f"delete from {named(row.table)} where {at}", row, None
            )


def blind(
    world: World, actor: Actor, row: WorldRow, may: frozenset[str], *, where: str = ""
) -> Iterator[Write]:
    """UPDATE and DELETE that name no row and read no column: only their own policies decide, not SELECT's.

    The row is the one that is looked at afterwards. `where` tells two such statements apart.
    """
    title = row.table
    relation = world.snapshot.relations[title]
    if not relation.primary_key:
        return
    row = WorldRow(title, "", dict(row.values))
    mine = where_key(relation, row)
    if "DELETE" in may:
        sql = f"delete from {named(title)}{where}"
        yield Write("delete", "DELETE", title, sql, row, None, witness=gone(title, mine))
    for name, value in _marks(world, actor, row)[:MARKS] if "UPDATE" in may else ():
        marked = f"select to_jsonb(1) from {named(title)} where {mine} and {quoted(name)} = {literal(value)}"
        sql = f"update {named(title)} set {quoted(name)} = {literal(value)}{where}"
        yield Write("touch", "UPDATE", title, sql, row, row, witness=marked)


def gone(title: str, at: str) -> str:
    """A query that gives something where the row is no more."""
    return f"select to_jsonb(1) where not exists (select from {named(title)} where {at})"


def _marks(world: World, actor: Actor, row: WorldRow) -> list[tuple[str, str]]:
    """Columns that the actor's role may set, with another value: a free text alone, or what there is."""
    relation, role = world.snapshot.relations[row.table], world.snapshot.roles[actor.role]
    keyed = {name for key in relation.keys for name in key.columns}
    found: list[tuple[str, str]] = []
    for name, column in relation.columns.items():
        if name in keyed or not world.snapshot.may_column(role, relation, name, "UPDATE"):
            continue
        now = row.values.get(name)
        if column.values:
            found += [(name, value) for value in column.values if value != now]
        elif column.type == "text":
            return [(name, MARK)]
        elif column.type.startswith(("timestamp", "date")):
            found.append((name, FUTURE if now is None or now < FUTURE else FAR))
        elif column.type == "boolean":
            found.append((name, "false" if now == "true" else "true"))
    return found


def upserts(world: World, templates: Templates, actor: Actor, belonging: Belonging) -> Iterator[Write]:
    """A new row of the own record under the key of somebody else's row, which it is to replace."""
    title = belonging.table
    relation = world.snapshot.relations[title]
    theirs = world.sides[0].of(title)
    key = relation.primary_key
    skipped = templates.shapes_generated.get(title, frozenset())
    if belonging.kind is not Kind.SCOPED or theirs is None or not key or set(key) & skipped:
        return
    scoping = dict.fromkeys(name for hops in belonging.paths for hop in hops[:1] for name in hop.columns)
    rest = [name for name in scoping if name not in key]
    for row in templates.rows(world.sides[1], belonging)[:1] if rest else ():
        same = {name: theirs.values.get(name) for name in key}
        values = {**row.values, **next(people(belonging, actor)), **same}
        sql = insert_statement(world, relation, actor, values, templates.shapes_generated)
        sets = ", ".join(f"{quoted(name)} = excluded.{quoted(name)}" for name in rest)
        sql += f" on conflict ({', '.join(quoted(name) for name in key)}) do update set {sets}"
        taken = " and ".join(f"{quoted(name)} = {literal(values[name])}" for name in (*key, *rest))
        witness = f"select to_jsonb(1) from {named(title)} where {taken}"
        before, after = WorldRow(title, "", dict(theirs.values)), WorldRow(title, "", values)
        yield Write("upsert", "UPDATE", title, sql, before, after, witness=witness)


def _plain_column(
    world: World, relation: Relation, actor: Actor, generated: Mapping[str, frozenset[str]]
) -> str:
    """A column that the role may set, rather not a key and not one that means something to the model."""
    role = world.snapshot.roles[actor.role]
    keyed = {name for key in relation.keys for name in key.columns}
    skipped = generated.get(relation.title, frozenset())
    names = [
        name
        for name in relation.columns
        if name not in skipped
        and world.snapshot.may_column(role, relation, name, "UPDATE")
        and world.snapshot.may_column(role, relation, name, "SELECT")
    ]
    meaning = {c.column for o in world.model.openings for c in o.conditions if c.table == relation.title}
    return min(names, key=lambda name: (name in keyed, name in meaning, names.index(name)), default="")


def moves(world: World, actor: Actor, rows: Sequence[WorldRow], side: Side) -> Iterator[Write]:
    """An own row given to the records of another side: every key that leads there is set at once."""
    for row in rows:
        belonging = world.model.tables.get(row.table)
        sibling = next((r for r in side.rows if r.table == row.table), None)
        if belonging is None:
            continue
        first = {hop.columns: hop for hops in belonging.paths if hops for hop in hops[:1]}
        for columns, hop in first.items():
            target = next((r for r in side.rows if r.table == hop.target), None)
            if target is None:
                continue
            changes = {c: target.values.get(t) for c, t in zip(columns, hop.target_columns, strict=True)}
            for write in update(world, actor, row, changes, "move"):
                yield from (write, _nameless(world, row, write))
        if sibling is not None and len(first) > 1:
            every = {c: sibling.values.get(c) for columns in first for c in columns}
            yield from update(world, actor, row, every, "move")


def _nameless(world: World, row: WorldRow, write: Write) -> Write:
    """The same for every row that it is allowed for. With WHERE the row, and what becomes of it, must be
    visible as well; without it, only USING and WITH CHECK of UPDATE decide.
    """
    after = (write.after or row).values
    sets = " and ".join(f"{quoted(name)} = {literal(after.get(name))}" for name in sorted(write.changed))
    moved = f"select to_jsonb(count(*)) from {named(row.table)} where {sets} and "
    moved += where_key(world.snapshot.relations[row.table], row)
    return replace(write, sql=write.sql.partition(" where ")[0], witness=moved)


def takes(world: World, actor: Actor, rows: Sequence[WorldRow]) -> Iterator[Write]:
    """Somebody else's row of a table that belongs to accounts, put under the actor's own account."""
    for row in rows if actor.account else ():
        belonging = world.model.tables.get(row.table)
        if belonging is None or belonging.kind is not Kind.OWN:
            continue
        ways = (*belonging.parties, *belonging.authors)
        for column in dict.fromkeys(way.column for way in ways if not way.hops):
            for write in update(world, actor, row, {column: actor.account}, "take"):
                yield from (write, _nameless(world, row, write))


def raises(world: World, actor: Actor, rows: Sequence[WorldRow], side: Side) -> Iterator[Write]:
    """Rows of openings brought to life, raised, prolonged, or turned to the actor himself."""
    for row in rows:
        for opening in world.model.openings:
            conditions = [
                c for c in opening.conditions if c.table == row.table and _touches(opening, c, row.table)
            ]
            changes = {
                c.column: living(
                    c, nullable=not world.snapshot.relations[row.table].columns[c.column].required
                )
                for c in conditions
            }
            if row.table == opening.table and opening.level and opening.ranks and opening.anchor != STAFF:
                yield from update(world, actor, row, {opening.level: top_rank(opening)}, "raise")
            for column, value in changes.items():
                yield from update(world, actor, row, {column: value}, "raise")
                if value is None:
                    yield from update(world, actor, row, {column: FUTURE}, "raise")
            if len(changes) > 1:
                yield from update(world, actor, row, changes, "raise")
            if row.table == opening.table and not opening.account.hops and actor.account:
                yield from update(world, actor, row, {opening.account.column: actor.account}, "take")
        for made in appointments(world, actor, row.table):
            yield from update(world, actor, row, made, "raise")
        anchor = world.model.anchors.get(row.table)
        if anchor is not None and actor.account and row.table != world.model.accounts:
            for way in anchor.owners:
                if not way.hops:
                    yield from update(world, actor, row, {way.column: actor.account}, "take")


def _touches(opening: Opening, condition: Condition, table: str) -> bool:
    return (opening.table == table and not condition.hops) or bool(condition.hops)


def update(
    world: World, actor: Actor, row: WorldRow, changes: Mapping[str, str | None], purpose: Purpose
) -> Iterator[Write]:
    relation = world.snapshot.relations[row.table]
    role = world.snapshot.roles[actor.role]
    changed = {name: value for name, value in changes.items() if row.values.get(name) != value}
    if not changed or not all(world.snapshot.may_column(role, relation, name, "UPDATE") for name in changed):
        return
    sets = ", ".join(f"{quoted(name)} = {literal(value)}" for name, value in changed.items())
    sql = f"update {named(row.table)} set {sets} where {where_key(relation, row)}"
    after = WorldRow(row.table, "", {**row.values, **changed})
    yield Write(
        purpose,
        "UPDATE",
        row.table,
        sql,
        row,
        after,
        frozenset(changed),
        alive(world.model, row.table, after.values),
    )


def where_key(relation: Relation, row: WorldRow) -> str:
    """The row by its primary key, so that it is found after another statement has changed it."""
    key = relation.primary_key
    if not key or any(row.values.get(name) is None for name in key):
        columns = relation.columns
        known = {name: value for name, value in row.values.items() if value is not None and name in columns}
        given = (f"{quoted(name)}::text = {literal(value)}" for name, value in known.items())
        return place(row.id) if row.id else " and ".join(given)
    return " and ".join(f"{quoted(name)} = {literal(row.values[name])}" for name in key)


def alive(model: Model, table: str, values: Mapping[str, str | None]) -> bool:
    """Whether a row of an opening's table would open something, as far as its own columns say."""
    from tools.rls.proof.side import met_by

    openings = [opening for opening in model.openings if opening.table == table]
    return any(
        all(met_by(c, values.get(c.column)) for c in opening.conditions if not c.hops) for opening in openings
    )


MARK: Final = "marked by a stranger"
MARKS: Final = 4
"""Values that are tried in statements that name no row."""


def trusted_tables(model: Model) -> frozenset[str]:
    """Tables whose rows decide about access: openings, what they refer to, records, accounts' mirrors."""
    found = {opening.table for opening in model.openings} | set(model.anchors)
    for opening in model.openings:
        found |= {condition.table for condition in opening.conditions}
        found |= {hop.target for hop in opening.account.hops}
    return frozenset(found - {model.accounts, STAFF, "auth.users"})


def shape(write: Write, row: WorldRow | None) -> tuple[object, ...]:
    """What makes a write another one: two of one shape open or reach the same."""
    where = row.id if row is not None else write.after and write.after.key(sorted(write.changed))
    return (write.table, write.purpose, write.changed, write.living, where)


def turns(write: Write, trusted: frozenset[str]) -> bool:
    """Whether a write may change who reaches what."""
    return write.table in trusted and write.purpose not in ("touch", "delete", "vary")
