"""The tool phi_inventory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from tools.database.linkage import Attribute, Linkage, Table, read_linkage
from tools.database.names import require_schemas
from tools.database.phi import attribute_verdict
from tools.database.phi_profile import Profile, profile
from tools.database.rows import table
from tools.registry import Effect, Params, Result, tool
from tools.resources import Resources

if TYPE_CHECKING:
    from tools.database.connection import Database

Word = Literal["phi", "unsure", "safe"]
_TABLES: Final = """
select c.oid::int8 as oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = any (%(schemas)s::text[]) and c.relkind in ('r', 'p', 'f') and not c.relispartition
order by n.nspname, c.relname
"""
_KNOWN: Final = """
select n.nspname::text as schema, c.relname::text as name, a.attname::text as attribute
from pg_class c join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname = any (%(schemas)s::text[])
"""


class PhiInventory(Params):
    """Arguments of phi_inventory."""

    schemas: list[str] = Field(
        default=["public"], max_length=100, description="Schemas to look in; an empty list means all of them."
    )
    only: Literal["all", "phi", "unsure", "safe"] = Field(
        default="all", description="Only columns of this verdict."
    )
    profile: bool = Field(
        default=False,
        description="Also count, inside the database, what sampled values look like. Only counts leave it.",
    )


class ColumnLine(BaseModel):
    """One column. `verdict`: phi and unsure are masked, safe is shown; `advice`: a line for sergei.toml."""

    model_config = ConfigDict(frozen=True)

    table: str
    column: str
    type: str
    verdict: Word
    why: str
    profile: str = ""
    advice: str = ""


class Inventory(Result):
    """Every column with its verdict and the reason, and corrections that name nothing."""

    target: str
    columns: tuple[ColumnLine, ...]
    phi: int
    unsure: int
    safe: int
    unknown_corrections: tuple[str, ...] = ()

    def markdown(self) -> str:
        """One line per column, then the totals and how to correct a verdict."""
        headings = ["table", "column", "type", "verdict", "why"]
        profiled = any(line.profile for line in self.columns)
        rows = [
            [
                line.table,
                line.column,
                line.type,
                line.verdict,
                line.why,
                *([line.profile] if profiled else []),
            ]
            for line in self.columns
        ]
        body = [table([*headings, *(["sample"] if profiled else [])], rows), ""] if rows else []
        body.append(
            f"{self.phi} phi, {self.unsure} unsure (masked, too), {self.safe} safe columns in {self.target}."
        )
        body.append(
            'A person corrects a verdict in sergei.toml: [phi] columns."schema.table.column" = "safe".'
        )
        advice = [line.advice for line in self.columns if line.advice]
        if advice:
            body += [
                "",
                "The sample suggests, for a person to judge:",
                "```toml",
                "[phi.columns]",
                *advice,
                "```",
            ]
        body += [f"⚠ sergei.toml corrects {name}, which does not exist." for name in self.unknown_corrections]
        return "\n".join(body)


@tool(Effect.READ)
async def phi_inventory(params: PhiInventory, resources: Resources) -> Inventory:
    """Say of every column whether execute_sql shows it (safe) or masks it (phi, unsure), and why.

    Use it to explain a pseudonym, or to list what of a schema is patient data. It shows no values. Only a
    person may correct a verdict, in sergei.toml.
    """
    database = resources.database
    schemas = await require_schemas(database, params.schemas)
    oids = [row["oid"] for row in await database.fetch(_TABLES, {"schemas": schemas})]
    async with database.session() as session:
        linkage = await read_linkage(session, oids, resources.phi_columns)
    lines: list[ColumnLine] = []
    for oid in oids:
        found = linkage.tables[oid]
        sampled = await profile(database, found, _texts(found)) if params.profile else {}
        lines += [_line(column, linkage, sampled.get(column.number)) for column in found.columns.values()]
    counts = {word: sum(line.verdict == word for line in lines) for word in ("phi", "unsure", "safe")}
    return Inventory(
        target=database.target.label,
        columns=tuple(line for line in lines if params.only in ("all", line.verdict)),
        **counts,
        unknown_corrections=await unknown(database, resources.phi_columns),
    )


async def unknown(database: Database, corrections: Mapping[str, Any]) -> tuple[str, ...]:
    """Corrections that name no column (or, with `.*`, no table) of this database."""
    if not corrections:
        return ()
    schemas = sorted({name.partition(".")[0] for name in corrections})
    known: set[str] = set()
    for row in await database.fetch(_KNOWN, {"schemas": schemas}):
        relation = f"{row['schema']}.{row['name']}"
        known |= {f"{relation}.{row['attribute']}", f"{relation}.*"}
    return tuple(sorted(name for name in corrections if name not in known))


def _texts(found: Table) -> list[Attribute]:
    """The columns whose values can look like something: not keys, flags, times and bytes."""
    return [
        column
        for column in found.columns.values()
        if column.category in "SN" and column.refers_to is None and not column.listed
    ]


def _line(column: Attribute, linkage: Linkage, sampled: Profile | None) -> ColumnLine:
    verdict = attribute_verdict(column, linkage)
    word: Word = "safe" if verdict.shown else "phi" if verdict.sure else "unsure"
    owner = linkage.tables[column.relation]
    advice = ""
    if sampled is not None and linkage.correction(column) is None:
        if verdict.shown and sampled.looks:
            advice = f'"{owner}.{column.name}" = "phi"'
        elif word == "unsure" and sampled.listed:
            advice = f'"{owner}.{column.name}" = "safe"'
    return ColumnLine(
        table=str(owner),
        column=column.name,
        type=column.type,
        verdict=word,
        why=verdict.why,
        profile=sampled.words() if sampled else "",
        advice=advice,
    )
