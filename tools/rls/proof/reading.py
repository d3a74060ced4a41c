"""What callers read: one query per relation that gives the places of the rows it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tools.rls.objects import Relation
from tools.rls.proof.world import ID, World, named, quoted
from tools.rls.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class ReadingQuery:
    """One relation's query for one role. `decode` maps what it gives to ids; empty when it gives ids."""

    table: str
    sql: str
    decode: Mapping[str, str]

    def ids(self, given: frozenset[str]) -> frozenset[str]:
        """Ids of world rows."""
        return frozenset(self.decode[one] for one in given if one in self.decode) if self.decode else given


def reading_queries(world: World, role: str) -> tuple[ReadingQuery, ...]:
    """A query for every table of the world on which the role has SELECT at all."""
    found: list[ReadingQuery] = []
    parts = [relation.title for relation in world.snapshot.tables if relation.partition]
    for title in [*world.tables, *parts]:
        relation = world.snapshot.relations[title]
        if not addressable(world.snapshot, relation):
            continue
        query = _query(world, relation, role)
        if query is not None:
            found.append(query)
    return tuple(found)


def addressable(snapshot: Snapshot, relation: Relation) -> bool:
    """Whether requests can name it: an exposed schema, or storage, which has an API of its own."""
    return snapshot.reachable(relation.schema) or relation.title == "storage.objects"


def _query(world: World, relation: Relation, role: str) -> ReadingQuery | None:
    known = world.snapshot.roles.get(role)
    if known is None or "SELECT" not in world.snapshot.may(known, relation):
        return None
    title = relation.title
    if "SELECT" in world.snapshot.may(known, relation, columns=False):
        sql = f'select array_agg({ID} order by {ID} collate "C") from {named(title)}'
        return ReadingQuery(title, sql, {})
    columns = [
        name for name in relation.columns if world.snapshot.may_column(known, relation, name, "SELECT")
    ]
    shown = ", ".join(f"coalesce({quoted(name)}::text, '~')" for name in columns)
    digest = f"md5(concat_ws('|', {shown}))"
    sql = f'select array_agg({digest} order by {digest} collate "C") from {named(title)}'
    return ReadingQuery(title, sql, digests(world, title, columns))


def digests(world: World, title: str, columns: Sequence[str]) -> dict[str, str]:
    """MD5 of some columns' values -> id, as the query makes it."""
    from hashlib import md5

    found: dict[str, str] = {}
    for row in world.rows_of(title):
        text = "|".join("~" if (value := row.values.get(name)) is None else value for name in columns)
        found[md5(text.encode(), usedforsecurity=False).hexdigest()] = row.id
    return found


def sentinels(world: World, queries: Sequence[ReadingQuery]) -> tuple[int, ...]:
    """Numbers of queries that together ask every distinct policy: after a write these suffice."""
    known: set[tuple[object, ...]] = set()
    chosen: list[int] = []
    for number, query in enumerate(queries):
        relation = world.snapshot.relations[query.table]
        if relation.partition:
            continue
        belonging = world.model.tables.get(query.table)
        texts = tuple(sorted(p.using_text or "" for p in relation.policies if p.covers("SELECT")))
        mark = (relation.rls, texts, belonging.anchors if belonging else ())
        if mark not in known:
            known.add(mark)
            chosen.append(number)
    return tuple(chosen)


@dataclass(frozen=True, slots=True)
class Canaries:
    """Values that occur in rows of one record only: whoever shows one shows that record."""

    of: Mapping[str, str]
    """Value -> id of the row it comes from."""

    def found(self, text: str) -> frozenset[str]:
        """Ids of rows whose own values stand in a JSON text."""
        return frozenset(row for value, row in self.of.items() if f'"{value}"' in text or f"{value}" == text)


def canaries(world: World, tables: Sequence[str]) -> Canaries:
    """Distinctive values of some tables: their keys and texts, where no other row has the same."""
    count: dict[str, int] = {}
    origin: dict[str, str] = {}
    for title, rows in world.rows.items():
        for row in rows:
            for value in set(filter(None, row.values.values())):
                count[value] = count.get(value, 0) + 1
                if title in tables:
                    origin[value] = row.id
    distinct = {value: row for value, row in origin.items() if count[value] == 1 and _telling(value)}
    return Canaries(distinct)


def _telling(value: str) -> bool:
    """Whether a value that occurs once says where it comes from: numbers and words of few letters do not."""
    return len(value) >= 5 and any(letter.isalpha() for letter in value)
