"""Rows of others that somebody takes into his own record, and claims that he writes himself."""

# ruff: noqa: E501  SQL reads better when its lines are not broken

from __future__ import annotations

from typing import LiteralString

import pytest

from tests.tools.rls.proof.test_prove import QUICK, named, proven
from tools.rls.proof.verdict import Answer
from tools.sandbox.cluster import Cluster

VISITS: LiteralString = """
create table public.patients (id uuid primary key default gen_random_uuid(), doctor_id uuid not null references auth.users (id), name text);
create table public.visits (id uuid primary key default gen_random_uuid(), patient_id uuid not null references public.patients (id), starts timestamptz);
alter table public.patients enable row level security;
alter table public.visits enable row level security;
create policy patients_all on public.patients for all to authenticated using (doctor_id = (select auth.uid())) with check (doctor_id = (select auth.uid()));
create policy visits_select on public.visits for select to authenticated using (patient_id in (select id from public.patients));
create policy visits_update on public.visits for update to authenticated using (USING) with check (patient_id in (select id from public.patients));
"""
TASKS: LiteralString = """
create table public.tasks (id uuid primary key default gen_random_uuid(), tenant_id uuid not null, title text not null);
alter table public.tasks enable row level security;
create policy tasks_all on public.tasks for all to authenticated using (tenant_id = ((auth.jwt() -> 'WHERE' ->> 'tenant_id')::uuid));
"""


def test_rows_that_nobody_sees_are_taken_without_naming_them(cluster: Cluster):
    proof = proven(cluster, VISITS.replace("USING", "true"), request=QUICK)
    assert named(proof) == {"policy visits_update on public.visits"}


def test_rows_of_the_own_record_may_be_changed(cluster: Cluster):
    own = VISITS.replace("USING", "patient_id in (select id from public.patients)")
    proof = proven(cluster, own, request=QUICK)
    assert (proof.answer, proof.gaps) == (Answer.NO, ())


@pytest.mark.parametrize(
    ("place", "wanted"),
    [("user_metadata", {"policy tasks_all on public.tasks"}), ("app_metadata", set[str]())],
)
def test_a_tenant_that_people_write_themselves_keeps_nobody_out(
    cluster: Cluster, place: LiteralString, wanted: set[str]
):
    assert named(proven(cluster, TASKS.replace("WHERE", place), request=QUICK)) == wanted
