"""The objects of a snapshot: frozen, named by `schema.name`, with their ACLs as read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from tools.rls.facts import Facts, expression
from tools.rls.privileges import Acl

COMMANDS: Final[Mapping[str, str]] = {"r": "SELECT", "a": "INSERT", "w": "UPDATE", "d": "DELETE", "*": "ALL"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `acl` holds privileges granted on the column alone.

    `values` are the labels of its enum, or what a CHECK (column in (...)) lists; empty where anything goes.
    """

    number: int
    name: str
    type: str
    required: bool
    acl: Acl
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Key:
    """A primary key (p), unique (u) or foreign key (f) constraint, by column names."""

    name: str
    kind: str
    columns: tuple[str, ...]
    target: str = ""
    target_columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Index:
    """An index; an expression among `columns` is an empty string."""

    name: str
    columns: tuple[str, ...]
    unique: bool
    valid: bool
    method: str
    predicate: str | None


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger; `kind` is pg_trigger.tgtype (bit 1 before, 2 insert, 4 update: see `concerns`).

    `enabled`: it fires in an ordinary session.
    """

    name: str
    function: int
    kind: int
    enabled: bool
    arguments: tuple[str, ...] = ()

    @property
    def before(self) -> bool:
        """Whether it runs before the row is written, so that it can change it."""
        return bool(self.kind & 2)

    def fires(self, command: str) -> bool:
        """Whether an enabled BEFORE or AFTER trigger runs on INSERT, UPDATE or DELETE."""
        return self.enabled and self.concerns(command)

    def concerns(self, command: str) -> bool:
        """Whether it is declared for INSERT, UPDATE or DELETE, enabled or not."""
        return bool(self.kind & {"INSERT": 4, "DELETE": 8, "UPDATE": 16}[command])


@dataclass(frozen=True, eq=False)
class Policy:
    """One policy. `roles` are names, `public` for every role; texts are as pg_get_expr prints them."""

    relation: str
    name: str
    command: str
    permissive: bool
    roles: tuple[str, ...]
    using_text: str | None
    check_text: str | None

    @cached_property
    def using(self) -> Facts | None:
        """USING, parsed."""
        return expression(self.using_text) if self.using_text else None

    @cached_property
    def check(self) -> Facts | None:
        """WITH CHECK, parsed."""
        return expression(self.check_text) if self.check_text else None

    def parts(self) -> Iterator[Facts]:
        """USING and WITH CHECK, where present (once when they are the same text)."""
        if self.using is not None:
            yield self.using
        if self.check is not None and self.check_text != self.using_text:
            yield self.check

    @property
    def new_row(self) -> Facts | None:
        """What a new row must satisfy: WITH CHECK, or USING where that is left out (not for INSERT)."""
        if self.command in ("SELECT", "DELETE"):
            return None
        return self.check if self.check_text else self.using

    def covers(self, command: str) -> bool:
        """Whether the policy applies to SELECT, INSERT, UPDATE or DELETE."""
        return self.command in (command, "ALL")

    @property
    def title(self) -> str:
        """`policy x on public.events`."""
        return f"policy {self.name} on {self.relation}"


@dataclass(frozen=True, slots=True)
class Scans:
    """What the statistics counted since they were last reset: scans, rows read by them, live rows."""

    sequential: int = 0
    rows: int = 0
    index: int = 0
    live: int = 0


@dataclass(frozen=True, eq=False)
class Relation:
    """A table (r), partitioned table (p), view (v), materialized view (m) or foreign table (f).

    `writable`: the commands that a view passes on to the table behind it.
    """

    oid: int
    schema: str
    name: str
    kind: str
    owner: str
    rls: bool
    forced: bool
    partition: bool
    tuples: float
    acl: Acl
    options: tuple[str, ...]
    parents: tuple[str, ...]
    definition: str | None
    columns: Mapping[str, Column]
    keys: tuple[Key, ...]
    indexes: tuple[Index, ...]
    policies: tuple[Policy, ...]
    triggers: tuple[Trigger, ...]
    reads: tuple[str, ...]
    writable: frozenset[str] = frozenset()
    scans: Scans = field(default=Scans(), metadata={"saved": False})

    @property
    def title(self) -> str:
        """`schema.name`, unquoted: the key of every mapping in a snapshot."""
        return f"{self.schema}.{self.name}"

    @property
    def is_table(self) -> bool:
        """Ordinary or partitioned: what row level security applies to."""
        return self.kind in "rp"

    @property
    def invoker(self) -> bool:
        """For views: whether the caller's rights decide."""
        settings = {option.partition("=")[0]: option.partition("=")[2] for option in self.options}
        return settings.get("security_invoker", "").lower() in ("true", "on", "1", "yes")

    @property
    def foreign_keys(self) -> tuple[Key, ...]:
        """Foreign keys only."""
        return tuple(key for key in self.keys if key.kind == "f")

    @property
    def primary_key(self) -> tuple[str, ...]:
        """The columns of the primary key; empty where there is none."""
        return next((key.columns for key in self.keys if key.kind == "p"), ())


@dataclass(frozen=True, slots=True)
class BodyError:
    """What plpgsql_check says of a statement in a body; line 0 where it gives none."""

    sqlstate: str
    message: str
    line: int = 0
    statement: str = ""


@dataclass(frozen=True, eq=False)
class Function:
    """A function or procedure with its source; `definition` is the whole CREATE OR REPLACE.

    `outputs` are the names of OUT and TABLE columns, which are variables in the body; `defaults` is how many
    arguments may be left out. `checked`: plpgsql_check read the body and found `errors` or nothing.
    """

    oid: int
    schema: str
    name: str
    language: str
    kind: str
    definer: bool
    volatility: str
    owner: str
    config: tuple[str, ...]
    acl: Acl
    arguments: tuple[str, ...]
    argument_types: tuple[str, ...]
    identity: str
    returns: str
    body: str
    bound: bool
    definition: str = ""
    outputs: tuple[str, ...] = ()
    leakproof: bool = False
    defaults: int = 0
    checked: bool = False
    errors: tuple[BodyError, ...] = ()

    @property
    def title(self) -> str:
        """`schema.name(argument types)`."""
        return f"{self.schema}.{self.name}({self.identity_types})"

    @property
    def identity_types(self) -> str:
        """Types of the input arguments, as DROP FUNCTION wants them."""
        return ", ".join(self.argument_types)

    @property
    def search_path(self) -> tuple[str, ...] | None:
        """Schemas of its own search_path setting, or None when it has none."""
        for entry in self.config:
            name, _, value = entry.partition("=")
            if name == "search_path":
                return tuple(part.strip().strip('"') for part in value.split(",") if part.strip().strip('"'))
        return None

    @property
    def is_trigger(self) -> bool:
        """Trigger and event trigger functions cannot be called by anybody."""
        return self.returns in ("trigger", "event_trigger")


@dataclass(frozen=True, slots=True)
class Publication:
    """A publication and the relations it sends (partitions under their own names)."""

    name: str
    all_tables: bool
    relations: tuple[str, ...]
    schemas: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DefaultPrivileges:
    """What objects of one kind get when `creator` makes them (r relation, S sequence, f function, T type,
    n schema). Without a schema they take the place of the built-in defaults, with one they come on top."""

    creator: str
    schema: str
    kind: str
    acl: Acl


@dataclass(frozen=True, slots=True)
class Extension:
    """An installed extension, the schema of its objects, and whether it can be moved to another one."""

    name: str
    schema: str
    relocatable: bool


@dataclass(frozen=True, slots=True)
class Bucket:
    """A storage bucket; a public one serves its files to anybody with the URL."""

    id: str
    public: bool
