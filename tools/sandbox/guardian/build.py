"""Build the Guardian demo database: Supabase stand-in, schema, synthetic people, statistics."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

import psycopg

from tools.errors import RemoteError, Unavailable
from tools.sandbox.guardian.generate import Population, Scale, populate
from tools.sandbox.shim import install_shim

HERE: Final = Path(__file__).parent


def schema_files() -> list[Path]:
    """The numbered SQL files of the schema, in the order in which they run."""
    return sorted((HERE / "schema").glob("*.sql"))


def apply_schema(dsn: str) -> None:
    """Create the Guardian v7 schema, in one transaction, in a database that has the Supabase stand-in.

    Raises Unavailable when the database does not answer, RemoteError (with the file's name) when it refuses.
    """
    try:
        with psycopg.connect(dsn) as connection:
            for path in schema_files():
                _run(connection, path)
    except psycopg.OperationalError as error:
        raise Unavailable(
            "The sandbox database did not answer while the Guardian schema was applied."
        ) from error


def build_guardian(dsn: str, scale: Scale = "small", seed: int = 7) -> Population:
    """Fill an empty database with the whole demo; made to be the `build` callback of a template."""
    install_shim(dsn)
    apply_schema(dsn)
    population = populate(dsn, scale, seed)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("refresh materialized view private.profile_activity")
        connection.execute("analyze")
    return population


@cache
def content_key() -> str:
    """A hash over every source the demo is made of: it changes when a template must be rebuilt."""
    digest = hashlib.sha256()
    for folder in (HERE, HERE.parent / "shim"):
        for path in sorted(folder.rglob("*")):
            if path.suffix in {".sql", ".py"}:
                digest.update(
                    path.relative_to(HERE.parent).as_posix().encode() + b"\0" + path.read_bytes() + b"\0"
                )
    return digest.hexdigest()[:16]


def _run(connection: psycopg.Connection[tuple[object, ...]], path: Path) -> None:
    try:
        connection.execute(path.read_bytes())
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        raise RemoteError(
            f"The server refused {path.name} of the Guardian schema: {error.diag.message_primary or error}",
            code=error.sqlstate or "",
        ) from error
