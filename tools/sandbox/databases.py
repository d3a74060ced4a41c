"""Databases of a sandbox server: create, copy, drop, and sweep what dead processes left.

Every database of ours is named `sergei_...`, and nothing else is ever touched:

    sergei_template_NAME_KEY        a finished template; nobody may connect to it
    sergei_build_PID_TOKEN_N        a template being filled
    sergei_scratch_PREFIX_PID_TOKEN_N

TOKEN belongs to one open Cluster, which holds an advisory lock on it through its own session. The server
frees the lock when that session ends, so a database whose token can be locked belongs to nobody any more;
this holds across machines and process namespaces, where a PID says nothing.
"""

from __future__ import annotations

import contextlib
import re
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from tools.errors import Conflict, InvalidInput, NotFound, RemoteError, SergeiError, Unavailable

OURS = "sergei_"
TOKEN_CLASS = 0x5E46E1  # first key of the advisory locks on tokens
TEMPLATE_CLASS = 0x5E46E2  # first key of the advisory locks on templates
Session = psycopg.Connection[tuple[Any, ...]]


def translated(error: psycopg.Error, what: str) -> SergeiError:
    """One of our errors for one of psycopg's; `what` says what was tried."""
    code = error.sqlstate or ""
    text = (error.diag.message_primary or str(error)).strip().splitlines()[0]
    kinds: dict[str, type[SergeiError]] = {"3D000": NotFound, "42P04": Conflict, "55006": Conflict}
    if not code or code.startswith(("08", "57")):
        return Unavailable(f"{what}: {text}.", code=code)
    return kinds.get(code, RemoteError)(f"{what}: {text}.", code=code)


def connect(conninfo: str) -> Session:
    """An autocommit session. Raises Unavailable without repeating the conninfo, which may hold a password."""
    try:
        return psycopg.connect(conninfo, autocommit=True, connect_timeout=10)
    except psycopg.Error as error:
        raise translated(error, "The sandbox server cannot be reached") from None


def checked(name: str) -> str:
    """The name of a database of ours, or InvalidInput."""
    if not re.fullmatch(rf"{OURS}[a-z0-9_]{{1,56}}", name):
        message = f"The sandbox database name {name!r} does not fit {OURS}[a-z0-9_]*, at most 63 letters."
        raise InvalidInput(message)
    return name


def exists(session: Session, name: str) -> bool:
    """Whether a database of this name is there."""
    try:
        found = session.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
    except psycopg.Error as error:
        raise translated(error, "The sandbox server does not answer") from error
    return found is not None


def create(session: Session, name: str, template: str | None, strategy: LiteralString) -> None:
    """Create an empty database (from template0) or a copy. Raises NotFound, Conflict, RemoteError."""
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}" + strategy).format(
        sql.Identifier(name), sql.Identifier(template or "template0")
    )
    try:
        session.execute(statement)
    except psycopg.Error as error:
        raise translated(error, f"The sandbox cannot create the database {name}") from error


def drop(session: Session, name: str) -> None:
    """Drop a database with its sessions and the login of its name that a copy has; missing is no error."""
    name = checked(name)
    statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    try:
        session.execute(statement)
        if session.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone():
            session.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(name)))
    except psycopg.Error as error:
        raise translated(error, f"The sandbox cannot drop the database {name}") from error


def claim(session: Session, token: int) -> None:
    """Hold a token until the session ends."""
    try:
        session.execute("SELECT pg_advisory_lock(%s, %s)", [TOKEN_CLASS, token])
    except psycopg.Error as error:
        raise translated(error, "The sandbox server does not answer") from error


def sweep(session: Session) -> list[str]:
    """Drop scratch and half-built databases whose owner is gone; gives their names."""
    named = "SELECT datname FROM pg_database WHERE starts_with(datname, %s)"
    dropped: list[str] = []
    for (name,) in session.execute(named, [OURS]).fetchall():
        found = re.fullmatch(rf"{OURS}(?:scratch|build)_\w*?(\d+)_([0-9a-f]{{7}})_\d+", name)
        if found is None:
            continue
        key = [TOKEN_CLASS, int(found[2], 16)]
        taken = session.execute("SELECT pg_try_advisory_lock(%s, %s)", key).fetchone()
        if taken != (True,):
            continue
        with contextlib.suppress(Conflict, RemoteError):  # another account's, on a server of the user's own
            drop(session, name)
            dropped.append(name)
        session.execute("SELECT pg_advisory_unlock(%s, %s)", key)
    return dropped


def publish(session: Session, built: str, name: str) -> None:
    """Turn a filled database into a template. The rename comes last: it is what others look for."""
    close = sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false").format(sql.Identifier(built))
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(built), sql.Identifier(name))
    try:
        session.execute(close)
        session.execute(rename)
    except psycopg.Error as error:
        raise translated(error, f"The sandbox cannot finish the template {name}") from error


def drop_other_keys(session: Session, stem: str, keep: str) -> None:
    """Drop templates of the same stem with another key, unless somebody is copying one right now."""
    pattern = rf"^{stem}_[0-9a-f]{{12}}$"
    rows = session.execute("SELECT datname FROM pg_database WHERE datname ~ %s", [pattern]).fetchall()
    for (name,) in rows:
        if name == keep:
            continue
        with contextlib.suppress(Conflict, RemoteError):  # in use: the next build of this template drops it
            drop(session, name)
