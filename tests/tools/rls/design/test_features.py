"""Designs for features that do not exist yet: understood, written, run, attacked; and applied for real."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import psycopg
import pytest

from tests.tools.rls.design.features import FAMILY, FEATURES
from tools.errors import InvalidInput, NotFound
from tools.rls.design.evidence import Reaches
from tools.rls.design.making import Brief, Design, checked, make
from tools.sandbox import demo
from tools.sandbox.cluster import Cluster
from tools.sandbox.scratch.session import ScratchSession
from tools.sandbox.shim import install_shim

Making = Callable[[str], Design]


@pytest.fixture(scope="module")
def shim_name(cluster: Cluster) -> str:
    """The template with Supabase's roles and schemas."""
    return cluster.template("shim", install_shim, key=demo.content_key())


@pytest.fixture(scope="module")
def designed(cluster: Cluster, shim_name: str) -> Iterator[Making]:
    """`designed("family")`: the design of a feature, made once for the module."""
    known: dict[str, Design] = {}

    def making(name: str) -> Design:
        if name not in known:
            with cluster.scratch("feature", template=shim_name) as dsn:
                known[name] = make(cluster, dsn, Brief(planned=FEATURES[name]))
        return known[name]

    yield making


def line(design: Design, table: str, who: str) -> Reaches:
    """What one kind of caller did with one table."""
    return next(one for one in design.check.reaches if (one.table, one.who) == (f"public.{table}", who))


@pytest.mark.parametrize("name", FEATURES)
def test_a_design_holds_when_it_runs(designed: Making, name: str) -> None:
    check = designed(name).check
    assert [leak.sentence for leak in (*check.leaks, *check.denied)] == []
    assert [finding.message for finding in check.errors] == []
    assert check.probes > 20
    assert any(one.select == "all" and one.who != "stranger" for one in check.reaches)


@pytest.mark.parametrize("name", FEATURES)
def test_strangers_and_former_holders_get_nothing(designed: Making, name: str) -> None:
    outside = [
        one for one in designed(name).check.reaches if one.who in ("stranger", "former holder", "anon")
    ]
    assert outside
    for one in outside:
        if one.table != "public.categories":
            assert {one.select, one.insert, one.update, one.delete} <= {"none", "-"}, one


def test_levels_of_a_grant_mean_what_they_say(designed: Making) -> None:
    design = designed("family")
    grant = "(family_profile_grants)"
    assert line(design, "family_notes", "owner").delete == "all"
    assert line(design, "family_notes", f"read {grant}").select == "all"
    assert line(design, "family_notes", f"read {grant}").update == "none"
    assert line(design, "family_notes", f"write {grant}").update == "all"
    assert line(design, "family_notes", f"write {grant}").delete == "none"
    assert line(design, "family_notes", f"manage {grant}").delete == "all"
    assert line(design, "family_profile_grants", f"write {grant}").update == "none"
    assert line(design, "family_profile_grants", f"manage {grant}, own row").update == "none"
    assert line(design, "family_note_files", f"read {grant}").select == "all"


def test_members_read_and_admins_write(designed: Making) -> None:
    design = designed("household")
    assert line(design, "chores", "member (household_members)").select == "all"
    assert line(design, "chores", "member (household_members)").update == "none"
    assert line(design, "chores", "admin (household_members)").insert == "all"
    assert any("Who creates rows of public.households" in one for one in design.migration.questions)


def test_a_caregiver_writes_only_where_the_flag_says_so(designed: Making) -> None:
    design = designed("caregivers")
    assert line(design, "vitals", "false (patient_caregivers)").update == "none"
    assert line(design, "vitals", "true (patient_caregivers)").update == "all"


@pytest.mark.parametrize("name", FEATURES)
def test_the_script_its_tests_and_its_undo_run_on_the_target(
    cluster: Cluster, shim_name: str, designed: Making, name: str
) -> None:
    design = designed(name)
    with (
        cluster.scratch("applied", template=shim_name) as dsn,
        psycopg.connect(dsn, autocommit=True) as connection,
    ):
        before = standing(connection)
        connection.execute(design.migration.script.encode())
        assert standing(connection) != before
        assert design.check.tests.count("do $test$") > 10
        connection.execute(design.check.tests.encode())
        connection.execute(design.migration.undo.encode())
        assert standing(connection) == before


def test_the_tests_of_a_design_fail_when_a_policy_is_widened(
    cluster: Cluster, shim_name: str, designed: Making
) -> None:
    design = designed("family")
    with (
        cluster.scratch("widened", template=shim_name) as dsn,
        psycopg.connect(dsn, autocommit=True) as connection,
    ):
        connection.execute(design.migration.script.encode())
        connection.execute("alter policy family_notes_select on public.family_notes using (true)")
        with pytest.raises(psycopg.errors.RaiseException, match="reads public"):
            connection.execute(design.check.tests.encode())


def test_a_row_is_not_moved_and_an_offer_is_accepted_by_its_holder_only(
    cluster: Cluster, shim_name: str, designed: Making
) -> None:
    owner, other = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
    with cluster.scratch("moved", template=shim_name) as dsn, psycopg.connect(dsn) as connection:
        connection.execute(designed("family").migration.script.encode())
        connection.execute(
            f"""insert into auth.users (id) values ('{owner}'), ('{other}');
            insert into public.family_profiles (id, owner_id, name) values
              ('{owner}', '{owner}', 'a'), ('{other}', '{owner}', 'b');
            insert into public.family_notes (profile_id, body) values ('{owner}', 'x');""".encode()
        )
        act(connection, owner)
        connection.execute(
            "insert into public.family_profile_grants (id, profile_id, grantee_id, granted_by, level)"
            f" values ('{owner}', '{owner}', '{other}', '{owner}', 'read')".encode()
        )
        assert connection.execute(
            f"select public.accept_family_profile_grants('{owner}')".encode()
        ).fetchone() == (False,)
        act(connection, other)
        assert connection.execute("select * from public.family_notes").fetchall() == []
        assert connection.execute(
            f"select public.accept_family_profile_grants('{owner}')".encode()
        ).fetchone() == (True,)
        assert len(connection.execute("select * from public.family_notes").fetchall()) == 1
        act(connection, owner)
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="profile_id of family_notes"):
            connection.execute(f"update public.family_notes set profile_id = '{other}'".encode())


WRITABLE = "with check (profile_id = any (array(select private.writable_family_profiles()))"
BROKEN = {
    "the status of a grant is not tested": ("fpg.status = 'active'", "true"),
    "a reader may write": ("l.level::text in ('write', 'manage')", "true"),
    "anybody adds notes": (WRITABLE, "with check ((true)"),
    "a record can be taken over": ("keep_columns('id', 'owner_id')", "keep_columns('id')"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_design_is_caught(cluster: Cluster, shim_name: str, designed: Making, fault: str) -> None:
    design = designed("family")
    right, wrong = BROKEN[fault]
    assert right in design.migration.script
    broken = replace(design.migration, script=design.migration.script.replace(right, wrong))
    with cluster.scratch("broken", template=shim_name) as dsn, ScratchSession(dsn) as session:
        session.script(FAMILY)
        check = checked(session, broken, design.model, design.tables, Brief(planned=FAMILY))
    assert not check.sound and check.leaks
    assert all(leak.replay for leak in check.leaks)


def test_a_new_table_of_the_demo_uses_the_helpers_that_are_there(cluster: Cluster, guardian: str) -> None:
    planned = """create table public.vaccination_plans (
      id uuid primary key default gen_random_uuid(),
      profile_id uuid not null references public.profiles (id) on delete cascade,
      title text not null, created_by uuid not null references public.accounts (id))"""
    design = make(cluster, guardian, Brief(planned=planned))
    assert design.check.sound
    assert "private.writable_profiles" in design.reused and "private.freeze_columns" in design.reused
    assert "create function" not in design.migration.script


@pytest.mark.parametrize(
    ("brief", "error", "message"),
    [
        (Brief(tables=("nowhere",)), NotFound, "There is no table nowhere"),
        (Brief(planned="create tabel x ()"), InvalidInput, "planned"),
        (Brief(planned="drop schema public"), InvalidInput, "may hold CREATE TABLE"),
        (
            Brief(planned="create table public.x (a text default pg_read_file('/etc/passwd'))"),
            InvalidInput,
            "calls",
        ),
        (Brief(planned="create table public.x (a nonsense)"), InvalidInput, "cannot be created"),
        (Brief(), InvalidInput, "Every table has policies"),
    ],
)
def test_what_cannot_be_designed_is_said_in_a_sentence(
    cluster: Cluster, empty_database: str, brief: Brief, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        make(cluster, empty_database, brief)


def act(connection: psycopg.Connection[tuple[object, ...]], account: str) -> None:
    """Become an account, as the API does."""
    connection.execute("reset role")
    connection.execute("select set_config('request.jwt.claims', %s, true)", [f'{{"sub": "{account}"}}'])
    connection.execute("set local role authenticated")


def standing(connection: psycopg.Connection[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """Relations with row level security and privileges, policies, functions and triggers."""
    return connection.execute(
        """select 'relation', c.oid::regclass::text, c.relrowsecurity::text, c.relacl::text from pg_class c
           where c.relnamespace in (select oid from pg_namespace where nspname in ('public', 'private'))
           union all select 'policy', p.polname, p.polrelid::regclass::text, '' from pg_policy p
           union all select 'function', f.oid::regprocedure::text, '', f.proacl::text from pg_proc f
           where f.pronamespace in (select oid from pg_namespace where nspname in ('public', 'private'))
           order by 1, 2, 3"""
    ).fetchall()
