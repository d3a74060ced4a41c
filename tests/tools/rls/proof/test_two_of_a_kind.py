"""Rows that name two records: two that must differ, two under one above, and a parent of another's record."""

# ruff: noqa: E501  SQL reads better when its lines are not broken

from __future__ import annotations

from dataclasses import replace
from typing import LiteralString

import pytest

from tests.tools.rls.proof.test_prove import QUICK, named, proven
from tools.rls.proof.verdict import Answer
from tools.sandbox.cluster import Cluster

CLINICS: LiteralString = """
create table public.clinics (id uuid primary key default gen_random_uuid(), name text not null);
create table public.staff (
  clinic_id uuid not null references public.clinics (id), user_id uuid not null references auth.users (id), primary key (clinic_id, user_id)
);
create table public.patients (
  id uuid primary key default gen_random_uuid(), clinic_id uuid not null references public.clinics (id),
  user_id uuid unique references auth.users (id), name text
);
create table public.carers (
  patient_id uuid not null references public.patients (id), user_id uuid not null references auth.users (id), primary key (patient_id, user_id)
);
create table public.transfers (
  id uuid primary key default gen_random_uuid(), clinic_id uuid not null references public.clinics (id),
  to_clinic_id uuid not null references public.clinics (id), reason text, check (clinic_id <> to_clinic_id)
);
create table public.visits (id uuid primary key default gen_random_uuid(), patient_id uuid not null references public.patients (id), unique (id, patient_id));
create table public.notes (
  id uuid primary key default gen_random_uuid(), patient_id uuid not null references public.patients (id), visit_id uuid not null, body text,
  constraint same_patient foreign key (visit_id, patient_id) references public.visits (id, patient_id)
);
alter table public.clinics enable row level security;
alter table public.staff enable row level security;
alter table public.patients enable row level security;
alter table public.carers enable row level security;
alter table public.transfers enable row level security;
alter table public.visits enable row level security;
alter table public.notes enable row level security;
create schema private;
grant usage on schema private to authenticated;
create function private.works_at(clinic uuid) returns boolean language sql stable security definer set search_path = '' as $$
  select exists (select from public.staff s where s.clinic_id = clinic and s.user_id = (select auth.uid()))
$$;
create function private.cares_for(patient uuid) returns boolean language sql stable security definer set search_path = '' as $$
  select exists (select from public.carers c where c.patient_id = patient and c.user_id = (select auth.uid()))
$$;
create function private.file_patient(file text) returns uuid language sql stable security definer set search_path = '' as $$
  select p.id from public.patients p
  where p.clinic_id::text = (storage.foldername(file))[1] and p.id::text = (storage.foldername(file))[2] limit 1
$$;
create policy seen on public.clinics for select to authenticated using (private.works_at(id));
create policy seen on public.staff for select to authenticated using (user_id = (select auth.uid()));
create policy seen on public.patients for select to authenticated using (user_id = (select auth.uid()) or private.cares_for(id));
create policy added on public.patients for insert to authenticated with check (private.works_at(clinic_id) and user_id is null);
create policy seen on public.carers for select to authenticated using (user_id = (select auth.uid()));
create policy seen on public.transfers for select to authenticated using (private.works_at(clinic_id) or private.works_at(to_clinic_id));
create policy asked on public.transfers for insert to authenticated with check (private.works_at(clinic_id));
create policy seen on public.visits for select to authenticated using (private.cares_for(patient_id));
create policy seen on public.notes for select to authenticated using (private.cares_for(patient_id));
create policy written on public.notes for insert to authenticated with check (private.cares_for(patient_id));
insert into storage.buckets (id, name, public) values ('letters', 'letters', false);
create policy letters on storage.objects for select to authenticated using (bucket_id = 'letters' and private.cares_for(private.file_patient(name)));
"""


def test_rows_of_two_records_are_no_leak(cluster: Cluster) -> None:
    proof = proven(cluster, CLINICS)
    assert (proof.answer, named(proof), proof.gaps) == (Answer.NO, set(), ())


@pytest.mark.parametrize(
    ("fault", "wanted"),
    [
        ("alter policy asked on public.transfers with check (true)", "policy asked on public.transfers"),
        ("alter policy added on public.patients with check (true)", "policy added on public.patients"),
        (
            "alter table public.notes drop constraint same_patient, add foreign key (visit_id) references public.visits (id)",
            "public.notes",
        ),
        (
            """create or replace function private.file_patient(file text) returns uuid language sql stable security definer set search_path = '' as $$
            select p.id from public.patients p where p.clinic_id::text = (storage.foldername(file))[1] order by p.user_id nulls last limit 1 $$""",
            "private.file_patient(text)",
        ),
        (
            """create or replace function private.file_patient(file text) returns uuid language sql stable security definer set search_path = '' as $$
            select p.id from public.patients p where position(p.id::text in file) > 0 order by p.id limit 1 $$""",
            "private.file_patient(text)",
        ),
    ],
)
def test_a_fault_is_found_where_rows_name_two_records(
    cluster: Cluster, fault: LiteralString, wanted: str
) -> None:
    assert wanted in named(proven(cluster, CLINICS + fault + ";"))


ROLES: LiteralString = """
create table public.shops (id uuid primary key default gen_random_uuid(), name text);
create table public.staff (
  shop_id uuid not null references public.shops (id), user_id uuid not null references auth.users (id),
  role text not null check (role in ('admin', 'clerk')), primary key (shop_id, user_id)
);
create schema private;
grant usage on schema private to authenticated;
create function private.has_role(shop uuid, wanted text) returns boolean language sql stable security definer set search_path = '' as $$
  select exists (select from public.staff s where s.shop_id = shop and s.user_id = (select auth.uid()) and s.role = wanted)
$$;
alter table public.shops enable row level security;
alter table public.staff enable row level security;
create policy seen on public.staff for select to authenticated using (user_id = (select auth.uid()));
do $$
declare
  name text;
begin
  foreach name in array array['orders', 'parcels', 'returns', 'shelves', 'wages', 'audits', 'contracts'] loop
    execute format('create table public.%I (id uuid primary key default gen_random_uuid(), shop_id uuid not null references public.shops (id), body text)', name);
    execute format('alter table public.%I enable row level security', name);
    execute format('create policy seen on public.%I for select to authenticated using (private.has_role(shop_id, ''admin'')%s)', name,
      case when name in ('wages', 'audits', 'contracts') then '' else ' or private.has_role(shop_id, ''clerk'')' end);
  end loop;
end
$$;
"""
BELIEVES_CLERKS: LiteralString = """
create or replace function private.has_role(shop uuid, wanted text) returns boolean language sql stable security definer set search_path = '' as $$
  select exists (select from public.staff s where s.shop_id = shop and s.user_id = (select auth.uid()) and (s.role = wanted or s.role = 'clerk'))
$$;
"""


def test_a_helper_that_gives_a_role_to_others_is_to_blame(cluster: Cluster) -> None:
    admins = {"select": ["staff.user_id admin"]}
    told = {f"public.{name}": admins for name in ("wages", "audits", "contracts")}
    request = replace(QUICK, declared={"expect": told})
    assert proven(cluster, ROLES, request=request).answer is Answer.NO
    wrong_policy = "alter policy seen on public.wages using (private.has_role(shop_id, 'admin') or private.has_role(shop_id, 'clerk'));"
    assert named(proven(cluster, ROLES + wrong_policy, request=request)) == {"policy seen on public.wages"}
    assert named(proven(cluster, ROLES + BELIEVES_CLERKS, request=request)) == {
        "private.has_role(uuid, text)"
    }
