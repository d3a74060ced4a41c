"""Who we are on a target, and what that login could do if a guard failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from tools.database.connection import Database

_IDENTITY: Final = """
select current_setting('server_version') as version,
       current_setting('server_version_num')::int as number,
       current_user::text as login,
       r.rolsuper as superuser,
       r.rolbypassrls as bypasses_rls,
       coalesce((select c.ssl from pg_stat_ssl c where c.pid = pg_backend_pid()), false) as encrypted,
       pg_is_in_recovery() as standby,
       array(select n.nspname::text from pg_namespace n
             where n.nspname in ('auth', 'storage', 'realtime', 'vault', 'extensions') order by 1) as schemas,
       array(select s.rolname::text from pg_roles s
             where s.rolname in ('anon', 'authenticated', 'service_role') order by 1) as roles,
       (select count(*)::int from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p') and n.nspname !~ '^(pg_|information_schema$)'
          and (has_table_privilege(c.oid, 'INSERT') or has_table_privilege(c.oid, 'UPDATE')
               or has_table_privilege(c.oid, 'DELETE'))) as writable,
       (select count(*)::int from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p') and n.nspname !~ '^(pg_|information_schema$)') as tables
from pg_roles r where r.rolname = current_user
"""


class Identity(BaseModel):
    """One login on one server. `writable` counts the tables that it may write."""

    model_config = ConfigDict(frozen=True)

    version: str
    number: int
    login: str
    superuser: bool
    bypasses_rls: bool
    encrypted: bool
    standby: bool
    schemas: tuple[str, ...]
    roles: tuple[str, ...]
    writable: int
    tables: int
    remote: bool = False

    @property
    def supabase(self) -> bool:
        """Whether Supabase's roles and its auth schema are here."""
        return "auth" in self.schemas and {"anon", "authenticated"} <= set(self.roles)

    @property
    def mighty(self) -> bool:
        """Whether the login could do more than read what it is granted."""
        return self.superuser or self.bypasses_rls or self.writable > 0

    @property
    def warnings(self) -> tuple[str, ...]:
        """What makes this login more than a reader, gravest first; empty for a proper one."""
        said: list[str] = []
        if self.superuser:
            said.append(f"The login {self.login} is a superuser: only Sergei's own guard stops a write.")
        elif self.bypasses_rls:
            said.append(f"The login {self.login} bypasses row level security: it sees every patient's rows.")
        if not self.superuser and self.writable:
            said.append(f"The login {self.login} may write to {self.writable} of {self.tables} tables.")
        if self.mighty:
            said.append("`sergei init-role` shows and creates a login that only reads.")
        if self.remote and not self.encrypted:
            said.append("The connection is not encrypted: add sslmode=require to the database URL.")
        return tuple(said)


async def read_identity(database: Database) -> Identity:
    """Ask the server, in one query that works on plain PostgreSQL as well."""
    (row,) = await database.fetch(_IDENTITY)
    return Identity(**row, remote=not database.target.local)
