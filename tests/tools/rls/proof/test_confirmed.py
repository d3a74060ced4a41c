"""Faults that only a confirmed model tells from what is meant: each schema is confirmed while it is right."""

# ruff: noqa: E501  SQL reads better when its lines are not broken

from __future__ import annotations

from typing import LiteralString

import psycopg
import pytest

from tests.tools.rls.proof.test_prove import named
from tools.rls.proof.prove import confirm, prove
from tools.rls.proof.verdict import Answer, Proof
from tools.sandbox.cluster import Cluster

PRACTICES: LiteralString = """
create table public.practices (id uuid primary key default gen_random_uuid(), name text not null);
create table public.staff (
  practice_id uuid not null references public.practices (id), account_id uuid not null references auth.users (id),
  role text not null check (role in ('admin', 'clerk')), left_at timestamptz, primary key (practice_id, account_id)
);
create table public.clients (
  id uuid primary key default gen_random_uuid(), practice_id uuid not null references public.practices (id),
  account_id uuid unique references auth.users (id), name text not null
);
create table public.visits (id uuid primary key default gen_random_uuid(), client_id uuid not null references public.clients (id), findings text);
create table public.bills (id uuid primary key default gen_random_uuid(), client_id uuid not null references public.clients (id), amount integer not null);
alter table public.practices enable row level security;
alter table public.staff enable row level security;
alter table public.clients enable row level security;
alter table public.visits enable row level security;
alter table public.bills enable row level security;
create schema private;
grant usage on schema private to authenticated;
create function private.works_as(p_practice uuid, p_role text) returns boolean language sql stable security definer set search_path = '' as $$
  select exists (select from public.staff s where s.practice_id = p_practice and s.account_id = (select auth.uid())
    and s.role = p_role and s.left_at is null)
$$;
create policy practices_select on public.practices for select to authenticated
  using (private.works_as(id, 'admin') or private.works_as(id, 'clerk'));
create policy staff_select on public.staff for select to authenticated using (account_id = (select auth.uid()));
create policy clients_select on public.clients for select to authenticated
  using (account_id = (select auth.uid()) or private.works_as(practice_id, 'admin') or private.works_as(practice_id, 'clerk'));
create policy clients_insert on public.clients for insert to authenticated
  with check ((private.works_as(practice_id, 'admin') or private.works_as(practice_id, 'clerk')) and account_id is null);
create function private.sees(p_client uuid) returns boolean language sql stable security definer set search_path = '' as $$
  select exists (select from public.clients c where c.id = p_client
    and (c.account_id = (select auth.uid()) or private.works_as(c.practice_id, 'admin')))
$$;
create policy visits_all on public.visits for all to authenticated using (private.sees(client_id)) with check (private.sees(client_id));
create policy bills_select on public.bills for select to authenticated using (private.sees(client_id));
"""


def proven(cluster: Cluster, dsn: str, schema: LiteralString, broken: LiteralString) -> tuple[Proof, Proof]:
    """The proofs of a schema with the model confirmed for it: as it was confirmed, and with a fault."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(schema)
        declared = confirm(cluster, dsn)
        honest = prove(cluster, dsn, declared=declared, budget=100, coverage=False, replays=False)
        connection.execute(broken)
        faulty = prove(cluster, dsn, declared=declared, budget=100, coverage=False, replays=False)
    return honest, faulty


@pytest.mark.parametrize(
    "check",
    [
        pytest.param(
            "(private.works_as(practice_id, 'admin') and account_id is null) or private.works_as(practice_id, 'clerk')",
            id="somebody else's",
        ),
        pytest.param("account_id = (select auth.uid())", id="the own one"),
    ],
)
def test_a_record_of_nobody_yet_is_given_an_account(
    cluster: Cluster, empty_database: str, check: LiteralString
):
    broken = f"alter policy clients_insert on public.clients with check ({check})"
    honest, faulty = proven(cluster, empty_database, PRACTICES, broken)
    assert (honest.gaps, named(honest), honest.answer) == ((), set(), Answer.NO)
    assert named(faulty) == {"policy clients_insert on public.clients"}


FILES: LiteralString = """
insert into storage.buckets (id, name) values ('scans', 'scans');
create function private.file_client(file text) returns uuid language sql stable security definer set search_path = '' as $$
  select c.id from public.clients c
  where c.id::text = (storage.foldername(file))[2] and c.practice_id::text = (storage.foldername(file))[1]
$$;
create policy scans_select on storage.objects for select to authenticated
  using (bucket_id = 'scans' and private.sees(private.file_client(name)));
create policy scans_insert on storage.objects for insert to authenticated
  with check (bucket_id = 'scans' and private.sees(private.file_client(name)));
"""
OWN_FILES: LiteralString = """
insert into storage.buckets (id, name) values ('letters', 'letters');
create policy letters_select on storage.objects for select to authenticated
  using (bucket_id = 'letters' and (storage.foldername(name))[1] = (select auth.uid())::text);
create policy letters_insert on storage.objects for insert to authenticated
  with check (bucket_id = 'letters' and (storage.foldername(name))[1] = (select auth.uid())::text);
"""


def test_a_path_through_one_practice_to_the_client_of_another(cluster: Cluster, empty_database: str):
    broken: LiteralString = """
create or replace function private.file_client(file text) returns uuid language sql stable security definer set search_path = '' as $$
  select c.id from public.clients c where c.id::text = (storage.foldername(file))[2]
$$;
"""
    honest, faulty = proven(cluster, empty_database, PRACTICES + FILES, broken)
    assert (honest.gaps, named(honest), honest.answer) == ((), set(), Answer.NO)
    assert [(leak.policy, leak.function) for leak in faulty.leaks] == [
        ("policy scans_insert on storage.objects", "private.file_client(text)")
    ]
    assert "whose path is of two records" in faulty.leaks[0].sentence


def test_a_folder_that_only_begins_like_the_own_one(cluster: Cluster, empty_database: str):
    """What stands in a path after the own folder is the owner's affair, whomever it names."""
    broken = "alter policy letters_insert on storage.objects with check (bucket_id = 'letters' and name like (select auth.uid())::text || '%')"
    honest, faulty = proven(cluster, empty_database, PRACTICES + OWN_FILES, broken)
    assert (honest.gaps, named(honest), honest.answer) == ((), set(), Answer.NO)
    assert named(faulty) == {"policy letters_insert on storage.objects"}
    assert "whose path is beside folder 1" in faulty.leaks[0].sentence
