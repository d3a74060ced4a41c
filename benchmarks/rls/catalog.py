"""The parts of a clean schema that operators change."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from psycopg.rows import class_row

from benchmarks.rls.case import Case, Connection

T = TypeVar("T")
POLICIES: Final = """
select p.polname as name, p.polrelid::regclass::text as table,
       case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end as command,
       p.polpermissive as permissive,
       case when p.polroles = '{0}' then 'public'
            else (select string_agg(r.rolname, ', ') from pg_roles r where r.oid = any (p.polroles)) end as roles,
       pg_get_expr(p.polqual, p.polrelid) as using, pg_get_expr(p.polwithcheck, p.polrelid) as checked
from pg_policy p order by 2, 1
"""
FUNCTIONS: Final = """
select n.nspname as schema, p.proname as name, pg_get_function_identity_arguments(p.oid) as identity,
       p.oid::regprocedure::text as signature, l.lanname as language, p.prosrc as body,
       pg_get_functiondef(p.oid) as definition, p.proretset as many, format_type(p.prorettype, null) as returns,
       p.prosecdef as definer
from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_language l on l.oid = p.prolang
where n.nspname in ('public', 'private', 'app') and p.prokind = 'f' and l.lanname in ('sql', 'plpgsql')
order by 1, 2, 3
"""
VIEWS: Final = """
select n.nspname as schema, c.relname as name, pg_get_viewdef(c.oid) as definition,
       coalesce(array_to_string(c.reloptions, ', '), '') as options, c.relkind::text as kind
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('public', 'private', 'app') and c.relkind in ('v', 'm') order by 1, 2
"""
TRIGGERS: Final = """
select t.tgrelid::regclass::text as table, t.tgname as name, pg_get_triggerdef(t.oid) as definition,
       p.oid::regprocedure::text as function, t.tgtype & 2 > 0 as before
from pg_trigger t join pg_proc p on p.oid = t.tgfoid
where not t.tgisinternal and t.tgparentid = 0 order by 1, 2
"""
KEYS: Final = """
select k.conrelid::regclass::text as table, k.conname as name, k.confrelid::regclass::text as target,
       array(select a.attname::text from unnest(k.conkey) with ordinality as u (n, i) join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.n order by u.i) as columns,
       array(select a.attname::text from unnest(k.confkey) with ordinality as u (n, i) join pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.n order by u.i) as target_columns
from pg_constraint k where k.contype = 'f' and k.conparentid = 0 and k.connamespace = 'public'::regnamespace order by 1, 2
"""
TABLES: Final = """
select c.oid::regclass::text as name, c.relispartition as partition, c.relrowsecurity as rls, c.relkind::text as kind,
       array(select a.attname::text from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped order by a.attnum) as columns,
       (select count(*) from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and has_column_privilege('authenticated', c.oid, a.attnum, 'select')) as readable,
       has_any_column_privilege('authenticated', c.oid, 'insert') as insertable,
       has_any_column_privilege('authenticated', c.oid, 'update') as updatable
from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') order by 1
"""

FAMILIES: Final = """
select a.attrelid::regclass::text, a.attname::text, array_agg(e.enumlabel::text order by e.enumsortorder)
from pg_attribute a join pg_enum e on e.enumtypid = a.atttypid join pg_class c on c.oid = a.attrelid
where c.relkind in ('r', 'p', 'v') group by 1, 2
union all
select k.conrelid::regclass::text, a.attname::text,
       array(select m[1] from regexp_matches(pg_get_constraintdef(k.oid), '''([^'']+)''::', 'g') as m)
from pg_constraint k join pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[1]
where k.contype = 'c' and k.connamespace = 'public'::regnamespace and cardinality(k.conkey) = 1
  and pg_get_constraintdef(k.oid) like '%ARRAY[%'
"""
PLAIN_KEYS: Final = """
select i.indrelid::regclass::text from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
where i.indisunique and i.indnkeyatts = 1 and a.attname = 'id' and i.indpred is null
"""


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy; names of relations are as regclass writes them with an empty search_path."""

    name: str
    table: str
    command: str
    permissive: bool
    roles: str
    using: str | None
    checked: str | None

    @property
    def object(self) -> str:
        """As findings name it."""
        return f"policy {self.name} on {self.table}"

    def altered(self, using: str | None = None, checked: str | None = None) -> str:
        """ALTER POLICY with the given expressions."""
        parts = [
            f" using ({using})" if using is not None else "",
            f" with check ({checked})" if checked is not None else "",
        ]
        return f'alter policy "{self.name}" on {self.table}{"".join(parts)};'

    def created(
        self, command: str | None = None, permissive: bool | None = None, name: str | None = None
    ) -> str:
        """CREATE POLICY as it is, or with another command, kind or name."""
        command = command or self.command
        kind = "permissive" if (self.permissive if permissive is None else permissive) else "restrictive"
        using = f" using ({self.using})" if self.using and command != "insert" else ""
        checked = (
            f" with check ({self.checked})" if self.checked and command not in ("select", "delete") else ""
        )
        return f'create policy "{name or self.name}" on {self.table} as {kind} for {command} to {self.roles}{using}{checked};'


@dataclass(frozen=True, slots=True)
class Function:
    """One function in SQL or PL/pgSQL."""

    schema: str
    name: str
    identity: str
    signature: str
    language: str
    body: str
    definition: str
    many: bool
    returns: str
    definer: bool

    @property
    def title(self) -> str:
        """`private.is_staff(text)`, as findings name it."""
        return self.signature.replace(",", ", ") if ", " not in self.signature else self.signature

    def rewritten(self, body: str) -> str:
        """CREATE OR REPLACE with another body."""
        return self.definition.replace(self.body, body) + ";"


@dataclass(frozen=True, slots=True)
class View:
    """One view."""

    schema: str
    name: str
    definition: str
    options: str
    kind: str

    @property
    def title(self) -> str:
        """`schema.name`."""
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class Trigger:
    """One trigger."""

    table: str
    name: str
    definition: str
    function: str
    before: bool


@dataclass(frozen=True, slots=True)
class Key:
    """One foreign key."""

    table: str
    name: str
    target: str
    columns: list[str]
    target_columns: list[str]


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the API schema; `readable` counts columns that authenticated may read."""

    name: str
    partition: bool
    rls: bool
    kind: str
    columns: list[str]
    readable: int
    insertable: bool
    updatable: bool


@dataclass(frozen=True, slots=True)
class Catalog:
    """A clean schema, and the case that it belongs to."""

    case: Case
    policies: list[Policy]
    functions: list[Function]
    views: list[View]
    triggers: list[Trigger]
    keys: list[Key]
    tables: dict[str, Table]
    words: dict[tuple[str, str], tuple[str, ...]]
    plain_keys: frozenset[str]

    def has_plain_key(self, table: str) -> bool:
        """Whether a unique index covers the column id alone."""
        return table in self.plain_keys

    def words_in(self, text: str, table: str = "") -> Callable[[list[str]], tuple[str, ...]]:
        """What a column of a query may be: aliases are read off the text; `table`: what a bare name means."""
        found = re.findall(r"(?:from|join)\s+\(*([\w.]+)\s+(?:as\s+)?(\w+)", text, re.IGNORECASE)
        aliases = {alias: source for source, alias in found}

        def lookup(fields: list[str]) -> tuple[str, ...]:
            source = aliases.get(fields[0], "") if len(fields) > 1 else table
            return self.words.get((source, fields[-1]), ())

        return lookup

    def policies_on(self, table: str, command: str) -> list[Policy]:
        """Those that decide about a command."""
        return [p for p in self.policies if p.table == table and p.command in (command, "all")]

    def people(self, table: str) -> list[str]:
        """Columns of a table that refer to accounts."""
        return [
            k.columns[0]
            for k in self.keys
            if k.table == table and k.target in self.case.accounts and len(k.columns) == 1
        ]

    def private(self) -> list[Policy]:
        """Policies of tables that hold more than reference data."""
        return [p for p in self.policies if p.table not in self.case.reference and p.permissive]

    def users(self, name: str, limit: int = 5) -> tuple[str, ...]:
        """Relations whose policies reach a function or view of this name, by any way."""
        names = {name}
        while True:
            more = {f.name for f in self.functions if any(_mentions(f.body, n) for n in names)}
            more |= {v.name for v in self.views if any(_mentions(v.definition, n) for n in names)}
            if more <= names:
                break
            names |= more
        found = [p.table for p in self.policies if any(_mentions(f"{p.using} {p.checked}", n) for n in names)]
        found += [k.title for k in self.views if k.schema == "public" and k.name in names]
        direct = [p.table for p in self.policies if _mentions(f"{p.using} {p.checked}", name)]
        ordered = list(dict.fromkeys([*direct, *found]))
        step = max(1, len(ordered) // limit)
        return tuple(dict.fromkeys([*ordered[:2], *ordered[::step]]))[:limit]

    def callers(self, name: str) -> tuple[str, ...]:
        """Functions of the API that reach a function of this name."""
        return tuple(
            dict.fromkeys(
                f"public.{f.name}"
                for f in self.functions
                if f.schema == "public" and (f.name == name or _mentions(f.body, name))
            )
        )


def read(connection: Connection, case: Case) -> Catalog:
    """The catalog of a clean database."""
    connection.execute("set search_path = ''")
    words = {
        (table, column): tuple(found) for table, column, found in connection.execute(FAMILIES).fetchall()
    }
    plain = frozenset(title for (title,) in connection.execute(PLAIN_KEYS).fetchall())
    with connection.transaction():

        def rows(kind: type[T], query: str) -> list[T]:
            with connection.cursor(row_factory=class_row(kind)) as cursor:
                return cursor.execute(query.encode()).fetchall()

        found = Catalog(
            case, rows(Policy, POLICIES), rows(Function, FUNCTIONS), rows(View, VIEWS), rows(Trigger, TRIGGERS),
            rows(Key, KEYS), {table.name: table for table in rows(Table, TABLES)}, words, plain,
        )  # fmt: skip
    connection.execute("reset search_path")
    return found


def _mentions(text: str, name: str) -> bool:
    return re.search(rf"\b{re.escape(name)}\b", text) is not None
