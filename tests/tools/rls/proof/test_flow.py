"""What is compared with what, through the forms that SQL has for it."""

# ruff: noqa: E501  SQL reads better when its lines are not broken

from __future__ import annotations

from typing import LiteralString

import pytest

from tests.tools.rls.reading import Connection, snapshot_of
from tools.rls.proof.flow import Flow
from tools.rls.proof.graph import Frame

TABLES: LiteralString = """
create schema lib;
grant usage on schema lib to authenticated;
create table public.things (id uuid primary key, owner uuid, org uuid, kind text, email text, members uuid[]);
create table public.seats (org uuid, holder uuid, state text, until timestamptz, off boolean);
create view lib.open_seats as select s.org as team, s.holder from public.seats s where s.state = 'on' and not s.off;
create function lib.me() returns uuid language sql stable as $$ select auth.uid() $$;
create function lib.orgs() returns setof uuid language plpgsql stable as $$
declare caller constant uuid := lib.me();
begin
  return query select v.team from lib.open_seats v where v.holder = caller;
end $$;
create function lib.my_org() returns uuid language plpgsql stable as $$
declare found_org uuid;
begin
  select s.org into strict found_org from public.seats s where s.holder = auth.uid();
  return found_org;
end $$;
create function lib.sits(team uuid, wanted text default 'on') returns boolean language sql stable as
$$ select exists (select from public.seats s where s.org = team and s.holder = $3 and s.state = wanted) $$;
""".replace("$3", "(select lib.me())")

ASKS = {
    "owner = auth.uid()": "owner ~ auth.uid()",
    "(select lib.me()) = owner": "owner ~ auth.uid()",
    "owner is not distinct from auth.uid()": "owner ~ auth.uid()",
    "auth.uid() in (owner, id)": "id ~ auth.uid(), owner ~ auth.uid()",
    "owner::text = auth.jwt() ->> 'sub'": "owner ~ auth.uid()",
    "owner = (auth.jwt() #>> '{sub}')::uuid": "owner ~ auth.uid()",
    "owner = (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid": "owner ~ auth.uid()",
    "owner = nullif(current_setting('request.jwt.claim.sub', true), '')::uuid": "owner ~ auth.uid()",
    "org = (auth.jwt() -> 'app_metadata' ->> 'org')::uuid": "org ~ auth.jwt() app_metadata.org",
    "org = (auth.jwt() #>> '{app_metadata,org}')::uuid": "org ~ auth.jwt() app_metadata.org",
    "org = (jsonb_extract_path_text(auth.jwt(), 'app_metadata', 'org'))::uuid": "org ~ auth.jwt() app_metadata.org",
    "org::text = coalesce(auth.jwt() ->> 'org', '')": "org ~ auth.jwt() org",
    "email = auth.email()": "email ~ auth.jwt() email",
    "lower(email) = lower(auth.email())": "email ~ auth.jwt() email",
    "org = current_setting('app.org', true)::uuid": "org ~ current_setting(app.org)",
    "kind = current_user": "kind ~ current_user",
    "members @> array[auth.uid()]": "members ~ auth.uid()",
    "auth.uid() = any (members)": "members ~ auth.uid()",
    "owner <> auth.uid()": "",
    "not owner = auth.uid()": "",
    "not (owner <> auth.uid() or kind is null)": "owner ~ auth.uid()",
    "not exists (select from seats s where s.holder = auth.uid() and s.org = things.org)": "",
    "owner <> all (array[auth.uid()])": "",
    "id::text || '/' = auth.uid()::text": "",
    "auth.uid() is not null": "",
}


def read(connection: Connection, condition: str) -> tuple[Flow, list[Frame]]:
    """The frames of one policy with this condition."""
    connection.execute(f"create policy one on public.things using ({condition})".encode())
    snapshot = snapshot_of(connection)
    flow = Flow(snapshot)
    (policy,) = snapshot.relations["public.things"].policies
    return flow, [frame for way in flow.ways(policy) if way.part == "using" for frame in way.frame.closure()]


def said(flow: Flow, frames: list[Frame]) -> str:
    """The identities that columns are compared with."""
    return ", ".join(sorted({f"{ref.column} ~ {one.name}" for frame in frames for ref, one in frame.asks}))


@pytest.fixture
def things(family: Connection) -> Connection:
    """The tables and functions of this module."""
    family.execute(TABLES)
    return family


@pytest.mark.parametrize(("condition", "expected"), ASKS.items())
def test_forms_of_identity(things: Connection, condition: str, expected: str):
    assert said(*read(things, condition)) == expected


@pytest.mark.parametrize(
    ("condition", "column"),
    [
        ("org = any (array(select lib.orgs()))", "org"),
        ("org in (select lib.orgs())", "org"),
        ("org in (select o from lib.orgs() as o)", "org"),
        ("exists (select from lib.open_seats v where v.team = org and v.holder = auth.uid())", "org"),
        ("exists (select 1 from lib.orgs() as mine(x) where mine.x = things.org)", "org"),
        (
            "org in (with mine as (select s.org as x from seats s where s.holder = auth.uid()) select m.x from mine m)",
            "org",
        ),
        ("org = lib.my_org()", "org"),
        ("lib.sits(org)", "org"),
        ("lib.sits(wanted => 'on', team => id)", "id"),
        ("(id, auth.uid()) in (select s.org, s.holder from seats s)", "id"),
        (
            "exists (select from seats s join things t using (org) where s.holder = auth.uid() and s.org = things.org)",
            "org",
        ),
    ],
)
def test_the_row_is_led_into_the_table_that_opens(things: Connection, condition: str, column: str):
    flow, frames = read(things, condition)
    pairs = {
        (flow.tables[one.row], one.column, flow.tables[other.row], other.column)
        for frame in frames
        for left, right in frame.equal
        for one, other in ((left, right), (right, left))
    }
    assert ("public.things", column, "public.seats", "org") in pairs
    asked = {(flow.tables[ref.row], ref.column) for frame in frames for ref, _ in frame.asks}
    assert ("public.seats", "holder") in asked


def test_tests_reach_the_table_behind_a_view(things: Connection):
    flow, frames = read(
        things, "org in (select lib.orgs()) and kind in ('a', 'b') and (email is null or email <> 'x')"
    )
    tests = {(flow.tables[t.ref.row], t.ref.column, t.kind, t.value) for frame in frames for t in frame.tests}
    assert {
        ("public.seats", "state", "equal", "on"),
        ("public.seats", "off", "false", ""),
        ("public.things", "kind", "equal", "a"),
        ("public.things", "kind", "equal", "b"),
        ("public.things", "email", "null", ""),
        ("public.things", "email", "unequal", "x"),
    } <= tests


def test_times_say_which_side_of_now(things: Connection):
    condition = (
        "exists (select from seats s where s.until > now() and (select now()) >= s.until - interval '1 day')"
    )
    flow, frames = read(things, condition)
    kinds = {t.kind for frame in frames for t in frame.tests if flow.tables[t.ref.row] == "public.seats"}
    assert kinds == {"future", "past"}


def test_functions_that_call_one_another_end(things: Connection):
    things.execute("""
    create function lib.ping(n int) returns boolean language plpgsql as $$ begin return lib.pong(n); end $$;
    create function lib.pong(n int) returns boolean language plpgsql as $$ begin return lib.ping(n - 1) or auth.uid() is null; end $$;
    """)
    flow, frames = read(things, "lib.ping(3) and owner = auth.uid()")
    assert said(flow, frames) == "owner ~ auth.uid()"
