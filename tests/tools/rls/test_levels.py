"""Findings whose level, wording or fix depends on what stands around the fault; and faults in a second form."""

# ruff: noqa: E501  SQL reads better when its lines are not broken

from __future__ import annotations

from typing import LiteralString

import pytest

from tests.tools.rls.reading import Connection, findings_of
from tools.findings import Finding

SOCIAL = """
create table public.cards (id uuid primary key references auth.users (id), username text, avatar_url text);
alter table public.cards enable row level security;
create policy cards_read on public.cards for select using (true);
create table public.likes (note_id uuid, user_id uuid references public.cards (id), primary key (note_id, user_id));
alter table public.likes enable row level security;
create policy likes_read on public.likes for select using (true);
create table public.diary (id uuid primary key, user_id uuid references auth.users (id), entry text);
create index on public.diary (user_id);
alter table public.diary enable row level security;
"""
MEMBERS = """
create table public.members (family_id uuid, user_id uuid references auth.users (id), role text, primary key (family_id, user_id));
create index on public.members (user_id);
alter table public.members enable row level security;
create policy members_read on public.members for select to authenticated using (user_id = (select auth.uid()));
create table public.albums (id uuid primary key, family_id uuid not null, title text);
alter table public.albums enable row level security;
create index on public.albums (family_id);
create policy albums_read on public.albums for select to authenticated using (family_id in (
  select m.family_id from public.members m where m.user_id = (select auth.uid()) and m.role = 'parent'));
"""
SIGN_UP = """
create function app.welcome() returns trigger language plpgsql security definer set search_path = '' as $$
declare
  wanted text := coalesce(new.raw_user_meta_data ->> 'role', 'guest');
begin
  insert into public.members (family_id, user_id, role) values (gen_random_uuid(), new.id, wanted);
  return new;
end $$;
create trigger welcome after insert on auth.users for each row execute function app.welcome();
"""


def found(family: Connection, sql: LiteralString, rule: str) -> dict[str, Finding]:
    family.execute(sql)
    return {finding.object: finding for finding in findings_of(family) if finding.rule == rule}


def test_reading_what_looks_published_is_a_warning_and_a_diary_is_an_error(family: Connection) -> None:
    family.execute(SOCIAL)
    every = found(
        family, "create policy diary_read on public.diary for select using (true)", "rls_policy_always_true"
    )
    assert {name: finding.level for name, finding in every.items()} == {
        "policy cards_read on public.cards": "WARN",
        "policy likes_read on public.likes": "WARN",
        "policy diary_read on public.diary": "ERROR",
    }
    family.execute(every["policy diary_read on public.diary"].fix.encode())
    assert "policy diary_read on public.diary" not in found(family, "", "rls_policy_always_true")


def test_a_card_with_a_phone_number_is_not_published(family: Connection) -> None:
    family.execute(SOCIAL)
    every = found(family, "alter table public.cards add column phone text", "rls_policy_always_true")
    assert every["policy cards_read on public.cards"].level == "ERROR"


def test_a_letter_box_is_worth_knowing_and_a_log_that_others_read_is_an_error(family: Connection) -> None:
    family.execute("""create table public.inbox (id int, email text); alter table public.inbox enable row level security;
        create policy send on public.inbox for insert to anon with check (true);
        create table public.tenants (id uuid primary key); alter table public.tenants enable row level security;
        create table public.seats (tenant_id uuid references public.tenants (id), account uuid);
        create table public.log (id int, tenant_id uuid references public.tenants (id), what text);
        alter table public.log enable row level security;
        create policy log_read on public.log for select to authenticated using (tenant_id in (
          select s.tenant_id from public.seats s where s.account = (select auth.uid())))""")
    sql = "create policy log_write on public.log for insert to authenticated with check (true)"
    levels = {name: finding.level for name, finding in found(family, sql, "rls_policy_always_true").items()}
    assert levels == {"policy send on public.inbox": "INFO", "policy log_write on public.log": "ERROR"}


def test_with_check_true_on_all_says_that_rows_can_be_given_away_and_its_fix_runs(family: Connection) -> None:
    sql = "create policy own on public.profiles for all to authenticated using (owner_id = (select auth.uid())) with check (true)"
    finding = found(family, sql, "rls_policy_always_true")["policy own on public.profiles"]
    assert "give their own rows away" in finding.message
    family.execute(finding.fix.encode())
    assert found(family, "", "rls_policy_always_true") == {}
    assert found(family, "", "policy_check_weaker_than_using") == {}


def test_a_role_read_from_the_own_row_counts_as_trusted_whoever_may_write_it(family: Connection) -> None:
    sql = """alter table public.profiles add column role text;
        create policy profiles_update on public.profiles for update to authenticated using (owner_id = (select auth.uid()));
        alter policy notes_select on public.notes using (
          (select p.role from public.profiles p where p.owner_id = (select auth.uid())) = 'admin')"""
    finding = found(family, sql, "policy_trusts_writable_rows")["policy profiles_update on public.profiles"]
    assert "role" in finding.message
    family.execute(finding.fix.encode())
    assert found(family, "", "policy_trusts_writable_rows") == {}


def test_a_trigger_that_only_notifies_guards_nothing(family: Connection) -> None:
    sql = """alter policy grants_insert on public.grants with check (grantee_id = (select auth.uid()));
        create function app.tell() returns trigger language plpgsql as $$ begin
        perform pg_notify('grants', new.profile_id::text); raise notice 'told'; return null; end $$;
        create trigger tell after insert on public.grants for each row execute function app.tell()"""
    assert "policy grants_insert on public.grants" in found(family, sql, "policy_trusts_writable_rows")


@pytest.mark.parametrize("column", ["role", "family_id"])
def test_a_sign_up_trigger_that_copies_a_deciding_value_from_metadata_is_found(
    family: Connection, column: str
) -> None:
    family.execute(MEMBERS)
    sql = (
        SIGN_UP.replace("gen_random_uuid()", "(new.raw_user_meta_data ->> 'family')::uuid")
        if column == "family_id"
        else SIGN_UP
    )
    family.execute(sql.encode())
    finding = found(family, "", "rls_references_user_metadata")["app.welcome()"]
    assert f"public.members.{column}" in finding.message
    family.execute(finding.fix.encode())
    assert found(family, "", "rls_references_user_metadata") == {}


def test_a_helper_of_policies_that_answers_about_anybody_is_a_warning_and_moves_out_of_the_api(
    family: Connection,
) -> None:
    sql = """create function public.has_grant(who uuid, what uuid) returns boolean language sql stable security definer
        set search_path = '' as $$ select exists (select from public.grants g where g.grantee_id = who
        and g.profile_id = what and g.status = 'active' and g.expires_at > now()) $$;
        alter policy notes_select on public.notes using (public.has_grant((select auth.uid()), profile_id))"""
    finding = found(family, sql, "anon_security_definer_function_executable")["public.has_grant(uuid, uuid)"]
    assert finding.level == "WARN"
    family.execute(finding.fix.encode())
    assert found(family, "", "anon_security_definer_function_executable") == {}
    family.execute("set local role authenticated; select count(*) from public.notes; reset role")


def test_a_function_that_stores_the_caller_and_compares_nothing_is_found(family: Connection) -> None:
    sql = """create function public.copy_note(p_note uuid) returns void language sql security definer set search_path = '' as $$
        insert into public.notes (id, profile_id, body, written_by)
        select gen_random_uuid(), n.profile_id, n.body, auth.uid() from public.notes n where n.id = p_note $$;
        create function public.copy_mine(p_note uuid) returns void language sql security definer set search_path = '' as $$
        insert into public.notes (id, profile_id, body, written_by)
        select gen_random_uuid(), n.profile_id, n.body, auth.uid() from public.notes n
        where n.id = p_note and n.written_by = auth.uid() $$;
        create function public.seen(p_note uuid) returns void language sql security definer set search_path = '' as $$
        update public.counters set views = coalesce(views, 0) + 1 where note_id = p_note $$"""
    family.execute(
        "create table public.counters (note_id uuid, views int); alter table public.counters enable row level security"
    )
    family.execute("set local check_function_bodies = off")
    assert list(found(family, sql, "anon_security_definer_function_executable")) == ["public.copy_note(uuid)"]


def test_figures_are_worth_knowing_and_figures_per_person_are_an_error(family: Connection) -> None:
    sql = """create view public.totals as select count(*) as notes from public.notes;
        create view public.per_profile as select profile_id, count(*) as notes from public.notes group by 1"""
    levels = {name: finding.level for name, finding in found(family, sql, "security_definer_view").items()}
    assert levels == {"public.totals": "INFO", "public.per_profile": "ERROR"}


def test_an_update_of_own_files_in_a_public_bucket_is_nobodys_business(family: Connection) -> None:
    sql = """insert into storage.buckets (id, name, public) values ('pictures', 'pictures', true);
        create policy own on storage.objects for update to authenticated
        using (owner_id = (select auth.uid())::text) with check (bucket_id = 'pictures')"""
    assert found(family, sql, "storage_policy_without_owner") == {}


def test_a_wrong_id_is_looked_up_in_the_table_it_belongs_to(family: Connection) -> None:
    sql = "alter policy notes_select on public.notes using (profile_id = auth.uid() and body is not null)"
    finding = found(family, sql, "policy_compares_wrong_id")["policy notes_select on public.notes"]
    family.execute(finding.fix.encode())
    assert found(family, "", "policy_compares_wrong_id") == {}
    assert "select id from public.profiles where owner_id = (select auth.uid())" in finding.fix


def test_joined_policies_keep_both_conditions(family: Connection) -> None:
    sql = "create policy second on public.notes for select to authenticated using (written_by = (select auth.uid()))"
    finding = found(family, sql, "multiple_permissive_policies")["public.notes"]
    family.execute(finding.fix.encode())
    texts = family.execute(
        "select qual from pg_policies where tablename = 'notes' and cmd = 'SELECT'"
    ).fetchall()
    assert len(texts) == 1
    assert "written_by" in texts[0][0] and "granted" in texts[0][0]


def test_a_shadowed_parameter_is_qualified_in_the_functions_own_text(family: Connection) -> None:
    sql = """create function app.may(profile_id uuid) returns boolean language sql stable security definer
        set search_path = '' as $$ select exists (select from public.grants g where g.profile_id = profile_id
        and g.grantee_id = (select auth.uid()) and g.status = 'active' and g.expires_at > now()) $$"""
    finding = found(family, sql, "function_parameter_shadowed")["app.may(uuid)"]
    family.execute(finding.fix.encode())
    assert found(family, "", "function_parameter_shadowed") == {}


def test_an_active_flag_of_a_grant_must_be_asked_and_that_of_the_opened_thing_need_not(
    family: Connection,
) -> None:
    sql = """alter table public.profiles add column active boolean; alter table public.grants add column revoked boolean;
        alter policy notes_select on public.notes using (profile_id in (
          select p.id from public.profiles p join public.grants g on g.profile_id = p.id
          where g.grantee_id = (select auth.uid()) and g.status = 'active' and g.expires_at > now()))"""
    messages = " ".join(f.message for f in found(family, sql, "policy_lifecycle_missing").values())
    assert "public.profiles.active" not in messages
    assert "public.grants.revoked" in messages


def test_tables_that_lead_to_each_other_are_judged_once(family: Connection) -> None:
    sql = """create table public.comments (id uuid primary key, user_id uuid references auth.users (id),
          parent_id uuid references public.comments (id), post_id uuid);
        create table public.posts (id uuid primary key, author_id uuid references auth.users (id), pinned uuid references public.comments (id));
        alter table public.comments add foreign key (post_id) references public.posts (id);
        alter table public.comments enable row level security; alter table public.posts enable row level security;
        create policy c on public.comments for select using (true); create policy p on public.posts for select using (true)"""
    assert {f.level for f in found(family, sql, "rls_policy_always_true").values()} == {"WARN"}


def test_a_guard_without_trigger_is_named_with_its_table_and_created_again(family: Connection) -> None:
    sql = """create function app.guard_grant() returns trigger language plpgsql as $$ begin
        if old.status = 'revoked' and new.status <> 'revoked' then raise exception 'made anew'; end if; return new; end $$"""
    every = found(family, sql, "guard_function_unused")
    assert {name: finding.level for name, finding in every.items()} == {
        "app.guard_grant()": "WARN",
        "public.grants": "WARN",
    }
    assert "authenticated may write what" in every["public.grants"].message
    family.execute(every["public.grants"].fix.encode())
    assert found(family, "", "guard_function_unused") == {}


def test_a_disabled_guard_is_an_error_where_no_policy_looks_at_what_it_holds(family: Connection) -> None:
    guard = """create function app.keep() returns trigger language plpgsql as $$ begin
        if new.{0} is distinct from old.{0} then raise exception 'stays'; end if; return new; end $$;
        create trigger keep before update on public.grants for each row execute function app.keep();
        alter table public.grants disable trigger keep"""
    family.execute(guard.format("profile_id").encode())
    assert found(family, "", "guard_trigger_disabled")["public.grants"].level == "WARN"
    family.execute("drop function app.keep() cascade")
    family.execute(guard.format("status").encode())
    finding = found(family, "", "guard_trigger_disabled")["public.grants"]
    assert (finding.level, "status, which it holds" in finding.message) == ("ERROR", True)


def test_a_helper_whose_wider_arm_makes_its_condition_idle_is_named_itself(family: Connection) -> None:
    sql = """create function app.any_state() returns setof uuid language sql stable security definer set search_path = '' as
        $$ select g.profile_id from public.grants g where g.grantee_id = (select auth.uid()) and g.expires_at > now() $$;
        create or replace function app.granted() returns setof uuid language sql stable security definer set search_path = '' as
        $$ select app.any_state() union select g.profile_id from public.grants g
           where g.grantee_id = (select auth.uid()) and g.status = 'active' and g.expires_at > now() $$"""
    every = found(family, sql, "policy_alternative_absorbed")
    assert list(every) == ["app.granted()"]
    assert "condition on status" in every["app.granted()"].message


def test_of_two_policies_for_one_command_the_wider_one_is_named(family: Connection) -> None:
    sql = """create policy wide on public.notes for insert to authenticated with check (profile_id = any (array(select app.owned())));
        alter policy notes_insert on public.notes with check (
          profile_id = any (array(select app.owned())) and written_by = (select auth.uid()))"""
    every = found(family, sql, "policy_alternative_absorbed")
    assert list(every) == ["policy wide on public.notes"]
    assert "leaves policy notes_insert idle" in every["policy wide on public.notes"].message


def test_deleting_by_a_wider_helper_than_updating_is_named_and_mended(family: Connection) -> None:
    sql = """create function app.seen() returns setof uuid language sql stable security definer set search_path = '' as
        $$ select app.owned() union select app.granted() $$;
        create policy notes_delete on public.notes for delete to authenticated using (profile_id = any (array(select app.seen())))"""
    every = found(family, sql, "policy_weaker_than_siblings")
    assert list(every) == ["policy notes_delete on public.notes"]
    assert (
        "app.seen(), which lets more of them through than app.owned()"
        in every["policy notes_delete on public.notes"].message
    )
    family.execute(every["policy notes_delete on public.notes"].fix.encode())
    assert found(family, "", "policy_weaker_than_siblings") == {}


def test_a_helper_that_is_weaker_in_several_tables_is_named_once(family: Connection) -> None:
    table = """create table public.{0} (id uuid primary key, profile_id uuid references public.profiles (id));
        alter table public.{0} enable row level security;
        create policy u on public.{0} for update to authenticated using (profile_id = any (array(select app.owned())));
        create policy d on public.{0} for delete to authenticated using (profile_id = any (array(select app.seen())));"""
    family.execute("""create function app.seen() returns setof uuid language sql stable security definer set search_path = '' as
        $$ select app.owned() union select app.granted() $$""")
    for name in ("a", "b", "c"):
        family.execute(table.format(name).encode())
    every = found(family, "", "policy_weaker_than_siblings")
    assert list(every) == ["app.seen()"]
    assert "delete from public.a, public.b and public.c" in every["app.seen()"].message


def test_an_alternative_that_leaves_the_parent_free_is_named_and_closed(family: Connection) -> None:
    family.execute("""create table public.clinics (id uuid primary key, account_id uuid references auth.users (id));
        alter table public.clinics enable row level security;
        create function app.clinics() returns setof uuid language sql stable security definer set search_path = '' as
        $$ select c.id from public.clinics c where c.account_id = (select auth.uid()) $$;
        alter table public.notes add column clinic_id uuid references public.clinics (id)""")
    sql = """alter policy notes_insert on public.notes with check (
        (profile_id = any (array(select app.owned())) and clinic_id is null) or clinic_id in (select app.clinics()))"""
    finding = found(family, sql, "policy_parent_unchecked")["policy notes_insert on public.notes"]
    assert "alternative on clinic_id says nothing about it" in finding.message
    family.execute(finding.fix.encode())
    assert found(family, "", "policy_parent_unchecked") == {}
    sql = """alter policy notes_insert on public.notes with check (
        profile_id = any (array(select app.owned())) or written_by = (select auth.uid()))"""
    assert (
        "alternative on written_by"
        in found(family, sql, "policy_parent_unchecked")["policy notes_insert on public.notes"].message
    )


def test_a_yes_or_no_about_the_caller_that_holds_for_everybody_is_named(family: Connection) -> None:
    sql = """create function app.busy() returns boolean language sql stable security definer set search_path = '' as
        $$ select exists (select from public.grants g where g.grantee_id = (select auth.uid()) or g.note = 'busy') $$;
        alter policy notes_select on public.notes using (profile_id in (select app.granted()) and app.busy())"""
    every = found(family, sql, "policy_lookup_caller_optional")
    assert list(every) == ["app.busy()"]
    assert "an alternative on note leaves him out" in every["app.busy()"].message
