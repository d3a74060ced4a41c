"""Values of every type and for many CHECK constraints, found by PostgreSQL."""

from __future__ import annotations

import re

import pytest

from tests.tools.sandbox.scratch.conftest import MakeFiller
from tools.sandbox.scratch.patterns import sample

CHECKS = {
    "regex": "code text not null check (code ~ '^[A-Z]{3}-[0-9]{2,4}$') unique",
    "like": "path text not null check (path like '/home/%/x')",
    "email": r"email text not null unique check (email ~* '^[A-Za-z0-9._%-]+@[A-Za-z0-9.-]+[.][A-Za-z]+$')",
    "escape": r"phone text not null check (phone ~ '^\+[1-9]\d{6,14}$')",
    "length": "iso char(2) not null, check (length(iso) = 2 and iso = upper(iso))",
    "between": "rate numeric(4,3) not null check (rate > 0.2 and rate < 0.3)",
    "order": "starts date not null, ends date not null, check (ends > starts), check (ends < starts + 30)",
    "sums": "a int not null, b int not null, total int not null check (total = a + b and total > 3)",
    "one of": "x uuid, y uuid, check (num_nonnulls(x, y) = 1)",
    "object": "meta jsonb not null check (jsonb_typeof(meta) = 'object' and meta ? 'kind')",
    "list": "tags text[] not null check (cardinality(tags) between 1 and 3 and tags <@ array['a', 'b'])",
    "generated": "first text not null, full_name text generated always as (first || '!') stored not null,"
    " check (length(full_name) > 3)",
    "cast": "meta jsonb not null check ((meta ->> 'n')::int > 0)",
    "case": "kind text not null check (kind in ('p', 'q')), size int,"
    " check (case kind when 'p' then size is null else size > 10 end)",
    "hex": "hash text not null check (length(hash) = 64)",
    "many": "a bool, b bool, c bool, d bool, e bool, f bool, g bool, h bool,"
    " check (a and not b and c and not d and e and not f and g and not h)",
    "url": "url text not null check (url like 'https://%')",
    "braces": "t text not null check (t ~ '^{[a-z]+}$' or t = '100%')",
}
TYPES = """
int2 int4 int8 numeric numeric(3,1) float4 float8 money bool text varchar(3) char(1) name citext date time
timetz timestamp timestamptz(3) interval json jsonb uuid bytea bit(5) varbit(4) inet cidr macaddr macaddr8
xml tsvector tsquery point line lseg box path polygon circle pg_lsn oid int4range numrange tstzrange
datemultirange text[] int[][] uuid[] jsonb[] pair mood mood[] email positive emails hstore ltree
"""


@pytest.mark.parametrize("name", CHECKS)
def test_checks_are_met(filler: MakeFiller, name: str):
    make = filler(f"create table t ({CHECKS[name]})")
    rows = [make.insert("public.t") for _ in range(4)]
    assert len(rows) == 4


def test_every_type_has_a_value(filler: MakeFiller):
    columns = ", ".join(f'"c {place}" {name} not null' for place, name in enumerate(TYPES.split()))
    make = filler(
        f"""
        create extension citext; create extension hstore; create extension ltree;
        create type pair as (a int, b text);
        create type mood as enum ('calm', 'o''k');
        create domain email as citext check (value ~ '^[^@]+@[^@]+$');
        create domain positive as int not null check (value > 0) check (value < 40);
        create domain emails as text[] check (cardinality(value) > 1);
        create table t ({columns});
        """
    )
    row = make.insert("public.t")
    assert None not in row.values.values()
    assert len(row.values) == len(TYPES.split())


def test_fresh_values_for_unique_columns_of_many_types(filler: MakeFiller):
    kinds = (
        "int2",
        "text",
        "varchar(4)",
        "date",
        "timestamptz",
        "uuid",
        "numeric(5,0)",
        "inet",
        "bytea",
        "time",
    )
    kinds += ("int4range", "bit(6)")
    columns = ", ".join(f"c{place} {kind} unique" for place, kind in enumerate(kinds))
    make = filler(f"create table t ({columns})")
    rows = [make.insert("public.t") for _ in range(30)]
    for place in range(len(kinds)):
        assert len({row.values[f"c{place}"] for row in rows}) == 30


def test_dead_columns_stay_empty_and_constants_come_first(filler: MakeFiller):
    make = filler(
        "create table t (role text, deleted_at timestamptz, label text)",
        constants={("public.t", "role"): ("owner", "member")},
    )
    values = make.insert("public.t").values
    assert values == {"role": "owner", "deleted_at": None, "label": "label 1"}


@pytest.mark.parametrize(
    "pattern",
    [
        r"^[A-Z]{3}-[0-9]+$",
        r"^(a|b)c?$",
        r"^\d{4}-(0[1-9]|1[0-2])$",
        r"^[^@\s]+@[a-z]+\.[a-z]{2,}$",
        r"^x(?:-y)*$",
    ],
)
def test_samples_match_their_pattern_and_differ(pattern: str):
    made = {sample(pattern, number, variant) for number in range(5) for variant in range(3)}
    assert all(text is not None and re.search(pattern, text) for text in made)
    assert len(made) > 1


@pytest.mark.parametrize("pattern", ["[", "(a", r"\1", "(?P<a>x)"])
def test_unreadable_patterns_have_no_sample(pattern: str):
    assert sample(pattern, 1) is None
