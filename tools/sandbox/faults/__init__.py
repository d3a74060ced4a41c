"""Planted faults: one SQL file each, with what it is, how it comes about, and what a review must say of it.

    -- title: ...            one line
    -- class: RLS|function|view|grant|index|performance|lifecycle|storage|realtime|trust
    -- story: ...            how this happens in real life
    -- rule: name | none (why no rule decides it)
    -- level: ERROR|WARN|INFO
    -- object: the finding's object
    <SQL that plants it on the clean Guardian demo>
    -- +undo
    <SQL that takes it away again>

They compose: all of them can be planted in one database, in the order of their names, and undone in reverse.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Final, LiteralString, cast

import psycopg
from psycopg import sql

from tools.errors import InvalidInput, RemoteError, Unavailable

HERE: Final = Path(__file__).parent
CLASSES: Final = (
    "RLS", "function", "view", "grant", "index", "performance", "lifecycle", "storage", "realtime", "trust",
)  # fmt: skip
_FIELD: Final = re.compile(r"^-- (title|class|story|rule|level|object): (.+)$", re.MULTILINE)
_UNDO: Final = "-- +undo\n"


@dataclass(frozen=True, slots=True)
class Fault:
    """One planted fault. `rule` is None when no rule decides it today; `reason` says why."""

    name: str
    title: str
    kind: str
    story: str
    rule: str | None
    reason: str
    level: str
    object: str
    plant: str
    repair: str


@cache
def faults() -> tuple[Fault, ...]:
    """Every fault, by name."""
    return tuple(read(path) for path in sorted(HERE.glob("*.sql")))


def fault(name: str) -> Fault:
    """The fault of this name. Raises InvalidInput with the nearest names."""
    known = {one.name: one for one in faults()}
    if name not in known:
        near = get_close_matches(name, known, n=3, cutoff=0.4)
        hint = f"Did you mean {' or '.join(near)}?" if near else f"There are {', '.join(known)}."
        raise InvalidInput(f"There is no planted fault called {name}.", hint=hint)
    return known[name]


def read(path: Path) -> Fault:
    """One file. Raises InvalidInput when its header is not complete."""
    text = path.read_text(encoding="utf-8")
    fields: dict[str, str] = {match[1]: match[2].strip() for match in _FIELD.finditer(text)}
    plant, marker, repair = text.partition(_UNDO)
    missing = [name for name in ("title", "class", "story", "rule", "level", "object") if name not in fields]
    if missing or not marker or fields["class"] not in CLASSES:
        raise InvalidInput(
            f"The fault {path.name} lacks {', '.join(missing) or 'its undo part or a known class'}."
        )
    rule, _, reason = fields["rule"].partition(" ")
    return Fault(
        name=path.stem,
        title=fields["title"],
        kind=fields["class"],
        story=fields["story"],
        rule=None if rule == "none" else rule,
        reason=reason.strip("()"),
        level=fields["level"],
        object=fields["object"],
        plant=plant,
        repair=repair,
    )


def apply(dsn: str, *several: Fault) -> None:
    """Plant faults, in this order, in one transaction. Raises RemoteError when one does not fit."""
    _run(dsn, ((one, one.plant) for one in several))


def undo(dsn: str, *several: Fault) -> None:
    """Take faults away, the last one planted first."""
    _run(dsn, ((one, one.repair) for one in reversed(several)))


def _run(dsn: str, scripts: Iterable[tuple[Fault, str]]) -> None:
    try:
        with psycopg.connect(dsn) as connection:
            for one, script in scripts:
                _script(connection, one, script)
    except psycopg.OperationalError as error:
        raise Unavailable(
            "The sandbox database cannot be reached.", hint="Run `sergei demo` again."
        ) from error


def _script(connection: psycopg.Connection[Any], one: Fault, script: str) -> None:
    try:
        # The text comes from the files beside this module and nowhere else.
        connection.execute(sql.SQL(cast("LiteralString", script)))
    except psycopg.errors.DatabaseError as error:
        code = error.sqlstate or ""
        raise RemoteError(
            f"The fault {one.name} does not fit this database ({error.diag.message_primary}).",
            hint="It needs a clean Guardian demo: `sergei demo --clean`.",
            code=code,
        ) from error
