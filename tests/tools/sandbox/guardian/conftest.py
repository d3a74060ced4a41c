"""One small Guardian for all tests of this folder; every act happens in a transaction that is rolled back."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, LiteralString

import psycopg
import pytest

from tools.sandbox.cluster import Cluster
from tools.sandbox.guardian import Population, build_guardian, content_key
from tools.sandbox.guardian.generate import named_people, row_counts

Connection = psycopg.Connection[Any]
Claims = dict[str, Any]
# Acting as somebody: a role of the plot ("stranger"), or claims, or None for anon.
Act = Callable[[str | Claims | None], AbstractContextManager[Connection]]


Denied = psycopg.errors.InsufficientPrivilege  # also what a failed WITH CHECK raises
Guarded = psycopg.errors.IntegrityConstraintViolation


@pytest.fixture(scope="package")
def guardian_template(cluster: Cluster) -> str:
    return cluster.template("guardian_small", lambda dsn: _build(dsn), key=content_key())


def _build(dsn: str) -> None:
    build_guardian(dsn, "small", 7)


@pytest.fixture(scope="package")
def guardian_dsn(cluster: Cluster, guardian_template: str) -> Generator[str]:
    with cluster.scratch("guardian", template=guardian_template) as dsn:
        yield dsn


@pytest.fixture(scope="package")
def population(guardian_dsn: str) -> Population:
    people, profiles = named_people(7)
    with psycopg.connect(guardian_dsn) as connection:
        return Population("small", 7, row_counts(connection), people, profiles)


@pytest.fixture
def admin(guardian_dsn: str) -> Generator[Connection]:
    """The superuser, for what only the test may know."""
    with psycopg.connect(guardian_dsn) as connection:
        connection.execute("select")  # opens the transaction, so that what act() opens are savepoints in it
        yield connection
        connection.rollback()


@pytest.fixture
def act(admin: Connection, population: Population) -> Act:
    """Run statements as an API role with claims; inside the admin's transaction, undone at its end."""

    @contextmanager
    def acting(who: str | Claims | None) -> Generator[Connection]:
        claims = population.people[who].claims() if isinstance(who, str) else who or {"role": "anon"}
        with admin.transaction():
            admin.execute("select set_config('request.jwt.claims', %s, true)", [json.dumps(claims)])
            admin.execute("set local role anon" if who is None else "set local role authenticated")
            yield admin
            admin.execute("reset role")
            admin.execute("select set_config('request.jwt.claims', '', true)")

    return acting


def one(
    connection: Connection, query: LiteralString, parameters: list[Any] | dict[str, Any] | None = None
) -> Any:
    """The only value of the only row."""
    row = connection.execute(query, parameters).fetchone()
    assert row is not None, "no row"
    return row[0]


def attempt(connection: Connection, query: LiteralString, parameters: dict[str, Any]) -> int:
    """Rows touched; errors leave the surrounding transaction usable."""
    with connection.transaction():
        return connection.execute(query, parameters).rowcount


@pytest.fixture
def names(population: Population, admin: Connection) -> dict[str, Any]:
    """Accounts and profiles by name, for named placeholders."""
    accounts = {role: person.account_id for role, person in population.people.items()}
    consent = one(
        admin,
        """select id from public.consents
           where profile_id = %s and purpose_code = 'family_sharing' and status = 'given' limit 1""",
        [population.profiles["subject"]],
    )
    return {**population.profiles, **accounts, "consent": consent}
