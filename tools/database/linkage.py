"""Which tables hold data about persons, and what is known of their columns. Read from the catalog each time.

A table is patient-linked when a chain of foreign keys leads from it to a table of persons, when its own name
or columns say so, or when its schema is one of Supabase's. The rest is reference data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tools.database.reviewed import SENSITIVE_SCHEMAS

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
       array(select distinct e.parent::int8 from edges e where e.child = c.oid) as parents
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
             where c.conrelid = a.attrelid and c.contype = 'c' and c.conkey = array[a.attnum]) as checks
from pg_catalog.pg_attribute a
join pg_catalog.pg_type t on t.oid = a.atttypid
left join pg_catalog.pg_constraint k
  on k.conrelid = a.attrelid and k.contype = 'p' and a.attnum = any (k.conkey)
left join lateral (
  select c.confrelid from pg_catalog.pg_constraint c
  where c.conrelid = a.attrelid and c.contype = 'f' and a.attnum = any (c.conkey)
  order by cardinality(c.conkey), c.oid limit 1) f on true
where a.attrelid = any (%(oids)s::oid[]) and a.attnum > 0 and not a.attisdropped
order by a.attrelid, a.attnum
"""
_LISTED: Final = re.compile(
    r"CHECK \(+\"?\w+\"?\)?(?:::text)? = ANY \(+ARRAY\[(?:'[^']*'::(?:text|character varying|bpchar)(?:, )?)+"
    r"\]\)?(?:::text\[\])?\)\)\)"
)
"""Exactly `CHECK (x IN ('a', 'b'))` as PostgreSQL prints it: one more OR and it would prove nothing."""
_PERSONS: Final = re.compile(
    r"(?:^|_)(?:patients?|pers(?:on|ons)|people|profiles?|users?|accounts?|members?|memberships?|famil(?:y|ies)"
    r"|clients?|contacts?|child(?:ren)?|dependants?|dependents?|guardians?|carers?|caregivers?|providers?"
    r"|practitioners?|physicians?|doctors?|nurses?|staff|employees?|subjects?|beneficiar(?:y|ies)|insured"
    r"|customers?|next_of_kin|relatives?|participants?)(?:$|_)"
)
_CLINICAL: Final = re.compile(
    r"(?:^|_)(?:observations?|encounters?|medications?|prescriptions?|allerg(?:y|ies)|conditions?|diagnos[ei]s"
    r"|immuni[sz]ations?|vaccinations?|vitals?|symptoms?|lab_?results?|specimens?|appointments?|visits?"
    r"|admissions?|procedures?|treatments?|referrals?|claims?|consents?|clinical\w*|health_records?"
    r"|medical_records?|documents?|audit\w*|access_logs?)(?:$|_)"
)
_REFERENCE: Final = re.compile(
    r"_(?:codes?|types?|kinds?|categor(?:y|ies)|status(?:es)?|catalog|dictionary|purposes?|rules?|templates?|settings)$"
)
_TELLING: Final = re.compile(
    r"^(?:(?:patient|person|profile|member|user|account|subject|client|guardian|child|owner|caregiver|carer"
    r"|provider|practitioner|family|beneficiary|customer|employee|staff)_?(?:id|uuid|ref|key|no|number)"
    r"|(?:\w+_)?(?:first|last|full|middle|maiden|given|family|sur|preferred|nick|legal|patient|user)_?names?"
    r"|(?:\w+_)?(?:e_?mail|phone|mobile|telephone|fax)(?:_\w+)?|(?:\w+_)?(?:dob|birth\w*|date_of_death)"
    r"|(?:\w+_)?(?:ssn|mrn|nhs_\w+|medicare\w*|national_id\w*|passport\w*|insurance_\w+)"
    r"|(?:\w+_)?(?:address|street|postcode|postal_code|zip|zip_code)(?:_\w+)?|ip|ip_addr\w*|gender|sex|ethnicity"
    r"|(?:\w+_)?(?:notes?|narrative|transcript|message|body|payload|comments?|symptoms?|diagnos[ei]s|dosage)"
    r"|(?:raw|ocr|extracted)_\w+)$"
)


@dataclass(frozen=True, slots=True)
class Attribute:
    """One column. `listed`: a CHECK allows only listed words; `refers_to`: the table of its foreign key."""

    relation: int
    number: int
    name: str
    type: str
    typtype: str
    category: str
    key: bool
    refers_to: int | None
    listed: bool


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its columns and the tables that its foreign keys (or its parent) lead to."""

    oid: int
    schema: str
    name: str
    kind: str
    parents: tuple[int, ...]
    columns: dict[int, Attribute]

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class Linkage:
    """The tables that were asked about and all that they refer to; why each is patient-linked."""

    tables: dict[int, Table]
    reasons: dict[int, str]

    def reason(self, oid: int) -> str | None:
        """Why the table is patient-linked, or None for reference data."""
        return self.reasons.get(oid)


async def read_linkage(session: Session, oids: Iterable[int]) -> Linkage:
    """The linkage of these tables. Two round trips, whatever the size of the schema."""
    wanted = sorted(set(oids))
    if not wanted:
        return Linkage({}, {})
    rows = await session.fetch(_CLOSURE, {"oids": wanted})
    columns: dict[int, dict[int, Attribute]] = {row["oid"]: {} for row in rows}
    for row in await session.fetch(_COLUMNS, {"oids": list(columns)}):
        listed = any(_LISTED.fullmatch(check) for check in row.pop("checks"))
        columns[row["relation"]][row["number"]] = Attribute(**row, listed=listed)
    return link(_table(row, columns[row["oid"]]) for row in rows)


def _table(row: Mapping[str, Any], columns: dict[int, Attribute]) -> Table:
    return Table(row["oid"], row["schema"], row["name"], row["kind"], tuple(row["parents"]), columns)


def link(tables: Iterable[Table]) -> Linkage:
    """Spread linkage against the direction of the foreign keys until nothing changes. Pure."""
    by_oid = {table.oid: table for table in tables}
    reasons = {oid: reason for oid, table in by_oid.items() if (reason := _own_reason(table))}
    spreading = True
    while spreading:
        spreading = False
        for oid, table in by_oid.items():
            if oid in reasons:
                continue
            linked = next((parent for parent in table.parents if parent in reasons), None)
            if linked is not None:
                reasons[oid] = f"it refers to {by_oid[linked]}"
                spreading = True
    return Linkage(by_oid, reasons)


def _own_reason(table: Table) -> str | None:
    if table.schema in SENSITIVE_SCHEMAS:
        return f"schema {table.schema}"
    if table.kind == "f":
        return "it is a foreign table"
    name = table.name.lower()
    if not _REFERENCE.search(name) and (_PERSONS.search(name) or _CLINICAL.search(name)):
        return "its name speaks of persons or their care"
    telling = next((c.name for c in table.columns.values() if _TELLING.match(c.name.lower())), None)
    return f"it has a column {telling}" if telling else None
