"""A frozen picture of a database's access rules: what the rules read instead of the database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from tools.rls.privileges import Acl, Role, granted
from tools.rls.sqltree import Facts, expression

API_ROLES: Final = ("anon", "authenticated")
PLATFORM_SCHEMAS: Final = frozenset({
    "auth", "storage", "realtime", "vault", "extensions", "graphql", "graphql_public", "pgbouncer", "cron",
    "net", "pgsodium", "pgsodium_masks", "supabase_functions", "supabase_migrations", "_realtime", "pgmq",
    "_analytics", "_supavisor",
})  # fmt: skip
"""Schemas that Supabase owns: their tables are not the user's to mend, except for the policies on them."""

COMMANDS: Final[Mapping[str, str]] = {"r": "SELECT", "a": "INSERT", "w": "UPDATE", "d": "DELETE", "*": "ALL"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `acl` holds privileges granted on the column alone."""

    number: int
    name: str
    type: str
    required: bool
    acl: Acl


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
    """A trigger; `kind` is pg_trigger.tgtype (bit 1 before, 2 insert, 4 update: see `fires`)."""

    name: str
    function: int
    kind: int
    enabled: bool
    arguments: tuple[str, ...] = ()

    def fires(self, command: str) -> bool:
        """Whether an enabled BEFORE or AFTER trigger runs on INSERT, UPDATE or DELETE."""
        bit = {"INSERT": 4, "DELETE": 8, "UPDATE": 16}[command]
        return self.enabled and bool(self.kind & bit)


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


@dataclass(frozen=True, eq=False)
class Relation:
    """A table (r), partitioned table (p), view (v), materialized view (m) or foreign table (f)."""

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


@dataclass(frozen=True, eq=False)
class Function:
    """A function or procedure with its source."""

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
class Bucket:
    """A storage bucket; a public one serves its files to anybody with the URL."""

    id: str
    public: bool


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Everything that was read, by name. `gaps` are (what, why) pairs that could not be read."""

    version: int
    reader: str
    supabase: bool
    exposed: tuple[str, ...]
    roles: Mapping[str, Role]
    schemas: Mapping[str, Acl]
    relations: Mapping[str, Relation]
    functions: tuple[Function, ...]
    publications: tuple[Publication, ...]
    buckets: tuple[Bucket, ...]
    extensions: tuple[str, ...]
    round_trips: int
    gaps: tuple[tuple[str, str], ...] = field(default=())

    @cached_property
    def callers(self) -> tuple[Role, ...]:
        """The roles an outsider arrives as, weakest first: anon and authenticated, or on plain Postgres every
        role that could log in or be granted and is neither superuser, BYPASSRLS, owner of a relation nor Postgres' own.
        """
        if self.supabase:
            return tuple(self.roles[name] for name in API_ROLES if name in self.roles)
        owners = {relation.owner for relation in self.relations.values()}
        return tuple(
            role
            for name, role in sorted(self.roles.items())
            if not (role.superuser or role.bypassrls or name in owners or name.startswith("pg_"))
        )

    def usable(self, role: Role, schema: str) -> bool:
        """Whether `role` has USAGE on a schema."""
        return "USAGE" in granted(self.schemas.get(schema, {}), role)

    def reachable(self, schema: str) -> bool:
        """Whether the API (or, on plain Postgres, any login) can address objects of this schema at all."""
        return schema in self.exposed if self.supabase else schema not in PLATFORM_SCHEMAS

    def may(self, role: Role, relation: Relation, *, columns: bool = True) -> frozenset[str]:
        """Effective privileges of `role` on a relation or any of its columns; none without schema USAGE."""
        if not self.usable(role, relation.schema):
            return frozenset()
        found = granted(relation.acl, role)
        if columns:
            for column in relation.columns.values():
                if column.acl:
                    found |= granted(column.acl, role)
        return found

    def may_column(self, role: Role, relation: Relation, column: str, privilege: str) -> bool:
        """Whether `role` holds a privilege on one column, through the table or the column's own grant."""
        own = relation.columns.get(column)
        return privilege in granted(relation.acl, role) or (
            own is not None and privilege in granted(own.acl, role)
        )

    def exposure(self, relation: Relation) -> dict[str, frozenset[str]]:
        """For each caller that reaches the relation through the API: its data privileges (never empty)."""
        if not self.reachable(relation.schema):
            return {}
        data = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
        found = {role.name: self.may(role, relation) & data for role in self.callers}
        return {name: privileges for name, privileges in found.items() if privileges}

    def executors(self, function: Function, *, api: bool = True) -> tuple[str, ...]:
        """The callers that may execute a function (through the API: in an exposed schema)."""
        if api and not self.reachable(function.schema):
            return ()
        return tuple(
            role.name
            for role in self.callers
            if self.usable(role, function.schema) and "EXECUTE" in granted(function.acl, role)
        )

    def addressed(self, policy: Policy) -> tuple[str, ...]:
        """The callers that a policy applies to."""
        names = set(policy.roles)
        return tuple(
            role.name for role in self.callers if "public" in names or names & set(role.effective)
        )

    @cached_property
    def tables(self) -> tuple[Relation, ...]:
        """Tables and partitioned tables of the user's own schemas."""
        return tuple(
            relation
            for relation in self.relations.values()
            if relation.is_table and relation.schema not in PLATFORM_SCHEMAS
        )

    @cached_property
    def policies(self) -> tuple[Policy, ...]:
        """Every policy."""
        return tuple(policy for relation in self.relations.values() for policy in relation.policies)

    @cached_property
    def functions_named(self) -> dict[str, tuple[Function, ...]]:
        """Functions by `schema.name` (overloads together)."""
        found: dict[str, list[Function]] = {}
        for function in self.functions:
            found.setdefault(f"{function.schema}.{function.name}", []).append(function)
        return {name: tuple(several) for name, several in found.items()}

    @cached_property
    def function_by_oid(self) -> dict[int, Function]:
        """Functions by oid."""
        return {function.oid: function for function in self.functions}

    def named(self, schema: str, name: str, path: tuple[str, ...] = ("public",)) -> Relation | None:
        """The relation a name means under a search path."""
        if schema:
            return self.relations.get(f"{schema}.{name}")
        for candidate in path:
            relation = self.relations.get(f"{candidate}.{name}")
            if relation is not None:
                return relation
        return None
