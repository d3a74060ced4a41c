"""The facts of the catalog about what a statement reaches, through views, operators, domains and bodies."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tools.database.reach import Name, Reach, inspect
from tools.database.reviewed import SENSITIVE_SCHEMAS
from tools.database.sqltext import parse_script
from tools.errors import InvalidInput

if TYPE_CHECKING:
    from tools.database.connection import Session

_ROUNDS: Final = 8
_RELATIONS: Final = """
select c.oid::int8 as oid, n.nspname::text as schema, c.relname::text as name, c.relkind::text as kind,
       exists (select from pg_catalog.pg_depend d
               where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid
                 and d.deptype = 'e') as extension,
       case when c.relkind in ('v', 'm') and n.nspname not in ('pg_catalog', 'information_schema')
            then pg_catalog.pg_get_viewdef(c.oid) end as definition
from (select distinct * from unnest(%(schemas)s::text[], %(names)s::text[]) as w (schema, name)) w
join pg_catalog.pg_class c on c.relname = w.name
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f', 't', 'S')
  and (n.nspname = w.schema or w.schema = '' and n.nspname = any (pg_catalog.current_schemas(true)))
"""
# A function is reached by its name; by an operator, a domain's check or a cast of a type that is named; or
# in attribute notation: t.f calls f(t) when t has no column f.
_FUNCTIONS: Final = """
with wanted as (select distinct * from unnest(%(schemas)s::text[], %(names)s::text[]) as w (schema, name)),
named_types as (
  select t.oid from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace
  where t.typname = any (%(types)s::text[]) and n.nspname <> 'pg_catalog'),
reached as (
  select p.oid from wanted w join pg_catalog.pg_proc p on p.proname = w.name
  join pg_catalog.pg_namespace n on n.oid = p.pronamespace
  where n.nspname = w.schema or w.schema = '' and n.nspname = any (pg_catalog.current_schemas(true))
  union
  select o.oprcode::oid from pg_catalog.pg_operator o join pg_catalog.pg_namespace n on n.oid = o.oprnamespace
  where o.oprname = any (%(operators)s::text[]) and n.nspname <> 'pg_catalog'
  union
  select d.refobjid from pg_catalog.pg_constraint k
  join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass
    and d.objid = k.oid and d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
  where k.contypid in (select oid from named_types)
  union
  select s.castfunc from pg_catalog.pg_cast s
  where s.castfunc <> 0
    and (s.castsource in (select oid from named_types) or s.casttarget in (select oid from named_types))
  union
  select p.oid from pg_catalog.pg_proc p
  join pg_catalog.pg_namespace n on n.oid = p.pronamespace
  join pg_catalog.pg_type t on t.oid = p.proargtypes[0]
  where p.proname = any (%(fields)s::text[]) and p.pronargs >= 1 and t.typtype in ('c', 'p')
    and n.nspname <> 'pg_catalog' and n.nspname = any (pg_catalog.current_schemas(true))
  union
  select a.part from (
    select x.aggfnoid::oid as whole, unnest(array[x.aggtransfn, x.aggfinalfn, x.aggcombinefn,
           x.aggmtransfn, x.aggmfinalfn]::oid[]) as part
    from pg_catalog.pg_aggregate x) a
  join pg_catalog.pg_proc p on p.oid = a.whole
  join pg_catalog.pg_namespace n on n.oid = p.pronamespace
  join wanted w on w.name = p.proname
  where a.part <> 0 and n.nspname <> 'pg_catalog'
)
select p.oid::int8 as oid, n.nspname::text as schema, p.proname::text as name,
       p.provolatile::text as volatility, l.lanname::text as language,
       exists (select from pg_catalog.pg_depend d
               where d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.objid = p.oid
                 and d.deptype = 'e') as extension,
       case when l.lanname in ('sql', 'plpgsql') and n.nspname <> 'pg_catalog'
            then coalesce(pg_catalog.pg_get_function_sqlbody(p.oid), p.prosrc) end as body
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
join pg_catalog.pg_language l on l.oid = p.prolang
where p.oid in (select oid from reached)
"""
_CALLED: Final = re.compile(r'(?:("[^"]+"|\w+)\s*\.\s*)?("[^"]+"|\w+)\s*\(')


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation that a statement reaches. `definition` is a user's view, as SQL."""

    oid: int
    schema: str
    name: str
    kind: str
    extension: bool
    definition: str | None

    @property
    def system(self) -> bool:
        """Whether it is part of PostgreSQL itself or of an extension without data of its own."""
        catalogs = self.schema in {"pg_catalog", "information_schema"}
        return catalogs or (self.extension and self.schema not in SENSITIVE_SCHEMAS)

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class Function:
    """A function that a statement reaches. `volatility` is i, s or v; `body` only for sql and plpgsql."""

    oid: int
    schema: str
    name: str
    volatility: str
    language: str
    extension: bool
    body: str | None

    @property
    def builtin(self) -> bool:
        """Whether it is part of PostgreSQL itself."""
        return self.schema == "pg_catalog"

    def __str__(self) -> str:
        return self.name if self.builtin else f"{self.schema}.{self.name}"


@dataclass(slots=True)
class Catalog:
    """What exists of the names that were reached, by oid. `inner`: functions that other functions call."""

    relations: dict[int, Relation] = field(default_factory=dict[int, Relation])
    functions: dict[int, Function] = field(default_factory=dict[int, Function])
    settings: set[str | None] = field(default_factory=set[str | None])
    inner: set[int] = field(default_factory=set[int])

    @property
    def views(self) -> list[Relation]:
        """Views and materialized views that are not the system's."""
        return [r for r in self.relations.values() if r.definition is not None and not r.system]


async def read_catalog(session: Session, reach: Reach) -> Catalog:
    """Resolve `reach` with this session's search_path, and what its views and bodies reach in turn."""
    catalog, outer, inner = Catalog(), [reach], list[Reach]()
    for _ in range(_ROUNDS):
        outer, bodies = await _extend(session, catalog, outer, inner=False)
        _, deeper = await _extend(session, catalog, inner, inner=True)
        inner = bodies + deeper
        if not outer and not inner:
            return catalog
    raise InvalidInput("The statement reaches through too many layers of views and functions to be judged.")


async def _extend(
    session: Session, catalog: Catalog, front: list[Reach], *, inner: bool
) -> tuple[list[Reach], list[Reach]]:
    """Add what `front` reaches; what the new views reach in turn, and what the new bodies do."""
    if not front:
        return [], []
    found = await _resolve(session, front)
    views = [r for r in found.relations.values() if r.oid not in catalog.relations and r.definition]
    known = catalog.inner if inner else catalog.functions.keys()
    fresh = [function for function in found.functions.values() if function.oid not in known]
    catalog.relations |= found.relations
    catalog.functions |= found.functions
    if inner:
        catalog.inner |= found.functions.keys()
    definitions = [_definition(view) for view in views]
    catalog.settings.update(*(definition.settings for definition in definitions))
    return definitions, [_body(function) for function in fresh if function.body]


async def _resolve(session: Session, front: Iterable[Reach]) -> Catalog:
    reaches = list(front)
    relations = _pairs({name for reach in reaches for name in reach.relations})
    functions = _pairs({name for reach in reaches for name in reach.functions}) | {
        "types": sorted({name.name for reach in reaches for name in reach.types}),
        "operators": sorted({name.name for reach in reaches for name in reach.operators}),
        "fields": sorted({name for reach in reaches for name in reach.fields}),
    }
    return Catalog(
        {row["oid"]: Relation(**row) for row in await session.fetch(_RELATIONS, relations)},
        {row["oid"]: Function(**row) for row in await session.fetch(_FUNCTIONS, functions)},
    )


def _pairs(names: set[Name]) -> dict[str, Any]:
    ordered = sorted((name.schema or "", name.name) for name in names)
    return {"schemas": [schema for schema, _ in ordered], "names": [name for _, name in ordered]}


def _definition(relation: Relation) -> Reach:
    (piece,) = parse_script(relation.definition or "", f"the view {relation}")
    return inspect(piece.node)


def _body(function: Function) -> Reach:
    """Every name before a parenthesis: bodies in PL/pgSQL are not SQL, and a name too many does no harm."""
    calls = {
        Name(_fold(schema) if schema else None, _fold(name))
        for schema, name in _CALLED.findall(function.body or "")
    }
    return Reach(kind="body", functions=frozenset(calls))


def _fold(identifier: str) -> str:
    return identifier[1:-1] if identifier.startswith('"') else identifier.lower()
