"""Callers that stand in a parameter's default, and records that somebody starts: neither is a leak."""

# ruff: noqa: E501  SQL reads better when its lines are not broken

from __future__ import annotations

from typing import LiteralString

from tests.tools.rls.proof.models import model_of, opening_words, ranks_of
from tests.tools.rls.proof.test_prove import QUICK, named, proven
from tests.tools.rls.reading import Connection, findings_of
from tools.rls.proof.model import Kind as Belongs
from tools.rls.proof.verdict import Answer, Kind
from tools.sandbox.cluster import Cluster

TEAMS: LiteralString = """
create table public.teams (id uuid primary key default gen_random_uuid(), name text not null, founder_id uuid not null references auth.users (id));
create table public.team_members (
  team_id uuid not null references public.teams (id), user_id uuid not null references auth.users (id),
  role text not null check (role in ('owner', 'member')), status text not null check (status in ('active', 'invited')),
  primary key (team_id, user_id)
);
create table public.documents (id uuid primary key default gen_random_uuid(), team_id uuid not null references public.teams (id), body text);
alter table public.teams enable row level security;
alter table public.team_members enable row level security;
alter table public.documents enable row level security;
create function public.is_member(p_team uuid, out answer boolean, p_user uuid default auth.uid()) language sql stable security definer set search_path = '' as $$
  select exists (select from public.team_members m where m.team_id = p_team and m.user_id = p_user and m.status = 'active')
$$;
revoke execute on function public.is_member from anon, public;
create policy teams_select on public.teams for select to authenticated using (public.is_member(id));
create policy teams_insert on public.teams for insert to authenticated with check (founder_id = (select auth.uid()));
create policy members_select on public.team_members for select to authenticated using (user_id = (select auth.uid()));
create policy documents_all on public.documents for all to authenticated using (public.is_member(p_team => team_id)) with check (public.is_member(team_id));
"""
ORGANISATIONS: LiteralString = """
create table public.organisations (id uuid primary key default gen_random_uuid(), name text not null);
create table public.memberships (
  organisation_id uuid not null references public.organisations (id), user_id uuid not null references auth.users (id), primary key (organisation_id, user_id)
);
alter table public.organisations enable row level security;
alter table public.memberships enable row level security;
create policy a on public.organisations for select to authenticated
  using (exists (select from public.memberships m where m.organisation_id = id and m.user_id = (select auth.uid())));
create policy a on public.memberships for select to authenticated using (user_id = (select auth.uid()));
create function public.start_organisation(p_name text) returns uuid language plpgsql security definer set search_path = '' as $$
declare made uuid;
begin
  insert into public.organisations (name) values (p_name) returning id into made;
  insert into public.memberships (organisation_id, user_id) values (made, auth.uid());
  return made;
end $$;
revoke execute on function public.start_organisation from anon, public;
grant execute on function public.start_organisation to authenticated;
"""
RENAME: LiteralString = """
create function public.rename_organisation(p_id uuid, p_name text) returns void language sql security definer set search_path = '' as
$$ update public.organisations set name = p_name where id = p_id $$;
"""


def test_a_helper_that_is_given_the_caller_by_a_default_is_followed(shim_dsn: str) -> None:
    model = model_of(shim_dsn, TEAMS)
    assert opening_words(model, "public.team_members") == ["status is active"]
    assert ranks_of(model, "public.team_members") == {"owner": "rwm", "member": "rwm"}


def test_a_policy_asks_who_is_calling_by_a_default(family: Connection) -> None:
    family.execute(TEAMS)
    tables = {finding.table for finding in findings_of(family) if finding.rule == "policy_ignores_caller"}
    assert tables == set()
    family.execute("alter policy documents_all on public.documents using (public.is_member(team_id, id))")
    tables = {finding.table for finding in findings_of(family) if finding.rule == "policy_ignores_caller"}
    assert tables == {"documents"}


def test_members_may_write_and_anybody_may_found_a_team(cluster: Cluster) -> None:
    proof = proven(cluster, TEAMS)
    assert (proof.answer, named(proof), proof.gaps) == (Answer.NO, set(), ())
    broken = "alter policy documents_all on public.documents with check (true);"
    assert "policy documents_all on public.documents" in named(proven(cluster, TEAMS, broken))


def test_the_name_of_a_stored_file_makes_no_other_name_an_account(shim_dsn: str) -> None:
    script: LiteralString = """
create table public.templates (id uuid primary key, name text not null);
alter table public.templates enable row level security;
create policy a on public.templates for select using (true);
create table public.notes (id uuid primary key, user_id uuid not null references auth.users (id), name text);
alter table public.notes enable row level security;
create policy a on public.notes for all to authenticated using (user_id = (select auth.uid()));
create policy a on storage.objects for all to authenticated
  using (bucket_id = 'files' and (storage.foldername(name))[1] = (select auth.uid())::text);
"""
    model = model_of(shim_dsn, script)
    assert model.tables["public.templates"].kind is Belongs.REFERENCE
    assert [way.column for way in model.tables["public.notes"].parties] == ["user_id"]


def test_a_user_id_without_a_key_says_whose_a_row_is(cluster: Cluster) -> None:
    proof = proven(cluster, """
create table public.messages (id uuid primary key, user_id uuid not null, body text);
alter table public.messages enable row level security;
create policy everything on public.messages for select to authenticated using (true);
""")  # fmt: skip
    assert named(proof) == {"policy everything on public.messages"}


def test_a_function_that_tells_the_last_migration_is_a_warning(family: Connection) -> None:
    family.execute("""
create schema ledger; create table ledger.steps (version text);
create function public.last_step() returns text language sql security definer set search_path = '' as $$ select max(version) from ledger.steps $$;
create function public.all_notes() returns setof public.notes language sql security definer set search_path = '' as $$ select * from public.notes $$;
""")
    levels = {
        finding.function: finding.level.value
        for finding in findings_of(family)
        if finding.rule == "anon_security_definer_function_executable"
    }
    assert levels == {"public.last_step()": "WARN", "public.all_notes()": "ERROR"}


AVATARS: LiteralString = """
insert into storage.buckets (id, name, public) values ('avatars', 'avatars', true);
create policy avatars_select on storage.objects for select using (bucket_id = 'avatars');
create policy avatars_insert on storage.objects for insert to authenticated
  with check (bucket_id = 'avatars' and (storage.foldername(name))[1] = (select auth.uid())::text);
create policy avatars_update on storage.objects for update to authenticated
  using (bucket_id = 'avatars' and (storage.foldername(name))[1] = (select auth.uid())::text);
create policy avatars_delete on storage.objects for delete to authenticated
  using (bucket_id = 'avatars' and (storage.foldername(name))[1] = (select auth.uid())::text);
"""


def test_a_public_bucket_may_be_read_by_all_but_not_written(cluster: Cluster) -> None:
    proof = proven(cluster, TEAMS, AVATARS)
    assert (proof.answer, named(proof), proof.gaps) == (Answer.NO, set(), ())
    broken = "alter policy avatars_insert on storage.objects with check (bucket_id = 'avatars');"
    assert named(proven(cluster, TEAMS, AVATARS, broken)) == {"policy avatars_insert on storage.objects"}


def test_a_function_may_start_a_record_but_not_change_one(cluster: Cluster) -> None:
    assert named(proven(cluster, ORGANISATIONS)) == set()
    proof = proven(cluster, ORGANISATIONS, RENAME, request=QUICK)
    assert {(leak.kind, leak.object) for leak in proof.leaks} == {
        (Kind.CALL, "public.rename_organisation(uuid, text)")
    }
