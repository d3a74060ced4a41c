"""The synthetic people: the same for a seed, other for another, whole by every foreign key."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.tools.sandbox.guardian.conftest import Connection
from tools.errors import InvalidInput, RemoteError
from tools.sandbox.cluster import Cluster
from tools.sandbox.guardian import Population, apply_schema, content_key, populate
from tools.sandbox.guardian.generate import named_people, planted_values
from tools.sandbox.shim import install_shim


def fingerprint(connection: psycopg.Connection[Any]) -> dict[str, str]:
    """Table -> hash of all its rows."""
    names = connection.execute(
        """
        select format('%I.%I', n.nspname, c.relname)
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('public', 'auth', 'storage') and c.relkind in ('r', 'p') and not c.relispartition
        """
    ).fetchall()
    found: dict[str, str] = {}
    for (name,) in names:
        query = sql.SQL("select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from {} t")
        row = connection.execute(query.format(sql.Identifier(*name.split(".")))).fetchone()
        found[name] = row[0] if row else ""
    return found


@pytest.fixture(scope="module")
def empty_guardian(cluster: Cluster) -> str:
    def build(dsn: str) -> None:
        install_shim(dsn)
        apply_schema(dsn)

    return cluster.template("guardian_empty", build, key=content_key())


def test_the_same_seed_gives_the_same_rows_and_another_seed_others(
    cluster: Cluster, empty_guardian: str, admin: Connection
) -> None:
    seven = fingerprint(admin)
    with cluster.scratch("again", template=empty_guardian) as dsn:
        populate(dsn, "small", 7)
        with psycopg.connect(dsn) as connection:
            again = fingerprint(connection)
    with cluster.scratch("other", template=empty_guardian) as dsn:
        populate(dsn, "small", 8)
        with psycopg.connect(dsn) as connection:
            eight = fingerprint(connection)
    del (
        seven["storage.buckets"],
        again["storage.buckets"],
    )  # made by the schema, with the moment of its making
    assert again == seven
    same = {table for table, digest in eight.items() if digest == seven.get(table)}
    assert same <= {
        "public.regions", "public.plans", "public.feature_flags", "public.consent_purposes",
        "public.code_systems",
        "public.medical_codes", "public.quality_rules",
    }  # fmt: skip


def test_every_foreign_key_holds_although_the_load_did_not_check_it(admin: Connection) -> None:
    keys = admin.execute(
        """
        select c.conname, c.conrelid::regclass::text, c.confrelid::regclass::text,
               array(select a.attname::text from unnest(c.conkey) with ordinality k (n, i)
                     join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.n order by k.i),
               array(select a.attname::text from unnest(c.confkey) with ordinality k (n, i)
                     join pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.n order by k.i)
        from pg_constraint c
        where c.contype = 'f' and c.conparentid = 0
          and c.connamespace in ('public'::regnamespace, 'auth'::regnamespace, 'storage'::regnamespace)
        """
    ).fetchall()
    assert len(keys) > 90
    broken: list[str] = []
    for name, child, parent, columns, parent_columns in keys:
        listed = sql.SQL(", ")
        query = sql.SQL(
            """select count(*) from {} c
               where ({}) is not null and not exists (select from {} p where ({}) = ({}))"""
        )
        row = admin.execute(
            query.format(
                sql.Identifier(*_parts(child)),
                listed.join(sql.Identifier("c", column) for column in columns),
                sql.Identifier(*_parts(parent)),
                listed.join(sql.Identifier("c", column) for column in columns),
                listed.join(sql.Identifier("p", column) for column in parent_columns),
            )
        ).fetchone()
        if row != (0,):
            broken.append(name)
    assert broken == []


def _parts(name: str) -> list[str]:
    return name.split(".") if "." in name else ["public", name]


def test_every_table_of_a_profile_has_rows(population: Population) -> None:
    assert [table for table, count in population.counts.items() if count == 0] == []
    assert population.counts["clinical_events"] >= 3_000


def test_named_people_are_known_without_a_database(population: Population, admin: Connection) -> None:
    people, profiles = named_people(7)
    accounts = admin.execute("select id, email from public.accounts").fetchall()
    assert {(person.account_id, person.email) for person in people.values()} <= set(accounts)
    assert set(profiles.values()) <= {i for (i,) in admin.execute("select id from public.profiles")}
    assert named_people(8)[0]["owner"].account_id != people["owner"].account_id


def test_planted_values_are_those_of_people_and_look_synthetic(
    guardian_dsn: str, population: Population
) -> None:
    planted = planted_values(guardian_dsn)
    owner = population.people["owner"]
    assert {owner.name, owner.email} <= planted
    assert any(value.startswith("SYN-") for value in planted)
    assert all(value.endswith("@example.org") for value in planted if "@" in value)
    assert all(value.startswith("+999") for value in planted if value.startswith("+"))
    assert not {"Free", "Ireland", "Hemoglobin A1c", "active"} & planted


def test_an_unknown_scale_is_refused_before_anything_is_written() -> None:
    with pytest.raises(InvalidInput, match="huge"):
        populate("host=/nowhere", "huge")  # pyright: ignore[reportArgumentType] - the wrong value is the point


def test_people_are_not_added_twice(cluster: Cluster, guardian_template: str) -> None:
    with cluster.scratch("twice", template=guardian_template) as dsn, pytest.raises(RemoteError):
        populate(dsn, "small", 7)
