"""What a row of each table must look like, read in a constant number of catalog queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Literal

from tools.sandbox.scratch import shape_queries as queries
from tools.sandbox.scratch.session import ScratchSession

PARTITION_BOUNDS: Final = "partition bounds"


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `type` as written in SQL, `stored` the same with domains resolved.

    `name_of_type` is the pg_type name of `stored` (int4, text, _text), `kind` its typtype (b, e, c, r, m).
    `element` is the SQL type of an array's elements, `element_name` its pg_type name; `labels` are an enum's
    (of the elements for an array of enums). `limit` is the length of varchar and char, or 0.
    """

    name: str
    type: str
    stored: str
    name_of_type: str
    kind: str
    not_null: bool
    default: str | None = None
    generated: bool = False
    generation: str = ""
    identity: Literal["", "always", "default"] = ""
    labels: tuple[str, ...] = ()
    element: str = ""
    element_name: str = ""
    fields: tuple[str, ...] = ()
    """SQL types of a composite type's fields."""
    limit: int = 0
    precision: tuple[int, int] | None = None
    """Digits and scale of a numeric with a limit."""

    @property
    def is_text(self) -> bool:
        """Whether values are plain text."""
        return self.name_of_type in ("text", "varchar", "bpchar", "name", "citext")

    @property
    def is_time(self) -> bool:
        """Whether values are dates or points in time."""
        return self.name_of_type in ("date", "timestamp", "timestamptz")


@dataclass(frozen=True, slots=True)
class Check:
    """A condition that a row must not make false. Names in `expression` are this table's columns."""

    name: str
    expression: str
    columns: tuple[str, ...]
    domain: bool = False


@dataclass(frozen=True, slots=True)
class Key:
    """A unique key or unique index; `predicate` where partial, `parts` are its columns or expressions."""

    name: str
    columns: tuple[str, ...]
    parts: tuple[str, ...]
    primary: bool = False
    predicate: str = ""
    nulls_distinct: bool = True


@dataclass(frozen=True, slots=True)
class Exclusion:
    """An exclusion constraint and the columns it looks at."""

    name: str
    columns: tuple[str, ...]
    definition: str


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A foreign key; `target` is `schema.name`."""

    name: str
    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]
    deferrable: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """One table. `kind` is r (table), p (partitioned) or f (foreign).

    `partitions` counts leaf partitions of a partitioned table; `partition_of` names a partition's parent.
    `always` are triggers that fire even with session_replication_role = replica (ENABLE ALWAYS or REPLICA).
    """

    table: str
    sql_name: str
    kind: str
    columns: tuple[Column, ...]
    checks: tuple[Check, ...] = ()
    keys: tuple[Key, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    partition_of: str = ""
    partitions: int = 0
    bounds: tuple[str, ...] = ()
    always: tuple[str, ...] = ()
    by_name: Mapping[str, Column] = field(default_factory=dict[str, Column], compare=False, repr=False)

    def column(self, name: str) -> Column | None:
        """The column of this name."""
        return self.by_name.get(name)


@dataclass
class _Parts:
    """What the queries gave, by the table's oid."""

    rows: Mapping[str, list[tuple[Any, ...]]]

    @cached_property
    def labels(self) -> dict[int, tuple[str, ...]]:
        return {oid: tuple(labels) for oid, labels in self.rows["labels"]}

    @cached_property
    def fields(self) -> dict[int, tuple[str, ...]]:
        return {oid: tuple(types) for oid, types in self.rows["fields"]}

    def of(self, what: str, oid: int) -> Iterable[tuple[Any, ...]]:
        return self._grouped[what].get(oid, ())

    @cached_property
    def _grouped(self) -> dict[str, dict[int, list[tuple[Any, ...]]]]:
        found: dict[str, dict[int, list[tuple[Any, ...]]]] = {}
        for what, rows in self.rows.items():
            group = found.setdefault(what, {})
            for row in rows:
                group.setdefault(row[0], []).append(row[1:])
        return found


def read_shapes(session: ScratchSession, schemas: Iterable[str] | None = None) -> Mapping[str, Shape]:
    """Shapes of all tables by `schema.name`; of `schemas` only where given. System schemas are left out.

    Expressions are deparsed with an empty search_path: they mean the same whatever the session sets later.
    """
    ((path,),) = session.rows("select current_setting('search_path')")
    with session.savepoint():
        session.run("select set_config('search_path', '', true)")
        wanted = list(schemas) if schemas is not None else None
        relations = session.rows(queries.RELATIONS, {"schemas": wanted})
        rows = {name: session.rows(text) for name, text in queries.PARTS.items()}
        session.run("select set_config('search_path', %s, true)", [path])
    parts = _Parts(rows)
    return {relation[1]: _shape(relation, parts) for relation in relations}


def _shape(relation: tuple[Any, ...], parts: _Parts) -> Shape:
    oid, table, sql_name, kind, partition_of = relation
    columns = tuple(_column(row, parts) for row in parts.of("columns", oid))
    bounds = tuple(row[0] for row in parts.of("bounds", oid) if row[0])
    return Shape(
        table=table,
        sql_name=sql_name,
        kind=kind,
        columns=columns,
        checks=tuple(Check(name, text, tuple(on)) for name, text, on in parts.of("checks", oid))
        + tuple(_domain_check(row) for row in parts.of("domain_checks", oid)),
        keys=tuple(
            Key(name, tuple(on), tuple(texts), primary, predicate or "", distinct)
            for name, on, texts, primary, predicate, distinct in parts.of("keys", oid)
        ),
        exclusions=tuple(Exclusion(name, tuple(on), text) for name, on, text in parts.of("exclusions", oid)),
        foreign_keys=tuple(
            ForeignKey(name, tuple(on), target, tuple(target_on), deferrable)
            for name, on, target, target_on, deferrable in parts.of("foreign_keys", oid)
        ),
        partition_of=partition_of or "",
        partitions=len(list(parts.of("bounds", oid))) if kind == "p" else 0,
        bounds=bounds,
        always=tuple(row[0] for row in parts.of("triggers", oid)),
        by_name={column.name: column for column in columns},
    )


def _column(row: tuple[Any, ...], parts: _Parts) -> Column:
    name, type_, stored, type_name, kind, type_oid, element, element_name, element_oid = row[:9]
    not_null, default, generated, identity, typmod = row[9:]
    return Column(
        name=name,
        type=type_,
        stored=stored,
        name_of_type=type_name,
        kind=kind,
        not_null=not_null,
        default=None if generated else default,
        generated=bool(generated),
        generation=default if generated else "",
        identity="always" if identity == "a" else "default" if identity == "d" else "",
        labels=parts.labels.get(element_oid or type_oid, ()),
        element=element or "",
        element_name=element_name or "",
        fields=parts.fields.get(type_oid, ()),
        limit=typmod - 4 if typmod > 4 and type_name in ("varchar", "bpchar") else 0,
        precision=_precision(typmod) if typmod >= 4 and type_name == "numeric" else None,
    )


def _precision(typmod: int) -> tuple[int, int]:
    """Digits and scale, as numeric_in packs them (the scale is signed since PostgreSQL 15)."""
    packed = typmod - 4
    return packed >> 16 & 0xFFFF, ((packed & 0x7FF) ^ 1024) - 1024


def _domain_check(row: tuple[Any, ...]) -> Check:
    name, expression, column = row
    return Check(name, value_is(expression, column), (column,), domain=True)


def value_is(expression: str, column: str) -> str:
    """A domain's condition with VALUE written as a column's name."""
    quoted = '"' + column.replace('"', '""') + '"'
    parts: list[str] = []
    for piece in queries.QUOTED.split(expression):
        plain = not piece.startswith(("'", '"'))
        parts.append(queries.VALUE.sub(lambda _: quoted, piece) if plain else piece)
    return "".join(parts)
