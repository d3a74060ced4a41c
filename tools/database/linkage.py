"""Which tables hold data about persons, and what is known of their columns. Read from the catalog each time.

A table is patient-linked when a chain of foreign keys leads from it to a table of persons, when its own name
or columns say so, when its schema is one of Supabase's, when nothing shows that it is reference data, or when
a person said so in sergei.toml. What a person said there beats everything else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tools.database.phi_tables import UNSURE, own_reason, own_reference, stray

if TYPE_CHECKING:
    from tools.database.connection import Session

# Everything that a foreign key or a partition's parent leads to, however far.
_CLOSURE: Final = """
with recursive edges as (
  select k.conrelid as child, k.confrelid as parent from pg_catalog.pg_constraint k where k.contype = 'f'
  union select i.inhrelid, i.inhparent from pg_catalog.pg_inherits i),
reached (oid) as (
  select unnest(%(oids)s::oid[]) union select e.parent from reached r join edges e on e.child = r.oid)
select c.oid::int8 as oid, n.nspname::text as schema, c.relname::text as name, c.relkind::text as kind,
       array(select distinct e.parent::int8 from edges e where e.child = c.oid) as parents,
       coalesce(pg_catalog.obj_description(c.oid, 'pg_class'), '') as comment,
       exists (select from pg_catalog.pg_index i where i.indrelid = c.oid and i.indisunique) as keyed
from reached r join pg_catalog.pg_class c on c.oid = r.oid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname not in ('pg_catalog', 'information_schema')
"""
_COLUMNS: Final = """
select a.attrelid::int8 as relation, a.attnum::int as number, a.attname::text as name,
       pg_catalog.format_type(a.atttypid, null) as type, t.typtype::text as typtype,
       t.typcategory::text as category, coalesce(k.contype = 'p', false) as key,
       f.confrelid::int8 as refers_to,
       array(select pg_catalog.pg_get_constraintdef(c.oid) from pg_catalog.pg_constraint c
             where c.conrelid = a.attrelid and c.contype = 'c' and c.conkey = array[a.attnum]) as checks,
       case when a.atttypid in (1042, 1043) and a.atttypmod > 4 then a.atttypmod - 4 end as length,
       coalesce(pg_catalog.col_description(a.attrelid, a.attnum), '') as comment,
       s.n_distinct::float8 as distinct_values, s.avg_width::int as width
from pg_catalog.pg_attribute a
join pg_catalog.pg_type t on t.oid = a.atttypid
left join pg_catalog.pg_constraint k
  on k.conrelid = a.attrelid and k.contype = 'p' and a.attnum = any (k.conkey)
left join lateral (
  select c.confrelid from pg_catalog.pg_constraint c
  where c.conrelid = a.attrelid and c.contype = 'f' and a.attnum = any (c.conkey)
  order by cardinality(c.conkey), c.oid limit 1) f on true
left join lateral (
  -- How many values there are and how wide, never which.
  select x.n_distinct, x.avg_width from pg_catalog.pg_stats x
  join pg_catalog.pg_class r on r.oid = a.attrelid
  join pg_catalog.pg_namespace n on n.oid = r.relnamespace
  where x.schemaname = n.nspname and x.tablename = r.relname and x.attname = a.attname
  order by x.inherited desc limit 1) s on true
where a.attrelid = any (%(oids)s::oid[]) and a.attnum > 0 and not a.attisdropped
order by a.attrelid, a.attnum
"""
_LISTED: Final = re.compile(
    r"CHECK \(+\"?\w+\"?\)?(?:::text)? = ANY \(+ARRAY\[(?:'[^']*'::(?:text|character varying|bpchar)(?:, )?)+"
    r"\]\)?(?:::text\[\])?\)\)\)"
)
"""Exactly `CHECK (x IN ('a', 'b'))` as PostgreSQL prints it: one more OR and it would prove nothing."""
_ROUNDS: Final = 8


@dataclass(frozen=True, slots=True)
class Attribute:
    """One column. `listed`: a CHECK allows only listed words; `refers_to`: the table of its foreign key.

    `length`: characters that varchar(n) allows; `distinct_values`: as pg_stats counts them (negative: a share
    of the rows); `width`: bytes on average. None where not known.
    """

    relation: int
    number: int
    name: str
    type: str
    typtype: str
    category: str
    key: bool
    refers_to: int | None
    listed: bool
    length: int | None = None
    comment: str = ""
    distinct_values: float | None = None
    width: int | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its columns and the tables that its foreign keys (or its parent) lead to.

    `keyed`: it has a primary key or another unique index.
    """

    oid: int
    schema: str
    name: str
    kind: str
    parents: tuple[int, ...]
    columns: dict[int, Attribute]
    comment: str = ""
    keyed: bool = True

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class Linkage:
    """The tables that were asked about and all that they refer to; why each is patient-linked.

    `reference`: why the others are reference data. `corrections`: `schema.table.column` or `schema.table.*`
    to whether it is PHI, as a person decided. `marked`: reference data with single columns that are PHI.
    """

    tables: dict[int, Table]
    reasons: dict[int, str]
    reference: Mapping[int, str] = field(default_factory=dict[int, str])
    corrections: Mapping[str, bool] = field(default_factory=dict[str, bool])
    marked: frozenset[int] = frozenset()

    def reason(self, oid: int) -> str | None:
        """Why the table is patient-linked, or None for reference data."""
        return self.reasons.get(oid)

    def correction(self, column: Attribute) -> bool | None:
        """What a person said of this column (or of its whole table): PHI, not PHI, or nothing."""
        table = self.tables.get(column.relation)
        if table is None:
            return None
        said = self.corrections.get(f"{table}.{column.name}")
        return self.corrections.get(f"{table}.*") if said is None else said


async def read_linkage(
    session: Session, oids: Iterable[int], corrections: Mapping[str, bool] | None = None
) -> Linkage:
    """The linkage of these tables. Two round trips, whatever the size of the schema."""
    wanted = sorted(set(oids))
    if not wanted:
        return Linkage({}, {})
    rows = await session.fetch(_CLOSURE, {"oids": wanted})
    columns: dict[int, dict[int, Attribute]] = {row["oid"]: {} for row in rows}
    for row in await session.fetch(_COLUMNS, {"oids": list(columns)}):
        listed = any(_LISTED.fullmatch(check) for check in row.pop("checks"))
        columns[row["relation"]][row["number"]] = Attribute(**row, listed=listed)
    return link((_table(row, columns[row["oid"]]) for row in rows), corrections)


def _table(row: Mapping[str, Any], columns: dict[int, Attribute]) -> Table:
    parents = tuple(row["parents"])
    return Table(
        row["oid"], row["schema"], row["name"], row["kind"], parents, columns, row["comment"], row["keyed"]
    )


def link(tables: Iterable[Table], corrections: Mapping[str, bool] | None = None) -> Linkage:
    """Spread linkage against the direction of the foreign keys until nothing changes. Pure."""
    by_oid = {table.oid: table for table in tables}
    said = dict(corrections or {})
    cleared = {oid for oid, table in by_oid.items() if said.get(f"{table}.*") is False}
    reasons = {oid: reason for oid, table in by_oid.items() if (reason := _reason(table, said))}
    spreading = True
    while spreading:
        spreading = False
        for oid, table in by_oid.items():
            if oid in reasons or oid in cleared:
                continue
            linked = next((parent for parent in table.parents if parent in reasons), None)
            if linked is not None:
                reasons[oid] = f"it refers to {by_oid[linked]}"
                spreading = True
    reference = dict.fromkeys(cleared, "sergei.toml says so")
    reference |= _references({oid: table for oid, table in by_oid.items() if oid not in reasons | reference})
    reasons |= {oid: UNSURE for oid in by_oid if oid not in reasons and oid not in reference}
    marked = frozenset(oid for oid in reference if _marks(by_oid[oid], said))
    reasons |= dict.fromkeys(marked, "single columns of it are PHI")
    return Linkage(by_oid, reasons, reference, said, marked)


def _reason(table: Table, said: Mapping[str, bool]) -> str | None:
    verdict = said.get(f"{table}.*")
    if verdict is None:
        return own_reason(table)
    return "sergei.toml says so" if verdict else None


def _references(tables: Mapping[int, Table]) -> dict[int, str]:
    """Why these are reference data, those that only combine reference data among them."""
    found = {oid: why for oid, table in tables.items() if (why := own_reference(table))}
    for _ in range(_ROUNDS):
        fresh = {
            oid: "it combines reference data"
            for oid, table in tables.items()
            if oid not in found and _combines(table, found)
        }
        if not fresh:
            break
        found |= fresh
    return found


def _combines(table: Table, reference: Mapping[int, str]) -> bool:
    """Whether every column refers to reference data, or could not hold a person's value."""
    refers = [column.refers_to for column in table.columns.values() if column.refers_to is not None]
    return bool(refers) and all(
        column.refers_to in reference
        if column.refers_to is not None
        else column.type == "boolean" or column.typtype == "e" or column.listed or column.key
        for column in table.columns.values()
    )


def _marks(table: Table, said: Mapping[str, bool]) -> bool:
    """Whether a column of reference data is PHI by a person's word, or by its own name."""
    whole = said.get(f"{table}.*")
    return any(
        said.get(f"{table}.{column.name}", whole is None and stray(column))
        for column in table.columns.values()
    )
