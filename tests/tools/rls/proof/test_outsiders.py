"""What those can do who have nothing left but a row of their own: one in another table, one they once wrote."""

# ruff: noqa: E501  SQL reads better when its lines are not broken

from __future__ import annotations

from dataclasses import replace

from tests.tools.rls.proof.test_prove import PLAIN, QUICK, named, proven
from tools.rls.proof.verdict import Answer
from tools.sandbox.cluster import Cluster

CLINICS = """
create table public.clinics (id uuid primary key default gen_random_uuid(), account_id uuid not null references auth.users (id), title text);
create table public.visits (
  id bigint generated always as identity primary key, profile_id uuid not null references public.profiles (id),
  clinic_id uuid references public.clinics (id), reason text
);
alter table public.clinics enable row level security;
alter table public.visits enable row level security;
create policy clinics_all on public.clinics for all to authenticated using (account_id = (select auth.uid()));
create policy visits_select on public.visits for select to authenticated using (profile_id in (select private.readable()));
create policy visits_insert on public.visits for insert to authenticated
  with check (profile_id in (select private.writable())
    and (clinic_id is null or clinic_id in (select c.id from public.clinics c where c.account_id = (select auth.uid()))));
"""
BRACKETS_LOST = """
alter policy visits_insert on public.visits
  with check (profile_id in (select private.writable()) and clinic_id is null
    or clinic_id in (select c.id from public.clinics c where c.account_id = (select auth.uid())));
"""
AGREEMENTS = """
create table public.agreements (
  id bigint generated always as identity primary key, profile_id uuid not null references public.profiles (id),
  given_by uuid not null references auth.users (id), status text not null check (status in ('given', 'withdrawn')), ends_at timestamptz
);
alter table public.agreements enable row level security;
revoke all on public.agreements from authenticated;
grant select, insert, update (status, ends_at) on public.agreements to authenticated;
create policy agreements_select on public.agreements for select to authenticated using (profile_id in (select private.readable()));
create policy agreements_insert on public.agreements for insert to authenticated
  with check (profile_id in (select private.writable()) and given_by = (select auth.uid()));
create policy agreements_update on public.agreements for update to authenticated
  using (given_by = (select auth.uid()) and profile_id in (select private.writable()));
"""
GIVEN_BY_IS_ENOUGH = (
    "alter policy agreements_update on public.agreements using (given_by = (select auth.uid()));"
)


def test_an_own_row_in_a_second_column_opens_no_record(cluster: Cluster) -> None:
    clean = proven(cluster, PLAIN, CLINICS)
    assert (clean.answer, named(clean), clean.gaps) == (Answer.NO, set(), ())
    broken = proven(cluster, PLAIN, CLINICS, BRACKETS_LOST)
    assert named(broken) == {"policy visits_insert on public.visits"}


def test_who_wrote_a_row_and_was_shut_out_changes_it_unseen(cluster: Cluster) -> None:
    """He cannot see the row any more, and no column is free text: the statement names no row at all."""
    clean = proven(cluster, PLAIN, AGREEMENTS)
    assert (clean.answer, named(clean), clean.gaps) == (Answer.NO, set(), ())
    broken = proven(cluster, PLAIN, AGREEMENTS, GIVEN_BY_IS_ENOUGH)
    assert named(broken) == {"policy agreements_update on public.agreements"}


PEOPLE = """
create table public.people (id uuid primary key references auth.users (id), status text not null default 'active' check (status in ('active', 'suspended')));
alter table public.people enable row level security;
create policy people_select on public.people for select to authenticated using (id = (select auth.uid()));
create function private.owned() returns setof uuid language sql stable security definer set search_path = '' as $$
  select p.id from public.profiles p join public.people a on a.id = p.owner_id where p.owner_id = (select auth.uid()) and a.status = 'active'
$$;
alter table public.profiles drop constraint profiles_owner_id_fkey, add foreign key (owner_id) references public.people (id);
alter policy profiles_select on public.profiles using (id in (select private.owned()) or id in (select private.shared()));
alter policy notes_select on public.notes using (profile_id in (select private.owned()) or profile_id in (select private.shared()));
alter policy notes_insert on public.notes with check (profile_id in (select private.owned()));
alter policy notes_update on public.notes using (profile_id in (select private.owned())) with check (profile_id in (select private.owned()));
alter policy notes_delete on public.notes using (profile_id in (select private.owned()));
"""
SHARED = """
create function private.shared() returns setof uuid language sql stable security definer set search_path = '' as $$
  select profile_id from public.shares
  where user_id = (select auth.uid()) and status = 'active' and (expires_at is null or expires_at > now())
$$;
"""


def test_an_owner_whose_account_ended_is_among_the_actors_and_held_to_what_is_declared(
    cluster: Cluster,
) -> None:
    reading = {"public.notes": {"select": ["owner", "shares.user_id read", "shares.user_id write"]}}
    request = replace(QUICK, declared={"expect": reading})
    clean = proven(cluster, PLAIN, SHARED, PEOPLE, request=request)
    assert (clean.answer, named(clean)) == (Answer.NO, set())
    assert "owner of c whose status is suspended" in clean.actors
    loose = "alter policy notes_select on public.notes using (profile_id in (select private.readable()));"
    broken = proven(cluster, PLAIN, SHARED, PEOPLE, loose, request=request)
    assert {leak.actor for leak in broken.leaks} == {"owner of c whose status is suspended"}
