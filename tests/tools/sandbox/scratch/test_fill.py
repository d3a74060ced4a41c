"""Rows for tables of every kind: keys, parents, circles, partitions, and what must not be inserted."""

from __future__ import annotations

import pytest

from tests.tools.sandbox.scratch.conftest import MakeFiller
from tools.sandbox.scratch.copy import Scratch
from tools.sandbox.scratch.fill import CannotFill, Filler
from tools.sandbox.scratch.session import ScratchSession
from tools.sandbox.scratch.shapes import read_shapes

FAMILY = """
create table people (id uuid primary key default gen_random_uuid(), name text not null);
create table profiles (id uuid primary key, owner_id uuid not null references people, given_name text);
create table grants (
  id bigint generated always as identity, profile_id uuid not null references profiles,
  grantee_id uuid references people, level text not null check (level in ('read', 'write')),
  primary key (id), unique (profile_id, id));
create table notes (
  profile_id uuid not null references profiles, grant_id bigint,
  body text, foreign key (profile_id, grant_id) references grants (profile_id, id));
"""


def test_every_guardian_table_is_filled_and_every_key_holds(guardian_copy: Scratch):
    with ScratchSession(guardian_copy.dsn) as session:
        shapes = read_shapes(session)
        filler = Filler(session, shapes, 7)
        tables = [name for name, shape in shapes.items() if not shape.partition_of]
        rows = [filler.insert(table) for table in tables for _ in range(2)]
        counted = session.rows("select count(*) from public.clinical_events")
        assert len(tables) > 60 and len({row.table for row in rows}) == len(tables)
        assert filler.verify() == []
        assert counted[0][0] >= 2


def test_parents_come_from_near_rows_and_else_are_made(filler: MakeFiller):
    make = filler(FAMILY)
    first, second = make.insert("public.profiles"), make.insert("public.profiles")
    assert first.values["owner_id"] != second.values["owner_id"]
    row = make.insert("public.grants", near=[first, second])
    assert row.values["profile_id"] == second.values["id"]
    assert row.values["grantee_id"] is None
    assert make.insert("public.grants", {"profile_id": first.values["id"]}).values["level"] == "read"
    assert make.verify() == []


def test_keys_that_share_a_column_agree(filler: MakeFiller):
    make = filler(FAMILY)
    first, second = make.insert("public.profiles"), make.insert("public.profiles")
    grant = make.insert("public.grants", near=[first])
    note = make.insert("public.notes", near=[grant, first, second])
    assert note.values["grant_id"] == grant.values["id"]
    assert note.values["profile_id"] == first.values["id"]
    alone = make.insert("public.notes", {"profile_id": second.values["id"]}, near=[grant])
    assert alone.values["grant_id"] is None
    assert make.verify() == []


def test_a_row_carries_every_value_as_text_and_the_same_seed_gives_the_same(filler: MakeFiller):
    make = filler(FAMILY)
    row = make.insert("public.profiles")
    assert set(row.values) == {"id", "owner_id", "given_name"}
    assert row.values["given_name"] == "given_name 1"
    again = Filler(make.session, make.shapes, 1)
    make.session.rollback()
    make.session.script(FAMILY)
    assert again.insert("public.profiles").values == row.values
    assert Filler(make.session, make.shapes, 2).insert("public.profiles").values["id"] != row.values["id"]


def test_broken_keys_are_counted(filler: MakeFiller):
    make = filler(FAMILY)
    make.insert("public.profiles", {"owner_id": "00000000-0000-0000-0000-00000000dead"})
    (violation,) = make.verify()
    assert (violation.table, violation.rows) == ("public.profiles", 1)


def test_circles_and_self_references_are_closed(filler: MakeFiller):
    make = filler(
        """
        create table households (id uuid primary key, head_id uuid not null);
        create table members (id serial primary key, household_id uuid not null references households,
          boss_id integer not null references members deferrable initially deferred);
        alter table households add constraint head foreign key (head_id) references members (id)
          deferrable initially deferred;
        """.replace("head_id uuid", "head_id integer")
    )
    house = make.insert("public.households")
    member = make.insert("public.members", near=[house])
    assert member.values["household_id"] == house.values["id"]
    assert make.verify() == []
    ((same,),) = make.session.rows(
        "select count(*) from households h join members m on m.id = h.head_id and m.household_id = h.id"
    )
    assert same == 1


def test_lone_self_reference_points_to_itself_or_to_a_near_row(filler: MakeFiller):
    make = filler("create table nodes (id integer primary key, parent integer not null references nodes)")
    root = make.insert("public.nodes")
    assert root.values["parent"] == root.values["id"]
    assert make.insert("public.nodes", near=[root]).values["parent"] == root.values["id"]


def test_partitions_take_rows_within_their_bounds(filler: MakeFiller):
    make = filler(
        """
        create table events (id bigint generated always as identity, at date not null, kind text not null)
          partition by range (at);
        create table events_2001 partition of events for values from ('2001-01-01') to ('2002-01-01');
        create table visits (region text not null, n integer) partition by list (region);
        create table visits_eu partition of visits for values in ('eu', 'uk') partition by hash (n);
        create table visits_eu_0 partition of visits_eu for values with (modulus 2, remainder 1);
        create table empty (a integer) partition by range (a);
        """
    )
    assert str(make.insert("public.events").values["at"]).startswith("2001-")
    assert make.insert("public.events_2001").values["at"] is not None
    assert make.insert("public.visits").values["region"] in ("eu", "uk")
    with pytest.raises(CannotFill, match="no partition"):
        make.insert("public.empty")


def test_small_lookup_tables_are_used_again(filler: MakeFiller):
    make = filler(
        """
        create type kind as enum ('a', 'b');
        create table kinds (kind kind primary key);
        create table things (id integer primary key, kind kind not null references kinds);
        """
    )
    kinds = {make.insert("public.things").values["kind"] for _ in range(6)}
    assert kinds == {"a", "b"}
    assert make.verify() == []


def test_taken_keys_are_avoided_or_named(filler: MakeFiller):
    make = filler(
        """
        create table profiles (id integer primary key);
        create table consents (profile_id integer references profiles, purpose text not null
          check (purpose in ('share', 'study', 'print')), active boolean not null default true,
          unique (profile_id, purpose));
        create unique index one_active on consents (profile_id) where active and purpose = 'print';
        """
    )
    profile = make.insert("public.profiles")
    found = [make.insert("public.consents", near=[profile]).values["purpose"] for _ in range(3)]
    assert sorted(map(str, found)) == ["print", "share", "study"]
    with pytest.raises(CannotFill, match=r"no values were found|already holds"):
        make.insert("public.consents", near=[profile])
    with pytest.raises(CannotFill, match="already holds"):
        make.insert("public.profiles", {"id": profile.values["id"]})


def test_a_partial_key_is_left_by_another_value_of_its_predicate(filler: MakeFiller):
    make = filler(
        """
        create table profiles (id integer primary key);
        create table grants (profile integer not null references profiles, level text not null default 'read',
          status text not null default 'active' check (status in ('active', 'revoked')));
        create unique index on grants (profile) where status = 'active';
        create unique index on grants (lower(level)) where level = 'own';
        """
    )
    profile = make.insert("public.profiles")
    statuses = [make.insert("public.grants", near=[profile]).values["status"] for _ in range(3)]
    assert statuses == ["active", "revoked", "revoked"]
    assert make.fresh() != make.fresh()


def test_exclusion_constraints_are_met(filler: MakeFiller):
    make = filler(
        """
        create extension btree_gist;
        create table rooms (id integer primary key);
        create table bookings (room integer not null references rooms, during tstzrange not null,
          exclude using gist (room with =, during with &&));
        create table shifts (who text not null, starts timestamptz not null, ends timestamptz not null,
          check (ends > starts), exclude using gist (who with =, tstzrange(starts, ends) with &&));
        """
    )
    room = make.insert("public.rooms")
    for _ in range(5):
        make.insert("public.bookings", near=[room])
        make.insert("public.shifts", {"who": "x"})
    assert make.session.rows("select count(*) from bookings") == [(5,)]
    assert make.session.rows("select count(*) from shifts") == [(5,)]


def test_triggers_do_not_fire_and_fire_again_afterwards(filler: MakeFiller):
    make = filler(
        """
        create table t (id integer primary key);
        create function no() returns trigger language plpgsql as $$ begin raise 'no'; end $$;
        create trigger no before insert on t for each row execute function no();
        """
    )
    make.insert("public.t")
    assert make.session.rows("select current_setting('session_replication_role')") == [("origin",)]


def test_a_table_without_key_or_columns_is_filled(filler: MakeFiller):
    make = filler("create table bare (); create table log (line text, at timestamptz default now())")
    assert make.insert("public.bare").values == {}
    assert make.insert("public.log").number == 1
    assert make.insert("public.log").number == 2


def test_variants_keep_parents_and_adapt_the_rest(filler: MakeFiller):
    make = filler(
        """
        create table profiles (id integer primary key);
        create table consents (id uuid primary key, profile_id integer not null references profiles,
          note text, status text not null default 'active' check (status in ('active', 'withdrawn')),
          withdrawn_at timestamptz, check ((status = 'withdrawn') = (withdrawn_at is not null)));
        """
    )
    row = make.insert("public.consents", {"note": "first"})
    assert row.values["withdrawn_at"] is None
    other = make.variant(row, {"status": "withdrawn"})
    assert other.values["withdrawn_at"] is not None
    assert other.values["profile_id"] == row.values["profile_id"]
    assert other.values["note"] == "first"
    assert other.values["id"] != row.values["id"]
    assert "withdrawn" in make.candidates("public.consents", "status")


def test_what_cannot_be_filled_says_why_and_leaves_nothing(filler: MakeFiller):
    make = filler(
        """
        create table parents (id integer primary key);
        create table never (id integer primary key, parent integer not null references parents,
          check (id > 5 and id < 5));
        """
    )
    with pytest.raises(CannotFill, match="never_id_check"):
        make.insert("public.never")
    assert make.made == []
    assert make.session.rows("select count(*) from parents") == [(0,)]
    with pytest.raises(CannotFill, match="no column"):
        make.insert("public.parents", {"nothing": "1"})
    with pytest.raises(CannotFill, match="no such table"):
        make.insert("public.unknown")
