"""The probes of one relation or function for one actor: texts that driver.sql runs and undoes."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

from psycopg import sql

from benchmarks.rls.case import Actor, Case
from benchmarks.rls.oracle.world import Column, Known

TOUCHED: Final = ("created_at", "updated_at", "inserted_at", "last_accessed_at", "metadata", "version")
LATE: Final = "2045-01-01T00:00:00+00:00"
CALLS: Final = 14
"""How many calls of one function an actor makes at most."""


@dataclass(frozen=True, slots=True)
class Probe:
    """`key` names it across databases; `sql` begins with q: or w: (see driver.sql)."""

    key: str
    sql: str
    topic: str | None = None
    after: str | None = None


def quoted(value: Any) -> str:
    """A literal."""
    return sql.Literal(value).as_string(None)


def name(*parts: str) -> str:
    """An identifier."""
    return sql.Identifier(*parts).as_string(None)


def title(known: Known) -> str:
    """The quoted name of a relation."""
    return name(*known.title.split(".", 1))


def labels(known: Known) -> str:
    """The expression that names a row in an answer: its key, or all of it where there is none."""
    if known.key:
        return "left(md5(concat_ws('/', " + ", ".join(f"t.{name(k)}" for k in known.key) + ")), 12)"
    return "left(md5(to_jsonb(t)::text), 12)"


def reads(known: Known, topics: Iterable[str]) -> Iterator[Probe]:
    """Which rows, and what of the columns that are not granted."""
    query = f"q:select string_agg({labels(known)}, ',') from {title(known)} t"
    if known.title == "realtime.messages":
        for topic in topics:
            yield Probe(f"read {known.title} on {topic}", query, topic)
        return
    yield Probe(f"read {known.title}", query)
    for column in known.columns:
        if not column.readable and column.type in ("text", "varchar", "uuid", "jsonb", "date"):
            yield Probe(
                f"read column {known.title}.{column.name}",
                f"q:select nullif(count({name(column.name)}), 0) from {title(known)}",
            )


def deletes(known: Known) -> Iterator[Probe]:
    """One known row at a time, and everything at once."""
    if known.kind not in ("r", "p") or not known.key:
        return
    yield Probe(f"delete {known.title}", f"w:delete from {title(known)}")
    for row in known.rows:
        yield Probe(
            f"delete {known.title} {_label(known, row)}",
            f"w:delete from {title(known)} where {_same(known, row)}",
        )


def untouched(known: Known) -> Iterator[tuple[Column, Probe]]:
    """Updates that change nothing: they show for which columns changes are worth trying."""
    if known.kind not in ("r", "p") or not known.key:
        return
    for column in deciding(known):
        text = f"w:update {title(known)} set {name(column.name)} = {name(column.name)}"
        yield column, Probe(f"update {known.title}.{column.name}", text)


def changes(
    known: Known, column: Column, actor: Actor, case: Case, everyone: Mapping[str, Actor]
) -> Iterator[Probe]:
    """Single values changed in known rows: moved to another record, revived, raised, lengthened."""
    for value in _values(known, column, actor, case, everyone):
        shown = "null" if value is None else str(value)
        if column.target:  # without WHERE no column is read, so that the SELECT policies have no say
            yield Probe(
                f"update {known.title}.{column.name} = {shown} everywhere",
                f"w:update {title(known)} set {name(column.name)} = {quoted(value)}",
            )
        for row in known.rows:
            if row.get(column.name) == value:
                continue
            yield Probe(
                f"update {known.title}.{column.name} = {shown} {_label(known, row)}",
                f"w:update {title(known)} set {name(column.name)} = {quoted(value)} "
                f"where {_same(known, row)}",
            )


def inserts(known: Known, actor: Actor, case: Case, everyone: Mapping[str, Actor]) -> Iterator[Probe]:
    """Copies of known rows with a new key: as they are, written by the actor, with parents of two records."""
    if known.kind not in ("r", "p"):
        return
    people = [
        c.name
        for c in known.columns
        if c.target in case.accounts or (c.name == "owner_id" and known.title == "storage.objects")
    ]
    granted = [c for c in known.columns if c.insertable and not c.generated]
    every = [c for c in known.columns if not c.generated and not c.identity]
    lists = [granted] if granted and len(granted) < len(every) else []
    wanted = _rows_of(known, actor, case, people)
    if known.title == "storage.objects":
        wanted += _files(known, actor, case, everyone)
    for columns in (*lists, every):
        kind = "all" if columns is every else "granted"
        for key, row in wanted:
            names = [c.name for c in columns if c.name in row and row[c.name] is not None]
            if not names:
                continue
            listed = ", ".join(name(n) for n in names)
            document = quoted(_json({n: row[n] for n in names}))
            yield Probe(
                f"insert {known.title} {kind} {key}",
                f"w:insert into {title(known)} ({listed}) select {listed} "
                f"from jsonb_populate_record(null::{title(known)}, {document}::jsonb)",
                topic=str(row.get("topic")) if known.title == "realtime.messages" else None,
            )


def _rows_of(known: Known, actor: Actor, case: Case, people: list[str]) -> list[tuple[str, dict[str, Any]]]:
    """What is inserted, by name: each known row by each author, and with one parent of another record."""
    wanted: list[tuple[str, dict[str, Any]]] = []
    parents = [c.name for c in known.columns if c.target and c.target not in case.accounts]
    for index, row in enumerate(known.rows):
        signed = _authors(_fresh(known, row, f"{actor.name} {index}"), people, actor.uid)
        wanted += [(f"{index}.{number}", one) for number, one in enumerate(signed)]
        for column in parents:
            others = [r[column] for r in known.rows if r.get(column) not in (None, row.get(column))]
            wanted += [(f"{index}.{column}={v}", {**signed[-1], column: v}) for v in others[:1]]
    return wanted


def calls(
    function: tuple[str, list[str], list[str], bool, bool],
    pool: Mapping[str, list[str]],
    actor: Actor,
    case: Case,
) -> Iterator[Probe]:
    """Calls of one function with arguments that belong to others. `pool`: table stem -> ids."""
    named, arguments, types, returns_set, volatile = function
    choices = [_arguments(a, t, pool, actor, case) for a, t in zip(arguments, types, strict=True)]
    for combination in list(product(*choices))[:: max(1, _size(choices) // CALLS)][:CALLS]:
        said = ", ".join(f"{quoted(v)}::{t}" for v, t in zip(combination, types, strict=True))
        if returns_set and not volatile:
            text = f"q:select string_agg(left(md5(to_jsonb(f)::text), 12), ',') from {named}({said}) f"
        elif returns_set:
            text = f"q:select nullif(count(*), 0) from {named}({said}) f"
        elif volatile:
            text = f"q:select 'done' from (select {named}({said}) as f) s"
        else:
            shown = "left(md5(nullif(nullif(nullif(f, ''), 'f'), '{}')), 12)"
            text = f"q:select {shown} from (select {named}({said})::text as f) s"
        yield Probe(f"call {named}({said})".replace(actor.uid or "-", "self"), text)


def deciding(known: Known) -> list[Column]:
    """Columns that may decide about access: keys, words, flags, times, paths."""
    return [
        c
        for c in known.columns
        if not c.generated and c.name not in TOUCHED and not (c.name in known.key and not c.target)
        and (c.type in ("uuid", "bool", "timestamptz", "date") or c.words or c.target
             or c.name in ("name", "bucket_id", "owner_id", "topic", "storage_path"))
    ]  # fmt: skip


def _values(
    known: Known, column: Column, actor: Actor, case: Case, everyone: Mapping[str, Actor]
) -> list[Any]:
    if column.words:
        return list(column.words)
    if column.type == "bool":
        return [True, False]
    if column.type in ("timestamptz", "date"):
        return [LATE] if column.required else [None, LATE]
    if column.target in case.accounts:
        return [actor.uid] if actor.uid else []
    present = [row[column.name] for row in known.rows if row.get(column.name) is not None]
    if known.title == "storage.objects" and column.name == "name":
        return [str(value) + ".moved" for value in dict.fromkeys(present)][:3]
    if column.target in case.anchors:
        return list(dict.fromkeys([*case.interesting[:3], *present]))[:6]
    return list(dict.fromkeys(present))[:4]


def _authors(row: dict[str, Any], people: list[str], uid: str) -> list[dict[str, Any]]:
    """The row as it is, with one person column at a time naming the actor, and with all of them."""
    variants = [row]
    if uid:
        variants += [{**row, column: uid} for column in people if row.get(column) != uid]
        if len(people) > 1:
            variants.append({**row, **dict.fromkeys(people, uid)})
    return variants


def _fresh(known: Known, row: Mapping[str, Any], salt: str) -> dict[str, Any]:
    """A copy whose own keys are new, so that it is refused for no other reason than access."""
    copy = dict(row)
    seed = f"{known.title} {salt}"
    for column in known.columns:
        value = copy.get(column.name)
        if value is None or column.target:
            continue
        if column.type == "uuid" and column.name in known.key:
            copy[column.name] = str(uuid.UUID(hashlib.md5(seed.encode(), usedforsecurity=False).hexdigest()))
        elif column.identity or (column.type in ("int8", "int4") and column.name in known.key):
            copy[column.name] = (
                int(hashlib.md5(seed.encode(), usedforsecurity=False).hexdigest()[:7], 16) + 10**6
            )
        elif column.type in ("text", "varchar") and column.alone and not column.words:
            copy[column.name] = f"{value}{hashlib.md5(seed.encode(), usedforsecurity=False).hexdigest()[:6]}"
    return copy


def _files(
    known: Known, actor: Actor, case: Case, everyone: Mapping[str, Actor]
) -> list[tuple[str, dict[str, Any]]]:
    """Uploads into folders of others, and into folders that only look like one's own."""
    if not known.rows:
        return []
    target = next(iter(everyone.values()))
    found: list[tuple[str, dict[str, Any]]] = []
    buckets = list(dict.fromkeys(row["bucket_id"] for row in known.rows))
    owner = everyone.get("owner", target)
    anchor = str(known.rows[0]["name"]).split("/")[1] if "/" in str(known.rows[0]["name"]) else ""
    for bucket in buckets:
        for index, pattern in enumerate(case.paths):
            path = pattern.format(uid=actor.uid, other=anchor, other_owner=owner.uid)
            row = _fresh(known, known.rows[0], f"{actor.name} file {bucket} {index}")
            found.append(
                (
                    f"file {bucket} {index}",
                    {**row, "bucket_id": bucket, "name": path, "owner_id": actor.uid, "owner": None},
                )
            )
    return found


def _arguments(
    argument: str, type_: str, pool: Mapping[str, list[str]], actor: Actor, case: Case
) -> list[Any]:
    if type_ == "uuid":
        stem = argument.removeprefix("p_").removeprefix("_").removeprefix("wanted_").removesuffix("_id")
        return (pool.get(stem) or pool.get(stem.split("_")[-1]) or pool["*"])[:10] + (
            [actor.uid] if actor.uid else []
        )
    if argument in case.texts:
        return list(case.texts[argument])
    if type_ in ("text", "character varying"):
        return list(case.texts.get("*", ("active", "x")))
    if type_.startswith("timestamp"):
        return ["2000-01-01", LATE] if argument in ("since", "p_since") else [LATE]
    if type_ in ("integer", "bigint", "smallint"):
        return [100]
    if type_ == "boolean":
        return [True]
    if type_ in ("jsonb", "json"):
        return ["{}"]
    return [None]


def _size(choices: list[list[Any]]) -> int:
    size = 1
    for choice in choices:
        size *= len(choice)
    return size


def _same(known: Known, row: Mapping[str, Any]) -> str:
    return " and ".join(f"{name(k)} = {quoted(row[k])}" for k in known.key)


def _label(known: Known, row: Mapping[str, Any]) -> str:
    return "/".join(str(row[k]) for k in known.key)


def _json(row: Mapping[str, Any]) -> str:
    return json.dumps(row, default=str)
