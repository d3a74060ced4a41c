"""Install the Supabase stand-in into one database, and say what it cannot offer.

The SQL lies beside this module in numbered files. All of it may run again on the same database; roles are
shared by every database of the cluster and are created under a lock, so that two databases can be prepared
at the same time.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import psycopg
from psycopg import sql

from tools.errors import Refused, RemoteError, Unavailable

Connection = psycopg.Connection[Any]

HERE: Final = Path(__file__).parent
MARKER: Final = "Supabase Auth (sandbox stand-in)"
OLDEST_SERVER: Final = 150000
UUID_STAND_INS: Final = "60_uuid_ossp.sql"

INSTALLED_WHERE_PRESENT: Final = ("pgcrypto", "uuid-ossp", "citext", "pg_trgm", "pg_stat_statements")

# Reasons are for people: they end up in reports under "not examined".
NEEDS_EXTENSION: Final = MappingProxyType(
    {
        "vector": "the pgvector extension is not part of this server; vector columns cannot be created",
        "postgis": "the PostGIS extension is not part of this server; geometry types cannot be created",
        "pg_cron": "no scheduler runs in the sandbox; cron.schedule() does not exist",
        "pg_net": "the sandbox makes no network calls; net.http_post() does not exist",
        "http": "the sandbox makes no network calls; http_get() does not exist",
        "pgsodium": "the pgsodium extension is not part of this server; column encryption is absent",
        "pg_graphql": "the pg_graphql extension is not part of this server; graphql() answers with an error",
        "pgjwt": "the pgjwt extension is not part of this server; sign() and verify() do not exist",
        "pgaudit": "the pgaudit extension is not part of this server; statement audit logs cannot be shown",
        "plpgsql_check": "the plpgsql_check extension is not part of this server",
        "hypopg": "the hypopg extension is not part of this server; index trials build real indexes",
        "index_advisor": "the index_advisor extension is not part of this server",
        "pgtap": "the pgtap extension is not part of this server",
        "wrappers": "the wrappers extension is not part of this server; foreign tables are absent",
    }
)
NEEDS_SERVICE: Final = MappingProxyType(
    {
        "realtime server": "nothing reads the publication; it can be inspected but delivers nothing",
        "auth server": "no GoTrue process runs; nobody can sign in, claims are set with set_config()",
        "storage server": "no files are kept; storage.objects holds rows only",
        "postgrest": "no REST interface runs; requests are simulated with SET ROLE and request.jwt.claims",
        "edge functions": "no Deno runtime runs",
    }
)
ALWAYS_STAND_INS: Final = MappingProxyType(
    {
        "auth": "users, identities, sessions, mfa_factors and uid(), role(), jwt(), email() only",
        "storage": "buckets, objects and foldername(), filename(), extension() only",
        "realtime": "messages, topic() and send() keep rows; nothing is delivered",
        "vault": "secrets are kept without encryption: decrypted_secret equals secret",
        "graphql_public.graphql": "answers every query with an error",
        "supabase_migrations": "schema_migrations is an empty table",
    }
)


@dataclass(frozen=True, slots=True)
class ShimReport:
    """What was installed. Values of the dicts are one-line reasons or descriptions.

    `server_version` is libpq's number (170010 for 17.10); `extensions` are really installed, in the schema
    `extensions`; `standins` imitate; `unavailable` could not be offered; `differences` tell where roles
    or settings are not as on hosted Supabase.
    """

    server_version: int
    superuser: str
    extensions: tuple[str, ...]
    standins: dict[str, str]
    unavailable: dict[str, str]
    differences: tuple[str, ...]


def shim_files() -> list[Path]:
    """The SQL files in the order in which they run."""
    return sorted(HERE.glob("*.sql"))


def install_shim(connection_or_dsn: Connection | str) -> ShimReport:
    """Make a database look like a new Supabase project; safe to repeat.

    Needs a superuser. An open connection must be outside a transaction, and is left so.
    Raises Refused when the login is no superuser, the server is older than 15, or the database already
    is a Supabase project; Unavailable when it cannot be reached; RemoteError when a statement fails.
    """
    try:
        with _opened(connection_or_dsn) as connection:
            _check(connection)
            return _install(connection)
    except psycopg.OperationalError as error:
        raise Unavailable(
            "The sandbox database did not answer while the Supabase stand-in was installed."
        ) from error
    except psycopg.Error as error:
        raise RemoteError(
            f"The server refused a statement of the Supabase stand-in: {error.diag.message_primary or error}",
            code=error.sqlstate or "",
        ) from error


def read_report(dsn: str) -> ShimReport:
    """What the stand-in offers in a database where it is installed already."""
    with psycopg.connect(dsn) as connection:
        available = {name for (name,) in connection.execute("select name from pg_available_extensions")}
        return _report(connection, available)


@contextmanager
def _opened(connection_or_dsn: Connection | str) -> Generator[Connection]:
    if isinstance(connection_or_dsn, str):
        with psycopg.connect(connection_or_dsn) as connection:
            yield connection
        return
    yield connection_or_dsn


def _check(connection: Connection) -> None:
    version = connection.info.server_version
    row = connection.execute(
        """
        select current_setting('is_superuser') = 'on', current_user::text,
               to_regclass('auth.users') is not null,
               coalesce(obj_description(to_regnamespace('auth'), 'pg_namespace'), '')
        """
    ).fetchone()
    connection.rollback() if not connection.autocommit else None
    if row is None:
        raise Unavailable("The sandbox database answered a catalog query with no row.")
    is_superuser, user, has_auth, comment = row
    if version < OLDEST_SERVER:
        raise Refused(
            f"PostgreSQL {version // 10000} is too old for the sandbox.", hint="Use version 15 or newer."
        )
    if not is_superuser:
        raise Refused(
            f'The login "{user}" is not a superuser, so Supabase\'s roles cannot be created here.',
            hint="Give the sandbox a PostgreSQL of its own.",
        )
    if has_auth and comment != MARKER:
        raise Refused(
            "This database already has auth.users, so it looks like a real Supabase project.",
            hint="The sandbox never touches one: name an empty database.",
        )


def _install(connection: Connection) -> ShimReport:
    with connection.transaction():
        available = {name for (name,) in connection.execute("select name from pg_available_extensions")}
    has_uuid_ossp = "uuid-ossp" in available
    for path in shim_files():
        if path.name == UUID_STAND_INS and has_uuid_ossp:
            continue
        # One transaction per file: the lock on pg_authid in the first one must not be held for the rest.
        with connection.transaction():
            connection.execute(path.read_bytes())
        if path.name.startswith("20_"):
            _create_extensions(connection, available)
    return _report(connection, available)


def _create_extensions(connection: Connection, available: set[str]) -> None:
    with connection.transaction():
        for name in INSTALLED_WHERE_PRESENT:
            if name in available:
                connection.execute(
                    sql.SQL("create extension if not exists {} with schema extensions").format(
                        sql.Identifier(name)
                    )
                )


def _report(connection: Connection, available: set[str]) -> ShimReport:
    with connection.transaction():
        installed = connection.execute(
            """
            select e.extname
            from pg_extension e join pg_namespace n on n.oid = e.extnamespace
            where n.nspname = 'extensions' order by 1
            """
        ).fetchall()
        facts = connection.execute(
            """
            select current_user::text,
                   (select rolsuper from pg_roles where rolname = 'postgres'),
                   current_setting('wal_level'),
                   current_setting('shared_preload_libraries')
            """
        ).fetchone()
    if facts is None:
        raise Unavailable("The sandbox database answered a catalog query with no row.")
    superuser, postgres_is_super, wal_level, preloaded = facts
    standins = dict(ALWAYS_STAND_INS)
    if "uuid-ossp" not in available:
        standins["uuid-ossp"] = 'its functions exist in extensions, but CREATE EXTENSION "uuid-ossp" fails'
    missing = {name: why for name, why in NEEDS_EXTENSION.items() if name not in available}
    return ShimReport(
        server_version=connection.info.server_version,
        superuser=superuser,
        extensions=tuple(name for (name,) in installed),
        standins=standins,
        unavailable=missing | dict(NEEDS_SERVICE),
        differences=tuple(_differences(superuser, postgres_is_super, wal_level, preloaded)),
    )


def _differences(superuser: str, postgres_is_super: bool, wal_level: str, preloaded: str) -> Iterator[str]:
    if postgres_is_super:
        yield "the role postgres is a superuser here; on hosted Supabase it is not, it only has BYPASSRLS"
    if superuser != "postgres":
        yield f'objects are created by the superuser "{superuser}", on hosted Supabase by postgres'
    if wal_level != "logical":
        yield f"wal_level is {wal_level}: the publication supabase_realtime exists but cannot be read from"
    if "pg_stat_statements" not in preloaded:
        yield "pg_stat_statements is installed but not preloaded: querying it fails"
    yield "API roles get their statement_timeout from ALTER ROLE, which a simulated SET ROLE does not apply"
