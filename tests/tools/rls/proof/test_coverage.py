"""Which conditions decided: by execution, both ways, each alone."""

# ruff: noqa: E501  SQL reads better when its lines are not broken

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from tools.rls.proof.actors import Actor
from tools.rls.proof.coverage import Variant, examine, measure, summary
from tools.rls.proof.verdict import Condition
from tools.rls.reading import read_here
from tools.sandbox.cluster import Cluster
from tools.sandbox.scratch.session import ScratchSession

ANNA = "00000000-0000-0000-0000-00000000000a"
BERT = "00000000-0000-0000-0000-00000000000b"
WORLD = f"""
create schema private;
grant usage on schema private to authenticated;
create type public.state as enum ('draft', 'final', 'void');
create table public.homes (id int primary key, owner_id uuid not null);
create table public.guests (home_id int references public.homes, person_id uuid not null, active boolean not null, expires_at timestamptz);
create table public.notes (id int primary key, home_id int not null references public.homes, status public.state not null, shared boolean not null, body text);
alter table public.homes enable row level security;
alter table public.guests enable row level security;
alter table public.notes enable row level security;
create function private.my_homes() returns setof int language sql stable security definer set search_path = ''
  as $$ select g.home_id from public.guests g where g.person_id = (select auth.uid()) and g.active $$;
create policy homes_read on public.homes for select to authenticated using (owner_id = (select auth.uid()));
insert into public.homes values (1, '{ANNA}'), (2, '{BERT}');
insert into public.guests values (1, '{BERT}', true, null), (2, '{ANNA}', false, null);
insert into public.notes values (1, 1, 'final', true, ''), (2, 2, 'final', false, ''), (3, 2, 'draft', false, '');
"""


def person(account: str) -> Actor:
    """A signed-in caller."""
    return Actor(account[-1], "authenticated", account, {"sub": account, "role": "authenticated"})


ACTORS = (Actor("anon", "anon"), person(ANNA), person(BERT))


@pytest.fixture
def session(cluster: Cluster, empty_database: str) -> Iterator[ScratchSession]:
    """A superuser's session on a small world, nothing of it committed."""
    with ScratchSession(empty_database) as session:
        session.script(WORLD)
        yield session
        session.rollback()


def measured(
    session: ScratchSession, *statements: str, seconds: float = 30, actors: Sequence[Actor] = ACTORS
) -> dict[str, str]:
    """`where | text` -> the ways in which it decided, such as TF, T- or a reason."""
    for statement in statements:
        session.script(statement)
    before = session.rows(
        "select relname, relrowsecurity, relacl::text from pg_class where relname in ('notes', 'homes', 'guests')"
    )
    found = measure(session, read_here(session, ("public",)), actors, budget_seconds=seconds)
    after = session.rows(
        "select relname, relrowsecurity, relacl::text from pg_class where relname in ('notes', 'homes', 'guests')"
    )
    assert before == after, "a measurement leaves nothing behind"
    assert (
        session.rows("select current_user, current_setting('request.jwt.claims', true)")[0][0]
        != "authenticated"
    )
    return {f"{c.where} | {c.text}": _ways(c) for c in found}


def _ways(condition: Condition) -> str:
    ways = ("T" if condition.decided_true else "-") + ("F" if condition.decided_false else "-")
    return condition.unmeasured or ways


def of_notes(session: ScratchSession, using: str) -> dict[str, str]:
    """Only the conditions of one SELECT policy on notes."""
    found = measured(
        session,
        "drop policy if exists p on public.notes",
        f"create policy p on public.notes for select to authenticated using ({using})",
    )
    prefix = "policy p on public.notes USING | "
    return {name.removeprefix(prefix): ways for name, ways in found.items() if name.startswith(prefix)}


def test_an_atom_decides_when_turning_it_over_alone_changes_the_outcome(session: ScratchSession):
    # Row 1 is shared and final, row 2 neither shared nor draft, row 3 not shared but draft.
    found = of_notes(session, "shared and status = 'final'")
    assert found == {"shared": "TF", "status = 'final'": "T-"}


def test_or_and_not_and_null(session: ScratchSession):
    session.script("alter table public.notes add flag boolean")
    # The flag is NULL everywhere: `not flag` is never true, so that the other side always decides.
    found = of_notes(session, "shared or not flag")
    assert found == {"shared": "TF", "flag": "-F"}


def test_coalesce_case_and_is_tests_are_taken_apart(session: ScratchSession):
    found = of_notes(
        session, "coalesce(shared, false) and case when status = 'draft' then true else (id = 1) is true end"
    )
    assert found["shared"] == "TF"
    assert set(found) == {"shared", "status = 'draft'", "id = 1"}
    assert found["id = 1"] == "T-"


def test_each_callers_own_eyes(session: ScratchSession):
    found = of_notes(
        session,
        "home_id in (select h.id from public.homes h) or home_id = any (array(select private.my_homes()))",
    )
    # homes has row level security of its own: each sees the own one, so the first side is seen both ways.
    assert found["home_id in (select h.id from public.homes h)"] == "TF"
    assert found["home_id = any(array(select private.my_homes()))"] == "TF"


def test_subqueries_of_policies_have_conditions_of_their_own(session: ScratchSession):
    session.script(
        "create policy guests_read on public.guests for select to authenticated using (person_id = auth.uid())"
    )
    found = of_notes(
        session,
        "exists (select 1 from public.guests g where g.home_id = notes.home_id and g.person_id = auth.uid() and g.active)",
    )
    assert found["guests.home_id = notes.home_id"] == "TF"
    assert found["guests.active"] == "TF"
    # Their own row level security shows people their own rows only.
    assert found["guests.person_id = auth.uid()"] == "T-"


def test_helpers_are_measured_as_their_owner_with_the_callers_claims(session: ScratchSession):
    found = measured(
        session, "create policy p on public.notes for select using (home_id in (select private.my_homes()))"
    )
    assert found["private.my_homes() | guests.person_id = auth.uid()"] == "TF"
    assert found["private.my_homes() | guests.active"] == "TF"


def test_parameters_take_what_callers_pass(session: ScratchSession):
    helper = """
create function private.may(home int, wanted public.state) returns boolean language sql stable security definer set search_path = '' as $$
  select exists (select from public.guests g where g.home_id = home and g.person_id = auth.uid() and g.active) and wanted <> 'draft'
$$;
create policy p on public.notes for select to authenticated using (private.may(home_id, status));
"""
    found = measured(session, helper)
    prefix = "private.may(integer, public.state) | "
    assert found[f"{prefix}wanted <> 'draft'"] == "TF"
    assert found[f"{prefix}guests.home_id = home"] == "TF"
    assert found["policy p on public.notes USING | private.may(home_id, status)"] == "TF"


def test_straight_plpgsql_is_measured_and_other_plpgsql_named(session: ScratchSession):
    helpers = """
create function private.straight(home int) returns boolean language plpgsql stable security definer set search_path = '' as $$
declare found_active boolean;
begin
  if auth.uid() is null then return false; end if;
  select g.active into found_active from public.guests g where g.home_id = home and g.person_id = auth.uid();
  return found_active is true or home = 3;
end $$;
create function private.looping(home int) returns boolean language plpgsql stable as $$
begin
  for i in 1..2 loop if i = home then return true; end if; end loop;
  return false;
end $$;
create policy p on public.notes for select to authenticated using (private.straight(home_id) or private.looping(home_id));
"""
    found = measured(session, helpers)
    assert found["private.straight(integer) | home = 3"] == "-F"
    assert found["private.looping(integer) | its body"] == "PL/pgSQL: FOR in its body"
    assert "policy p on public.notes USING | private.looping(home_id)" in found


def test_a_cast_that_fails_elsewhere_does_not_hide_the_rest(session: ScratchSession):
    session.script("update public.notes set body = case when id = 3 then 'seven' else '7' end")
    found = of_notes(session, "shared and body::int = 7")
    # Where nothing is shared and the text is no number, nobody can say what the other condition would be.
    why = 'invalid input syntax for type integer: "seven"'
    assert found == {"shared": why, "body::int = 7": why}
    # Behind a condition that is false there, it is not asked.
    guarded = of_notes(session, "status = 'final' and shared and body::int = 7")
    assert guarded["shared"] == "TF"


def test_views_are_measured_once(session: ScratchSession):
    statements = """
create view private.final_notes as select n.id, n.home_id from public.notes n join public.homes h on h.id = n.home_id where n.status = 'final';
create function private.final_ids() returns setof int language sql stable security definer set search_path = '' as $$ select f.id from private.final_notes f $$;
create policy p on public.notes for select to authenticated using (id in (select private.final_ids()));
"""
    found = measured(session, statements)
    assert found["view private.final_notes | homes.id = notes.home_id"] == "TF"
    assert found["view private.final_notes | notes.status = 'final'"] == "TF"


def test_what_the_time_did_not_allow_is_said(session: ScratchSession):
    session.script(
        "create policy p on public.notes for select to authenticated using (shared and status = 'final')"
    )
    found = measure(session, read_here(session, ("public",)), ACTORS, budget_seconds=0)
    assert {condition.unmeasured for condition in found} == {"out of time"}
    assert summary(found) == f"0 of 0 conditions decided both ways; {len(found)} not measured"


def test_the_summary_counts(session: ScratchSession):
    session.script(
        "create policy p on public.notes for select to authenticated using (shared and status = 'final')"
    )
    found = measure(session, read_here(session, ("public",)), ACTORS, budget_seconds=30)
    both = sum(condition.decided_true and condition.decided_false for condition in found)
    assert 0 < both < len(found)
    assert summary(found) == f"{both} of {len(found)} conditions decided both ways"


def test_rows_that_are_missing_are_asked_for(session: ScratchSession):
    session.script(
        "create policy p on public.notes for select to authenticated using (shared and status = 'final');"
        "create policy g on public.guests for select to authenticated using (expires_at is null or expires_at > now())"
    )
    asked = examine(session, read_here(session, ("public",)), ACTORS, budget_seconds=30).variants
    assert set(asked) >= {
        Variant("public.notes", "status", "draft"),
        Variant("public.notes", "status", "void"),
        Variant("public.guests", "expires_at", "2099-01-01 00:00:00+00"),
    }
    assert Variant("public.notes", "shared", "true") not in asked


def test_a_role_that_a_policy_is_not_for_does_not_count(session: ScratchSession):
    found = measured(
        session,
        "create policy p on public.notes for select to anon using (auth.uid() is null)",
        actors=(person(ANNA),),
    )
    assert found["policy p on public.notes USING | auth.uid() is null"] == "--"
