"""Stored files and realtime topics: rows whose owner stands in a path, found by trying paths as the owner.

No foreign key says whose file `a/b/c.pdf` is. Every layout of account and record that policies use is laid
out for both families; what its owner reads (or may upload) is theirs, and everybody else is tried on it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Final

from tools.rls.proof.actors import Actor, literal
from tools.rls.proof.model import Belonging, Kind
from tools.rls.proof.population import Population
from tools.rls.proof.side import Side
from tools.rls.proof.states import State
from tools.rls.proof.world import PATH, World, WorldRow, named, quoted
from tools.rls.proof.writing import Write
from tools.sandbox.scratch.fill import CannotFill
from tools.sandbox.scratch.session import SqlFailure

OBJECTS: Final = "storage.objects"
MIXED: Final = "of two records"
"""Of a new file's path: one folder names the first family's record, another the second's."""
BESIDE: Final = "beside folder"
"""A folder, by its number, only begins like one: `1234-2` for `1234`."""


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
    for bucket in (bucket.id for bucket in snapshot.buckets):
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
    for bucket in (bucket.id for bucket in snapshot.buckets):
        for name, key in _siblings(population, world.sides[0]):
            with suppress(CannotFill, SqlFailure):
                population.filler.insert(OBJECTS, {"bucket_id": bucket, "name": name})
                world.paths[name] = ("", key)


def _siblings(population: Population, side: Side) -> list[tuple[str, str]]:
    """(path, record key) of files of a second record under the same one above: a patient of the same clinic.

    They are nobody's, so that only a path gives them away. The record is made when it is asked for first.
    """
    found = [(name, key) for name, (account, key) in population.world.paths.items() if key and not account]
    for child, record in side.records.items() if not found else ():
        relation = population.snapshot.relations.get(child)
        for link in relation.foreign_keys if relation else ():
            above = side.records.get(link.target)
            if relation is None or above is None:
                continue
            single = {name for key in relation.keys if key.kind == "u" for name in key.columns}
            free = {name for name in single - {*link.columns} if not relation.columns[name].required}
            with suppress(CannotFill, SqlFailure):
                sibling = population.filler.variant(record, dict.fromkeys(free))
                own = sibling.values.get(population.model.anchors[child].key) or ""
                name = above.values.get(population.model.anchors[link.target].key) or ""
                found.append((f"{name}/{own}/file.pdf", own))
    return found


def _owner(columns: Collection[str], account: str) -> dict[str, str | None]:
    return {name: account for name in ("owner", "owner_id") if name in columns}


def layouts(population: Population, side: Side) -> Iterator[tuple[str, str, str]]:
    """(path, account, record key): the account alone, each record alone, and both in either order.

    In a record's own folder lies a file, too, that is named like the other family's record.
    """
    account = side.account
    other = next((one for one in population.world.sides[:2] if one is not side), side)
    yield f"{account}/file.pdf", account, ""
    snapshot = population.snapshot
    for child, record in side.records.items():
        own = record.values.get(population.model.anchors[child].key) or ""
        relation = snapshot.relations.get(child)
        for key in relation.foreign_keys if relation else ():
            above = side.records.get(key.target)
            if above is not None:
                name = above.values.get(population.model.anchors[key.target].key) or ""
                yield f"{name}/{own}/file.pdf", account, own
                theirs = other.records.get(child, record).values.get(population.model.anchors[child].key)
                yield f"{name}/{own}/{theirs}.pdf", account, own
    for table, record in side.records.items():
        key = record.values.get(population.model.anchors[table].key) or ""
        if key:
            yield f"{key}/file.pdf", account, key
            yield f"{account}/{key}/file.pdf", account, key
            yield f"{key}/{account}/file.pdf", account, key


def uploads(world: World, actor: Actor, only: frozenset[str] | None = None) -> Iterator[Write]:
    """New files in everybody's folders (of `only` these files), also such as carry the caller's own id."""
    laid = {row.values.get("name") or "" for row in world.rows.get(OBJECTS, ())}
    buckets = [bucket.id for bucket in world.snapshot.buckets]
    for name in sorted(laid & world.paths.keys() & (laid if only is None else only)):
        folder, _, _ = name.rpartition("/")
        for file in ("new.pdf", f"{actor.account}.pdf") if actor.account else ("new.pdf",):
            path = f"{folder}/{actor.account[:8]}-{file}" if file == "new.pdf" else f"{folder}/{file}"
            world.paths.setdefault(path, world.paths[name])
            for bucket in buckets:
                yield _upload(world, actor, bucket, path)


def strays(world: World, actor: Actor, used: Collection[str]) -> Iterator[Write]:
    """New files whose path is almost that of a file of `used`: of two records, or beside a folder.

    Whether that is refused is for expectations to say: where policies leave the rest of a path to whoever
    owns its first folder, both are as good as any other name.
    """
    files = [row for row in world.rows.get(OBJECTS, ()) if row.values.get("name") in used]
    twins, laid = _twins(world), {name.rpartition("/")[0]: name for name in world.paths}
    done: set[tuple[str, str]] = set()
    for row in files if actor.account else ():
        name, bucket = row.values.get("name") or "", row.values.get("bucket_id") or ""
        folders = name.split("/")[:-1]
        for said, path, honest in _turned(folders, twins):
            if (bucket, path) not in done and honest <= laid.keys():
                done.add((bucket, path))
                file = f"{path}/{actor.account[:8]}-new.pdf"
                world.strays.setdefault(file, tuple(laid[one] for one in sorted(honest)))
                yield _upload(world, actor, bucket, file, {PATH: said})


def astray(row: WorldRow | None) -> bool:
    """Whether a new file is one of the strays."""
    return row is not None and row.table == OBJECTS and PATH in row.values


def stray_states(rows: Iterable[WorldRow | None]) -> list[State]:
    """What the strays among new files are, as states of expectations."""
    found = {row.values[PATH] or "" for row in rows if row is not None and astray(row)}
    return [State(PATH, "is", said) for said in sorted(found)]


def _twins(world: World) -> dict[str, str]:
    """The first family's accounts and records -> the second's, and the other way round."""
    one, other = world.sides[:2]
    anchors = world.model.anchors
    pairs = [(one.account, other.account)]
    for title in one.records.keys() & other.records.keys():
        first, second = (side.records[title].values.get(anchors[title].key) for side in (one, other))
        pairs.append((first or "", second or ""))
    return {a: b for pair in pairs for a, b in (pair, pair[::-1]) if a and b}


def _turned(folders: list[str], twins: Mapping[str, str]) -> Iterator[tuple[str, str, set[str]]]:
    """(what it is, a path, the folders that it is like) for every folder that names somebody."""
    honest = "/".join(folders)
    said = [number for number, folder in enumerate(folders) if folder in twins]
    theirs = "/".join(twins.get(folder, folder) for folder in folders)
    for number in said:
        before, after = folders[:number], folders[number + 1 :]
        if len(said) > 1:
            yield MIXED, "/".join([*before, twins[folders[number]], *after]), {honest, theirs}
        yield f"{BESIDE} {number + 1}", "/".join([*before, f"{folders[number]}-2", *after]), {honest}


def _upload(
    world: World, actor: Actor, bucket: str, path: str, said: Mapping[str, str | None] | None = None
) -> Write:
    """The INSERT of a file; `said` tells more about its row than its columns do."""
    relation = world.snapshot.relations[OBJECTS]
    values: dict[str, str | None] = {
        "bucket_id": bucket,
        "name": path,
        **_owner(relation.columns, actor.account),
    }
    names = ", ".join(quoted(column) for column in values)
    given = ", ".join(literal(value) for value in values.values())
    sql = f"insert into {named(OBJECTS)} ({names}) values ({given})"
    return Write("insert", "INSERT", OBJECTS, sql, None, WorldRow(OBJECTS, "", {**values, **(said or {})}))
