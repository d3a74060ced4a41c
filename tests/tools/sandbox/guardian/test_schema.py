"""The shape of the Guardian schema: what any careful reviewer would look at first."""

from __future__ import annotations

import re

import psycopg

from tests.tools.sandbox.guardian.conftest import Connection, one
from tools.sandbox.cluster import Cluster
from tools.sandbox.guardian import apply_schema, schema_files
from tools.sandbox.shim import install_shim


def test_it_is_as_large_as_a_product(admin: Connection) -> None:
    tables = one(
        admin,
        """select count(*) from pg_class where relnamespace = 'public'::regnamespace
           and relkind in ('r', 'p') and not relispartition""",
    )
    policies = one(admin, "select count(*) from pg_policies where schemaname in ('public', 'storage')")
    assert tables >= 45
    assert policies >= 90


def test_it_says_that_it_is_a_demonstration(admin: Connection) -> None:
    comment = one(admin, "select obj_description('public'::regnamespace, 'pg_namespace')")
    assert comment.startswith("Guardian v7")
    assert one(admin, "select public.guardian_version()").endswith("-demo")


def test_every_table_has_row_level_security_a_primary_key_and_a_comment(admin: Connection) -> None:
    lacking = admin.execute(
        """
        select c.relname
        from pg_class c
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
          and not (
            c.relrowsecurity
            and obj_description(c.oid, 'pg_class') is not null
            and exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary)
          )
        """
    ).fetchall()
    assert lacking == []


def test_a_table_without_policy_is_closed_to_the_api_and_says_so(admin: Connection) -> None:
    rows = admin.execute(
        """
        select c.relname, coalesce(obj_description(c.oid, 'pg_class'), ''),
               has_table_privilege('anon', c.oid, 'select, insert, update, delete')
               or has_table_privilege('authenticated', c.oid, 'select, insert, update, delete')
        from pg_class c
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
          and not exists (select from pg_policy p where p.polrelid = c.oid)
        """
    ).fetchall()
    names = {name for name, _, _ in rows}
    assert {"processing_jobs", "webhooks_inbox", "staff_members", "clinical_events_2026q3"} <= names
    assert [name for name, comment, open_ in rows if open_ or not comment.startswith("Service only")] == []


def test_policies_name_a_role_and_never_overlap(admin: Connection) -> None:
    rows = admin.execute(
        """
        select tablename, cmd, role, count(*)
        from pg_policies cross join unnest(roles) as role
        where schemaname in ('public', 'storage') and permissive = 'PERMISSIVE'
        group by 1, 2, 3
        """
    ).fetchall()
    assert {role for _, _, role, _ in rows} == {"authenticated", "anon"}
    assert [row for row in rows if row[1] == "ALL" or row[3] > 1] == []


def test_policies_call_functions_once_per_statement_not_once_per_row(admin: Connection) -> None:
    rows = admin.execute(
        """
        select tablename, policyname, coalesce(qual, '') || ' ' || coalesce(with_check, '')
        from pg_policies where schemaname in ('public', 'storage')
        """
    ).fetchall()
    call = re.compile(r"(SELECT )?\b(?:auth|private)\.\w+\(")
    bare = [(table, name) for table, name, text in rows if any(m[1] is None for m in call.finditer(text))]
    assert bare == []
    assert sum(len(call.findall(text)) for *_, text in rows) > 150


def test_every_foreign_key_has_an_index_that_begins_with_it(admin: Connection) -> None:
    rows = admin.execute(
        """
        select c.conrelid::regclass::text, c.conname
        from pg_constraint c
        where c.contype = 'f' and c.connamespace = 'public'::regnamespace and c.conparentid = 0
          and not exists (
            select from pg_index i
            where i.indrelid = c.conrelid
              and (string_to_array(i.indkey::text, ' ')::smallint[])[1 : cardinality(c.conkey)] = c.conkey
          )
        """
    ).fetchall()
    assert rows == []


def test_every_function_fixes_its_search_path_and_definers_stay_in_private(admin: Connection) -> None:
    rows = admin.execute(
        """
        select n.nspname, p.proname, p.prosecdef, coalesce(p.proconfig::text, '')
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname in ('public', 'private')
        """
    ).fetchall()
    assert [name for _, name, _, settings in rows if "search_path" not in settings] == []
    definers = {name for schema, name, definer, _ in rows if definer and schema == "private"}
    assert len(definers) > 20
    assert [name for schema, name, definer, _ in rows if definer and schema == "public"] == []


def test_views_read_with_the_rights_of_the_caller(admin: Connection) -> None:
    rows = admin.execute(
        """
        select c.relname, c.relkind, n.nspname, coalesce(c.reloptions::text, '')
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('public', 'private') and c.relkind in ('v', 'm')
        """
    ).fetchall()
    assert [
        name for name, kind, _, options in rows if kind == "v" and "security_invoker=true" not in options
    ] == []
    assert [(schema, name) for name, kind, schema, _ in rows if kind == "m"] == [
        ("private", "profile_activity")
    ]


def test_realtime_sends_the_timeline_and_the_flags(admin: Connection) -> None:
    rows = admin.execute("select tablename from pg_publication_tables where pubname = 'supabase_realtime'")
    assert {name for (name,) in rows} == {"timeline_entries", "quality_flags"}


def test_a_new_partition_is_as_protected_as_the_others(admin: Connection) -> None:
    name = one(admin, "select private.create_event_partition('2031-04-01')")
    closed = one(
        admin,
        """
        select c.relrowsecurity and not has_table_privilege('authenticated', c.oid, 'select')
               and not has_table_privilege('anon', c.oid, 'select')
        from pg_class c where c.relname = %s
        """,
        [name],
    )
    assert name == "clinical_events_2031q2"
    assert closed is True


def test_the_schema_applies_twice_in_a_row_to_two_databases_of_one_server(cluster: Cluster) -> None:
    with cluster.scratch("schema") as dsn:
        install_shim(dsn)
        apply_schema(dsn)
        install_shim(dsn)  # a repeated stand-in must not hand back what Guardian revoked
        with psycopg.connect(dsn) as connection:
            assert one(connection, "select has_table_privilege('anon', 'public.profiles', 'select')") is False
    assert [path.name[:2] for path in schema_files()] == sorted(path.name[:2] for path in schema_files())
