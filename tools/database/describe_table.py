"""The tool describe_table."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from tools.database.list_policies import POLICIES, Policy, policies_table
from tools.database.list_tables import rls_words, size
from tools.database.names import find_relation
from tools.database.rows import table
from tools.database.table_sql import (
    COLUMNS,
    CONSTRAINTS,
    FACTS,
    GRANTS,
    INDEXES,
    PARTITIONS,
    REFERRING,
    TRIGGERS,
)
from tools.registry import Effect, Params, Result, tool
from tools.resources import Resources


class DescribeTable(Params):
    """Arguments of describe_table."""

    table: str = Field(min_length=1, max_length=130, description="A table or view: name or schema.name.")
    schema_: str = Field(default="public", alias="schema", max_length=65)


class ColumnFact(BaseModel):
    """One column as declared."""

    model_config = ConfigDict(frozen=True)

    name: str
    type: str
    nullable: bool
    default: str | None
    comment: str | None


class Named(BaseModel):
    """Something with a name and a definition in SQL."""

    model_config = ConfigDict(frozen=True)

    name: str
    definition: str


class Index(Named):
    """An index; `scans` since statistics were last reset."""

    bytes: int
    scans: int
    valid: bool


class GrantLine(BaseModel):
    """Privileges of one role, with the columns if they are not for the whole table."""

    model_config = ConfigDict(frozen=True)

    role: str
    privileges: tuple[str, ...]
    columns: str = ""


class TableFacts(Result):
    """All that the catalog knows of one table or view."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    target: str
    schema_: str = Field(alias="schema")
    name: str
    kind: str
    owner: str
    rls: bool | None
    rls_forced: bool | None
    rows: int | None
    bytes: int | None
    comment: str | None
    definition: str | None
    options: str | None
    columns: tuple[ColumnFact, ...]
    constraints: tuple[Named, ...]
    referred_by: tuple[Named, ...]
    indexes: tuple[Index, ...]
    policies: tuple[Policy, ...]
    triggers: tuple[Named, ...]
    grants: tuple[GrantLine, ...]
    partitions: tuple[Named, ...]

    def markdown(self) -> str:
        """Sections in the order in which one reads a table; empty ones are left out."""
        rls = f", RLS {rls_words(self.rls, self.rls_forced)}" if self.rls is not None else ""
        rows = f", about {self.rows:,} rows" if self.rows is not None else ""
        octets = f", {size(self.bytes)}" if self.bytes is not None else ""
        head = f"**{self.schema_}.{self.name}**: {self.kind}, owner {self.owner}{rls}{rows}{octets}"
        columns = table(
            ["column", "type", "null", "default", "comment"],
            [[c.name, c.type, "" if c.nullable else "not null", c.default, c.comment] for c in self.columns],
        )
        policies = policies_table((policy, policy.name) for policy in self.policies)
        parts = [
            head,
            self.comment or "",
            f"Options: {self.options}" if self.options else "",
            columns,
            _section("Definition", [self.definition or ""]),
            _section("Constraints", [f"{c.name}: {c.definition}" for c in self.constraints]),
            _section("Referred to by", [f"{c.name}: {c.definition}" for c in self.referred_by]),
            _section("Indexes", [_index(index) for index in self.indexes]),
            f"Policies:\n\n{policies}" if self.policies else "",
            "No policies." if self.rls is not None and not self.policies else "",
            _section("Triggers", [trigger.definition for trigger in self.triggers]),
            _section("Grants", [_grant(grant) for grant in self.grants]),
            _section(f"Partitions ({len(self.partitions)})", _partitions(self.partitions)),
        ]
        return "\n\n".join(part for part in parts if part)


def _section(title: str, lines: list[str]) -> str:
    lines = [line for line in lines if line]
    return "\n".join([f"{title}:", *(f"- {line}" for line in lines)]) if lines else ""


def _index(index: Index) -> str:
    invalid = "" if index.valid else " INVALID"
    return f"{index.definition} ({size(index.bytes)}, {index.scans:,} scans){invalid}"


def _grant(grant: GrantLine) -> str:
    columns = f" on ({grant.columns})" if grant.columns else ""
    return f"{grant.role}: {', '.join(grant.privileges)}{columns}"


def _partitions(partitions: tuple[Named, ...]) -> list[str]:
    lines = [f"{part.name}: {part.definition}" for part in partitions[:12]]
    return [*lines, f"and {len(partitions) - 12} more"] if len(partitions) > 12 else lines


@tool(Effect.READ)
async def describe_table(params: DescribeTable, resources: Resources) -> TableFacts:
    """Describe one table or view: columns, keys, indexes, policies, triggers, grants per role, RLS, size.

    For an overview of a schema use list_tables first. No row of the table is read.
    """
    database = resources.database
    schema, name = params.schema_, params.table
    if "." in name and not name.startswith('"'):
        schema, _, name = name.partition(".")
    found = await find_relation(database, schema, name)
    values = {"oid": found["oid"]}
    named = {"schemas": [found["schema"]], "table": found["name"]}
    queries = (FACTS, COLUMNS, CONSTRAINTS, REFERRING, INDEXES, TRIGGERS, GRANTS, PARTITIONS)
    (
        facts,
        columns,
        constraints,
        referring,
        indexes,
        triggers,
        grants,
        parts,
        policies,
    ) = await database.fetch_many([*((query, values) for query in queries), (POLICIES, named)])
    return TableFacts(
        target=database.target.label,
        schema=found["schema"],
        name=found["name"],
        **facts[0],
        columns=tuple(ColumnFact(**row) for row in columns),
        constraints=tuple(Named(**row) for row in constraints),
        referred_by=tuple(Named(**row) for row in referring),
        indexes=tuple(Index(**row) for row in indexes),
        policies=tuple(Policy(**row) for row in policies),
        triggers=tuple(Named(**row) for row in triggers),
        grants=tuple(GrantLine(**row) for row in grants),
        partitions=tuple(Named(**row) for row in parts),
    )
