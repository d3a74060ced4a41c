"""Fill the Guardian schema with synthetic people.

Families, grants and providers are drawn in Python (rows.py, cast.py, families.py) and written with COPY;
what hangs from a profile is written by the set-based SQL in people/, which hashes running numbers with the
seed instead of calling random(). The same scale and seed give the same rows on every machine and every day.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import psycopg
from psycopg import sql

from tools.errors import InvalidInput, RemoteError, Unavailable
from tools.sandbox.guardian.cast import Cast, Person, add_cast
from tools.sandbox.guardian.families import add_families
from tools.sandbox.guardian.rows import Census, copy_rows
from tools.sandbox.guardian.words import NOTES

Scale = Literal["small", "medium", "large"]

HERE: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Size:
    """How many unnamed families, and how many clinical events in all (at least)."""

    families: int
    events: int


SIZES: Final[dict[Scale, Size]] = {
    "small": Size(families=30, events=3_000),
    "medium": Size(families=900, events=100_000),
    "large": Size(families=5_000, events=1_000_000),
}


@dataclass(frozen=True, slots=True)
class Population:
    """Who was made: rows per table, the people to act as, the profiles to look for.

    `people` is keyed by role in the story ("stranger", "read_delegate", "revoked_delegate", "provider",
    "reviewer", ...), `profiles` by name ("subject" is the one that is open to somebody in every state).
    """

    scale: Scale
    seed: int
    counts: dict[str, int]
    people: dict[str, Person]
    profiles: dict[str, uuid.UUID]


def populate(dsn: str, scale: Scale = "small", seed: int = 7) -> Population:
    """Write the people of this scale and seed into an empty Guardian schema, in one transaction.

    Needs a superuser, because triggers and foreign keys are off during the load. Raises InvalidInput for an
    unknown scale, Unavailable or RemoteError when the database does not answer or refuses.
    """
    if scale not in SIZES:
        raise InvalidInput(f'There is no scale "{scale}".', hint="Use small, medium or large.")
    census, cast = draw(scale, seed)
    try:
        with psycopg.connect(dsn) as connection:
            _load(connection, census, cast, SIZES[scale], seed)
            counts = row_counts(connection)
    except psycopg.OperationalError as error:
        raise Unavailable("The sandbox database did not answer while people were generated.") from error
    except psycopg.Error as error:
        raise RemoteError(
            f"The server refused the synthetic people: {error.diag.message_primary or error}",
            code=error.sqlstate or "",
        ) from error
    return Population(scale, seed, counts, dict(cast.people), dict(cast.profiles))


def named_people(seed: int = 7) -> tuple[dict[str, Person], dict[str, uuid.UUID]]:
    """The named people and profiles of a seed, without a database: they are the same at every scale."""
    census = Census(seed)
    cast = add_cast(census)
    return dict(cast.people), dict(cast.profiles)


def draw(scale: Scale, seed: int) -> tuple[Census, Cast]:
    """All small rows of a population, in memory."""
    census = Census(seed)
    cast = add_cast(census)
    add_families(census, cast, SIZES[scale].families)
    return census, cast


def planted_values(dsn: str) -> frozenset[str]:
    """Every value that identifies somebody in this database: none of them may leave the tool layer."""
    with psycopg.connect(dsn) as connection:
        rows = connection.execute((HERE / "planted.sql").read_bytes()).fetchall()
    return frozenset(value for (value,) in rows)


def _load(connection: psycopg.Connection[Any], census: Census, cast: Cast, size: Size, seed: int) -> None:
    connection.execute("set local session_replication_role = replica")
    connection.execute("set local timezone = 'UTC'")
    people_files = sorted((HERE / "people").glob("*.sql"))
    connection.execute(people_files[0].read_bytes())
    for table, rows in census.rows.items():
        copy_rows(connection, table, rows)
    _prepare(connection, list(cast.profiles.values()), size, seed)
    for path in people_files[1:]:
        connection.execute(path.read_bytes())


def _prepare(connection: psycopg.Connection[Any], named: list[uuid.UUID], size: Size, seed: int) -> None:
    """Make the temporary functions and tables that the files in people/ draw from."""
    connection.execute(
        sql.SQL(
            """
            create function pg_temp.make_id(kind text, n bigint) returns uuid language sql immutable as $$
              select md5({seed}::text || kind || n::text)::uuid
            $$;
            create function pg_temp.roll(salt integer, n bigint, sides bigint) returns integer
            language sql immutable as $$
              select (
                (hashint8extended(n, {seed}::bigint * 1000 + salt) & 9223372036854775807) % sides
              )::integer
            $$;
            create function pg_temp.event_time(n bigint, k bigint, events bigint) returns timestamptz
            language sql immutable as $$
              select to_timestamp(
                1673251200 + (k - 1) * (120000000 / events) + pg_temp.roll(1, n * 100000 + k, 7200)
              )
            $$;
            """
        ).format(seed=sql.Literal(seed))
    )
    connection.execute("create temp table notes (i integer primary key, body text not null) on commit drop")
    with connection.cursor() as cursor:
        cursor.executemany("insert into pg_temp.notes values (%s, %s)", list(enumerate(NOTES)))
    connection.execute(
        """
        create temp table roster on commit drop as
        select p.n, p.id as profile_id, p.owner_account_id as owner_id, p.given_name, p.family_name,
               p.id = any (%(named)s) as is_named,
               (p.per_profile * 3 / 4 + 2
                 + pg_temp.roll(0, p.n, greatest(p.per_profile / 2, 1)))::integer as events
        from (
          select *, row_number() over (order by id) as n,
                 ceil(%(events)s * 1.01 / count(*) over ())::bigint as per_profile
          from public.profiles
        ) as p
        """,
        {"named": named, "events": size.events},
    )
    connection.execute(
        """
        create temp table codes on commit drop as
        select c.*, row_number() over (order by code_system, code) - 1 as i from public.medical_codes c;
        create temp table codes_by_kind on commit drop as
        select c.*, row_number() over (partition by kind order by code_system, code) - 1 as i,
               count(*) over (partition by kind) as total
        from public.medical_codes c
        where c.code <> '58410-2';
        create temp table doctors on commit drop as
        select d.id, row_number() over (order by registration_number) - 1 as i, count(*) over () as total
        from public.providers d;
        analyze pg_temp.roster, pg_temp.codes, pg_temp.codes_by_kind, pg_temp.doctors, pg_temp.notes
        """
    )


def row_counts(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """Rows of every table of the API schema."""
    tables = connection.execute(
        """
        select c.relname
        from pg_class c
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
        order by 1
        """
    ).fetchall()
    counts: dict[str, int] = {}
    for (table,) in tables:
        query = sql.SQL("select count(*) from {}").format(sql.Identifier("public", table))
        row = connection.execute(query).fetchone()
        counts[table] = row[0] if row else 0
    return counts
