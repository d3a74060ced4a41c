"""Other people's SQL runs as a login that reaches nothing beyond its copy; the honest rest is restored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, LiteralString
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.tools.sandbox.conftest import cache_folder
from tools.sandbox import demo
from tools.sandbox.cluster import Cluster, SandboxSettings
from tools.sandbox.scratch.confine import UNSAFE
from tools.sandbox.scratch.copy import Scratch, copy_schema, restore_sql
from tools.sandbox.scratch.fill import CannotFill, Filler
from tools.sandbox.scratch.session import ScratchSession, SqlFailure
from tools.sandbox.scratch.shapes import read_shapes
from tools.sandbox.shim import install_shim

HONEST: Final = """
create table public.kept (id int primary key, owner uuid references auth.users, note text);
alter table public.kept enable row level security;
create policy own on public.kept using (owner = (select auth.uid()));
create policy files on storage.objects for select to authenticated using (owner_id = auth.uid()::text);
create policy heard on realtime.messages for select to authenticated using (realtime.topic() = 'x');
"""
EVIL: Final = """
create function public.run_out(how text) returns text language plpgsql {definer} as $f$
begin
  begin {escape}; exception when others then null; end;
  execute how;
  return 'it ran';
end $f$;
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Servers of this module's own: nobody else makes roles there meanwhile."""
    with cache_folder() as folder, Cluster.open(SandboxSettings(cache_dir=folder)) as cluster:
        cluster.template("shim", install_shim, key=demo.content_key())  # it makes the server's roles
        yield cluster


@pytest.fixture
def proof() -> Iterator[Path]:
    """A path that the server could write to, where nothing may appear."""
    path = Path(f"/tmp/sergei-evil-{uuid4().hex}")
    yield path
    path.unlink(missing_ok=True)


@pytest.fixture
def unchanged(cluster: Cluster) -> Iterator[None]:
    """Both servers' roles, their settings and databases are the same afterwards."""
    with restore_sql(cluster, []):
        pass  # the first copy of a server makes its roles and templates
    before = [state(server.dsn()) for server in (cluster, cluster.apart())]
    yield
    assert [state(server.dsn()) for server in (cluster, cluster.apart())] == before


SERVER_STATE: Final[tuple[LiteralString, ...]] = (
    "select * from pg_authid order by oid",
    "select setrole::regrole::text, setconfig from pg_db_role_setting order by 1, 2",
    "select roleid, member from pg_auth_members order by 1, 2",
    "select datname, datacl::text from pg_database where not datistemplate order by 1",
    "select name, setting from pg_file_settings order by 1",
    "select spcname from pg_tablespace order by 1",
)


def state(dsn: str) -> Any:
    """What belongs to a server and not to a database."""
    with psycopg.connect(dsn) as connection:
        return [connection.execute(text).fetchall() for text in SERVER_STATE]


def why(copy: Scratch, word: str) -> str:
    """The reasons of every gap and note that mentions a word."""
    lines = [f"{what}: {reason}" for what, reason in copy.gaps] + list(copy.notes)
    return "\n".join(line for line in lines if word in line)


STATEMENTS: Final = {
    "block": "do $$ begin execute 'copy (select 1) to program ''touch {path}'''; end $$",
    "plain copy": "do $x$ begin copy (select 1) to '{path}'; end $x$",
    "read": "create table stolen as select pg_read_file('/etc/passwd') as t",
    "directory": "create table listed as select pg_ls_dir('/') as t",
    "import": "do $$ begin perform lo_import('/etc/passwd'); end $$",
    "export": "do $$ begin perform lo_export(lo_from_bytea(0, 'x'), '{path}'); end $$",
    "system": "do $$ begin execute 'alter system set work_mem = ''1GB'''; end $$",
    "superuser": "do $$ begin execute 'create role evil_super superuser login'; end $$",
    "postgres": "do $$ begin execute 'alter role postgres superuser'; end $$",
    "programs": "do $$ begin execute 'grant pg_execute_server_program to current_user'; end $$",
    "authorization": "set session authorization sergei",
    "session": "do $$ begin execute 'set session authorization sergei'; end $$",
    "role": "set role sergei",
    "dblink": "do $$ begin execute 'create extension dblink'; end $$",
    "file_fdw": "do $$ begin execute 'create extension file_fdw'; end $$",
    "plpython": "create function py() returns int language plpython3u as 'return 1'",
    "c": "create function c() returns int language c as '/lib/x86_64-linux-gnu/libc.so.6', 'system'",
    "internal": "create function i() returns bytea language internal as 'pg_read_binary_file_all'",
    "event": "do $$ begin execute 'create event trigger e on ddl_command_end execute function f()'; end $$",
    "other database": "do $$ begin execute 'alter database postgres set work_mem = ''1GB'''; end $$",
    "tablespace": "do $$ begin execute 'create tablespace t location ''/tmp'''; end $$",
    "catalog": "update pg_catalog.pg_authid set rolsuper = true",
    "subscription": "do $$ begin execute 'create subscription s connection ''host=/tmp'' publication p"
    " with (connect = false)'; end $$",
    "preload": "do $$ begin execute 'alter role current_user set log_statement = ''all'''; end $$",
    "owner": "do $$ begin execute 'alter function pg_catalog.pg_read_file(text) owner to anon'; end $$",
    "owned": "alter function pg_catalog.pg_read_file(text) owner to anon",
}


@pytest.mark.usefixtures("unchanged")
def test_hostile_statements_have_no_effect_and_are_reported(cluster: Cluster, proof: Path):
    texts = [f"create table public.mark_{place} (); {text}".replace("{path}", str(proof))
             for place, text in enumerate(STATEMENTS.values())]  # fmt: skip
    with restore_sql(cluster, [HONEST, *texts]) as copy, ScratchSession(copy.dsn) as session:
        assert not proof.exists()
        assert len(copy.gaps) == len(STATEMENTS), [*copy.gaps, *copy.notes]
        assert all(reason for _, reason in copy.gaps)
        marks = session.rows("select count(*) from pg_tables where tablename like 'mark\\_%'")
        assert marks == [(len(STATEMENTS),)]
        assert session.rows(
            "select count(*) from pg_policies where policyname in ('own', 'files', 'heard')"
        ) == [(3,)]
        assert session.rows("select to_regclass('stolen'), to_regclass('listed')") == [(None, None)]


ROLES: Final = """
create role evil_a superuser login password 'x';
create role evil_b createrole createdb replication bypassrls;
grant pg_execute_server_program to evil_b;
grant pg_read_server_files to evil_b;
grant evil_b to anon;
alter role anon bypassrls;
alter role postgres superuser;
alter role authenticated superuser;
alter role authenticated set statement_timeout = '1ms';
drop role anon;
grant service_role to anon;
revoke anon from authenticator;
create role honest nologin;
grant authenticated to honest;
do $$ begin
  if not exists (select from pg_roles where rolname = 'guarded') then create role guarded; end if;
end $$;
grant select on kept to guarded, honest;
alter table kept owner to honest;
"""


@pytest.mark.usefixtures("unchanged")
def test_roles_belong_to_the_copy_and_reach_nothing_beyond_it(cluster: Cluster):
    with restore_sql(cluster, [HONEST, ROLES]) as copy, ScratchSession(copy.dsn) as session:
        assert session.rows(
            "select rolname, rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolcanlogin,"
            " rolbypassrls"
            " from pg_roles where rolname in ('evil_a', 'evil_b', 'honest', 'guarded') order by 1"
        ) == [
            ("evil_a", False, True),
            ("evil_b", False, True),
            ("guarded", False, False),
            ("honest", False, False),
        ]
        assert "without SUPERUSER" in why(copy, "create role evil_a")
        for text in ROLES.splitlines()[3:13]:
            assert why(copy, text.removesuffix(";")) or text == "grant evil_b to anon;", text
        assert session.rows("select pg_has_role('honest', 'authenticated', 'MEMBER')") == [(True,)]
        assert session.rows("select tableowner from pg_tables where tablename = 'kept'") == [("honest",)]
        assert not why(copy, "guarded") and not why(copy, "create role honest")
        # A plain owner stays bound by FORCE, and the copy's own login is not.
        session.script(
            "insert into kept values (1); alter table kept force row level security; set role honest"
        )
        assert session.rows("select count(*) from kept") == [(0,)]
        session.script("reset role")
        assert session.rows("select count(*) from kept") == [(1,)]


REFUSED: Final = ("42501", "42883", "42704", "0A000", "28000", "25001")
ESCAPES: Final = (
    "perform set_config('role', 'none', false)",
    "execute 'reset session authorization'",
    "execute 'set session authorization default'",
    "execute 'set role supabase_admin'",
    "execute 'set role postgres'",
    "execute 'set local role none'",
)


@pytest.mark.parametrize("definer", ["security definer", "security invoker"])
@pytest.mark.usefixtures("unchanged")
def test_functions_that_go_back_to_the_session_gain_nothing(cluster: Cluster, proof: Path, definer: str):
    with restore_sql(cluster, [HONEST]) as copy, ScratchSession(copy.dsn) as session:
        for escape in ESCAPES:
            session.script("drop function if exists public.run_out")
            session.script(EVIL.format(definer=definer, escape=escape))
            for how in STATEMENTS.values():
                if how.startswith(("set ", "create table listed")):
                    continue
                with pytest.raises(SqlFailure) as caught, session.savepoint():
                    session.rows("select public.run_out(%s)", [how.replace("{path}", str(proof))])
                assert caught.value.sqlstate in REFUSED, (
                    how,
                    caught.value,
                )
        assert not proof.exists()


@pytest.mark.usefixtures("unchanged")
def test_a_hostile_database_is_copied_filled_and_harmless(cluster: Cluster, empty_database: str, proof: Path):
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute(HONEST.encode())
        connection.execute(
            f"""
            create function public.trap() returns trigger language plpgsql security definer as $$
            begin
              perform set_config('role', 'none', false);
              execute 'copy (select 1) to program ''touch {proof}''';
              return new;
            end $$;
            create trigger trap before insert on public.kept for each row execute function public.trap();
            alter table public.kept enable always trigger trap;
            create function public.check_it(t text) returns boolean language plpgsql immutable as $$
            begin execute 'copy (select 1) to program ''touch {proof}'''; return true;
            exception when insufficient_privilege then return true; end $$;
            create table public.checked (id int primary key, t text check (public.check_it(t)),
              u text generated always as (upper(t)) stored, v text default pg_read_file('/etc/hostname'));
            create index on public.checked (public.check_it(t));
            create policy p on public.checked using (public.check_it(t));
            create extension dblink;
            create function public.far() returns setof record language sql
              as 'select public.dblink(''dbname=postgres user=sergei'', ''select 1'')';
            """.encode()
        )  # fmt: skip
    with copy_schema(cluster, empty_database) as copy, ScratchSession(copy.dsn) as session:
        assert "reaches beyond" in why(copy, "dblink")
        assert session.rows("select extname from pg_extension where extname = 'dblink'") == []
        assert session.rows(
            "select count(*) from pg_policies where policyname in ('own', 'files', 'heard', 'p')"
        ) == [(4,)]
        filler = Filler(session, read_shapes(session))
        for table in ("public.kept", "public.checked"):
            with suppress(CannotFill, SqlFailure):
                filler.insert(table)
        with suppress(SqlFailure), session.savepoint():
            session.run("insert into public.checked (id, t, v) values (9, 'x', 'y')")
            assert session.rows("select count(*) from public.checked where t = 'x'") == [(1,)]
    assert not proof.exists()


def test_the_login_reaches_nothing_else(cluster: Cluster):
    with (
        restore_sql(cluster, [HONEST]) as copy,
        restore_sql(cluster, []) as other,
        ScratchSession(other.dsn) as victim,
        ScratchSession(copy.dsn) as session,
    ):
        unsafe = {name for (name,) in session.rows(UNSAFE)}
        ((login, owner),) = session.rows("select session_user, current_user")
        assert owner == "postgres" and not {login, owner} & unsafe
        assert session.rows("select pg_has_role(session_user, r.oid, 'MEMBER') from pg_roles r"
                            " where r.rolsuper or r.rolname ~ '^pg_.*(server|signal|monitor)'"
                            " group by 1") == [(False,)]  # fmt: skip
        ((pid,),) = victim.rows("select pg_backend_pid()")
        victim.commit()
        for call in ("pg_terminate_backend", "pg_cancel_backend"):
            with pytest.raises(SqlFailure) as caught, session.savepoint():
                session.rows(f"select {call}({pid})")
            assert caught.value.sqlstate == "42501"
        assert victim.rows("select 1") == [(1,)]
        for name in (other.admin.login, "postgres", "template1"):
            with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                psycopg.connect(make_conninfo(copy.dsn, dbname=name))
        with pytest.raises(psycopg.OperationalError, match="is not permitted to log in"):
            psycopg.connect(make_conninfo(copy.dsn, user="postgres"))
    with psycopg.connect(cluster.apart().dsn()) as connection:
        assert connection.execute("select 1 from pg_roles where rolname = %s", [login]).fetchone() is None


@pytest.mark.usefixtures("unchanged")
def test_settings_that_a_role_may_give_itself_are_undone(cluster: Cluster):
    evil = (
        "do $$ begin execute 'alter role current_user set search_path = evil'; end $$;"
        "do $$ begin set local role anon; execute 'alter role anon set work_mem = ''1GB'''; end $$;"
        "do $$ begin execute 'alter role current_user password ''known'''; end $$"
    )
    with restore_sql(cluster, [evil]) as copy:
        assert why(copy, "role anon: the schema changed its settings")
        assert why(copy, "role postgres: the schema changed its settings")
        with ScratchSession(copy.dsn) as session:
            session.script("alter role postgres set search_path = later")
            session.commit()


def test_a_copy_of_a_copy_is_whole(cluster: Cluster):
    """Proofs of migrations copy what was restored from them."""
    with restore_sql(cluster, [HONEST]) as first, copy_schema(cluster, first.dsn) as second:
        assert second.gaps == () and second.notes == ()
        with ScratchSession(second.dsn) as session:
            assert session.rows("select has_table_privilege('anon', 'kept', 'SELECT')") == [(True,)]


def test_extensions_and_publications_are_made_for_it(cluster: Cluster):
    text = """
    create extension if not exists pgcrypto with schema extensions; create extension btree_gist;
    create extension hstore with schema far; create extension earthdistance cascade;
    create extension dblink; create extension if not exists file_fdw;
    drop extension hstore;
    create publication everything for all tables;
    create function quiet(t text) returns text language sql leakproof immutable as 'select t';
    create table rooms (room int, during tsrange, exclude using gist (room with =, during with &&));
    """
    with restore_sql(cluster, [text], supabase=True) as copy, ScratchSession(copy.dsn) as session:
        assert copy.gaps == ()
        names = {name for (name,) in session.rows("select extname from pg_extension")}
        assert {"pgcrypto", "btree_gist", "cube", "earthdistance"} <= names
        assert not {"dblink", "file_fdw", "hstore"} & names
        assert "reaches beyond" in why(copy, "dblink") and "reaches beyond" in why(copy, "file_fdw")
        assert session.rows("select puballtables from pg_publication where pubname = 'everything'") == [
            (True,)
        ]
        assert "LEAKPROOF" in why(copy, "quiet")


def test_on_a_server_of_the_users_own_its_superusers_own_nothing(cluster: Cluster, empty_database: str):
    """There postgres is a superuser, so another role takes its place."""
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute(HONEST.encode())
    settings = SandboxSettings(cache_dir=Path("/nowhere"), url=cluster.dsn())
    with Cluster.open(settings) as own, copy_schema(own, empty_database) as copy:
        assert own.apart() is own and copy.gaps == ()
        with ScratchSession(copy.dsn) as session:
            unsafe = [name for (name,) in session.rows(UNSAFE)]
            assert "postgres" in unsafe and "supabase_admin" in unsafe
            assert session.rows("select current_user = any (%s), session_user = any (%s)", [unsafe] * 2) == [
                (False, False)
            ]
            owned = session.rows(
                "select 'function', proname::text from pg_proc p where oid >= 16384 and prosecdef"
                " and proowner::regrole::text = any (%s)"
                " union all select 'relation', relname::text from pg_class where oid >= 16384"
                " and relkind in ('r', 'v')"
                " and relname !~ '^pg_stat_statements'"
                " and relowner::regrole::text = any (%s)",
                [unsafe] * 2,
            )
            assert owned == []
            assert session.rows("select has_table_privilege('anon', 'kept', 'SELECT')") == [(True,)]
            session.script("create table later (); ")
            assert session.rows("select has_table_privilege('anon', 'later', 'SELECT')") == [(True,)]
            with pytest.raises(SqlFailure, match="external program"):
                session.script("set role none; copy (select 1) to program 'true'")
