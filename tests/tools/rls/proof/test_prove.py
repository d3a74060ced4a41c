"""The prover on whole schemas: what it must find, what it must not, and that a replay shows it again."""

# ruff: noqa: E501  SQL reads better when its lines are not broken

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.tools.rls.proof.styles import STYLES
from tools.rls.proof.prove import Request, prove, prove_copy
from tools.rls.proof.verdict import Answer, Kind, Proof
from tools.sandbox import demo, faults
from tools.sandbox.cluster import Cluster
from tools.sandbox.scratch.copy import restore_sql
from tools.sandbox.scratch.session import ScratchSession, SqlFailure

QUICK = Request(budget=100, coverage=False, replays=False)


def proven(cluster: Cluster, *sql: str, request: Request = QUICK, supabase: bool = True) -> Proof:
    """The proof of a schema given as SQL."""
    return prove_copy(restore_sql(cluster, list(sql), supabase=supabase), request)


def named(proof: Proof) -> set[str]:
    """The objects that a proof says to mend."""
    return {leak.object for leak in (*proof.leaks, *proof.denied)}


@pytest.mark.parametrize("style", ["token tenants", "clinic", "groups", "colleagues", "to-do"])
def test_an_honest_schema_is_proven(cluster: Cluster, style: str) -> None:
    proof = proven(cluster, STYLES[style], supabase=style != "setting tenants")
    assert (proof.answer, named(proof), proof.gaps) == (Answer.NO, set(), ())
    assert proof.probes > 100
    assert len(proof.actors) >= 4


PLAIN = """
create table public.profiles (id uuid primary key default gen_random_uuid(), owner_id uuid not null references auth.users (id), name text);
create table public.shares (
  id uuid primary key default gen_random_uuid(), profile_id uuid not null references public.profiles (id),
  user_id uuid not null references auth.users (id), level text not null check (level in ('read', 'write')),
  status text not null default 'pending' check (status in ('pending', 'active', 'revoked')), expires_at timestamptz,
  unique (profile_id, user_id)
);
create table public.notes (id bigint generated always as identity primary key, profile_id uuid not null references public.profiles (id), body text);
alter table public.profiles enable row level security;
alter table public.shares enable row level security;
alter table public.notes enable row level security;
create schema private;
grant usage on schema private to authenticated;
create function private.readable() returns setof uuid language sql stable security definer set search_path = '' as $$
  select id from public.profiles where owner_id = (select auth.uid())
  union
  select profile_id from public.shares
  where user_id = (select auth.uid()) and status = 'active' and (expires_at is null or expires_at > now())
$$;
create function private.writable() returns setof uuid language sql stable security definer set search_path = '' as $$
  select id from public.profiles where owner_id = (select auth.uid())
  union
  select profile_id from public.shares
  where user_id = (select auth.uid()) and status = 'active' and level = 'write' and (expires_at is null or expires_at > now())
$$;
create policy profiles_select on public.profiles for select to authenticated
  using (owner_id = (select auth.uid()) or id in (select private.readable()));
create policy profiles_insert on public.profiles for insert to authenticated with check (owner_id = (select auth.uid()));
create policy shares_select on public.shares for select to authenticated
  using (user_id = (select auth.uid()) or profile_id in (select id from public.profiles where owner_id = (select auth.uid())));
create policy shares_insert on public.shares for insert to authenticated
  with check (status = 'pending' and profile_id in (select id from public.profiles where owner_id = (select auth.uid())));
create policy shares_delete on public.shares for delete to authenticated
  using (profile_id in (select id from public.profiles where owner_id = (select auth.uid())));
create policy notes_select on public.notes for select to authenticated using (profile_id in (select private.readable()));
create policy notes_insert on public.notes for insert to authenticated with check (profile_id in (select private.writable()));
create policy notes_update on public.notes for update to authenticated
  using (profile_id in (select private.writable())) with check (profile_id in (select private.writable()));
create policy notes_delete on public.notes for delete to authenticated using (profile_id in (select private.writable()));
"""

BROKEN = [
    pytest.param(
        "alter policy notes_select on public.notes using (true);",
        "policy notes_select on public.notes",
        Kind.READ,
        id="true",
    ),
    pytest.param(
        """create or replace function private.readable() returns setof uuid language sql stable security definer set search_path = '' as $$
             select id from public.profiles where owner_id = (select auth.uid())
             union select profile_id from public.shares where user_id = (select auth.uid()) and status = 'active' $$;""",
        "private.readable()",
        Kind.READ,
        id="expiry forgotten in a helper",
    ),
    pytest.param(
        """create or replace function private.readable() returns setof uuid language sql stable security definer set search_path = '' as $$
             select id from public.profiles where owner_id = (select auth.uid())
             union select s.profile_id from public.shares s join auth.users u on u.id = s.user_id and u.id = (select auth.uid())
             where s.status = 'active' and s.expires_at is null or s.expires_at > now() $$;""",
        "private.readable()",
        Kind.READ,
        id="brackets lost around an expiry in a helper",
    ),
    pytest.param(
        """create or replace function private.writable() returns setof uuid language sql stable security definer set search_path = '' as $$
             select private.readable() $$;""",
        "private.writable()",
        Kind.WRITE,
        id="readers write",
    ),
    pytest.param(
        "create policy join_in on public.shares for insert to authenticated with check (user_id = (select auth.uid()));",
        "policy join_in on public.shares",
        Kind.ESCALATION,
        id="self grant",
    ),
    pytest.param(
        """create policy revive on public.shares for update to authenticated
             using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));""",
        "policy revive on public.shares",
        Kind.ESCALATION,
        id="own grant revived, raised or moved",
    ),
    pytest.param(
        "alter policy notes_update on public.notes with check (true);",
        "policy notes_update on public.notes",
        Kind.WRITE,
        id="row moved, also where it is not seen afterwards",
    ),
    pytest.param(
        """create function public.notes_of(p_profile_id uuid) returns setof public.notes language sql stable security definer set search_path = '' as $$
             select * from public.notes where profile_id = p_profile_id $$;""",
        "public.notes_of(uuid)",
        Kind.CALL,
        id="a caller-supplied id",
    ),
    pytest.param(
        "create view public.all_notes as select * from public.notes; grant select on public.all_notes to authenticated;",
        "public.all_notes",
        Kind.READ,
        id="a view with its owner's rights",
    ),
    pytest.param(
        "create materialized view public.notes_daily as select * from public.notes; grant select on public.notes_daily to authenticated;",
        "public.notes_daily",
        Kind.READ,
        id="a materialized view",
    ),
    pytest.param(
        "alter table public.notes disable row level security;", "public.notes", Kind.READ, id="switched off"
    ),
    pytest.param(
        """create policy staff on public.notes for select to authenticated
             using ((auth.jwt() -> 'user_metadata' ->> 'role') = 'admin');""",
        "policy staff on public.notes",
        Kind.READ,
        id="metadata that people write themselves",
    ),
    pytest.param(
        "alter policy notes_select on public.notes using (profile_id = (select auth.uid()));",
        "policy notes_select on public.notes",
        Kind.DENIED,
        id="closed to everybody",
    ),
]


def test_the_plain_schema_is_proven_with_nothing_left_out(cluster: Cluster) -> None:
    proof = proven(cluster, PLAIN, request=Request(budget=100))
    assert (proof.answer, named(proof), proof.gaps) == (Answer.NO, set(), ())
    undecided = [c for c in proof.conditions if not (c.decided_true and c.decided_false) and not c.unmeasured]
    # An owner is let in by both halves of `owner_id = auth.uid() or id in (readable())`: neither decides alone.
    assert {condition.where for condition in undecided} <= {"policy profiles_select on public.profiles USING"}
    assert len(proof.conditions) >= 12


@pytest.mark.parametrize(("sql", "wanted", "kind"), BROKEN)
def test_a_broken_schema_is_shown_and_the_replay_shows_it_again(
    cluster: Cluster, sql: str, wanted: str, kind: Kind
) -> None:
    proof = proven(cluster, PLAIN, sql, request=Request(budget=100, coverage=False))
    assert proof.answer is Answer.YES or kind is Kind.DENIED
    leaks = [leak for leak in (*proof.leaks, *proof.denied) if leak.object == wanted]
    assert kind in {leak.kind for leak in leaks}, named(proof)
    assert named(proof) == {wanted}
    for leak in leaks:
        if leak.kind is not Kind.DENIED:
            assert shown(cluster, [PLAIN, sql], leak.replay)
            assert not shown(cluster, [PLAIN], leak.replay)


def shown(cluster: Cluster, sql: Sequence[str], replay: str) -> bool:
    """Whether a replay's last statement reaches a row on a fresh copy of a schema."""
    with restore_sql(cluster, list(sql)) as scratch, ScratchSession(scratch.dsn) as session:
        *lines, last = [
            line.rstrip(";") for line in replay.splitlines() if line not in ("begin;", "rollback;")
        ]
        try:
            for line in lines:
                session.run(line)
            if last.startswith("select"):
                return any(row[0] is not None for row in session.rows(last))
            return session.run(last) > 0
        except SqlFailure:
            return False


def test_planted_faults_are_named_and_no_row_of_the_target_is_in_the_proof(cluster: Cluster) -> None:
    planted = [
        faults.fault(name)
        for name in ("expiry_forgotten_in_helper", "view_reads_as_owner", "provider_verifies_himself")
    ]
    with cluster.scratch("proof_faults", template=demo.template(cluster)) as dsn:
        with ScratchSession(dsn) as session:
            names = {name for (name,) in session.rows("select given_name from public.profiles")}
        faults.apply(dsn, *planted)
        proof = prove(cluster, dsn, budget=100, coverage=False)
    assert proof.answer is Answer.YES
    assert {one.object for one in planted} <= named(proof)
    text = proof.model_dump_json()
    assert names
    assert [name for name in names if f"'{name}'" in text] == []


def test_a_schema_whose_tables_nobody_can_fill_is_not_examined(cluster: Cluster) -> None:
    impossible = (
        PLAIN + "alter table public.notes add constraint never check (body is null and body is not null);"
    )
    proof = proven(cluster, impossible)
    assert proof.answer is Answer.NOT_EXAMINED
    assert any("public.notes" in gap.what for gap in proof.gaps)


def test_the_same_seed_gives_the_same_proof(cluster: Cluster) -> None:
    first, again = (
        proven(cluster, PLAIN, "alter policy notes_select on public.notes using (true);") for _ in range(2)
    )
    timeless = {"seconds": 0.0}
    assert first.model_copy(update=timeless) == again.model_copy(update=timeless)
