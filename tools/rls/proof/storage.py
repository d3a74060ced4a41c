"""Stored files and realtime topics: rows whose owner stands in a path, found by trying paths as the owner.

No foreign key says whose file `a/b/c.pdf` is. Every layout of account and record that policies use is laid
out for both families; what its owner reads (or may upload) is theirs, and everybody else is tried on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tools.rls.proof.model import Belonging, Kind
from tools.rls.proof.population import Population
from tools.rls.proof.side import Side
from tools.sandbox.scratch.fill import CannotFill
from tools.sandbox.scratch.session import SqlFailure

OBJECTS: Final = "storage.objects"


def fill(population: Population) -> None:
    """An object per bucket, layout and family; the model learns that they belong to whom the path names."""
    snapshot, world = population.snapshot, population.world
    relation = snapshot.relations.get(OBJECTS)
    if relation is None or not snapshot.buckets or not relation.policies:
        return
    belonging = population.model.tables.get(OBJECTS)
    if belonging is None or belonging.kind is not Kind.SCOPED:
        tables = population.model.tables
        if isinstance(tables, dict):
            tables[OBJECTS] = Belonging(OBJECTS, Kind.SCOPED, why="by the path of the file")
    private = [bucket.id for bucket in snapshot.buckets if not bucket.public]
    for bucket in private:
        for side in world.sides[:2]:
            for name, account, key in layouts(population, side):
                try:
                    row = population.filler.insert(
                        OBJECTS, {"bucket_id": bucket, "name": name, **_owner(relation.columns, account)}
                    )
                except (CannotFill, SqlFailure) as failure:
                    world.gaps.append((f"storage bucket {bucket}", str(failure)))
                    return
                side.add(row)
                world.paths[name] = (account, key)


def _owner(columns: object, account: str) -> dict[str, str | None]:
    names = set(columns) if isinstance(columns, (dict, set, list, tuple)) else set[str]()
    found: dict[str, str | None] = {}
    if "owner" in names:
        found["owner"] = account
    if "owner_id" in names:
        found["owner_id"] = account
    return found


def layouts(population: Population, side: Side) -> Iterator[tuple[str, str, str]]:
    """(path, account, record key): the account alone, each record alone, and both in either order."""
    account = side.account
    yield f"{account}/file.pdf", account, ""
    for table, record in side.records.items():
        key = record.values.get(population.model.anchors[table].key) or ""
        if key:
            yield f"{key}/file.pdf", account, key
            yield f"{account}/{key}/file.pdf", account, key
            yield f"{key}/{account}/file.pdf", account, key
