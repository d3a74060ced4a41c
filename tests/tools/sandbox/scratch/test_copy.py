"""A copy of a schema is the schema: what pg_dump says of both is the same, and what lacks is listed."""

from __future__ import annotations

import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterable

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tools.errors import Unavailable
from tools.sandbox import demo
from tools.sandbox.binaries import embedded_binaries
from tools.sandbox.cluster import Cluster
from tools.sandbox.scratch.copy import Scratch, copy_schema, restore_sql
from tools.sandbox.scratch.fill import Filler
from tools.sandbox.scratch.session import ScratchSession, SqlFailure
from tools.sandbox.scratch.shapes import read_shapes

CLINIC, NURSE, READER = (f"scratch_{who}_{os.getpid()}" for who in ("clinic", "nurse", "reader"))
"""Roles are of the whole server, and those that a killed run left are in nobody's way."""
MESSY = """
create role scratch_clinic nologin bypassrls;
create role scratch_nurse nologin;
grant scratch_clinic to scratch_nurse;
create schema app;
create domain app.level as text check (value in ('read', 'write'));
create table app.notes (id int primary key, level app.level, t text, owner text default current_user);
alter table app.notes enable row level security;
alter table app.notes force row level security;
create policy mine on app.notes to scratch_nurse using (owner = current_user) with check (level = 'read');
grant select (id, level), update (t) on app.notes to scratch_nurse;
alter default privileges in schema app revoke execute on functions from public;
create function app.later() returns int language sql as 'select 1';
create function app.broken() returns int language plpgsql as $$ begin return (select x from nowhere); end $$;
create view app.seen with (security_invoker = true) as select id from app.notes;
create materialized view app.kept as select count(*) from app.notes with no data;
create table app.log (at date not null, n int) partition by range (at);
create table app.log_old partition of app.log for values from (minvalue) to ('2020-01-01');
create table app.log_rest partition of app.log default;
create function app.guard() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger guard before update on app.notes for each row execute function app.guard();
create trigger always before insert on app.notes for each row execute function app.guard();
alter table app.notes enable always trigger always;
create publication scratch_news for table app.notes (id, t) where (id > 0);
comment on table app.notes is 'what was noted';
create function app.watch() returns event_trigger language plpgsql as $$ begin end $$;
create event trigger scratch_watch on ddl_command_end execute function app.watch();
insert into app.notes values (1, 'read', 'secret');
""".replace("scratch_clinic", CLINIC).replace("scratch_nurse", NURSE)


_PUBLIC = re.compile(r"--\n-- Name: public; Type: SCHEMA.*?\n(?=--\n-- Name: )", re.S)
_OWNER_OF_PUBLIC = re.compile(r"(-- Name: SCHEMA public; Type: \w+; Schema: -; Owner:).*")

_ROLES = re.compile(r" TO (\w+(?:, \w+)+)( USING| WITH|;)")


def dumped(dsn: str) -> list[str]:
    program = embedded_binaries().program("pg_dump")
    done = subprocess.run([program, "--schema-only", "-d", dsn], capture_output=True, text=True, check=True)
    # The schema public belongs to the owner of a copy, who owns no database and yet may grant on it.
    text = _PUBLIC.sub("", done.stdout)
    lines = [line for line in text.splitlines() if "restrict " not in line]
    return [_sorted_roles(_OWNER_OF_PUBLIC.sub(r"\1", line)) for line in lines]


def _sorted_roles(line: str) -> str:
    """pg_dump lists a policy's roles as they lie in the server's catalog."""
    return _ROLES.sub(lambda found: f" TO {', '.join(sorted(found[1].split(', ')))}{found[2]}", line)


def statements(lines: Iterable[str]) -> list[str]:
    return [line for line in lines if line and not line.startswith("--")]


def test_the_guardian_copy_is_the_guardian_without_its_rows(cluster: Cluster, guardian_copy: Scratch):
    with cluster.scratch("original", template=demo.template(cluster)) as original:
        here, there = dumped(guardian_copy.dsn), dumped(original)
        there.remove("GRANT ALL ON SCHEMA public TO postgres;")  # it is the owner in a copy
        # Sorted: grants are listed in the order in which a server made its roles.
        assert sorted(filter(None, here)) == sorted(filter(None, there))
    assert guardian_copy.gaps == () and guardian_copy.supabase
    with ScratchSession(guardian_copy.dsn) as session:
        assert session.rows("select count(*) from public.profiles") == [(0,)]
        assert session.rows("select count(*) from auth.users") == [(0,)]
        assert session.rows("select count(*) from storage.buckets") == [(3,)]


def test_a_plain_database_is_copied_with_its_roles(cluster: Cluster, plain_database: str):
    with psycopg.connect(plain_database, autocommit=True) as connection:
        connection.execute(MESSY.encode())
    try:
        with copy_schema(cluster, plain_database) as copy, ScratchSession(copy.dsn) as session:
            assert copy.gaps == ()
            assert copy.notes == ("event trigger scratch_watch is missing: event triggers are not copied",)
            only_there = Counter(dumped(plain_database)) - Counter(dumped(copy.dsn))
            assert all("scratch_watch" in line or "app.watch()" in line for line in statements(only_there))
            assert not statements(Counter(dumped(copy.dsn)) - Counter(dumped(plain_database)))
            assert session.rows("select count(*) from app.notes") == [(0,)]
            assert session.rows(
                "select attname from pg_attribute where attacl is not null and attrelid = "
                "'app.notes'::regclass order by 1"
            ) == [("id",), ("level",), ("t",)]
            assert session.rows(
                "select relrowsecurity, relforcerowsecurity from pg_class where oid = 'app.notes'::regclass"
            ) == [(True, True)]
            shapes = read_shapes(session)
            assert shapes["app.notes"].always == ("always",)
            assert shapes["app.log"].partitions == 2
            assert not copy.supabase
    finally:
        with psycopg.connect(plain_database, autocommit=True) as connection:
            connection.execute(f"drop owned by {NURSE}, {CLINIC} cascade".encode())
            connection.execute(f"drop role {NURSE}, {CLINIC}".encode())


def test_a_role_that_nobody_made_is_made_and_goes_again(cluster: Cluster):
    text = "create table t (); grant select on t to scratch_unknown; create policy p on t to scratch_unknown"
    with restore_sql(cluster, [text]) as copy, ScratchSession(copy.dsn) as session:
        assert copy.gaps == ()
        assert session.rows("select has_table_privilege('scratch_unknown', 't', 'SELECT')") == [(True,)]
    with ScratchSession(cluster.dsn()) as session:
        assert session.rows("select from pg_roles where rolname = 'scratch_unknown'") == []


MIGRATIONS = (
    """
    begin;
    create extension if not exists "uuid-ossp" with schema extensions;
    create extension if not exists vector with schema extensions;
    create extension if not exists postgis;
    create extension if not exists pg_cron;
    set search_path = public, extensions;
    create table documents (id uuid primary key default uuid_generate_v4(), owner uuid references auth.users,
      embedding extensions.vector(1536), place geometry(Point, 4326), body text);
    create index on documents using hnsw (embedding extensions.vector_cosine_ops);
    create index concurrently documents_owner on documents (owner);
    alter table documents enable row level security;
    create policy own on documents using (owner = (select auth.uid()) and private.allowed(id));
    commit;
    """,
    """
    create schema private;
    create function private.allowed(id uuid) returns boolean language sql as 'select true';
    insert into storage.buckets (id, name, public) values ('scans', 'scans', true);
    alter table documents add constraint if not exists nonsense check (true);
    drop policy if exists never on documents;
    select cron.schedule('nightly', '0 0 * * *', 'select 1');
    create policy near on documents for select using (ST_DWithin(place, place, 10));
    """,
)


def test_migrations_are_restored_as_far_as_they_go(cluster: Cluster):
    with restore_sql(cluster, MIGRATIONS) as copy, ScratchSession(copy.dsn) as session:
        objects = [name for name, _ in copy.gaps]
        assert len(objects) == 2, copy.gaps
        assert objects[0].startswith("table ALTER TABLE") or "nonsense" in "".join(objects)
        assert any("near" in name for name in objects)
        assert any("vector" in note for note in copy.notes) and any("hnsw" in note for note in copy.notes)
        policies = session.rows("select policyname from pg_policies where schemaname = 'public'")
        assert policies == [("own",)]
        assert session.rows(
            "select indexrelid::regclass::text from pg_index where indrelid = "
            "'documents'::regclass order by 1"
        ) == [("documents_owner",), ("documents_pkey",)]
        assert session.rows("select id, public from storage.buckets") == [("scans", True)]
        assert session.rows("select has_table_privilege('anon', 'documents', 'SELECT')") == [(True,)]
        filler = Filler(session, read_shapes(session))
        row = filler.insert("public.documents")
        assert row.values["embedding"] is not None and filler.verify() == []


DUMP = r"""
--
-- PostgreSQL database dump
--
\restrict abc
SET transaction_timeout = 0;
SET some_new_setting = 0;
SET check_function_bodies = false;

--
-- Name: vector; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public;

--
-- Name: items; Type: TABLE; Schema: public; Owner: scratch_owner
--

CREATE TABLE public.items (
    id integer NOT NULL,
    embedding public.vector(3)
);

ALTER TABLE public.items OWNER TO scratch_owner;

--
-- Data for Name: items; Type: TABLE DATA; Schema: public; Owner: scratch_owner
--

COPY public.items (id, embedding) FROM stdin;
1	[1,2,3]
\.

--
-- Name: items_embedding_idx; Type: INDEX; Schema: public; Owner: scratch_owner
--

CREATE INDEX items_embedding_idx ON public.items USING hnsw (embedding public.vector_cosine_ops);

\unrestrict abc
"""


HOSTED = r"""
-- PostgreSQL database dump
SET check_function_bodies = false;

--
-- Name: remote; Type: SERVER; Schema: -; Owner: postgres
--

CREATE SERVER remote FOREIGN DATA WRAPPER postgres_fdw;

--
-- Name: far; Type: FOREIGN TABLE; Schema: public; Owner: postgres
--

CREATE FOREIGN TABLE public.far (id integer) SERVER remote;

--
-- Name: FUNCTION armor(bytea); Type: ACL; Schema: extensions; Owner: postgres
--

GRANT ALL ON FUNCTION extensions.armour(bytea) TO anon;

--
-- Name: near; Type: VIEW; Schema: public; Owner: postgres
--

CREATE VIEW public.near AS SELECT id FROM public.far;
"""


def test_only_what_people_read_through_is_a_gap(cluster: Cluster):
    with restore_sql(cluster, [HOSTED]) as copy:
        assert [name for name, _ in copy.gaps] == ["foreign table public.far", "view public.near"]
        assert len(copy.notes) == 2


def test_a_dump_file_is_restored_without_its_rows(cluster: Cluster):
    with restore_sql(cluster, [DUMP]) as copy, ScratchSession(copy.dsn) as session:
        assert copy.gaps == ()
        assert any("items_embedding_idx" in note for note in copy.notes)
        assert session.rows("select count(*) from public.items") == [(0,)]
        assert session.rows("select tableowner from pg_tables where tablename = 'items'") == [
            ("scratch_owner",)
        ]
        # The stand-in's default privileges would have granted what the dump does not.
        assert session.rows("select has_table_privilege('anon', 'public.items', 'SELECT')") == [(False,)]


def test_what_the_login_may_not_read_is_a_gap(cluster: Cluster, empty_database: str):
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute(
            f"create role {READER} login; create table seen (a int); create table hidden (a int);"
            f" grant select on seen to {READER}".encode()
        )
    dsn = make_conninfo(empty_database, user=READER, password="pa:ss\\word")
    try:
        with copy_schema(cluster, dsn) as copy, ScratchSession(copy.dsn) as session:
            assert ("table public.hidden", "the login may not read it, so pg_dump cannot") in copy.gaps
            tables = {
                name
                for (name,) in session.rows("select tablename from pg_tables where schemaname = 'public'")
            }
            assert tables == {"seen"}
            assert session.rows("select auth.uid()") == [(None,)]
    finally:
        with psycopg.connect(empty_database, autocommit=True) as connection:
            connection.execute(f"drop owned by {READER}; drop role {READER}".encode())


def test_a_pulled_migration_that_only_alters_the_publication_finds_it(cluster: Cluster):
    pulled = """SET check_function_bodies = false;
    create table public.news (id int primary key);"""
    later = "alter publication supabase_realtime add table public.news;"
    with restore_sql(cluster, [pulled, later]) as copy, ScratchSession(copy.dsn) as session:
        assert copy.gaps == ()
        assert session.rows(
            "select tablename from pg_publication_tables where pubname = 'supabase_realtime'"
        ) == [("news",)]


def test_a_source_that_is_not_there_is_unavailable(cluster: Cluster):
    with pytest.raises(Unavailable), copy_schema(cluster, "host=/nowhere dbname=x"):
        pass


def test_failures_are_values_and_savepoints_undo(plain_database: str):
    with ScratchSession(plain_database) as session:
        session.script("create table t (a int constraint positive check (a > 0)); insert into t values (1)")
        with pytest.raises(SqlFailure) as caught, session.savepoint():
            session.run("insert into t values (2), (-1)")
        assert (caught.value.sqlstate, caught.value.constraint, caught.value.table) == (
            "23514",
            "positive",
            "public.t",
        )
        with session.savepoint(keep=False):
            assert session.run("update t set a = a + 1 where a = %s", [1]) == 1
        assert session.rows("select a from t") == [(1,)]
        session.rollback()
        assert session.rows("select to_regclass('t')") == [(None,)]
