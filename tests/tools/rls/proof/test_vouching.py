"""A state that somebody else vouches for, and that others' records are opened by, is not set by one's own call."""

# ruff: noqa: E501  SQL reads better when its lines are not broken

from __future__ import annotations

from tests.tools.rls.proof.test_prove import PLAIN, named, proven
from tools.rls.proof.deliberate import _other  # pyright: ignore[reportPrivateUsage]  decides what a call changed
from tools.rls.proof.verdict import Answer
from tools.sandbox.cluster import Cluster

DOCTORS = """
create table public.doctors (
  id uuid primary key default gen_random_uuid(), account_id uuid not null references auth.users (id),
  status text not null default 'unverified' check (status in ('unverified', 'verified'))
);
create table public.admissions (
  id uuid primary key default gen_random_uuid(), profile_id uuid not null references public.profiles (id),
  doctor_id uuid not null references public.doctors (id), ends_at timestamptz
);
alter table public.doctors enable row level security;
alter table public.admissions enable row level security;
create function private.admitted() returns setof uuid language sql stable security definer set search_path = '' as $$
  select a.profile_id from public.admissions a join public.doctors d on d.id = a.doctor_id
  where d.account_id = (select auth.uid()) and d.status = 'verified' and (a.ends_at is null or a.ends_at > now())
$$;
create policy doctors_select on public.doctors for select to authenticated using (account_id = (select auth.uid()));
create policy doctors_insert on public.doctors for insert to authenticated
  with check (account_id = (select auth.uid()) and status = 'unverified');
create policy admissions_select on public.admissions for select to authenticated
  using (profile_id in (select id from public.profiles where owner_id = (select auth.uid())));
create policy admissions_insert on public.admissions for insert to authenticated
  with check (profile_id in (select id from public.profiles where owner_id = (select auth.uid())));
alter policy notes_select on public.notes
  using (profile_id in (select private.readable()) or profile_id in (select private.admitted()));
create function public.set_status(wanted_doctor uuid, wanted_status text) returns void language plpgsql security definer set search_path = '' as $$
begin
  if coalesce(auth.jwt() -> 'app_metadata' ->> 'role', '') <> 'registrar' then raise exception 'not for you' using errcode = '42501'; end if;
  update public.doctors set status = wanted_status where id = wanted_doctor;
end $$;
revoke execute on function public.set_status from anon, public;
grant execute on function public.set_status to authenticated;
"""
OWN_PRACTICE = """
create or replace function public.set_status(wanted_doctor uuid, wanted_status text) returns void language plpgsql security definer set search_path = '' as $$
begin
  if coalesce(auth.jwt() -> 'app_metadata' ->> 'role', '') <> 'registrar'
    and not exists (select from public.doctors d where d.id = wanted_doctor and d.account_id = auth.uid()) then
    raise exception 'not for you' using errcode = '42501';
  end if;
  update public.doctors set status = wanted_status where id = wanted_doctor;
end $$;
"""


def test_nobody_verifies_himself_by_a_call(cluster: Cluster) -> None:
    clean = proven(cluster, PLAIN, DOCTORS)
    assert (clean.answer, named(clean)) == (Answer.NO, set())
    broken = proven(cluster, PLAIN, DOCTORS, OWN_PRACTICE)
    assert named(broken) == {"public.set_status(uuid, text)"}
    assert "verify the own row of public.doctors" in broken.leaks[0].sentence


def test_a_second_later_is_another_time() -> None:
    assert not _other("2026-11-26T16:10:11.12+00:00", "2026-11-26 16:10:11.12+00")
    assert _other("2026-11-26T16:10:12+00:00", "2026-11-26 16:10:11+00")
