"""The tool list_functions."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from tools.database.names import require_schemas
from tools.database.rows import table
from tools.registry import Effect, Params, Result, tool
from tools.resources import Resources

# The default of proacl is EXECUTE for PUBLIC; a role may execute through PUBLIC, a grant or a membership.
_FUNCTIONS: Final = """
select n.nspname::text as schema, p.proname::text as name,
       pg_get_function_identity_arguments(p.oid) as arguments,
       coalesce(pg_get_function_result(p.oid), '') as returns,
       case p.prokind when 'p' then 'procedure' when 'a' then 'aggregate' when 'w' then 'window function'
            else case when p.prorettype in ('trigger'::regtype, 'event_trigger'::regtype)
                      then 'trigger function' else 'function' end end as kind,
       l.lanname::text as language,
       case p.provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end as volatility,
       p.prosecdef as security_definer, pg_get_userbyid(p.proowner)::text as owner,
       (select substr(s, 13) from unnest(p.proconfig) s where s like 'search_path=%%') as search_path,
       array(select 'public' where exists (
               select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
               where a.grantee = 0 and a.privilege_type = 'EXECUTE')
             union all
             select r.rolname::text from pg_roles r
             where r.rolname in ('anon', 'authenticated', 'service_role')
               and has_function_privilege(r.oid, p.oid, 'EXECUTE')) as callers
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
join pg_language l on l.oid = p.prolang
where n.nspname = any (%(schemas)s::text[])
  and (%(extensions)s::boolean or not exists (
    select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'))
  and (not %(definers)s::boolean or p.prosecdef)
  and (%(like)s::text is null or p.proname ilike %(like)s::text)
order by 1, p.prosecdef desc, 2, 3
limit 500
"""


class ListFunctions(Params):
    """Arguments of list_functions."""

    schemas: list[str] = Field(
        default=["public"], max_length=100, description="Schemas; an empty list means all of them."
    )
    name_like: str | None = Field(default=None, max_length=63, description="Only names like this, e.g. is_%.")
    security_definer_only: bool = Field(default=False, description="Only SECURITY DEFINER functions.")
    extensions: bool = Field(default=False, description="Functions of extensions, too.")


class FunctionLine(BaseModel):
    """One function. `callers`: of public, anon, authenticated and service_role, who may really execute it."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    schema_: str = Field(alias="schema")
    name: str
    arguments: str
    returns: str
    kind: str
    language: str
    volatility: str
    security_definer: bool
    owner: str
    search_path: str | None
    callers: tuple[str, ...]


class Functions(Result):
    """Functions, definers first."""

    target: str
    functions: tuple[FunctionLine, ...]

    def markdown(self) -> str:
        """A table; a definer without a search_path says so."""
        if not self.functions:
            return f"No such functions in {self.target}."
        lines = [
            [
                f"{f.schema_}.{f.name}({f.arguments})",
                f.returns or f.kind,
                f"{f.language} {f.volatility}",
                f"DEFINER ({f.owner})" if f.security_definer else "invoker",
                f.search_path if f.search_path is not None else ("NOT SET" if f.security_definer else ""),
                ", ".join(f.callers) or "owner only",
            ]
            for f in self.functions
        ]
        shown = table(["function", "returns", "language", "security", "search_path", "may execute"], lines)
        return f"{shown}\n\n({len(lines)} functions in {self.target})"


@tool(Effect.READ)
async def list_functions(params: ListFunctions, resources: Resources) -> Functions:
    """List functions: security definer or invoker, search_path, volatility, and who may really execute them.

    Bodies are not shown: read them with `select pg_get_functiondef(...)` in execute_sql. To judge definer
    functions use review_rls.
    """
    database = resources.database
    values = {
        "schemas": await require_schemas(database, params.schemas),
        "extensions": params.extensions,
        "definers": params.security_definer_only,
        "like": params.name_like,
    }
    rows = await database.fetch(_FUNCTIONS, values)
    return Functions(target=database.target.label, functions=tuple(FunctionLine(**row) for row in rows))
