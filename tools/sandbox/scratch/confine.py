"""Where other people's SQL runs: a database of its own, and a login that can do nothing beyond it.

Whatever a schema brings runs as this login: blocks, triggers, functions that go back to the session's user.
It is no superuser, may not create roles or databases, and is in no role that runs programs, touches the
server's files or administers other roles. It acts as `owner`, which is what postgres is on hosted Supabase:
the owner of everything, with BYPASSRLS. What only a superuser can do is done by admin.py, with statements
of ours.

With `trust` on the server's private socket any process of this user could log in as the superuser, so a
connection from inside SQL must not exist: no extension that opens one is installed into a copy.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, LiteralString

from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tools.errors import ConfigurationError
from tools.sandbox import demo
from tools.sandbox.cluster import Cluster
from tools.sandbox.scratch.session import ScratchSession, SqlFailure
from tools.sandbox.scratch.undoing import Themselves
from tools.sandbox.shim import install_shim, shim_files

POSTGRES: Final = "postgres"
STAND_IN: Final = "sergei_owner"
"""The owner on a server of the user's own whose postgres is a superuser."""

ACTED_AS: Final = (
    "anon", "authenticated", "service_role", "authenticator", "dashboard_user", "pgbouncer", "supabase_admin",
    "supabase_auth_admin", "supabase_storage_admin",
)  # fmt: skip
"""Roles that every copy's owner can act as and own things as, unless they are more than that."""

LOCK: Final = "lock table pg_catalog.pg_authid in share row exclusive mode"
# SHARE ROW EXCLUSIVE conflicts with another CREATE ROLE but not with a login (ACCESS SHARE).

UNSAFE: Final = """
with recursive reached (root, oid) as (
  select oid, oid from pg_catalog.pg_roles
  union select r.root, m.roleid from reached r join pg_catalog.pg_auth_members m on m.member = r.oid
)
select distinct s.rolname
from reached r join pg_catalog.pg_roles p on p.oid = r.oid join pg_catalog.pg_roles s on s.oid = r.root
where p.rolsuper or p.rolcreaterole or p.rolcreatedb or p.rolreplication
   or p.rolname ~ '^pg_' and p.rolname not in ('pg_read_all_data', 'pg_write_all_data', 'pg_database_owner')
"""
"""Roles that the login must not become: they reach beyond a database, or become one that does."""

# Made before the stand-in of Supabase, which leaves a role as it finds it.
_ROLES: Final = """
do $roles$
declare
  wanted record;
begin
  for wanted in
    select * from (values
      ('postgres', 'bypassrls'), ('anon', 'noinherit'), ('authenticated', 'noinherit'),
      ('service_role', 'noinherit bypassrls'), ('authenticator', 'noinherit'), ('dashboard_user', 'inherit'),
      ('pgbouncer', 'inherit'), ('supabase_admin', 'bypassrls'), ('supabase_auth_admin', 'noinherit'),
      ('supabase_storage_admin', 'noinherit')
    ) as roles (name, attributes)
  loop
    if not exists (select from pg_catalog.pg_roles where rolname = wanted.name) then
      execute format('create role %I nologin %s', wanted.name, wanted.attributes);
    end if;
  end loop;
end
$roles$
"""
_HAND_OVER: Final = """
do $hand$
declare
  heir constant text := current_setting('sergei.heir');
  unsafe constant oid[] := current_setting('sergei.unsafe')::oid[];
  statement text;
begin
  for statement in
    select format('alter schema %I owner to %I', n.nspname, heir)
    from pg_catalog.pg_namespace n
    where n.nspname = 'public' or n.oid >= 16384 and n.nspowner = any (unsafe) and n.nspname !~ '^pg_'
    union all
    select format('alter %s %s owner to %I',
      case c.relkind when 'v' then 'view' when 'm' then 'materialized view' else 'table' end,
      c.oid::regclass, heir)
    from pg_catalog.pg_class c
    where c.oid >= 16384 and c.relkind in ('r', 'p', 'v', 'm') and c.relowner = any (unsafe)
      and not exists (select from pg_catalog.pg_depend d
        where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
    union all
    select format('alter routine %s owner to %I', p.oid::regprocedure, heir)
    from pg_catalog.pg_proc p
    where p.oid >= 16384 and p.proowner = any (unsafe)
      and not exists (select from pg_catalog.pg_depend d
        where d.classid = 'pg_catalog.pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
    union all
    select format('alter publication %I owner to %I', p.pubname, heir)
    from pg_catalog.pg_publication p where p.pubowner = any (unsafe) and not p.puballtables
  loop
    execute statement;
  end loop;
  -- What they would create gets its privileges from nobody: they create nothing.
  delete from pg_catalog.pg_depend where classid = 'pg_catalog.pg_default_acl'::regclass
    and objid in (select oid from pg_catalog.pg_default_acl where defaclrole = any (unsafe));
  delete from pg_catalog.pg_shdepend where classid = 'pg_catalog.pg_default_acl'::regclass
    and dbid = (select oid from pg_catalog.pg_database where datname = current_database())
    and objid in (select oid from pg_catalog.pg_default_acl where defaclrole = any (unsafe));
  delete from pg_catalog.pg_default_acl where defaclrole = any (unsafe);
end
$hand$
"""


@dataclass(frozen=True, slots=True)
class Cell:
    """A database for other people's SQL. `dsn` is the login's, `admin_dsn` the superuser's."""

    dsn: str
    admin_dsn: str
    login: str
    owner: str
    before: Themselves


@contextmanager
def cell(cluster: Cluster, prefix: str, *, supabase: bool) -> Generator[Cell]:
    """A fresh database with a login of its own, both dropped at the end.

    Raises ConfigurationError where a server of the user's own gives no superuser.
    """
    server = cluster.apart()
    owner = _owner(server)
    with server.scratch(prefix, _template(server, owner, supabase)) as admin_dsn:
        login = str(conninfo_to_dict(admin_dsn)["dbname"])
        password = secrets.token_urlsafe(24) if server.kind == "url" else None
        with ScratchSession(admin_dsn) as session:
            _admit(session, login, owner, password)
            before = Themselves.read(session, login)
        parts = {"user": login} | ({"password": password} if password else {})
        try:
            yield Cell(make_conninfo(admin_dsn, **parts), admin_dsn, login, owner, before)
        finally:
            with ScratchSession(server.dsn()) as session:
                before.undo(session)


def _owner(server: Cluster) -> str:
    """The role that owns a copy, made with its surroundings where it is missing."""
    with ScratchSession(server.dsn()) as session:
        try:
            session.script(LOCK)
            session.script(_ROLES)
            unsafe = {name for (name,) in session.rows(UNSAFE)}
            owner = STAND_IN if POSTGRES in unsafe else POSTGRES
            name = sql.Identifier(owner)
            if not session.rows("select 1 from pg_catalog.pg_roles where rolname = %s", [owner]):
                session.run(sql.SQL("create role {} nologin bypassrls").format(name))
            parameter = sql.SQL("grant set on parameter session_replication_role to {}").format(name)
            if session.rows(
                "select not has_parameter_privilege(%s, 'session_replication_role', 'SET')", [owner]
            ) == [(True,)]:
                session.run(parameter)
            for role in ACTED_AS:
                if role not in unsafe:
                    join(session, role, owner)
            if server.kind != "url":
                _close_others(session)
            session.commit()
        except SqlFailure as failure:
            message = f"The sandbox server cannot hold a copy safely: {failure.message}."
            raise ConfigurationError(message, hint="Give it a login that is a superuser.") from None
        return owner


def _close_others(session: ScratchSession) -> None:
    """Databases that every server has are not for logins of copies."""
    for (name,) in session.rows(
        "select datname from pg_catalog.pg_database where datname in ('postgres', 'template1')"
        " and has_database_privilege('anon', oid, 'CONNECT')"
    ):
        session.run(sql.SQL("revoke connect on database {} from public").format(sql.Identifier(name)))


def join(session: ScratchSession, role: str, member: str) -> None:
    """Make `member` a member of `role`, unless it is."""
    linked = session.rows(
        "select 1 from pg_catalog.pg_auth_members a join pg_catalog.pg_roles r on r.oid = a.roleid"
        " join pg_catalog.pg_roles m on m.oid = a.member where (r.rolname, m.rolname) = (%s, %s)",
        [role, member],
    )
    if not linked:
        session.run(sql.SQL("grant {} to {}").format(sql.Identifier(role), sql.Identifier(member)))


def _template(server: Cluster, owner: str, supabase: bool) -> str:
    key = demo.content_key() + hashlib.sha256(Path(__file__).read_bytes()).hexdigest() + owner
    name = "shim" if supabase else "bare"

    def build(dsn: str) -> None:
        if supabase:
            install_shim(dsn)
        with ScratchSession(dsn) as session:
            if supabase and owner == STAND_IN:
                file = next(path for path in shim_files() if path.name.startswith("90_"))
                session.script(file.read_text().replace("current_user::text", f"'{STAND_IN}'"))
            _hand_over(session, owner)
            session.commit()

    return server.template(f"cell_{name}", build, key=key)


def _hand_over(session: ScratchSession, owner: str) -> None:
    """Give `owner` what the stand-in made for a role that the login must not become."""
    session.script(LOCK)
    names = [name for (name,) in session.rows(UNSAFE)]
    unsafe = session.rows("select array_agg(oid)::text from pg_roles where rolname = any (%s)", [names])
    session.rows(
        "select set_config('sergei.heir', %s, true), set_config('sergei.unsafe', %s, true)",
        [owner, unsafe[0][0]],
    )
    session.script(_HAND_OVER)


def _admit(session: ScratchSession, login: str, owner: str, password: str | None) -> None:
    """Create the login. It starts as `owner`, and RESET ROLE comes back to it."""
    secret = sql.SQL(" password {}").format(sql.Literal(password)) if password else sql.SQL("")
    rights: tuple[LiteralString, ...] = (
        "create role {login} login bypassrls{secret}",
        "grant {owner} to {login}",
        "alter role {login} set role = {owner}",
        'alter role {login} set search_path = "$user", public, extensions',
        "revoke connect on database {login} from public",
        "grant connect on database {login} to {login}",
        "grant create on database {login} to {owner}",
    )
    session.script(LOCK)
    for right in rights:
        session.run(
            sql.SQL(right).format(login=sql.Identifier(login), owner=sql.Identifier(owner), secret=secret)
        )
    session.commit()
