"""What changed, over real snapshots: each kind of object, its direction, and back again."""

# ruff: noqa: E501, ISC004  SQL reads better when its lines are not broken

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.tools.rls.reading import Connection, snapshot_of
from tools.rls.diffing.change import Change, Direction
from tools.rls.diffing.difference import Difference, difference, told_apart

W, C, N, S = Direction.WIDENS, Direction.CHANGES, Direction.NARROWS, Direction.NEUTRAL


def changed(connection: Connection, *statements: str) -> tuple[Difference, Difference]:
    """The difference that statements make, and the one back."""
    old = snapshot_of(connection)
    for statement in statements:
        connection.execute(statement)  # pyright: ignore[reportArgumentType, reportCallIssue]  a test's own SQL
    new = snapshot_of(connection)
    # Roles belong to the server, which other tests share: one that came or went and is not named is theirs.
    theirs = {
        name
        for name in {*old.roles, *new.roles}
        if old.roles.get(name) != new.roles.get(name)
        and not any(name in statement for statement in statements)
    }
    old, new = (
        replace(side, roles={name: role for name, role in side.roles.items() if name not in theirs})
        for side in (old, new)
    )
    return difference(old, new, "before", "after"), difference(new, old, "after", "before")


def only(found: Difference) -> Change:
    """The one change."""
    assert [change.sentence for change in found.changes] == [found.changes[0].sentence]
    return found.changes[0]


OWNED = "owner_id = (select auth.uid())"
DEFINER = "language sql stable security definer set search_path = '' as"
ONE_STATEMENT = [
    # policies
    ("create policy p on public.notes for delete to authenticated using (true)", W, N, "policy p on public.notes"),
    ("create policy p on public.notes as restrictive to authenticated using (body is null)", N, W, "policy p on"),
    ("drop policy notes_select on public.notes", N, W, "policy notes_select on public.notes"),
    ("alter policy notes_select on public.notes using (true)", W, N, "policy notes_select on public.notes"),
    ("alter policy notes_select on public.notes to authenticated, anon", W, N, "policy notes_select"),
    ("alter policy notes_select on public.notes using (written_by = auth.uid())", C, C, "policy notes_select"),
    (
        f"alter policy profiles_select on public.profiles using ({OWNED} or name = 'x' or "
        "id = any (array(select app.granted())))",
        W, N, "policy profiles_select",
    ),
    # row level security
    ("alter table public.notes disable row level security", W, N, "Row level security of public.notes is off"),
    # helpers
    (
        f"create or replace function app.granted() returns setof uuid {DEFINER} "
        "$$ select g.profile_id from public.grants g where g.grantee_id = (select auth.uid()) $$",
        W, N, "The body of app.granted() changed, which 2 policies reach",
    ),
    ("alter function app.granted() reset search_path", W, N, "app.granted() lost its search_path"),
    ("alter function app.owned() security invoker", C, W, "app.owned() is SECURITY INVOKER now"),
    # privileges
    ("revoke select on public.notes from authenticated", N, W, "authenticated lost SELECT on public.notes"),
    ("grant create on schema public to authenticated", W, N, "authenticated has now CREATE on schema public"),
    ("grant usage on schema shut to authenticated", W, N, "authenticated has now USAGE on schema shut"),
    ("revoke execute on function app.granted() from public", N, W, "may no longer execute app.granted()"),
    ("alter default privileges in schema app grant select on tables to anon", W, N,
     "anon gets SELECT on tables that postgres makes in schema app"),
    ("alter default privileges in schema public revoke select on tables from anon", N, W, "anon no longer gets"),
    # relations
    ("create table public.open_table (id int)", W, N, "Table public.open_table is new with row level security off"),
    ("create view public.v as select * from public.notes", W, N, "View public.v is new"),
    ("create materialized view public.m as select * from public.notes", W, N, "Materialized view public.m is new"),
    # the surface
    ("insert into storage.buckets (id, name, public) values ('b', 'b', true)", W, N, "bucket b is public"),
    ("create publication p for table public.notes", W, N, "Publication p sends the changes of public.notes"),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "there", "back", "words"), ONE_STATEMENT)
def test_one_statement_turns_one_way_and_back(
    family: Connection, statement: str, there: Direction, back: Direction, words: str
):
    family.execute("alter default privileges in schema public grant select on tables to anon")
    family.execute("create schema shut create table t (id int) grant select on t to authenticated")
    found, again = changed(family, statement)
    assert words in only(found).sentence
    assert (found.verdict, again.verdict) == (there, back)
    assert found.fails("widens") == (there in (W, C))


HARMLESS = [
    "alter policy profiles_insert on public.profiles with check ((auth.uid() = owner_id))",
    "alter policy notes_select on public.notes using (profile_id in (select app.granted() as granted))",
    "create index on public.notes (written_by)",
    "comment on table public.notes is 'x'",
    "create or replace function app.owned() returns setof uuid language sql stable security definer "
    "set search_path = '' as $$ -- mine\n select x.id from public.profiles as x where (auth.uid()) = x.owner_id $$",
]  # fmt: skip


@pytest.mark.parametrize("statement", HARMLESS)
def test_what_means_the_same_is_no_change(family: Connection, statement: str):
    found, again = changed(family, statement)
    assert (found.changes, found.access, again.changes) == ((), (), ())
    assert not found.fails("any")
    assert found.sentence() == "Nothing changed in who can do what."


NEUTRAL = [
    ("create policy twice on public.notes for select to authenticated using (false)", "policy twice on"),
    ("create policy p on public.codes for select to authenticated using (code = 'x')", "policy p on public.codes"),
    ("grant select on public.codes to public", "PUBLIC has now SELECT on public.codes"),
    ("alter table public.codes add column note text", "may read the new column note of public.codes"),
    (
        "create table public.kept (id int); alter table public.kept enable row level security",
        "Table public.kept is new with row level security on and no policy",
    ),
    ("create view public.v with (security_invoker = true) as select * from public.notes", "View public.v is new"),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "words"), NEUTRAL)
def test_what_opens_nothing_is_neutral(family: Connection, statement: str, words: str):
    found, _ = changed(family, statement)
    assert words in only(found).sentence
    assert found.verdict is S
    assert only(found).reason
    assert not found.fails("widens") and found.fails("any")


def test_a_policy_that_is_split_in_two_is_neutral(family: Connection):
    found, _ = changed(
        family,
        "drop policy profiles_select on public.profiles",
        f"create policy by_owner on public.profiles for select to authenticated using ({OWNED})",
        "create policy by_grant on public.profiles for select to authenticated"
        " using (id = any (array(select app.granted())))",
    )
    assert found.access == ()
    assert found.verdict is S and len(found.changes) == 3


def test_a_helper_that_is_inlined_by_hand_is_no_change_of_access(family: Connection):
    found, _ = changed(
        family,
        "alter policy notes_insert on public.notes with check (profile_id in"
        " (select p.id from public.profiles p where p.owner_id = auth.uid()))",
    )
    # The helper reads profiles as its owner, the policy now through the policies of profiles.
    assert found.verdict in (C, N)


def test_a_changed_helper_names_the_policies_and_what_they_let_through(family: Connection):
    found, _ = changed(
        family,
        f"create or replace function app.granted() returns setof uuid {DEFINER} "
        "$$ select p.id from public.profiles p $$",
    )
    change = only(found)
    assert "notes_select on public.notes" in change.sentence
    assert any(text.startswith("authenticated SELECT on public.notes: ") for text in change.reaches)


def test_a_changed_view_counts_for_the_policies_that_read_it(family: Connection):
    family.execute(
        "create view app.live as select * from public.grants where status = 'active' and expires_at > now()"
    )
    family.execute(
        f"create or replace function app.granted() returns setof uuid {DEFINER} "
        "$$ select l.profile_id from app.live l where l.grantee_id = (select auth.uid()) $$"
    )
    found, again = changed(
        family, "create or replace view app.live as select * from public.grants where status = 'active'"
    )
    assert only(found).sentence == "The definition of app.live changed, which 2 policies read."
    assert (found.verdict, again.verdict) == (W, N)


def test_a_membership_counts_by_what_it_reaches(family: Connection):
    family.execute("create role h4_helper nologin; grant select on public.notes to h4_helper")
    found, again = changed(family, "grant authenticated to h4_helper")
    assert only(found).sentence == "Role h4_helper is now a member of authenticated."
    assert (found.verdict, again.verdict) == (W, N)
    assert any("h4_helper" in cell.roles for cell in found.access)


def test_bypassrls_widens(family: Connection):
    family.execute("create role h4_batch nologin; grant select on public.notes to h4_batch")
    found, _ = changed(family, "alter role h4_batch bypassrls")
    assert found.verdict is W
    assert "Role h4_batch has BYPASSRLS." in [change.sentence for change in found.changes]


def test_a_trigger_that_guarded_writes_is_not_judged_away(family: Connection):
    family.execute(
        "create function app.guard() returns trigger language plpgsql as"
        " $$ begin if new.profile_id <> old.profile_id then raise 'no'; end if; return new; end $$"
    )
    family.execute(
        "create trigger guard before update on public.notes for each row execute function app.guard()"
    )
    found, again = changed(family, "drop trigger guard on public.notes")
    assert (found.verdict, again.verdict) == (C, S)
    body = "create or replace function app.guard() returns trigger language plpgsql as $$ begin return new; end $$"
    family.execute(
        "create trigger guard before update on public.notes for each row execute function app.guard()"
    )
    found, _ = changed(family, body)
    assert found.verdict is C and "it runs on writes" in only(found).reason


def test_a_column_grant_is_told_by_column(family: Connection):
    family.execute(
        "revoke update on public.notes from authenticated; grant update (body) on public.notes to authenticated"
    )
    found, again = changed(family, "grant update (profile_id) on public.notes to authenticated")
    assert only(found).sentence == "authenticated has now UPDATE (profile_id) on public.notes."
    assert (found.verdict, again.verdict) == (W, N)


def test_the_answer_is_short_and_gravest_first(family: Connection):
    found, _ = changed(
        family,
        "alter policy notes_select on public.notes using (true)",
        "drop policy grants_update on public.grants",
        "create view public.v with (security_invoker = true) as select * from public.notes",
    )
    assert [change.direction for change in found.changes] == [W, N, S]
    assert found.sentence() == "3 changes: 1 widens, 1 narrows, 1 is neutral access."
    said = found.markdown()
    assert said.index("**widens**") < said.index("**narrows**")
    assert len(said) < 2_500


def test_only_what_differs_of_two_long_texts_is_shown():
    before = " ".join(f"a{n}" for n in range(50)) + " old " + " ".join(f"z{n}" for n in range(50))
    old, new = told_apart(before, before.replace("old", "new"))
    assert old.startswith("... a42") and old.endswith("z7 ...") and " old " in old and " new " in new
