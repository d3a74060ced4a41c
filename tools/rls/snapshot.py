"""A frozen picture of a database's access rules: what the rules read instead of the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from tools.rls.objects import (
    Bucket,
    DefaultPrivileges,
    Extension,
    Function,
    Policy,
    Publication,
    Relation,
)
from tools.rls.privileges import Acl, Role, granted

API_ROLES: Final = ("anon", "authenticated")
PLATFORM_SCHEMAS: Final = frozenset({
    "auth", "storage", "realtime", "vault", "extensions", "graphql", "graphql_public", "pgbouncer", "cron",
    "net", "pgsodium", "pgsodium_masks", "supabase_functions", "supabase_migrations", "_realtime", "pgmq",
    "_analytics", "_supavisor",
})  # fmt: skip
"""Schemas that Supabase owns: their tables are not the user's to mend, except for the policies on them."""


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
    default_privileges: tuple[DefaultPrivileges, ...] = field(default=())
    installed: tuple[Extension, ...] = field(default=())

    @cached_property
    def callers(self) -> tuple[Role, ...]:
        """The roles an outsider arrives as, weakest first.

        anon and authenticated; on plain Postgres every role that is neither superuser nor BYPASSRLS, owns no
        relation and is not one of Postgres' own.
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
        """The callers that may execute a function (through the API: a function of an exposed schema)."""
        if api and (function.kind == "p" or not self.reachable(function.schema)):
            return ()
        return tuple(
            role.name
            for role in self.callers
            if self.usable(role, function.schema) and "EXECUTE" in granted(function.acl, role)
        )

    def addressed(self, policy: Policy) -> tuple[str, ...]:
        """The callers that a policy applies to."""
        names = set(policy.roles)
        return tuple(role.name for role in self.callers if "public" in names or names & set(role.effective))

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
