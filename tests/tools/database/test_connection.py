"""Connecting, failing to connect, timeouts, cancellation, and leaving nothing behind."""

from __future__ import annotations

import asyncio

import pytest

from tests.tools.database.wire import Talk, answering, garbage, hang_up, listening, silence
from tools.database.connection import Database, Limits
from tools.errors import (
    ConfigurationError,
    Conflict,
    InvalidInput,
    NotFound,
    Refused,
    RemoteError,
    SergeiError,
    Unavailable,
)

pytestmark = pytest.mark.anyio

PASSWORD = "hunter2-secret"
QUICK = Limits(connect=1.0)


async def failure(dsn: str, limits: Limits = QUICK) -> SergeiError:
    """What connecting to `dsn` raises."""
    with pytest.raises(SergeiError) as raised:
        await Database(dsn, limits=limits).fetch("select 1 as one")
    assert PASSWORD not in str(raised.value)
    return raised.value


@pytest.mark.parametrize(
    ("talk", "kind", "code", "words"),
    [
        (garbage, Unavailable, "", "not PostgreSQL"),
        (silence, Unavailable, "", "did not answer in time"),
        (hang_up, Unavailable, "", "closed the connection"),
        (
            answering("FATAL", "28P01", 'password authentication failed for user "ada"', ask_password=True),
            RemoteError,
            "28P01",
            "rejected the password of user ada",
        ),
        (
            answering("FATAL", "3D000", 'database "clinic" does not exist'),
            RemoteError,
            "3D000",
            "no database",
        ),
        (
            answering("FATAL", "28000", 'role "ada" does not exist'),
            RemoteError,
            "28000",
            "no role ada",
        ),
        (answering("FATAL", "XX000", "Tenant or user not found"), RemoteError, "28000", "pooler"),
        (
            answering("FATAL", "57P03", "the database system is starting up"),
            Unavailable,
            "57P03",
            "starting up",
        ),
        (
            answering("FATAL", "53300", "sorry, too many clients already"),
            Unavailable,
            "53300",
            "no free connection",
        ),
        (answering("FATAL", "XX000", "patient Quill was here"), Unavailable, "", "cannot be reached"),
    ],
)
async def test_a_server_that_cannot_be_used_is_one_clear_sentence(
    talk: Talk, kind: type[SergeiError], code: str, words: str
) -> None:
    async with listening(talk) as port:
        error = await failure(f"postgresql://ada:{PASSWORD}@127.0.0.1:{port}/clinic")
    assert type(error) is kind
    assert error.code == code
    assert words in error.message
    assert "Quill" not in str(error)


async def test_nobody_listens() -> None:
    async with listening(hang_up) as port:
        pass
    error = await failure(f"postgresql://ada:{PASSWORD}@127.0.0.1:{port}/clinic")
    assert "Nothing listens" in error.message


async def test_a_missing_socket_is_said() -> None:
    error = await failure("host=/nonexistent/folder user=ada dbname=clinic")
    assert isinstance(error, Unavailable)
    assert "socket" in error.message


async def test_an_unknown_database_and_role_on_a_real_server(plain_database: str) -> None:
    error = await failure(f"{plain_database} dbname=no_such_database")
    assert (type(error), error.code) == (RemoteError, "3D000")


@pytest.mark.parametrize(
    "dsn",
    [
        f"postgresql://ada:{PASSWORD}@host:port/x",
        f"nonsense {PASSWORD}",
        f"postgresql://ada:{PASSWORD}@one,two/x",
        f"postgresql://ada:{PASSWORD}@host:99999/x",
        f"postgresql://ada:{PASSWORD}@host/x?nonsense=1",
    ],
)
def test_a_malformed_url_is_a_configuration_error_that_does_not_repeat_it(dsn: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        Database(dsn)
    assert PASSWORD not in str(raised.value)


@pytest.mark.parametrize(
    ("dsn", "project", "label"),
    [
        (
            f"postgresql://postgres:{PASSWORD}@db.abcdefghijklmnopqrst.supabase.co:5432/postgres",
            "abcdefghijklmnopqrst",
            "postgres@production (project abcdefghijklmnopqrst, db.abcdefghijklmnopqrst.supabase.co:5432)",
        ),
        (
            f"postgresql://postgres.abcdefghijklmnopqrst:{PASSWORD}@aws-0-eu.pooler.supabase.com:6543/postgres",
            "abcdefghijklmnopqrst",
            "postgres@production (project abcdefghijklmnopqrst, aws-0-eu.pooler.supabase.com:6543)",
        ),
        (f"host=/tmp user=a password={PASSWORD} dbname=clinic", None, "clinic@production (unix socket)"),
        (f"postgresql://a:{PASSWORD}@[::1]:5433/clinic", None, "clinic@production ([::1]:5433)"),
    ],
)
def test_the_target_is_read_from_the_url_without_its_password(
    dsn: str, project: str | None, label: str
) -> None:
    target = Database(dsn, environment="production").target
    assert (target.project_ref, target.label) == (project, label)
    assert PASSWORD not in repr(target)


async def test_fetch_many_reads_one_snapshot_in_order(clinic: str) -> None:
    database = Database(clinic)
    numbers, none, codes = await database.fetch_many(
        [
            ("select %(n)s::int as n, current_setting('transaction_isolation') as level", {"n": 3}),
            ("select 1 as a where false", None),
            ("select code from public.codes order by 1", None),
        ]
    )
    await database.close()
    assert numbers == [{"n": 3, "level": "repeatable read"}]
    assert none == []
    assert [row["code"] for row in codes] == ["E11", "J45", "Z00"]


async def test_more_callers_than_connections_wait_for_their_turn(clinic: str) -> None:
    database = Database(clinic, limits=Limits(connections=2))
    sql = "select pg_backend_pid() as pid, (select count(*) from pg_stat_activity) > 0 as busy"
    answers = await asyncio.gather(*(database.fetch(sql) for _ in range(12)))
    await database.close()
    assert len({rows[0]["pid"] for rows in answers}) <= 2


async def test_a_session_cannot_write(clinic: str) -> None:
    database = Database(clinic)
    with pytest.raises(Refused) as raised:
        async with database.session() as session:
            await session.run("update public.touched set n = 1")
    await database.close()
    assert raised.value.code == "25006"


async def test_a_statement_timeout_is_unavailable_with_its_code(clinic: str) -> None:
    database = Database(clinic)
    with pytest.raises(Unavailable) as raised:
        async with database.session(limits=Limits(statement=0.1)) as session:
            await session.run("select pg_sleep(30)")
    await database.close()
    assert raised.value.code == "57014"


async def test_a_held_lock_is_a_conflict(clinic_copy: str) -> None:
    database = Database(clinic_copy)
    async with database.session(read_only=False, keep=False) as holder:
        await holder.run("lock table public.codes")
        with pytest.raises(Conflict) as raised:
            async with database.session(limits=Limits(lock=0.1)) as session:
                await session.run("select * from public.codes")
    await database.close()
    assert raised.value.code == "55P03"


async def test_cancelling_the_caller_ends_the_statement_on_the_server(clinic: str) -> None:
    database, watcher = Database(clinic), Database(clinic)
    running = "select count(*)::int as n from pg_stat_activity where query like %(q)s and state = 'active'"
    mark = {"q": "select pg_sleep(31)%"}

    async def sleep() -> None:
        async with database.session() as session:
            await session.run("select pg_sleep(31)")

    task = asyncio.create_task(sleep())
    while (await watcher.fetch(running, mark))[0]["n"] == 0:
        await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await watcher.fetch(running, mark))[0]["n"] == 0
    await watcher.close()
    await database.close()


async def test_a_connection_that_died_is_replaced(clinic: str) -> None:
    database, killer = Database(clinic), Database(clinic)
    pid = (await database.fetch("select pg_backend_pid() as pid"))[0]["pid"]
    async with killer.session(read_only=False) as session:
        await session.run("select pg_terminate_backend(%(pid)s, 2000)", {"pid": pid})
    again = await database.fetch("select pg_backend_pid() as pid")
    await database.close()
    await killer.close()
    assert again[0]["pid"] != pid


async def test_a_write_is_committed_unless_it_is_not_kept_or_fails(clinic_copy: str) -> None:
    database = Database(clinic_copy)
    async with database.session(read_only=False) as session:
        await session.run("update public.touched set n = 1")
    async with database.session(read_only=False, keep=False) as session:
        await session.run("update public.touched set n = 2")
    with pytest.raises(InvalidInput):
        async with database.session(read_only=False) as session:
            await session.run("update public.touched set n = 3")
            await session.run("select 1 / 0")
    rows = await database.fetch("select n from public.touched")
    await database.close()
    assert rows == [{"n": 1}]


async def test_identity_warns_of_a_superuser_and_knows_supabase(clinic: str, empty_database: str) -> None:
    plain, supabase = Database(clinic), Database(empty_database)
    ours, theirs = await plain.identity(), await supabase.identity()
    await plain.close()
    await supabase.close()
    assert ours.superuser and "superuser" in ours.warnings[0]
    assert (ours.supabase, theirs.supabase) == (False, True)
    assert ours.number >= 140000


async def test_an_unknown_role_is_not_found(clinic: str) -> None:
    database = Database(clinic)
    with pytest.raises(NotFound):
        async with database.session(role="nobody_at_all"):
            pass
    await database.close()


def test_a_url_made_for_another_client_is_understood() -> None:
    pooled = (
        "postgresql://postgres.abcdefghijklmnopqrst:x@aws-0-eu-central-1.pooler.supabase.com:6543/postgres"
    )
    target = Database(f"{pooled}?pgbouncer=true&connection_limit=1&supa=base-pooler.x").target
    assert (target.project_ref, target.port) == ("abcdefghijklmnopqrst", 6543)
