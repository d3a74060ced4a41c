"""The server that a person was shown is the server on which the change runs.

    preview ── server_of() ──▶ remembered by digest       run ── require_same() ──▶ Conflict when it differs

A connection string names an address, not a server: a failover, a restored copy or a moved DNS name would
otherwise take a yes that was given for another one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tools.errors import Conflict, Refused

if TYPE_CHECKING:
    from tools.database.connection import Database, Session
    from tools.database.target import Target

_SERVER: Final = """
select case when pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')
            then (select system_identifier::text from pg_catalog.pg_control_system()) end as system,
       d.oid::text as oid, d.datname::text as database, current_user::text as login,
       coalesce(pg_catalog.inet_server_addr()::text, 'socket') as address,
       coalesce(pg_catalog.inet_server_port()::text, '') as port,
       pg_catalog.pg_postmaster_start_time()::text as started,
       case when pg_catalog.pg_is_in_recovery() then 'standby' else 'primary' end as role
from pg_catalog.pg_database d where d.datname = pg_catalog.current_database()
"""
_WORDS: Final = {
    "system": "another server (system identifier)", "oid": "another database of the same name",
    "database": "another database", "login": "another login", "address": "another address",
    "port": "another port", "started": "a server that was started since",
    "role": "another role in replication",
}  # fmt: skip


async def server_of(session: Session) -> tuple[str, ...]:
    """What tells the connected server and database from every other."""
    row = (await session.fetch(_SERVER))[0]
    return tuple(str(row[name] or "") for name in _WORDS)


async def require_same(session: Session, seen: tuple[str, ...] | None) -> None:
    """Raise Conflict unless the connected server is the one that was seen. None: nothing was shown."""
    now = await server_of(session)
    if seen is None or seen == now:
        return
    changed = next(words for words, old, new in zip(_WORDS.values(), seen, now, strict=True) if old != new)
    raise Conflict(
        f"The connection now leads to {changed}, not to what was shown. Nothing was run.",
        hint="Look at the target again and ask once more.",
    )


def require_expected(database: Database, expected: str | None) -> None:
    """Raise Refused unless `expected` is the target.

    It may be its label, its database, `database@environment`, or its Supabase project ref.
    """
    target = database.target
    names = {target.label, target.database, f"{target.database}@{target.environment}", target.project_ref}
    if expected is not None and expected not in names:
        raise Refused(
            f"`expect_target` says {expected} and the connected target is {target.label}. Nothing was run.",
            hint="Connect to the target that is meant; do not change the expectation to fit.",
        )


def named(target: Target, login: str) -> str:
    """The target for the person who decides: a production one, or one that may be, stands out."""
    shown = f"{target.label} as {login}"
    if target.environment == "production":
        return f"PRODUCTION: {shown}"
    if target.environment == "unknown" and not target.local:
        return f"{shown}; its environment is not set: treat it as PRODUCTION"
    return shown
