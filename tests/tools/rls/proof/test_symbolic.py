"""Dead states that a policy lets through are found, over all states; and none where there is none."""

# ruff: noqa: E501  SQL reads better when its lines are not broken

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from random import Random

import psycopg
import pytest

from tests.tools.rls.reading import Connection, snapshot_of
from tools.rls.proof.actors import Spec
from tools.rls.proof.infer import infer
from tools.rls.proof.model import Condition, Hop, Identity, Model, Opening, Rank, Way
from tools.rls.proof.symbolic import Symbolic, decide
from tools.rls.proof.symbolic.states import PAST
from tools.sandbox.scratch.session import ScratchSession
from tools.sandbox.scratch.shapes import read_shapes

SCHEMA = """
create schema private;
create table public.papers (id uuid primary key, status text not null, withdrawn_at timestamptz);
create table public.homes (id uuid primary key, owner_id uuid);
create table public.guests (
  id uuid primary key, home_id uuid not null references public.homes, person_id uuid not null,
  paper_id uuid references public.papers, status text, level text, revoked_at timestamptz,
  expires_at timestamptz, urgent boolean not null default false
);
create table public.notes (id uuid primary key, home_id uuid not null references public.homes, body text, author_id uuid);
alter table public.notes enable row level security;
"""
GUESTS = "public.guests"
PAPER = Hop(GUESTS, ("paper_id",), "public.papers", ("id",))
STATUS = Condition((), GUESTS, "status", "one_of", ("active",))
REVOKED = Condition((), GUESTS, "revoked_at", "null")
EXPIRES = Condition((), GUESTS, "expires_at", "future")
PAPER_GIVEN = Condition((PAPER,), "public.papers", "status", "one_of", ("given",))
RANKS = (
    Rank("read", frozenset({"read"})),
    Rank("manage", frozenset({"read", "write", "manage"})),
)
NOT_OVER = "(g.expires_at is null or g.expires_at > now())"
ACTIVE, KEPT = "g.status = 'active'", "g.revoked_at is null"
LIVES = f"{ACTIVE} and {KEPT} and {NOT_OVER}"
MINE = "g.home_id = notes.home_id and g.person_id = auth.uid()"


def model_of(*conditions: Condition) -> Model:
    """Guests open homes while these conditions hold."""
    opening = Opening(
        GUESTS,
        "public.homes",
        (Hop(GUESTS, ("home_id",), "public.homes", ("id",)),),
        Way((), GUESTS, "person_id", Identity("uid")),
        conditions or (STATUS, REVOKED, EXPIRES),
        "level",
        RANKS,
    )
    known = {
        (GUESTS, "status"): ("active", "revoked", "pending"),
        ("public.papers", "status"): ("given", "withdrawn"),
    }
    return Model((Identity("uid"),), "auth.users", {}, (opening,), {}, constants=known)


@pytest.fixture
def homes(shim_dsn: str) -> Iterator[Connection]:
    """An open transaction with homes, guests and notes, and no policy yet."""
    with closing(psycopg.connect(shim_dsn)) as connection:
        connection.execute(SCHEMA)
        yield connection
        connection.rollback()


def decided(connection: Connection, *statements: str, conditions: tuple[Condition, ...] = ()) -> Symbolic:
    """What is said of the schema with these statements run."""
    for statement in statements:
        connection.execute(statement.encode())
    return decide(snapshot_of(connection), model_of(*conditions))


def reading(test: str) -> str:
    """A SELECT policy on notes."""
    return f"create policy notes_read on public.notes for select to authenticated using ({test})"


def changes(spec: Spec) -> dict[str, str | None]:
    """What differs from a living row, by column."""
    return {condition.column: value for condition, value in spec.changes}


def exists(*tests: str, source: str = "public.guests g") -> str:
    """A policy's lookup of the caller."""
    return f"exists (select 1 from {source} where {' and '.join((MINE, *tests))})"


@pytest.mark.parametrize(
    "test",
    [
        exists(LIVES),
        f"home_id in (select g.home_id from public.guests g where g.person_id = (select auth.uid()) and {LIVES})",
        f"home_id = any (array(select g.home_id from public.guests g where g.person_id = auth.uid() and {LIVES}))",
        exists(ACTIVE, KEPT, "coalesce(g.expires_at > now(), true)"),
        exists(ACTIVE, KEPT, "coalesce(g.expires_at, now() + interval '1 day') > now()"),
        exists("g.status = 'active' and not (g.revoked_at is not null or g.expires_at <= now())"),
        exists("case g.status when 'active' then g.revoked_at is null else false end", "(g.expires_at < now()) is not true"),
        exists("g.status in ('active')", "g.revoked_at is not distinct from null", "(g.expires_at is null or now() < g.expires_at)"),
        f"(select g.person_id from public.guests g where g.home_id = notes.home_id and {LIVES}) = auth.uid()",
        f"auth.uid() in (select g.person_id from public.guests g where g.home_id = notes.home_id and {LIVES})",
        f"exists (with mine as (select * from public.guests x where x.person_id = auth.uid()) select from mine g where g.home_id = notes.home_id and {LIVES})",
    ],
)  # fmt: skip
def test_a_policy_that_asks_for_everything_is_exact(homes: Connection, test: str):
    symbolic = decided(homes, reading(test))
    assert symbolic.witnesses == ()
    assert symbolic.exact == ("policy notes_read on public.notes over guests: no dead state passes",)
    assert symbolic.beyond == ()


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        (exists(ACTIVE, NOT_OVER), [{"revoked_at": PAST}]),
        (exists(ACTIVE, KEPT), [{"expires_at": PAST}]),
        (exists("g.status <> 'revoked'", KEPT, NOT_OVER), [{"status": "pending"}]),
        # `(x = 'revoked') is not true` holds for NULL, `x <> 'revoked'` does not.
        (exists("(g.status in ('revoked', 'pending')) is not true", LIVES.partition(" and ")[2]), [{"status": None}]),
        (exists("g.status = 'active' and g.revoked_at is null and g.expires_at > now() or g.urgent"),
         [{"status": "pending", "urgent": "true"}, {"status": "revoked", "urgent": "true"}, {"status": None, "urgent": "true"},
          {"revoked_at": PAST, "urgent": "true"}, {"expires_at": PAST, "urgent": "true"}]),
    ],
)  # fmt: skip
def test_each_state_that_passes_is_named(homes: Connection, test: str, expected: list[dict[str, str | None]]):
    found = [changes(spec) for spec in decided(homes, reading(test)).witnesses]
    assert sorted(found, key=str) == sorted(expected, key=str)


def test_states_that_only_pass_together_are_found(homes: Connection):
    test = exists(f"({LIVES} or g.level = 'manage' and g.revoked_at is not null and g.status = 'pending')")
    symbolic = decided(homes, reading(test))
    assert [(spec.rank, changes(spec)) for spec in symbolic.witnesses] == [
        ("manage", {"status": "pending", "revoked_at": PAST})
    ]
    assert symbolic.exact == ()
    assert "notes_read" in symbolic.reasons[0]


def test_not_in_with_null_lets_nobody_through(homes: Connection):
    test = exists("g.status not in ('revoked', null)", KEPT)
    assert decided(homes, reading(test)).witnesses == ()


def test_a_grace_period_gives_a_moment_within_it(homes: Connection):
    test = exists(ACTIVE, KEPT, "g.expires_at > now() - interval '30 days'")
    (spec,) = decided(homes, reading(test)).witnesses
    value = changes(spec)["expires_at"]
    assert value is not None
    moment = datetime.fromisoformat(value)
    now = datetime.now(UTC)
    assert now - timedelta(days=30) < moment < now


def test_views_and_helpers_are_followed(homes: Connection):
    view = f"create view private.live_guests as select g.home_id, g.person_id, g.level from public.guests g where {LIVES}"
    helper = """
create function private.my_homes(wanted text) returns setof uuid language sql stable security definer set search_path = ''
as $$ select l.home_id from private.live_guests l where l.person_id = (select auth.uid()) and (wanted = 'any' or l.level = wanted) $$
"""
    policy = reading("home_id in (select private.my_homes('any'))")
    symbolic = decided(homes, view, helper, policy)
    assert symbolic.witnesses == ()
    assert symbolic.exact == ("private.my_homes(text) over guests: no dead state passes",)
    weaker = view.replace("create view", "create or replace view").replace("g.status = 'active' and ", "")
    found = decided(homes, weaker).witnesses
    assert {changes(spec)["status"] for spec in found} == {"revoked", "pending", None}


def test_the_rows_that_keys_lead_to_belong_to_the_state(homes: Connection):
    joined = "public.guests g join public.papers p on p.id = g.paper_id"
    conditions = (STATUS, PAPER_GIVEN)
    asked = reading(exists(ACTIVE, "p.status = 'given'", source=joined))
    assert decided(homes, asked, conditions=conditions).witnesses == ()
    forgotten = "alter policy notes_read on public.notes using (" + exists(ACTIVE, source=joined) + ")"
    (spec,) = decided(homes, forgotten, conditions=conditions).witnesses
    assert spec.changes == ((PAPER_GIVEN, "withdrawn"),)


def test_an_outer_join_may_find_nothing_but_not_a_withdrawn_paper(homes: Connection):
    joined = "public.guests g left join public.papers p on p.id = g.paper_id and p.status = 'given'"
    asked = reading(exists(ACTIVE, "p.id is not null", source=joined))
    assert decided(homes, asked, conditions=(STATUS, PAPER_GIVEN)).witnesses == ()
    kept = "alter policy notes_read on public.notes using (" + exists(ACTIVE, source=joined) + ")"
    (spec,) = decided(homes, kept, conditions=(STATUS, PAPER_GIVEN)).witnesses
    assert changes(spec) == {"status": "withdrawn"}


PLPGSQL = """
create function private.may(home uuid) returns boolean language plpgsql stable security definer set search_path = '' as $$
declare
  row public.guests;
  kind text;
begin
  if auth.uid() is null then return false; end if;
  select g.status into kind from public.guests g where g.home_id = home and g.person_id = auth.uid() and g.revoked_at is null;
  if not found then
    raise exception 'not a guest';
  elsif kind = 'active' then
    return true;
  end if;
  return {last};
end $$
"""  # fmt: skip


@pytest.mark.parametrize(("last", "expected"), [("false", []), ("kind = 'pending'", ["pending"])])
def test_straight_plpgsql_is_read(homes: Connection, last: str, expected: list[str]):
    symbolic = decided(
        homes,
        PLPGSQL.format(last=last),
        reading("private.may(home_id)"),
        conditions=(STATUS, REVOKED),
    )
    assert [changes(spec)["status"] for spec in symbolic.witnesses] == expected
    assert symbolic.beyond == ()


def test_what_is_not_translated_is_said(homes: Connection):
    loop = """
create function private.may(home uuid) returns boolean language plpgsql stable security definer set search_path = '' as $$
declare one record;
begin
  for one in select * from public.guests g where g.person_id = auth.uid() loop
    if one.home_id = home then return true; end if;
  end loop;
  return false;
end $$
"""
    symbolic = decided(homes, loop, reading("private.may(home_id)"))
    assert symbolic.witnesses == () == symbolic.exact
    assert [(gap.what, gap.why) for gap in symbolic.beyond] == [
        ("private.may(uuid)", "PL/pgSQL: FOR in its body")
    ]


@pytest.mark.parametrize(("levels", "expected"), [("('manage')", []), ("('read', 'manage')", ["read"])])
def test_a_level_without_the_right_to_write(homes: Connection, levels: str, expected: list[str]):
    policy = (
        "create policy notes_write on public.notes for insert to authenticated "
        f"with check ({exists(LIVES, f'g.level in {levels}')})"
    )
    found = decided(homes, policy).witnesses
    assert [spec.rank for spec in found] == expected
    assert all(spec.live for spec in found)


def test_what_an_author_writes_is_not_his_levels_doing(homes: Connection):
    policy = (
        "create policy notes_write on public.notes for insert to authenticated "
        f"with check (author_id = auth.uid() and {exists(LIVES)})"
    )
    assert decided(homes, policy).witnesses == ()


def test_a_restrictive_policy_counts(homes: Connection):
    wide = reading(exists(KEPT, NOT_OVER))
    assert decided(homes, wide).witnesses != ()
    narrow = "create policy only_active on public.notes as restrictive using (" + exists(ACTIVE) + ")"
    assert decided(homes, narrow).witnesses == ()


def test_another_persons_row_of_the_same_table_is_not_the_callers(homes: Connection):
    both = "public.guests g join public.guests host on host.home_id = g.home_id"
    symbolic = decided(homes, reading(exists(LIVES, "host.status = 'active'", source=both)))
    assert symbolic.witnesses == ()
    assert symbolic.exact != ()


def test_the_answer_is_the_same_every_time(homes: Connection):
    homes.execute(reading(exists("g.urgent or g.status = 'pending'")).encode())
    snapshot = snapshot_of(homes)
    first = decide(snapshot, model_of())
    assert first.witnesses
    assert all(decide(snapshot, model_of()) == first for _ in range(3))


# -- the demo -----------------------------------------------------------------------------------

Plant = Callable[..., str]


def of_demo(dsn: str) -> Symbolic:
    """What is said of the demo, with the model as inferred."""
    with closing(psycopg.connect(dsn)) as connection, ScratchSession(dsn) as session:
        snapshot = snapshot_of(connection)
        return decide(snapshot, infer(snapshot), read_shapes(session))


def test_the_clean_demo_has_no_witness_and_its_lookups_are_exact(plant: Plant):
    symbolic = of_demo(plant())
    assert symbolic.witnesses == () == symbolic.beyond
    lookups = {text.partition("()")[0] for text in symbolic.exact}
    assert {f"private.{name}" for name in ("readable_profiles", "writable_profiles", "managed_profiles",
            "provider_profiles", "recordable_profiles", "document_profiles", "my_households")} <= lookups  # fmt: skip


@pytest.mark.parametrize(
    ("fault", "opening", "expected"),
    [
        ("expiry_forgotten_in_helper", "profile_grants.grantee_account_id", {"expires_at": PAST}),
        ("expiry_forgotten_in_helper", "profile_grants.grantee_account_id", {"status": "revoked"}),
        ("expiry_forgotten_in_view", "provider_access.provider_id", {"expires_at": PAST}),
        ("membership_status_forgotten", "household_members.account_id", {"status": "left"}),
        # The table's CHECK ties both columns: neither passes alone.
        ("withdrawn_consent_still_counts", "profile_grants.grantee_account_id",
         {"status": "withdrawn", "withdrawn_at": PAST}),
        ("level_mapped_wrongly", "profile_grants.grantee_account_id", {}),
    ],
)  # fmt: skip
def test_planted_lifecycle_faults_have_their_witness(
    plant: Plant, fault: str, opening: str, expected: dict[str, str | None]
):
    found = of_demo(plant(fault)).witnesses
    assert (opening, expected) in [(spec.opening, changes(spec)) for spec in found]


# -- against execution --------------------------------------------------------------------------

STATES = f"""
insert into public.homes values ('00000000-0000-0000-0000-000000000001');
insert into public.guests (id, home_id, person_id, status, level, revoked_at, expires_at, urgent)
select gen_random_uuid(), '00000000-0000-0000-0000-000000000001', gen_random_uuid(), s, l, r, e, u
from unnest(array['active', 'revoked', 'pending', 'unheard of', null]) s, unnest(array['read', 'manage', null]) l,
     unnest(array['{PAST}', '2099-01-01', null]::timestamptz[]) r, unnest(array['{PAST}', '2099-01-01', null]::timestamptz[]) e,
     unnest(array[true, false]) u
"""


def any_test(random: Random, depth: int = 3) -> str:
    """A condition over a guest's row, as people and tools may write one."""
    leaves = (
        "g.status = 'active'", "g.status <> 'revoked'", "g.status in ('active', 'pending')", "g.status not in ('revoked', 'pending')",
        "g.status = any (array['active', 'revoked'])", "g.status <> all (array['pending'])", "g.status is null", "g.status is distinct from 'revoked'",
        "g.level = 'manage'", "g.level is not null", "g.revoked_at is null", "g.revoked_at > now()", "g.revoked_at <= now()",
        "g.expires_at is null", "g.expires_at > now()", "now() <= g.expires_at", "g.urgent", "not g.urgent", "g.urgent = false",
        "coalesce(g.expires_at, now() + interval '1 day') > now()", "coalesce(g.status, 'active') = 'active'", "nullif(g.level, 'read') is null",
        "case g.status when 'active' then g.revoked_at is null when 'pending' then g.urgent end", "coalesce(g.level, g.status) <> 'read'", "null", "true",
    )  # fmt: skip
    if depth == 0 or random.random() < 0.2:
        return random.choice(leaves)
    one, other = any_test(random, depth - 1), any_test(random, depth - 1)
    forms = (
        f"({one} and {other})", f"({one} or {other})", f"({one} and {other})", f"(not ({one}))", f"coalesce({one}, {other})",
        f"(({one}) is true)", f"(({one}) is not false)", f"(case when {one} then {other} else {random.choice(leaves)} end)", f"(({one}) = ({other}))",
    )  # fmt: skip
    return random.choice(forms)


def near_miss(random: Random) -> str:
    """The whole condition of life, with one part of it written otherwise or replaced."""
    parts = [ACTIVE, KEPT, NOT_OVER]
    parts[random.randrange(3)] = any_test(random, 2)
    return " and ".join([*parts, any_test(random, 1)])


@pytest.mark.parametrize("seed", [*range(40), 358, 376])
def test_the_solver_and_the_database_agree(homes: Connection, seed: int):
    homes.execute(STATES.encode())
    test = near_miss(Random(seed)) if seed % 2 else any_test(Random(seed))
    passing = f"({test}) and not coalesce(({LIVES}), false)"
    dead = homes.execute(f"select count(*) from public.guests g where {passing}".encode()).fetchone()
    living = homes.execute(
        f"select count(*) from public.guests g where ({test}) and {LIVES}".encode()
    ).fetchone()
    symbolic = decided(homes, reading(exists(test)))
    assert dead is not None
    assert living is not None
    if living[0]:
        assert bool(symbolic.witnesses) == bool(dead[0]), test
        assert bool(symbolic.exact) != bool(symbolic.witnesses), test
    else:
        assert symbolic.exact == (), "what opens for nobody is no lookup that was decided"
    for spec in symbolic.witnesses:
        same = " and ".join(
            f"g.{column} is null" if value is None else f"g.{column}::text = '{'unheard of' if value == 'other' else value}'"
            if column in ("status", "level") else f"g.{column} is not distinct from '{value}'"
            for column, value in changes(spec).items()
        )  # fmt: skip
        shown = homes.execute(
            f"select count(*) from public.guests g where {passing} and {same}".encode()
        ).fetchone()
        assert shown is not None and shown[0], f"{spec.text()} does not pass {test}"
