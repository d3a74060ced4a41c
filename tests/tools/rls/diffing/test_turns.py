"""Direction of changed conditions, helpers and views; first as logic, then over real snapshots."""

# ruff: noqa: E501  SQL reads better when its lines are not broken

from __future__ import annotations

import pytest

from tests.tools.rls.reading import Connection, snapshot_of
from tools.rls.diffing.implying import Turn, turned
from tools.rls.diffing.normal import Normal
from tools.rls.diffing.turns import Turns
from tools.rls.facts import expression

A, B, C = "owner_id = auth.uid()", "archived_at is null", "name = 'x'"
PAIRS = [
    # Only formatting, casts, order, aliases and other ways to write the same.
    (A, "(auth.uid() = owner_id)", Turn.SAME),
    (A, "owner_id = (select auth.uid())", Turn.SAME),
    (A, "owner_id = ( SELECT auth.uid() AS uid)", Turn.SAME),
    (f"{A} and {B}", f"({B}) and ({A})", Turn.SAME),
    ("name = 'x'", "name = 'x'::text", Turn.SAME),
    ("name in ('x', 'y')", "name = any (array['y'::text, 'x'::text])", Turn.SAME),
    ("name in ('x', 'y')", "name = 'x' or name = 'y'", Turn.SAME),
    ("not (name = 'x' or archived_at is null)", "name <> 'x' and archived_at is not null", Turn.SAME),
    ("archived_at > now()", "now() < archived_at", Turn.SAME),
    ("not archived_at > now()", "archived_at <= now()", Turn.SAME),
    (f"coalesce({A}, false)", A, Turn.SAME),
    (f"({A}) is true", A, Turn.SAME),
    (f"not (({A}) is true)", f"not ({A})", Turn.OTHER),
    (f"{A} or {A} and {B}", A, Turn.SAME),
    (f"({A} or {B}) and {C}", f"{A} and {C} or {B} and {C}", Turn.SAME),
    ("id in (select app.granted())", "id = any (array(select app.granted()))", Turn.SAME),
    (
        "exists (select 1 from public.grants g where g.profile_id = id and g.note = 'n')",
        "exists (select from public.grants as h where h.note = 'n' and h.profile_id = id)",
        Turn.SAME,
    ),
    # A part more, a part less.
    (f"{A} and {B}", A, Turn.WIDER),
    (A, f"{A} and {B}", Turn.NARROWER),
    (A, f"{A} or {B}", Turn.WIDER),
    (f"({A} or {B}) and {C}", f"{A} or {B} and {C}", Turn.WIDER),
    ("name in ('x')", "name in ('x', 'y')", Turn.WIDER),
    ("name <> 'x'", "name not in ('x', 'y')", Turn.NARROWER),
    ("name = 'x'", "name is not null", Turn.WIDER),
    ("archived_at < now()", "archived_at <= now()", Turn.WIDER),
    (A, "true", Turn.WIDER),
    ("false", A, Turn.WIDER),
    (f"{A} and not {B}", "true", Turn.WIDER),
    (
        "exists (select from public.grants g where g.profile_id = id and g.status = 'active')",
        "exists (select from public.grants g where g.profile_id = id)",
        Turn.WIDER,
    ),
    (
        "exists (select from public.grants g join public.profiles p on p.id = g.profile_id where g.grantee_id = auth.uid())",
        "exists (select from public.grants g where g.grantee_id = auth.uid())",
        Turn.WIDER,
    ),
    (
        "id in (select g.profile_id from public.grants g where g.status = 'active')",
        "id in (select g.profile_id from public.grants g)",
        Turn.WIDER,
    ),
    (
        "id in (select g.profile_id from public.grants g)",
        "id in (select g.profile_id from public.grants g union select p.id from public.profiles p)",
        Turn.WIDER,
    ),
    # Neither.
    (A, "name = auth.uid()::text", Turn.OTHER),
    (A, B, Turn.OTHER),
    ("name in ('x')", "name in ('y')", Turn.OTHER),
    (
        "not exists (select from public.grants g where g.status = 'active')",
        "not exists (select from public.grants g)",
        Turn.OTHER,
    ),
    (
        "0 < (select count(*) from public.grants g where g.status = 'active')",
        "0 < (select count(*) from public.grants g)",
        Turn.OTHER,
    ),
    (
        "id in (select max(g.profile_id::text)::uuid from public.grants g where g.status = 'active')",
        "id in (select max(g.profile_id::text)::uuid from public.grants g)",
        Turn.OTHER,
    ),
    ("case when name = 'x' then true end", "case when name = 'y' then true end", Turn.OTHER),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "turn"), PAIRS)
def test_a_changed_condition_turns_one_way(family: Connection, before: str, after: str, turn: Turn):
    snapshot = snapshot_of(family)
    own = snapshot.relations["public.profiles"]
    forms = [
        Normal(snapshot, own=own).condition(facts.root)
        for text in (before, after)
        if (facts := expression(text)) is not None
    ]
    assert turned(forms[0], forms[1], lambda kind, name: Turn.SAME) is turn
    assert turned(forms[1], forms[0], lambda kind, name: Turn.SAME) is turn.back


def function_turn(connection: Connection, title: str, *statements: str) -> Turn:
    """How one function turned through the statements."""
    old = snapshot_of(connection)
    for statement in statements:
        connection.execute(statement)  # pyright: ignore[reportArgumentType, reportCallIssue]  a test's own SQL
    new = snapshot_of(connection)
    (one,) = old.functions_named[title]
    (other,) = new.functions_named[title]
    return Turns(old, new).function(one, other)


GRANTED = """create or replace function app.granted() returns setof uuid language sql stable security definer
set search_path = '' as $$ {} $$"""
WHOLE = (
    "select g.profile_id from public.grants g where g.grantee_id = (select auth.uid()) "
    "and g.status = 'active' and g.expires_at > now()"
)


@pytest.mark.parametrize(
    ("body", "turn"),
    [
        (WHOLE.replace("g.", "x.").replace("grants g", "grants x"), Turn.SAME),
        (WHOLE.replace(" and g.expires_at > now()", ""), Turn.WIDER),
        (WHOLE + " and g.note is null", Turn.NARROWER),
        (WHOLE + " union select p.id from public.profiles p", Turn.WIDER),
        (WHOLE.replace("'active'", "'pending'"), Turn.OTHER),
        (WHOLE + " limit 1", Turn.OTHER),
    ],
)
def test_a_set_returning_helper(family: Connection, body: str, turn: Turn):
    assert function_turn(family, "app.granted", GRANTED.format(body)) is turn


BOOLEAN = """create or replace function app.may(profile uuid) returns boolean language {} stable security definer
set search_path = '' as $$ {} $$"""


@pytest.mark.parametrize(
    ("before", "after", "turn"),
    [
        (
            ("sql", "select exists (select from public.grants g where g.profile_id = profile and g.status = 'active')"),
            ("sql", "select exists (select from public.grants g where g.profile_id = $1)"),
            Turn.WIDER,
        ),
        (
            ("sql", "select coalesce(profile in (select app.owned()), false)"),
            ("sql", "select true"),
            Turn.WIDER,
        ),
        (
            ("plpgsql", "begin return profile in (select app.owned()); end"),
            ("plpgsql", "begin return profile in (select app.owned()) and profile is not null; end"),
            Turn.SAME,
        ),
        (
            ("plpgsql", "begin return profile in (select app.owned()); end"),
            ("plpgsql", "begin -- wide\n return true; end"),
            Turn.WIDER,
        ),
        (
            ("plpgsql", "begin if profile is null then return false; end if; return true; end"),
            ("plpgsql", "begin if profile is null then return true; end if; return true; end"),
            Turn.OTHER,
        ),
        (
            ("sql", "select count(*) > 0 from public.grants g where g.profile_id = profile"),
            ("sql", "select count(*) > 0 from public.grants g"),
            Turn.OTHER,
        ),
    ],
)  # fmt: skip
def test_a_boolean_helper(family: Connection, before: tuple[str, str], after: tuple[str, str], turn: Turn):
    family.execute(BOOLEAN.format(*before))  # pyright: ignore[reportArgumentType, reportCallIssue]  a test's own SQL
    assert function_turn(family, "app.may", BOOLEAN.format(*after)) is turn


def test_a_helper_turns_with_what_it_calls_and_with_the_views_it_reads(family: Connection):
    family.execute(
        "create view app.live as select * from public.grants where status = 'active' and note is null"
    )
    family.execute(
        "create function app.middle() returns setof uuid language sql stable security definer set search_path = ''"
        " as $$ select l.profile_id from app.live l where l.grantee_id = (select auth.uid()) $$"
    )
    family.execute(
        "create function app.deep() returns setof uuid language sql stable security definer set search_path = ''"
        " as $$ select app.middle() union select app.owned() $$"
    )
    change = "create or replace view app.live as select * from public.grants where status = 'active'"
    assert function_turn(family, "app.deep", change) is Turn.WIDER


def test_what_calls_itself_is_not_decided_and_does_not_hang(family: Connection):
    body = "create or replace function app.loop(n int) returns boolean language sql as $$ select {} app.loop(n - 1) $$"
    family.execute("set local check_function_bodies = off")
    family.execute(body.format("n > 0 and"))  # pyright: ignore[reportArgumentType, reportCallIssue]  a test's own SQL
    assert function_turn(family, "app.loop", body.format("")) is Turn.OTHER


def test_a_helper_with_the_callers_rights_turns_with_the_policies_of_its_table(family: Connection):
    family.execute(
        "create function app.seen() returns setof uuid language sql stable as"
        " $$ select g.profile_id from public.grants g $$"
    )
    wider = "create policy all_of_them on public.grants for select to authenticated using (true)"
    assert function_turn(family, "app.seen", wider) is Turn.WIDER


def test_a_definer_helper_does_not(family: Connection):
    wider = "create policy all_of_them on public.grants for select to authenticated using (true)"
    assert function_turn(family, "app.granted", wider) is Turn.SAME
