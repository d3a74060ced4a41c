"""Conditions of life put into queries: what lacks one gets it, what cannot be read again stays as it is."""

from __future__ import annotations

from tools.rls.fixing.conditions import narrowed
from tools.rls.fixing.trees import TOO_LONG
from tools.rls.proof.infer import infer
from tools.rls.reach import reach
from tools.rls.reading import read_here
from tools.sandbox.cluster import Cluster
from tools.sandbox.scratch.copy import restore_sql
from tools.sandbox.scratch.session import ScratchSession

SCHEMA = """
create table public.files (id uuid primary key, owner_id uuid not null references auth.users (id));
create table public.shares (
  file_id uuid not null references public.files (id), user_id uuid not null references auth.users (id),
  status text not null check (status in ('active', 'ended')), primary key (file_id, user_id)
);
alter table public.files enable row level security;
alter table public.shares enable row level security;
create policy files_select on public.files for select to authenticated using (
  owner_id = (select auth.uid()) or exists (select from public.shares s
    where s.file_id = files.id and s.user_id = (select auth.uid()) and s.status = 'active'));
create policy shares_select on public.shares for select to authenticated
  using (user_id = (select auth.uid()));
"""


def test_a_query_gets_the_condition_that_it_lacks_and_a_very_long_one_is_left_alone(cluster: Cluster):
    with restore_sql(cluster, [SCHEMA]) as scratch, ScratchSession(scratch.dsn) as session:
        snapshot = read_here(session)
    model, reached = infer(snapshot), reach(snapshot)
    query = "select s.file_id from public.shares s where s.user_id = auth.uid()"
    new = narrowed(reached, model, query, (), None)
    assert new is not None and "s.status = 'active'" in new
    assert narrowed(reached, model, new, (), None) is None
    long = "select from shares s where s.user_id = auth.uid() or s.user_id::text in ('')"
    long = long.replace("''", f"'{'x' * (TOO_LONG - len(long))}'")
    assert len(long) == TOO_LONG and narrowed(reached, model, long, ("public",), None) is None
    assert narrowed(reached, model, long.replace("x" * 100, ""), ("public",), None) is not None
