"""Writes made to measure: what conditions want of a row is found, tried, and then tried by everybody."""

# ruff: noqa: E501  SQL reads better when its lines are not broken

from __future__ import annotations

from typing import LiteralString

import pytest

from tests.tools.rls.proof.test_prove import QUICK, named, proven
from tools.rls.proof.prove import Request
from tools.rls.proof.verdict import Answer, Proof
from tools.sandbox.cluster import Cluster

WARDS: LiteralString = """
create table public.wards (id uuid primary key default gen_random_uuid(), name text not null);
create table public.staff_members (
  id uuid primary key default gen_random_uuid(), ward_id uuid not null references public.wards (id),
  user_id uuid not null references auth.users (id), role text not null check (role in ('admin', 'nurse', 'reader')),
  unique (ward_id, user_id)
);
create schema private;
grant usage on schema private to authenticated;
create function private.my_wards() returns setof uuid language sql stable security definer set search_path = '' as $$
  select ward_id from public.staff_members where user_id = (select auth.uid())
$$;
create function private.can_write(p_ward uuid) returns boolean language sql stable security definer set search_path = '' as $$
  select exists (select from public.staff_members where ward_id = p_ward and user_id = (select auth.uid()) and role in ('admin', 'nurse'))
$$;
alter table public.wards enable row level security;
alter table public.staff_members enable row level security;
create policy wards_select on public.wards for select to authenticated using (id in (select private.my_wards()));
create policy members_select on public.staff_members for select to authenticated using (ward_id in (select private.my_wards()));
"""

CONSTANT: LiteralString = """
create table public.orders (id uuid primary key default gen_random_uuid(), ward_id uuid not null references public.wards (id),
  status text not null default 'ordered' check (status in ('ordered', 'sent', 'cancelled')), stopped_at timestamptz,
  check ((status = 'cancelled') = (stopped_at is not null)));
alter table public.orders enable row level security;
create policy orders_select on public.orders for select to authenticated using (ward_id in (select private.my_wards()));
create policy orders_update on public.orders for update to authenticated
  using (private.can_write(ward_id) and status = 'sent') with check (private.can_write(ward_id) and status = 'cancelled');
"""
MOMENT: LiteralString = """
create table public.passes (id uuid primary key default gen_random_uuid(), ward_id uuid not null references public.wards (id),
  valid_until timestamptz not null default '2001-01-01', printed_at timestamptz);
alter table public.passes enable row level security;
create policy passes_select on public.passes for select to authenticated using (ward_id in (select private.my_wards()));
create policy passes_insert on public.passes for insert to authenticated
  with check (private.can_write(ward_id) and valid_until > now() and printed_at is null);
create policy passes_update on public.passes for update to authenticated
  using (private.can_write(ward_id)) with check (private.can_write(ward_id) and printed_at is not null);
"""
MEMBERSHIP: LiteralString = """
create table public.remarks (id uuid primary key default gen_random_uuid(), ward_id uuid not null references public.wards (id),
  written_by uuid not null references public.staff_members (id), body text);
alter table public.remarks enable row level security;
create policy remarks_select on public.remarks for select to authenticated using (ward_id in (select private.my_wards()));
create policy remarks_insert on public.remarks for insert to authenticated
  with check (ward_id in (select private.my_wards()) and written_by in (
    select m.id from public.staff_members m where m.user_id = (select auth.uid()) and m.role = 'nurse'));
"""
PATH: LiteralString = """
create table public.scans (id uuid primary key default gen_random_uuid(), ward_id uuid not null references public.wards (id), file text not null unique);
alter table public.scans enable row level security;
create policy scans_select on public.scans for select to authenticated using (ward_id in (select private.my_wards()));
create policy scans_insert on public.scans for insert to authenticated
  with check (private.can_write(ward_id) and split_part(file, '/', 1) = ward_id::text and split_part(file, '/', 2) = (select auth.uid())::text);
"""
CLAIM: LiteralString = """
create function private.session_ward() returns uuid language sql stable security definer set search_path = '' as $$
  select m.ward_id from public.staff_members m
  where m.ward_id::text = (select auth.jwt()) -> 'app_metadata' ->> 'ward_id' and m.user_id = (select auth.uid()) and m.role in ('admin', 'nurse')
$$;
create table public.bills (id uuid primary key default gen_random_uuid(), ward_id uuid not null references public.wards (id), cents integer not null);
alter table public.bills enable row level security;
create policy bills_all on public.bills for all to authenticated
  using (ward_id = (select private.session_ward())) with check (ward_id = (select private.session_ward()));
"""
TRIGGER: LiteralString = """
create table public.reports (id uuid primary key default gen_random_uuid(), ward_id uuid not null references public.wards (id),
  phase text not null default 'draft' check (phase in ('draft', 'review', 'final')), signature text);
alter table public.reports enable row level security;
create function private.one_phase_on() returns trigger language plpgsql set search_path = '' as $$
begin
  if (old.phase, new.phase) not in (('draft', 'review'), ('review', 'final')) then
    raise exception 'a report goes from draft to review to final';
  end if;
  if new.signature is null then
    raise exception 'a report is signed';
  end if;
  return new;
end $$;
create trigger one_phase_on before update on public.reports for each row execute function private.one_phase_on();
create policy reports_select on public.reports for select to authenticated using (ward_id in (select private.my_wards()));
create policy reports_update on public.reports for update to authenticated using (private.can_write(ward_id)) with check (private.can_write(ward_id));
"""
PARENT: LiteralString = """
create table public.rounds (id uuid primary key default gen_random_uuid(), ward_id uuid not null references public.wards (id),
  state text not null default 'planned' check (state in ('planned', 'running')));
create table public.findings (id uuid primary key default gen_random_uuid(), round_id uuid not null references public.rounds (id), body text);
alter table public.rounds enable row level security;
alter table public.findings enable row level security;
create policy rounds_select on public.rounds for select to authenticated using (ward_id in (select private.my_wards()));
create policy findings_select on public.findings for select to authenticated
  using (exists (select from public.rounds r where r.id = round_id and r.ward_id in (select private.my_wards())));
create policy findings_insert on public.findings for insert to authenticated
  with check (exists (select from public.rounds r where r.id = round_id and r.state = 'running' and private.can_write(r.ward_id)));
"""
AUTHOR: LiteralString = """
create table public.letters (id uuid primary key default gen_random_uuid(), ward_id uuid not null references public.wards (id),
  author_id uuid not null references auth.users (id), body text);
alter table public.letters enable row level security;
create function private.is_nurse(p_ward uuid) returns boolean language sql stable security definer set search_path = '' as $$
  select exists (select from public.staff_members where ward_id = p_ward and user_id = (select auth.uid()) and role = 'nurse')
$$;
create policy letters_select on public.letters for select to authenticated using (ward_id in (select private.my_wards()));
create policy letters_insert on public.letters for insert to authenticated with check (private.is_nurse(ward_id) and author_id = (select auth.uid()));
create policy letters_update on public.letters for update to authenticated
  using (private.is_nurse(ward_id) and author_id = (select auth.uid())) with check (private.is_nurse(ward_id) and author_id = (select auth.uid()));
"""
COLUMNS: LiteralString = """
create table public.beds (id uuid primary key default gen_random_uuid(), ward_id uuid not null references public.wards (id), label text, secret text);
alter table public.beds enable row level security;
create policy beds_select on public.beds for select to authenticated using (ward_id in (select private.my_wards()));
create policy beds_update on public.beds for update to authenticated using (private.can_write(ward_id)) with check (private.can_write(ward_id));
revoke select, update on public.beds from authenticated;
grant select (id, ward_id, label), update (label) on public.beds to authenticated;
"""
KINDS = {
    "constants, in the old row and the new, with what a CHECK adds": CONSTANT,
    "a time to come, a null, a value that is not null": MOMENT,
    "the key of the own membership": MEMBERSHIP,
    "a path made of keys": PATH,
    "a claim that a membership must agree with": CLAIM,
    "a trigger's transitions": TRIGGER,
    "a parent in a state": PARENT,
    "a row of the own making": AUTHOR,
    "privileges on columns only": COLUMNS,
}
BROKEN = [
    pytest.param(
        CONSTANT,
        "alter policy orders_update on public.orders using (status = 'sent') with check (status = 'cancelled');",
        "policy orders_update on public.orders",
        id="constant",
    ),
    pytest.param(
        MOMENT,
        "alter policy passes_insert on public.passes with check (valid_until > now() and printed_at is null);",
        "policy passes_insert on public.passes",
        id="moment",
    ),
    pytest.param(
        MEMBERSHIP,
        "alter policy remarks_insert on public.remarks with check (written_by in (select m.id from public.staff_members m where m.user_id = (select auth.uid()) and m.role = 'nurse'));",
        "policy remarks_insert on public.remarks",
        id="membership",
    ),
    pytest.param(
        PATH,
        "alter policy scans_insert on public.scans with check (split_part(file, '/', 1) = ward_id::text and split_part(file, '/', 2) = (select auth.uid())::text);",
        "policy scans_insert on public.scans",
        id="path",
    ),
    pytest.param(
        TRIGGER,
        "alter policy reports_update on public.reports using (ward_id is not null) with check (ward_id is not null);",
        "policy reports_update on public.reports",
        id="trigger",
    ),
]


def test_every_kind_of_condition_is_met_by_somebody(cluster: Cluster) -> None:
    proof = proven(
        cluster, WARDS, *KINDS.values(), request=Request(budget=300, coverage=False, replays=False)
    )
    assert (proof.answer, named(proof), proof.gaps) == (Answer.NO, set(), ())


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_by_itself(cluster: Cluster, kind: str) -> None:
    proof = proven(cluster, WARDS, KINDS[kind])
    assert (proof.answer, named(proof), proof.gaps) == (Answer.NO, set(), ())


@pytest.mark.parametrize(("kind", "sql", "wanted"), BROKEN)
def test_what_works_for_one_is_tried_by_all(cluster: Cluster, kind: str, sql: str, wanted: str) -> None:
    proof = proven(cluster, WARDS, kind, sql, request=Request(budget=300, coverage=False))
    assert proof.answer is Answer.YES
    assert wanted in named(proof)
    assert all(leak.replay for leak in proof.leaks)


def test_a_stranger_who_sees_no_row_changes_all(cluster: Cluster) -> None:
    open_to_all = "alter policy orders_update on public.orders using (status = 'sent') with check (status = 'cancelled');"
    loose = "alter table public.orders drop constraint orders_check;"
    (leak,) = proven(
        cluster, WARDS, CONSTANT, loose, open_to_all, request=Request(budget=300, coverage=False)
    ).leaks
    assert (leak.actor, leak.command) == ("stranger", "UPDATE")
    assert "set \"status\" = 'cancelled';" in leak.replay


def _gaps(proof: Proof) -> list[str]:
    return [gap.what for gap in proof.gaps]


def test_what_nobody_can_meet_is_not_examined(cluster: Cluster) -> None:
    never = "alter policy orders_update on public.orders using (private.can_write(ward_id) and status = 'sent' and id is null);"
    proof = proven(cluster, WARDS, CONSTANT, never, request=QUICK)
    assert (proof.answer, _gaps(proof)) == (Answer.NOT_EXAMINED, ["UPDATE on public.orders"])
    assert "rows made for its policies" in proof.gaps[0].why


def test_what_a_policy_refuses_to_everybody_needs_nobody_who_gets_through(cluster: Cluster) -> None:
    closed = """create policy orders_insert on public.orders for insert to authenticated with check (false);
    create policy orders_delete on public.orders for delete to authenticated using (false);"""
    proof = proven(cluster, WARDS, CONSTANT, closed, request=QUICK)
    assert (proof.answer, _gaps(proof)) == (Answer.NO, [])


def test_what_a_trigger_says_to_everybody_is_quoted(cluster: Cluster) -> None:
    closed = """create function public.refuse() returns trigger language plpgsql as $$ begin
    if current_user = 'authenticated' then raise exception 'orders are frozen'; end if; return new; end $$;
    create trigger refuse before update on public.orders for each row execute function public.refuse();"""
    proof = proven(cluster, WARDS, CONSTANT, closed, request=QUICK)
    assert (proof.answer, _gaps(proof)) == (Answer.NOT_EXAMINED, ["UPDATE on public.orders"])
    assert "most were told: orders are frozen" in proof.gaps[0].why
