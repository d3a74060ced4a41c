"""The tool list_policies."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from tools.database.names import find_relation, identifier, require_schemas
from tools.database.rows import table
from tools.registry import Effect, Params, Result, tool
from tools.resources import Resources

POLICIES: Final = """
select n.nspname::text as schema, c.relname::text as table, p.polname::text as name,
       case p.polcmd when 'r' then 'SELECT' when 'a' then 'INSERT' when 'w' then 'UPDATE'
            when 'd' then 'DELETE' else 'ALL' end as command,
       p.polpermissive as permissive,
       array(select case when r = 0 then 'public' else pg_get_userbyid(r)::text end
             from unnest(p.polroles) r order by 1) as roles,
       pg_get_expr(p.polqual, p.polrelid) as using,
       pg_get_expr(p.polwithcheck, p.polrelid) as check,
       c.relrowsecurity as enforced,
       obj_description(p.oid, 'pg_policy') as comment
from pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace
where n.nspname = any (%(schemas)s::text[])
  and (%(table)s::text is null or c.relname = %(table)s::text)
order by 1, 2, 4, 3
"""
_UNPROTECTED: Final = """
select n.nspname || '.' || c.relname as name, c.relrowsecurity as enforced
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and n.nspname = any (%(schemas)s::text[])
  and (%(table)s::text is null or c.relname = %(table)s::text)
  and not exists (select from pg_policy p where p.polrelid = c.oid)
order by 1
"""


class ListPolicies(Params):
    """Arguments of list_policies."""

    schemas: list[str] = Field(
        default=["public"], max_length=100, description="Schemas; an empty list means all of them."
    )
    table: str | None = Field(
        default=None, max_length=130, description="Only this table's (schema.table or table)."
    )


class Policy(BaseModel):
    """One policy. `enforced` is whether RLS is on for its table: a policy without it does nothing."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    schema_: str = Field(alias="schema")
    table: str
    name: str
    command: str
    permissive: bool
    roles: tuple[str, ...]
    using: str | None
    check: str | None
    enforced: bool
    comment: str | None


class Policies(Result):
    """Policies by table, and the tables that have none."""

    target: str
    policies: tuple[Policy, ...]
    without: tuple[str, ...] = Field(default=(), description="Tables without a policy; OFF where RLS is off.")

    def markdown(self) -> str:
        """A table of rules, then the tables without policies."""
        without = f"Tables without a policy: {', '.join(self.without)}." if self.without else ""
        if not self.policies:
            return f"No policies in {self.target}. {without}".strip()
        shown = policies_table((p, f"{p.name} on {p.schema_}.{p.table}") for p in self.policies)
        return f"{shown}\n\n({len(self.policies)} policies) {without}".strip()


def policies_table(named: Iterable[tuple[Policy, str]]) -> str:
    """One line per rule, with the names of all policies that say exactly this.

    Policies repeat themselves from table to table: said once, a rule is short, and the odd one stands out.
    What is unusual is said: restrictive, or not enforced.
    """
    rules: dict[tuple[str, ...], list[str]] = {}
    for policy, name in named:
        command = policy.command + ("" if policy.permissive else " RESTRICTIVE")
        rule = (command, ", ".join(policy.roles), policy.using or "", policy.check or "")
        dead = "" if policy.enforced else " (NOT ENFORCED: RLS is off)"
        rules.setdefault(rule, []).append(name + dead)
    lines = [["; ".join(names), *rule] for rule, names in rules.items()]
    return table(["policy", "for", "to", "USING", "WITH CHECK"], lines)


@tool(Effect.READ)
async def list_policies(params: ListPolicies, resources: Resources) -> Policies:
    """List row level security policies: command, roles, USING and WITH CHECK, and tables that have none.

    To judge them use review_rls; to see what a role can really read use execute_sql with as_role and claims.
    """
    database = resources.database
    schemas, name = await require_schemas(database, params.schemas), None
    if params.table is not None:
        schema, _, bare = params.table.rpartition(".")
        found = await find_relation(database, identifier(schema or "public", "table"), bare)
        schemas, name = [found["schema"]], found["name"]
    values = {"schemas": schemas, "table": name}
    policies, without = await database.fetch_many([(POLICIES, values), (_UNPROTECTED, values)])
    return Policies(
        target=database.target.label,
        policies=tuple(Policy(**row) for row in policies),
        without=tuple(f"{row['name']}{'' if row['enforced'] else ' (RLS OFF)'}" for row in without),
    )
