"""The tool execute_sql."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from tools.database.oracles import PhiRules
from tools.database.reading import read_rows
from tools.database.rows import Rows
from tools.registry import Effect, Params, tool
from tools.resources import Resources


class ExecuteSql(Params):
    """Arguments of execute_sql."""

    sql: str = Field(description="One reading statement: SELECT, VALUES, TABLE, WITH or SHOW.")
    max_rows: int = Field(default=200, ge=1, le=1000, description="Rows to return at most.")
    as_role: str | None = Field(
        default=None,
        max_length=63,
        description="Run as this role, e.g. authenticated: shows what RLS lets it see.",
    )
    claims: dict[str, Any] | None = Field(
        default=None, description='JWT claims for auth.uid() and auth.jwt(), e.g. {"sub": "<uuid>"}.'
    )


@tool(Effect.READ)
async def execute_sql(params: ExecuteSql, resources: Resources) -> Rows:
    """Run one SQL query that only reads, and return its rows.

    Patients' values come back as pseudonyms such as <name:3f2a91>: equal values look equal, so joins and
    repeats stay visible; flags, statuses, codes and counts are clear (counts of 1 to 10 are "<11"). Functions
    that could change something are refused by name. Not for plans (explain_query), not for the structure
    (list_tables, describe_table, list_policies, list_functions), and never to change anything (change_sql).
    """
    return await read_rows(
        resources.database,
        params.sql,
        limit=params.max_rows,
        role=params.as_role,
        claims=params.claims,
        rules=PhiRules(resources.phi_columns, resources.probes),
        allowed=resources.allowed_functions,
    )
