"""A helper that believed a claim of its caller: mended, it asks the table of staff as well."""

from __future__ import annotations

from tools.rls.fixing.problems import function_named
from tools.rls.fixing.staff import asking_staff
from tools.rls.proof.infer import infer
from tools.rls.reach import reach
from tools.rls.reading import read_here
from tools.sandbox.cluster import Cluster
from tools.sandbox.scratch.copy import restore_sql
from tools.sandbox.scratch.session import ScratchSession

SCHEMA = """
create schema private;
create table public.staff_members (
  account_id uuid primary key references auth.users (id),
  role text not null check (role in ('reviewer', 'operations')), is_active boolean not null default true
);
alter table public.staff_members enable row level security;
create policy own on public.staff_members for select to authenticated
  using (account_id = (select auth.uid()) and is_active);
create table public.cases (id uuid primary key, note text);
alter table public.cases enable row level security;
create function private.is_staff(wanted text) returns boolean language sql stable security definer
  set search_path = '' as $$ select auth.jwt() -> 'user_metadata' ->> 'staff_role' = wanted $$;
create function private.works_here(wanted text) returns boolean language sql stable security definer
  set search_path = '' as $$
  select exists (select from public.staff_members s
                 where s.account_id = auth.uid() and s.role = wanted and s.is_active) $$;
create policy cases_select on public.cases for select to authenticated using (private.is_staff('reviewer'));
create policy cases_update on public.cases for update to authenticated
  using (private.works_here('operations'));
"""
ME = "6f0c1f6e-0000-4000-8000-000000000001"
CLAIMS = '{"sub": "%s", "%s": {"staff_role": "reviewer"}}'


def answer(session: ScratchSession, metadata: str) -> object:
    """What the helper says of somebody whose token carries the role there."""
    session.rows("select set_config('request.jwt.claims', %s, true)", [CLAIMS % (ME, metadata)])
    return session.rows("select private.is_staff('reviewer')")[0][0]


def test_the_claim_and_the_table_of_staff_must_both_say_so(cluster: Cluster):
    with restore_sql(cluster, [SCHEMA]) as scratch, ScratchSession(scratch.dsn) as session:
        snapshot = read_here(session)
        function = function_named(snapshot, "private.is_staff(text)")
        assert function is not None
        mended = asking_staff(snapshot, reach(snapshot), infer(snapshot), function)
        assert mended is not None
        assert answer(session, "user_metadata") is True
        session.script(mended)
        assert [answer(session, place) for place in ("user_metadata", "app_metadata")] == [False, False]
        session.script(f"insert into auth.users (id) values ('{ME}')")
        session.script(f"insert into public.staff_members values ('{ME}', 'reviewer')")
        assert [answer(session, place) for place in ("user_metadata", "app_metadata")] == [False, True]
        session.script("update public.staff_members set is_active = false")
        assert answer(session, "app_metadata") is False
        asks = function_named(snapshot, "private.works_here(text)")
        assert asks is not None and asking_staff(snapshot, reach(snapshot), infer(snapshot), asks) is None
