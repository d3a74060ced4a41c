"""`sergei init-role`: the login that it makes reads, and can do nothing else."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator, Iterator
from dataclasses import replace

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from agent.approvals import Answer, Decision, Request
from agent.executor import Executor
from tests.conftest import MakeExecutor
from tools.database.connection import Database
from tools.database.create_reader_role import create_reader_role
from tools.database.reader_sql import ReaderPlan, scram_verifier, script
from tools.errors import InvalidInput

pytestmark = pytest.mark.anyio
PASSWORD = "a-synthetic-password-1"


class Person:
    """Somebody who is asked, and remembers what was shown."""

    def __init__(self, answer: Answer = Answer.ONCE) -> None:
        self.answer = answer
        self.asked: list[Request] = []

    async def __call__(self, request: Request) -> Decision:
        self.asked.append(request)
        return Decision(self.answer, by="a test")


@pytest.fixture
def name(empty_database: str) -> Iterator[str]:
    """A role name of one's own: roles belong to the whole server."""
    with psycopg.connect(empty_database, autocommit=True) as owner:
        role = f"r_{owner.info.dbname}"[:60]
        owner.execute("create table public.visible (id int); insert into public.visible values (1)")
        owner.execute("create table public.walled (id int); insert into public.walled values (1)")
        owner.execute("alter table public.walled enable row level security")
        owner.execute("create policy p on public.walled to authenticated using (true)")
        yield role
        if owner.execute("select from pg_roles where rolname = %s", [role]).fetchone():
            owner.execute(sql.SQL("drop owned by {}").format(sql.Identifier(role)))
            owner.execute(sql.SQL("drop role {}").format(sql.Identifier(role)))


@pytest.fixture
async def gate(empty_database: str, make_executor: MakeExecutor) -> AsyncGenerator[tuple[Executor, Person]]:
    """A gate that offers the tool, as `sergei init-role` does."""
    person = Person()
    executor = make_executor(empty_database, asker=person)
    executor.catalogue = {create_reader_role.name: create_reader_role}
    yield executor, person
    await executor.resources.database.close()


def arguments(name: str, **more: object) -> dict[str, object]:
    """The tool's arguments, as the command makes them."""
    return {"name": name, "schemas": ["public"], "verifier": scram_verifier(PASSWORD), **more}


async def test_the_login_reads_and_cannot_write(
    gate: tuple[Executor, Person], name: str, empty_database: str
) -> None:
    executor, person = gate
    outcome = await executor.call("create_reader_role", arguments(name, become=["authenticated"]))
    assert outcome.failure is None, outcome.failure
    (request,) = person.asked
    assert "statements work" in request.preview.evidence
    assert "SCRAM-SHA-256" not in request.preview.action
    with psycopg.connect(make_conninfo(empty_database, user=name), autocommit=True) as login:
        assert login.execute("select count(*) from public.visible").fetchone() == (1,)
        assert login.execute("select count(*) from public.walled").fetchone() == (0,)
        assert login.execute("show default_transaction_read_only").fetchone() == ("on",)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            login.execute("create temp table x (a int)")
        login.execute("set default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            login.execute("insert into public.visible values (2)")
    reader = Database(make_conninfo(empty_database, user=name), environment="production")
    identity = await reader.identity()
    await reader.close()
    assert (identity.superuser, identity.bypasses_rls, identity.writable, identity.warnings) == (
        False,
        False,
        0,
        (),
    )


async def test_it_may_act_as_the_roles_that_were_chosen_and_as_no_other(
    gate: tuple[Executor, Person], name: str, empty_database: str, make_executor: MakeExecutor
) -> None:
    executor, _ = gate
    await executor.call("create_reader_role", arguments(name, become=["authenticated"]))
    reader = make_executor(make_conninfo(empty_database, user=name))
    query = {"sql": "select count(*) > 0 from public.walled"}
    as_chosen = await reader.call(
        "execute_sql", {**query, "as_role": "authenticated", "claims": {"sub": "x"}}
    )
    as_other = await reader.call("execute_sql", {**query, "as_role": "service_role"})
    await reader.resources.database.close()
    assert as_chosen.failure is None or as_chosen.failure.code == "42501", as_chosen.failure
    assert as_other.failure is not None and as_other.failure.kind == "refused"
    assert "init-role" in as_other.failure.hint


async def test_a_no_and_an_empty_room_leave_no_login(
    gate: tuple[Executor, Person], name: str, empty_database: str
) -> None:
    executor, person = gate
    person.answer = Answer.DENY
    outcome = await executor.call("create_reader_role", arguments(name))
    assert outcome.failure is not None and outcome.failure.kind == "refused"
    with psycopg.connect(empty_database) as owner:
        assert owner.execute("select from pg_roles where rolname = %s", [name]).fetchone() is None


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"schemas": ["vault"]}, "refused"),
        ({"schemas": ["pg_catalog"]}, "refused"),
        ({"schemas": ["nowhere"]}, "not_found"),
        ({"become": ["postgres"]}, "not_found"),
        ({"name": "postgres"}, "conflict"),
        ({"verifier": "clear text"}, "invalid_input"),
    ],
)
async def test_what_is_no_reader_is_not_made(
    gate: tuple[Executor, Person], name: str, more: dict[str, object], kind: str
) -> None:
    executor, person = gate
    outcome = await executor.call("create_reader_role", arguments(name) | more)
    assert outcome.failure is not None and outcome.failure.kind == kind
    assert person.asked == []


async def test_the_verifier_is_the_one_that_the_server_would_have_made(
    empty_database: str, name: str
) -> None:
    with psycopg.connect(empty_database, autocommit=True) as owner:
        owner.execute(sql.SQL("create role {} password {}").format(sql.Identifier(name), PASSWORD))
        row = owner.execute("select rolpassword from pg_authid where rolname = %s", [name]).fetchone()
    assert row is not None
    salt = base64.b64decode(row[0].split("$")[1].split(":")[1])
    assert scram_verifier(PASSWORD, salt) == row[0]


@pytest.mark.parametrize("password", ["short", "ü" * 20, "a" * 300, "line\nbreak-123456"])
def test_a_weak_or_odd_password_is_refused(password: str) -> None:
    with pytest.raises(InvalidInput):
        scram_verifier(password)


def test_names_are_quoted_and_old_servers_get_their_own_grant() -> None:
    plan = ReaderPlan(name='x"; drop table y; --', database="d", schemas=("Odd Schema",), become=("anon",))
    text = script(plan)
    assert 'create role "x""; drop table y; --" login' in text
    assert 'on all tables in schema "Odd Schema"' in text
    assert "with inherit false, set true" in text
    old = script(replace(plan, version=150004))
    assert "noinherit" in old and "set true" not in old


def test_no_model_can_call_it() -> None:
    from tools import catalogue

    assert "create_reader_role" not in catalogue()
