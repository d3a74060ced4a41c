"""The parts of a clean schema that operators change."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

from psycopg.rows import class_row

from benchmarks.rls.case import Case, Connection

T = TypeVar("T")
QUERIES: Final = dict(
    re.findall(
        r"^-- name: (\w+)\n(.*?)(?=^-- name: |\Z)",
        Path(__file__).with_suffix(".sql").read_text(),
        re.M | re.S,
    )
)
"""By name, from catalog.sql."""


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
        head = f'create policy "{name or self.name}" on {self.table} as {kind} for {command} to {self.roles}'
        return f"{head}{using}{checked};"


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
    reached: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """What users() found, by name."""

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
        """Relations whose policies reach a function or view of this name by any way, direct first."""
        if name not in self.reached:
            self.reached[name] = self._reaching(name)
        ordered = self.reached[name]
        step = max(1, len(ordered) // limit)
        return tuple(dict.fromkeys([*ordered[:2], *ordered[::step]]))[:limit]

    def _reaching(self, name: str) -> list[str]:
        names = {name}
        while True:
            more = {f.name for f in self.functions if any(_mentions(f.body, n) for n in names)}
            more |= {v.name for v in self.views if any(_mentions(v.definition, n) for n in names)}
            if more <= names:
                break
            names |= more
        found = [p.table for p in self.policies if any(_mentions(f"{p.using} {p.checked}", n) for n in names)]
        found += [view.title for view in self.views if view.schema == "public" and view.name in names]
        direct = [p.table for p in self.policies if _mentions(f"{p.using} {p.checked}", name)]
        return list(dict.fromkeys([*direct, *found]))

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
        (table, column): tuple(found)
        for table, column, found in connection.execute(QUERIES["families"].encode()).fetchall()
    }
    plain = frozenset(title for (title,) in connection.execute(QUERIES["plain_keys"].encode()).fetchall())
    with connection.transaction():

        def rows(kind: type[T], query: str) -> list[T]:
            with connection.cursor(row_factory=class_row(kind)) as cursor:
                return cursor.execute(query.encode()).fetchall()

        found = Catalog(
            case,
            rows(Policy, QUERIES["policies"]),
            rows(Function, QUERIES["functions"]),
            rows(View, QUERIES["views"]),
            rows(Trigger, QUERIES["triggers"]),
            rows(Key, QUERIES["keys"]),
            {table.name: table for table in rows(Table, QUERIES["tables"])},
            words,
            plain,
        )
    connection.execute("reset search_path")
    return found


def _mentions(text: str, name: str) -> bool:
    return re.search(rf"\b{re.escape(name)}\b", text) is not None
