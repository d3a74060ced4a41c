"""Who makes himself staff: by a new row, by an update of his own, by a call; and what keeps him from it."""

# ruff: noqa: E501  SQL reads better when its lines are not broken

from __future__ import annotations

from typing import LiteralString

import pytest

from tests.tools.rls.proof.test_prove import QUICK, named, proven
from tools.rls.proof.verdict import Answer
from tools.sandbox.cluster import Cluster

ROLES: LiteralString = """
create type public.app_role as enum ('admin', 'moderator', 'user');
create table public.user_roles (
  id uuid primary key default gen_random_uuid(), user_id uuid not null references auth.users (id) on delete cascade,
  role public.app_role not null default 'user', unique (user_id)
);
create table public.projects (id uuid primary key default gen_random_uuid(), user_id uuid not null references auth.users (id), title text);
alter table public.user_roles enable row level security;
alter table public.projects enable row level security;
create function public.is_admin() returns boolean language sql stable security definer set search_path = '' as $$
  select exists (select from public.user_roles r where r.user_id = (select auth.uid()) and r.role = 'admin') $$;
create policy projects_select on public.projects for select to authenticated using (user_id = (select auth.uid()) or public.is_admin());
create policy projects_insert on public.projects for insert to authenticated with check (user_id = (select auth.uid()));
create policy roles_select on public.user_roles for select to authenticated using (user_id = (select auth.uid()) or public.is_admin());
"""
PROFILES: LiteralString = """
create table public.profiles (
  id uuid primary key references auth.users (id) on delete cascade, name text, role text not null default 'user',
  is_admin boolean not null default false
);
create table public.orders (id uuid primary key default gen_random_uuid(), user_id uuid not null references auth.users (id), title text);
alter table public.profiles enable row level security;
alter table public.orders enable row level security;
create function public.is_admin() returns boolean language sql stable security definer set search_path = '' as $$
  select exists (select from public.profiles p where p.id = (select auth.uid()) and TEST) $$;
create policy orders_select on public.orders for select to authenticated using (user_id = (select auth.uid()) or public.is_admin());
create policy orders_insert on public.orders for insert to authenticated with check (user_id = (select auth.uid()));
create policy profiles_select on public.profiles for select to authenticated using (id = (select auth.uid()) or public.is_admin());
create policy profiles_update on public.profiles for update to authenticated using (id = (select auth.uid()));
"""
ASSIGN: LiteralString = """
create function public.assign_role(target uuid, new_role public.app_role) returns void language plpgsql security definer set search_path = '' as $$
declare mine public.app_role; begin
  select role into mine from public.user_roles where user_id = auth.uid();
  if CHECK then raise exception 'not allowed'; end if;
  insert into public.user_roles (user_id, role) values (target, new_role) on conflict (user_id) do update set role = excluded.role;
end $$;
"""
GUARD: LiteralString = """
create function public.keep_role() returns trigger language plpgsql set search_path = '' as $$ begin
  if new.role is distinct from old.role and not public.is_admin() then raise exception 'not yours'; end if; return new; end $$;
create trigger keep_role before update on public.profiles for each row execute function public.keep_role();
"""
FLAG: LiteralString = PROFILES.replace("TEST", "p.is_admin")
WORD: LiteralString = PROFILES.replace("TEST", "p.role = 'admin'")

OPEN: list[tuple[LiteralString, LiteralString, str]] = [
    (ROLES, ASSIGN.replace("CHECK", "mine <> 'admin'"), "public.assign_role(uuid, public.app_role)"),
    (
        ROLES,
        "create policy roles_insert on public.user_roles for insert to authenticated with check (user_id = (select auth.uid()));",
        "policy roles_insert on public.user_roles",
    ),
    (
        ROLES,
        "create policy roles_update on public.user_roles for update to authenticated using (user_id = (select auth.uid()));",
        "policy roles_update on public.user_roles",
    ),
    (WORD, "", "policy profiles_update on public.profiles"),
    (FLAG, "", "policy profiles_update on public.profiles"),
]
CLOSED: list[tuple[LiteralString, LiteralString]] = [
    (ROLES, ASSIGN.replace("CHECK", "mine is distinct from 'admin'")),
    (
        ROLES,
        """create policy roles_insert on public.user_roles for insert to authenticated with check (public.is_admin());
        create policy roles_update on public.user_roles for update to authenticated using (public.is_admin());""",
    ),
    (
        ROLES,
        "create policy roles_insert on public.user_roles for insert to authenticated with check (user_id = (select auth.uid()) and role = 'user');",
    ),
    (WORD, GUARD),
    (
        FLAG,
        "revoke update on public.profiles from anon, authenticated; grant update (name) on public.profiles to authenticated;",
    ),
    (
        FLAG,
        "alter policy profiles_update on public.profiles with check (id = (select auth.uid()) and not is_admin);",
    ),
]


@pytest.mark.parametrize(("schema", "sql", "wanted"), OPEN)
def test_who_appoints_himself_is_named(
    cluster: Cluster, schema: LiteralString, sql: LiteralString, wanted: str
):
    proof = proven(cluster, schema, sql, request=QUICK)
    assert (proof.answer, named(proof)) == (Answer.YES, {wanted})
    assert "staff" in proof.leaks[0].sentence


@pytest.mark.parametrize(("schema", "sql"), CLOSED)
def test_where_only_staff_appoint_nothing_is_said(
    cluster: Cluster, schema: LiteralString, sql: LiteralString
):
    proof = proven(cluster, schema, sql, request=QUICK)
    assert (proof.answer, named(proof), proof.gaps) == (Answer.NO, set(), ())
