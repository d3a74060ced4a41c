"""The tool create_reader_role: for `sergei init-role` alone, as it makes a login and is given its password.

It is not in the catalogue: no model and no MCP client can call it. Like every change it runs through the
gate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic import Field

from tools.database.reader_sql import NAME, ReaderPlan, script, statements
from tools.database.reviewed import HIDDEN_SCHEMAS
from tools.errors import Conflict, InvalidInput, NotFound, Refused, SergeiError
from tools.registry import Effect, Params, Preview, Result, tool
from tools.resources import Resources

if TYPE_CHECKING:
    from tools.database.connection import Database, Session

_FACTS: Final = """
select pg_catalog.current_database()::text as database,
       pg_catalog.current_setting('server_version_num')::int as version,
       (select r.rolsuper or r.rolcreaterole from pg_catalog.pg_roles r
        where r.rolname = current_user) as able,
       (select r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolreplication
        from pg_catalog.pg_roles r where r.rolname = %(name)s) as mighty,
       array(select n.nspname::text from pg_catalog.pg_namespace n
             where n.nspname = any (%(schemas)s::text[])) as schemas,
       array(select r.rolname::text from pg_catalog.pg_roles r
             where r.rolname = any (%(become)s::text[]) and not r.rolsuper) as become,
       array(select distinct pg_catalog.pg_get_userbyid(c.relowner)::text
             from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
             where n.nspname = any (%(schemas)s::text[]) and c.relkind in ('r', 'p', 'v', 'm')
               and pg_catalog.pg_has_role(current_user, c.relowner, 'USAGE') order by 1) as owners,
       t.tables, t.secured
from (select count(*)::int as tables, (count(*) filter (where c.relrowsecurity))::int as secured
      from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where n.nspname = any (%(schemas)s::text[]) and c.relkind in ('r', 'p')) t
"""


class CreateReaderRole(Params):
    """Arguments of create_reader_role."""

    name: str = Field(default=NAME, max_length=63, description="Name of the login.")
    schemas: tuple[str, ...] = Field(default=("public",), min_length=1, description="What it may read.")
    become: tuple[str, ...] = Field(default=(), description="Roles it may act as, e.g. authenticated.")
    verifier: str = Field(
        pattern=r"^SCRAM-SHA-256\$\d+:[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+$",
        description="What the server keeps of the password.",
        repr=False,
    )


class ReaderRole(Result):
    """The login that was made. Never its password."""

    target: str
    name: str
    schemas: tuple[str, ...]
    existed: bool
    notes: tuple[str, ...]


async def plan_of(
    database: Database, name: str, schemas: tuple[str, ...], become: tuple[str, ...]
) -> tuple[ReaderPlan, tuple[str, ...]]:
    """What has to be done on this target, and what a person should know about it.

    Raises NotFound for a schema or role that is not there, Refused for one that is never opened, and Conflict
    when the name belongs to a role that is no reader.
    """
    for schema in schemas:
        if schema in HIDDEN_SCHEMAS or schema.startswith("pg_") or schema == "information_schema":
            why = HIDDEN_SCHEMAS.get(schema, "belongs to PostgreSQL")
            raise Refused(f"The schema {schema} is not opened to a reading login: it {why}.")
    values: dict[str, Any] = {"name": name, "schemas": list(schemas), "become": list(become)}
    (row,) = await database.fetch(_FACTS, values)
    for wanted, there, what in ((schemas, row["schemas"], "schema"), (become, row["become"], "plain role")):
        absent = [one for one in wanted if one not in there]
        if absent:
            raise NotFound(f"There is no {what} {', '.join(absent)} in {database.target.label}.")
    if row["mighty"]:
        raise Conflict(f"{name} exists and is more than a reader.", hint="Choose another name with --name.")
    if name in become:
        raise InvalidInput("A login cannot become itself.")
    if not row["able"]:
        raise Refused(
            f"The login {database.target.user} may not create roles.",
            hint="Connect as the owner of the project (postgres on Supabase), or have its DBA run the SQL.",
        )
    plan = ReaderPlan(
        name=name,
        database=row["database"],
        schemas=schemas,
        become=become,
        owners=tuple(row["owners"]),
        exists=row["mighty"] is not None,
        version=row["version"],
    )
    return plan, _notes(plan, row)


def _notes(plan: ReaderPlan, row: dict[str, Any]) -> tuple[str, ...]:
    notes: list[str] = []
    if row["secured"]:
        how = (
            f"as_role ({', '.join(plan.become)}) with claims shows what they let a person see."
            if plan.become
            else "Add --become authenticated, and as_role with claims shows what they let a person see."
        )
        notes.append(
            f"{row['secured']} of {row['tables']} tables have row level security: by itself {plan.name} sees"
            f" only rows that a policy opens to it, usually none. {how}"
        )
    if plan.exists:
        notes.append(f"{plan.name} exists: it keeps its password, and is given the limits and grants.")
    if plan.become:
        notes.append(
            "A role that it becomes brings its own grants, writing ones too; its sessions stay READ ONLY."
        )
    notes.append(
        "Functions that are open to PUBLIC stay so; Sergei's guard judges every one that a query reaches."
    )
    if not plan.owners:
        notes.append(
            "Tables that are created later are not covered: no owner of tables here is yours to speak for."
        )
    return tuple(notes)


async def preview(params: CreateReaderRole, resources: Resources) -> Preview:
    """The SQL without the password, where it runs, and whether it works (in a transaction rolled back)."""
    database = resources.database
    plan, notes = await plan_of(database, params.name, params.schemas, params.become)
    evidence = await _rehearse(database, plan, params.verifier) if resources.dry_runs else ""
    identity = await database.identity()
    undo = f'DROP OWNED BY "{plan.name}"; DROP ROLE "{plan.name}";'
    return Preview(
        action=script(plan),
        target=f"{database.target.label} as {identity.login}",
        touches=(f"role {plan.name}", *(f"grants in schema {schema}" for schema in plan.schemas)),
        consequence=" ".join(notes),
        undo="" if plan.exists else undo,
        evidence=evidence,
    )


@tool(Effect.WRITE, preview=preview)
async def create_reader_role(params: CreateReaderRole, resources: Resources) -> ReaderRole:
    """Create a login that reads the tables of some schemas and can do nothing else.

    Only `sergei init-role` calls it.
    """
    database = resources.database
    plan, notes = await plan_of(database, params.name, params.schemas, params.become)
    async with database.session(read_only=False) as session:
        await _run(session, plan, params.verifier)
    return ReaderRole(
        target=database.target.label, name=plan.name, schemas=plan.schemas, existed=plan.exists, notes=notes
    )


async def _rehearse(database: Database, plan: ReaderPlan, verifier: str) -> str:
    try:
        async with database.session(read_only=False, keep=False) as session:
            await _run(session, plan, verifier)
    except SergeiError as error:
        return f"The dry run FAILED: {error}"
    return f"Dry run (rolled back): all {len(statements(plan))} statements work."


async def _run(session: Session, plan: ReaderPlan, verifier: str) -> None:
    for statement in statements(plan, verifier):
        await session.plain(statement, utility=True)
