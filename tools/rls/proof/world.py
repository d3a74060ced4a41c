"""A world: every row of the scratch copy once it is filled, and who everybody in it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from tools.rls.proof.actors import Actor, Spec, quoted
from tools.rls.proof.model import Condition, Hop, Model
from tools.rls.proof.side import Side, holds, met_by
from tools.rls.snapshot import Snapshot
from tools.sandbox.scratch.session import ScratchSession

MESSAGES: Final = "realtime.messages"
NAMED: Final = {"storage.objects": "name", MESSAGES: "topic"}
"""Tables whose rows belong to whom a name in them says: by a path, or by a channel."""
PATH: Final = "path"
"""What expectations call a stored file's path by: no column has that name there."""


@dataclass(frozen=True, slots=True, eq=False)
class WorldRow:
    """One row as it lies in the scratch copy; `id` is its place (tableoid:ctid), values are text literals."""

    table: str
    id: str
    values: Mapping[str, str | None]

    def key(self, columns: Sequence[str]) -> tuple[str | None, ...]:
        """The values of some columns."""
        return tuple(self.values.get(column) for column in columns)


@dataclass(slots=True, eq=False)
class World:
    """What was built. `holders` maps an account to the spec of the opening that was made for it."""

    model: Model
    snapshot: Snapshot
    sides: list[Side]
    actors: list[Actor] = field(default_factory=list[Actor])
    rows: dict[str, tuple[WorldRow, ...]] = field(default_factory=dict[str, tuple[WorldRow, ...]])
    gaps: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    holders: dict[str, Spec] = field(default_factory=dict[str, Spec])
    paths: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    """Name of a stored object or a channel -> (owner's account, record key) that it was made of."""
    strays: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Name of a file under none of these paths -> those that it is like."""
    met: dict[Condition, frozenset[str]] = field(default_factory=dict[Condition, frozenset[str]])
    _index: dict[tuple[str, tuple[str, ...]], dict[tuple[str | None, ...], list[WorldRow]]] = field(
        default_factory=dict[tuple[str, tuple[str, ...]], dict[tuple[str | None, ...], list[WorldRow]]]
    )

    def find(self, table: str, columns: tuple[str, ...], values: tuple[str | None, ...]) -> list[WorldRow]:
        """Rows of a table with these values."""
        key = (table, columns)
        if key not in self._index:
            index: dict[tuple[str | None, ...], list[WorldRow]] = {}
            for row in self.rows.get(table, ()):
                index.setdefault(row.key(columns), []).append(row)
            self._index[key] = index
        return self._index[key].get(values, [])

    def known(self, row: WorldRow) -> WorldRow | None:
        """A row as the world has it, whatever became of it: found by its primary key."""
        key = self.snapshot.relations[row.table].primary_key
        return next(iter(self.find(row.table, key, row.key(key))), None) if key else None

    @property
    def tables(self) -> list[str]:
        """Tables with rows; tenants that exist as a value only are none."""
        return [title for title in self.rows if title in self.snapshot.relations]

    def rows_of(self, title: str) -> tuple[WorldRow, ...]:
        """Rows that a relation holds; for a partition those of the table it is a part of."""
        relation = self.snapshot.relations.get(title)
        while relation is not None and relation.partition and relation.parents:
            relation = self.snapshot.relations.get(relation.parents[0])
        return self.rows.get(relation.title if relation else title, ())

    def follow(self, row: WorldRow, hops: Iterable[Hop]) -> WorldRow | None:
        """The row that a chain of keys leads to, or None where a key is null or dangling."""
        for hop in hops:
            key = row.key(hop.columns)
            if None in key:
                return None
            found = self.find(hop.target, hop.target_columns, key)
            if not found:
                return None
            row = found[0]
        return row

    def reach(self, row: WorldRow, hops: Sequence[Hop]) -> list[WorldRow]:
        """Every row that a chain leads to: a hop to a group's members leads to many."""
        found = [row]
        for hop in hops:
            keys = {one.key(hop.columns) for one in found}
            found = [
                target
                for key in sorted(keys, key=str)
                if None not in key
                for target in self.find(hop.target, hop.target_columns, key)
            ]
        return found

    def meets(self, condition: Condition, row: WorldRow) -> bool:
        """Whether a row meets a condition, itself or in the row that the hops lead to."""
        target = self.follow(row, condition.hops)
        if target is None:
            return False
        if not target.id:  # what an attack left behind is no row of the world
            return met_by(condition, target.values.get(condition.column))
        return target.id in self.met.get(replace(condition, hops=(), tested=True), frozenset())


def read_world(session: ScratchSession, world: World) -> None:
    """Read every row back from the scratch copy, and which rows meet which condition."""
    world.rows.clear()
    world.met.clear()
    world._index.clear()  # pyright: ignore[reportPrivateUsage]  filled anew here
    for title in world.model.tables:
        relation = world.snapshot.relations.get(title)
        if relation is None or not relation.is_table or relation.partition:
            continue
        columns = list(relation.columns)
        listed = ", ".join(f"{quoted(name)}::text" for name in columns)
        found = session.rows(f"select {ID}, {listed} from {named(title)}")
        world.rows[title] = tuple(
            WorldRow(title, row[0], dict(zip(columns, row[1:], strict=True))) for row in found
        )
    for title in world.model.anchors:  # tenants that exist as a value only
        if title not in world.snapshot.relations:
            records = [side.records[title] for side in world.sides if title in side.records]
            world.rows[title] = tuple(
                WorldRow(title, f"{title}:{number}", record.values) for number, record in enumerate(records)
            )
    accounts = world.model.accounts
    if accounts and accounts not in world.rows and accounts in world.snapshot.relations:
        columns = list(world.snapshot.relations[accounts].columns)
        listed = ", ".join(f"{quoted(name)}::text" for name in columns)
        found = session.rows(f"select {ID}, {listed} from {named(accounts)}")
        world.rows[accounts] = tuple(
            WorldRow(accounts, row[0], dict(zip(columns, row[1:], strict=True))) for row in found
        )
    for condition in {replace(one, hops=(), tested=True) for one in conditions_of(world.model)}:
        ids = session.rows(f"select {ID} from {named(condition.table)} where {holds(condition)}")
        world.met[condition] = frozenset(row[0] for row in ids)


def conditions_of(model: Model) -> set[Condition]:
    """Every condition that the model names."""
    found: set[Condition] = set()
    for opening in model.openings:
        found.update(opening.conditions)
    for anchor in model.anchors.values():
        found.update(anchor.conditions)
    for belonging in model.tables.values():
        if belonging.open_rows is not None:
            found.add(belonging.open_rows)
    return found


ID: Final = "(tableoid::oid::text || ':' || replace(trim(both '()' from ctid::text), ',', '.'))"
"""Where a row lies, as text without anything that arrays would quote: 16385:0.1."""


def place(row_id: str) -> str:
    """The condition that finds a row again by its id."""
    table, _, at = row_id.partition(":")
    return f"tableoid = {int(table)} and ctid = '({at.replace('.', ',')})'"


def named(title: str) -> str:
    """`schema.name` as SQL."""
    schema, _, name = title.partition(".")
    return f"{quoted(schema)}.{quoted(name)}"
