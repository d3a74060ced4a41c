"""explain_access on the demo and on a schema of its own: the right part, the right row, and no value told."""

# ruff: noqa: E501  SQL and sentences read better when they are not broken

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, LiteralString

import psycopg
import pytest

from tests.conftest import MakeExecutor
from tests.tools.rls.cases import FAMILY
from tools.sandbox.cluster import Cluster

pytestmark = pytest.mark.anyio

ANN, BEN, EVE = (f"00000000-0000-0000-0000-00000000000{n}" for n in (1, 2, 3))
PROFILE, NOTE = "00000000-0000-0000-0000-0000000000aa", "00000000-0000-0000-0000-0000000000bb"
LOGIN = f"why_login_{os.getpid()}"
"""Roles are of the whole server, and one that a killed run left is in nobody's way."""
ROWS = f"""
insert into auth.users (id, email) values ('{ANN}', 'ann@example.org'), ('{BEN}', 'ben@example.org'),
  ('{EVE}', 'eve@example.org');
insert into public.profiles (id, owner_id, name) values ('{PROFILE}', '{ANN}', 'Zebedee Quux');
insert into public.grants (id, profile_id, grantee_id, status, expires_at) values
  (gen_random_uuid(), '{PROFILE}', '{BEN}', 'active', now() - interval '1 day'),
  (gen_random_uuid(), '{PROFILE}', '{EVE}', 'active', now() + interval '1 day');
insert into public.notes (id, profile_id, body) values ('{NOTE}', '{PROFILE}', 'Zebedee Quux has a rash');
"""
MORE: LiteralString = """
create function app.noisy() returns boolean language plpgsql volatile as
$$ begin insert into public.codes values ('written', 'x'); return true; end $$;
create policy notes_noisy on public.notes for delete to authenticated using (app.noisy());
create policy codes_sum on public.codes for update to authenticated using (1 / (length(code) - 1) = 1);
create policy profiles_not_archived on public.profiles as restrictive for select to authenticated
  using (archived_at is null);
create function app.may_read(wanted uuid) returns boolean language plpgsql stable security definer
set search_path = '' as
$$ begin return exists (select 1 from public.grants g where g.profile_id = wanted and g.grantee_id = auth.uid()
   and g.status = 'active' and (g.expires_at is null or g.expires_at > now())); end $$;
create policy profiles_update on public.profiles for update to authenticated using (app.may_read(id))
  with check (name is null);
create table public.inline (id int primary key, profile_id uuid);
alter table public.inline enable row level security;
create policy inline_select on public.inline for select to authenticated using (exists (
  select 1 from public.grants g where g.profile_id = inline.profile_id and g.grantee_id = auth.uid()
  and g.status = 'active'));
insert into public.codes values ('x', 'x');
"""


@pytest.fixture(scope="module")
def people(cluster: Cluster) -> Iterator[str]:
    """Ann owns a profile with a note; Ben's grant expired, Eve's lives."""
    from tools.sandbox import demo
    from tools.sandbox.shim import install_shim

    template = cluster.template("shim", install_shim, key=demo.content_key())
    with cluster.scratch("why", template=template) as dsn:
        with psycopg.connect(dsn) as connection:
            for text in (FAMILY, ROWS, MORE):
                connection.execute(text)  # pyright: ignore[reportArgumentType, reportCallIssue]  a test's own SQL
            connection.execute(f"insert into public.inline values (1, '{PROFILE}')")  # pyright: ignore[reportArgumentType, reportCallIssue]  same
        yield dsn


async def why(make: MakeExecutor, dsn: str, relation: str, **arguments: Any) -> str:
    """The answer as it is read."""
    outcome = await make(dsn).call("explain_access", {"relation": relation, **arguments})
    said = outcome.markdown()
    assert "Zebedee" not in said and "rash" not in said
    return said


async def test_a_living_grant_lets_through(make_executor: MakeExecutor, people: str):
    said = await why(make_executor, people, "notes", key={"id": NOTE}, user_id=EVE)
    assert "**SELECT: yes.** Policy notes_select USING is true." in said
    assert (
        "app.granted() -> public.grants: a row names the caller and the row and meets every condition" in said
    )
    assert "Tried as the caller: the row is seen, as explained." in said


async def test_an_expired_grant_is_named_with_the_condition_that_it_fails(
    make_executor: MakeExecutor, people: str
):
    said = await why(make_executor, people, "notes", key={"id": NOTE}, user_id=BEN)
    assert "**SELECT: no.** No permissive policy is true." in said
    assert "a row names the caller and the row, but grants.expires_at > now() is false" in said
    assert "status" not in said
    assert "not seen, as explained" in said


async def test_a_stranger_has_no_row_at_all(make_executor: MakeExecutor, people: str):
    stranger = "00000000-0000-0000-0000-000000000009"
    said = await why(make_executor, people, "notes", key={"id": NOTE}, user_id=stranger)
    assert "no row names both the caller and the row (none names the caller, some name the row)" in said


async def test_the_parts_of_or_are_told_apart_and_restrictive_policies_count(
    make_executor: MakeExecutor, people: str
):
    said = await why(make_executor, people, "profiles", key={"id": PROFILE}, user_id=ANN)
    assert "true: any of" in said
    assert "true: owner_id = (SELECT auth.uid() AS uid)" in said
    assert "false: id = ANY(ARRAY(SELECT app.granted() AS granted))" in said
    assert "restrictive policy profiles_not_archived USING: true" in said
    with psycopg.connect(people) as connection:
        connection.execute("update public.profiles set archived_at = now()")
    try:
        said = await why(make_executor, people, "profiles", key={"id": PROFILE}, user_id=ANN)
    finally:
        with psycopg.connect(people) as connection:
            connection.execute("update public.profiles set archived_at = null")
    assert "**SELECT: no.** Restrictive policy profiles_not_archived USING is false." in said


async def test_update_asks_for_the_new_row_too(make_executor: MakeExecutor, people: str):
    said = await why(make_executor, people, "profiles", key={"id": PROFILE}, user_id=EVE, commands=["UPDATE"])
    assert "**UPDATE: no.** The row is found, but may not be written back as it is" in said
    assert (
        "app.may_read() -> public.grants: a row names the caller and the row and meets every condition"
        in said
    )
    assert "false: name IS NULL" in said


async def test_a_boolean_helper_in_plpgsql_is_looked_into(make_executor: MakeExecutor, people: str):
    said = await why(make_executor, people, "profiles", key={"id": PROFILE}, user_id=BEN, commands=["UPDATE"])
    assert "**UPDATE: no.**" in said
    assert "but grants.expires_at IS NULL OR grants.expires_at > now() is false" in said


async def test_a_subquery_runs_as_the_caller(make_executor: MakeExecutor, people: str):
    said = await why(make_executor, people, "inline", key={"id": 1}, user_id=BEN)
    assert "**SELECT: yes.**" in said
    assert "public.grants: a row names the caller and the row and meets every condition" in said
    with psycopg.connect(people) as connection:
        connection.execute("drop policy grants_select on public.grants")
    try:
        said = await why(make_executor, people, "inline", key={"id": 1}, user_id=BEN)
    finally:
        with psycopg.connect(people) as connection:
            connection.execute(
                "create policy grants_select on public.grants for select to authenticated"
                " using (grantee_id = (select auth.uid()) or profile_id = any (array(select app.owned())))"
            )
    assert "**SELECT: no.**" in said and "no row names both the caller and the row" in said


async def test_a_function_that_writes_is_not_called(make_executor: MakeExecutor, people: str):
    said = await why(make_executor, people, "notes", key={"id": NOTE}, user_id=EVE, commands=["DELETE"])
    assert "**DELETE: not known.**" in said and "not run (app.noisy()" in said
    with psycopg.connect(people) as connection:
        assert connection.execute("select count(*) from public.codes where code = 'written'").fetchone() == (
            0,
        )


async def test_a_condition_that_fails_says_so_without_its_message(make_executor: MakeExecutor, people: str):
    said = await why(make_executor, people, "codes", key={"code": "x"}, user_id=EVE, commands=["UPDATE"])
    assert "fails with SQLSTATE 22012" in said


async def test_no_privilege_and_no_row(make_executor: MakeExecutor, people: str):
    with psycopg.connect(people) as connection:
        connection.execute("revoke select on public.notes from anon")
    said = await why(make_executor, people, "notes", key={"id": NOTE})
    assert "as anon without an account" in said and "No privilege: SELECT is not granted." in said
    said = await why(make_executor, people, "notes", key={"id": EVE}, user_id=EVE)
    assert "no such row was found" in said and "The row does not exist" in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"relation": "note", "key": {"id": NOTE}}, "Did you mean"),
        ({"relation": "notes"}, "by `key` or by `where`"),
        ({"relation": "notes", "key": {"ids": NOTE}}, "no column ids"),
        ({"relation": "notes", "key": {"id": "x"}}, "22P02"),
        ({"relation": "notes", "where": "true; drop table notes"}, "no SQL condition"),
        ({"relation": "notes", "where": "pg_sleep(1) is null"}, "not run"),
        ({"relation": "notes", "where": "true) or (select app.noisy()) and (true"}, ""),
        ({"relation": "notes", "key": {"id": NOTE}, "role": "authentic"}, "or authenticated?"),
        ({"relation": "notes", "key": {"id": NOTE}, "commands": ["TRUNCATE"]}, "no command"),
    ],
)
async def test_a_question_that_cannot_be_asked_gets_one_sentence(
    make_executor: MakeExecutor, people: str, arguments: dict[str, Any], words: str
):
    outcome = await make_executor(people).call("explain_access", arguments)
    assert not outcome.ok
    assert words in outcome.markdown()


async def test_a_login_that_sees_a_part_claims_nothing_of_the_rest(make_executor: MakeExecutor, people: str):
    with psycopg.connect(people) as connection:
        connection.execute(f"create role {LOGIN} login; grant authenticated to {LOGIN}".encode())
    dsn = people.replace("user=postgres", f"user={LOGIN}")
    assert dsn != people
    try:
        said = await why(make_executor, dsn, "notes", key={"id": NOTE}, user_id=EVE)
        assert "**SELECT: yes.**" in said  # read as the caller, since the login sees no row
        said = await why(make_executor, dsn, "profiles", key={"id": PROFILE}, user_id=ANN)
        assert "public.grants is not looked into: the login sees only a part of it" in said
        assert "no row names" not in said
    finally:
        with psycopg.connect(people) as connection:
            connection.execute(f"drop role {LOGIN}".encode())


async def test_who_is_not_bound_by_policies(make_executor: MakeExecutor, people: str):
    said = await why(make_executor, people, "notes", key={"id": NOTE}, role="service_role")
    assert "**SELECT: yes.** Row level security does not decide: BYPASSRLS." in said


async def test_the_search_for_a_row_is_no_way_around_the_gate(make_executor: MakeExecutor, guardian: str):
    outcome = await make_executor(guardian).call(
        "explain_access",
        {"relation": "profiles", "where": "given_name between 'A' and 'B' and id is not null"},
    )
    assert "no column" not in outcome.markdown()
    told = 0
    executor = make_executor(guardian)
    for letter in "abcdefghijklmnopqrstuvwxyz" * 4:
        again = await executor.call(
            "explain_access", {"relation": "profiles", "where": f"given_name like '{letter}%' and false"}
        )
        told += again.ok
        if not again.ok:
            break
    assert told < 104, "a question about hidden values can be asked for ever"


async def test_a_comment_in_where_swallows_nothing(make_executor: MakeExecutor, people: str):
    said = await why(make_executor, people, "notes", where=f"id = '{NOTE}' -- here", user_id=EVE)
    assert "**SELECT: yes.**" in said


async def test_a_revoked_grant_of_the_demo_through_helpers_and_views(
    make_executor: MakeExecutor, guardian: str
):
    with psycopg.connect(guardian) as connection:
        found = connection.execute(
            "select profile_id::text, grantee_account_id::text from public.profile_grants g"
            " where status = 'revoked' and not exists (select from private.live_grants l"
            " where (l.profile_id, l.grantee_account_id) = (g.profile_id, g.grantee_account_id)) limit 1"
        ).fetchone()
    assert found is not None
    outcome = await make_executor(guardian).call(
        "explain_access", {"relation": "profiles", "key": {"id": found[0]}, "user_id": found[1]}
    )
    said = outcome.markdown()
    assert "**SELECT: no.**" in said
    assert "private.readable_profiles() -> public.profile_grants" in said
    assert "profile_grants.status = 'active'" in said and "is false" in said
    assert "not seen, as explained" in said
    assert found[0] not in said and found[1] not in said
