"""Who may not hand out a level in a new row may not do so by changing one; where nobody may, promoting is meant."""

# ruff: noqa: E501  SQL reads better when its lines are not broken

from __future__ import annotations

from tests.tools.rls.proof.test_prove import named, proven
from tools.rls.proof.verdict import Answer
from tools.sandbox.cluster import Cluster

FOLDERS = """
create table public.folders (id uuid primary key default gen_random_uuid(), owner_id uuid not null references auth.users (id), name text);
create table public.shares (
  id uuid primary key default gen_random_uuid(), folder_id uuid not null references public.folders (id),
  user_id uuid not null references auth.users (id), level text not null check (level in ('read', 'manage')), unique (folder_id, user_id)
);
alter table public.folders enable row level security;
alter table public.shares enable row level security;
create schema private;
grant usage on schema private to authenticated;
create function private.owned() returns setof uuid language sql stable security definer set search_path = '' as
$$ select id from public.folders where owner_id = (select auth.uid()) $$;
create function private.managed() returns setof uuid language sql stable security definer set search_path = '' as $$
  select private.owned() union select folder_id from public.shares where user_id = (select auth.uid()) and level = 'manage'
$$;
create function private.readable() returns setof uuid language sql stable security definer set search_path = '' as $$
  select private.owned() union select folder_id from public.shares where user_id = (select auth.uid())
$$;
create policy folders_select on public.folders for select to authenticated using (id in (select private.readable()));
create policy shares_select on public.shares for select to authenticated using (folder_id in (select private.managed()));
create policy shares_insert on public.shares for insert to authenticated
  with check (folder_id in (select private.owned()) or (folder_id in (select private.managed()) and level <> 'manage'));
create policy shares_update on public.shares for update to authenticated
  using (folder_id in (select private.owned()) or (folder_id in (select private.managed()) and level <> 'manage'));
"""
RAISED = """
alter policy shares_update on public.shares using (folder_id in (select private.managed()))
  with check (folder_id in (select private.managed()));
"""
NEVER_NEW = "alter policy shares_insert on public.shares with check (folder_id in (select private.managed()) and level <> 'manage');"


def test_a_manager_makes_no_manager_by_changing_a_row(cluster: Cluster) -> None:
    clean = proven(cluster, FOLDERS)
    assert (clean.answer, named(clean)) == (Answer.NO, set())
    broken = proven(cluster, FOLDERS, RAISED)
    assert named(broken) == {"policy shares_update on public.shares"}
    assert "level = manage" in broken.leaks[0].sentence


def test_promoting_is_meant_where_everybody_begins_low(cluster: Cluster) -> None:
    proof = proven(cluster, FOLDERS, RAISED, NEVER_NEW)
    assert named(proof) == set()
