"""The tool list_tables."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from tools.database.names import require_schemas
from tools.database.rows import table
from tools.registry import Effect, Params, Result, tool
from tools.resources import Resources

COMMENT_CHARS: Final = 80
_TABLES: Final = """
select n.nspname::text as schema, c.relname::text as name,
       case c.relkind when 'r' then 'table' when 'p' then 'partitioned table' when 'v' then 'view'
            when 'm' then 'materialized view' else 'foreign table' end
         || case when c.relispartition then ' (partition)' else '' end as kind,
       pg_get_userbyid(c.relowner)::text as owner,
       case when c.relkind in ('r', 'p') then c.relrowsecurity end as rls,
       case when c.relkind in ('r', 'p') then c.relforcerowsecurity end as rls_forced,
       (select count(*)::int from pg_policy p where p.polrelid = c.oid) as policies,
       case when c.relkind = 'v' then null
            else coalesce(parts.rows, greatest(c.reltuples, 0))::int8 end as rows,
       case when c.relkind = 'v' then null
            else coalesce(parts.bytes, pg_total_relation_size(c.oid))::int8 end as bytes,
       coalesce(parts.count, 0)::int as partitions,
       coalesce(obj_description(c.oid, 'pg_class'), '') as comment
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
left join lateral (
  select sum(greatest(l.reltuples, 0)) as rows, sum(pg_total_relation_size(l.oid)) as bytes, count(*) as count
  from pg_partition_tree(c.oid) t join pg_class l on l.oid = t.relid
  where c.relkind = 'p' and t.isleaf) parts on c.relkind = 'p'
where n.nspname = any (%(schemas)s::text[]) and c.relkind in ('r', 'p', 'v', 'm', 'f')
  and (%(partitions)s::boolean or not c.relispartition)
order by bytes desc nulls last, n.nspname, c.relname
"""
_ELSEWHERE: Final = """
select n.nspname::text as schema, count(*)::int as tables
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and n.nspname <> all (%(schemas)s::text[])
group by 1 order by 1
"""


class ListTables(Params):
    """Arguments of list_tables."""

    schemas: list[str] = Field(
        default=["public"], max_length=100, description="Schemas to look in; an empty list means all of them."
    )
    partitions: bool = Field(default=False, description="List partitions, too, not only their parents.")


class TableLine(BaseModel):
    """One relation. `partitions` counts the leaves of a partitioned table."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    schema_: str = Field(alias="schema")
    name: str
    kind: str
    owner: str
    rls: bool | None
    rls_forced: bool | None
    policies: int
    rows: int | None = Field(description="Estimate of the planner.")
    bytes: int | None = Field(description="Size with indexes and TOAST.")
    partitions: int
    comment: str


class Tables(Result):
    """The relations, largest first, and the schemas that were not looked at."""

    target: str
    tables: tuple[TableLine, ...]
    other_schemas: tuple[str, ...] = ()

    def markdown(self) -> str:
        """A table; RLS is blank where it does not apply."""
        if not self.tables:
            where = "These schemas hold no tables" if self.other_schemas else "The database holds no tables"
            return f"{where} ({self.target}).{self._elsewhere()}"
        headings = ["table", "kind", "rows≈", "size", "RLS", "policies", "owner", "comment"]
        lines = [
            [
                f"{line.schema_}.{line.name}",
                line.kind + (f" ({line.partitions} partitions)" if line.partitions else ""),
                "" if line.rows is None else f"{line.rows:,}",
                size(line.bytes),
                rls_words(line.rls, line.rls_forced),
                line.policies or "",
                line.owner,
                line.comment if len(line.comment) <= COMMENT_CHARS else f"{line.comment[:COMMENT_CHARS]}…",
            ]
            for line in self.tables
        ]
        return f"{table(headings, lines)}\n\n({len(lines)} relations in {self.target}){self._elsewhere()}"

    def _elsewhere(self) -> str:
        return f" Not looked at: {', '.join(self.other_schemas)}." if self.other_schemas else ""


def size(octets: int | None) -> str:
    """1234567 is 1.2 MB; None is an empty string."""
    if octets is None:
        return ""
    amount = float(octets)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TB"


def rls_words(enabled: bool | None, forced: bool | None) -> str:
    """on, forced, OFF, or nothing where row level security does not apply."""
    if enabled is None:
        return ""
    return ("forced" if forced else "on") if enabled else "OFF"


@tool(Effect.READ)
async def list_tables(params: ListTables, resources: Resources) -> Tables:
    """List tables and views with size, estimated rows, owner and whether row level security is on.

    Start here before writing SQL. Partitions are folded into their parent. For the columns, keys and policies
    of one table use describe_table; for exact counts use execute_sql.
    """
    database = resources.database
    schemas = await require_schemas(database, params.schemas)
    found, elsewhere = await database.fetch_many(
        [
            (_TABLES, {"schemas": schemas, "partitions": params.partitions}),
            (_ELSEWHERE, {"schemas": schemas}),
        ]
    )
    return Tables(
        target=database.target.label,
        tables=tuple(TableLine(**row) for row in found),
        other_schemas=tuple(f"{row['schema']} ({row['tables']})" for row in elsewhere),
    )
