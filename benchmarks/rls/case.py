"""A correct schema with people in every state: what mutants are planted in."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

Connection = psycopg.Connection[Any]


def made(name: str) -> str:
    """The id of a person or row that a world adds under this name."""
    return str(uuid.UUID(hashlib.md5(f"bench:{name}".encode(), usedforsecurity=False).hexdigest()))


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody with a token: the role PostgREST would take, and the claims."""

    name: str
    role: str
    claims: Mapping[str, Any]

    @property
    def uid(self) -> str:
        """The claim sub; empty for anon."""
        return str(self.claims.get("sub", ""))


@dataclass(frozen=True, slots=True)
class Step:
    """A statement that somebody (None: the platform itself) runs before others look."""

    actor: str | None
    sql: str


@dataclass(frozen=True, slots=True)
class Opening:
    """A table whose rows open a record, as somebody would write it inline in a policy (alias o)."""

    table: str
    scope: str
    account: str
    conditions: tuple[str, ...]

    def exists(self, tie: str, missing: int | None = None) -> str:
        """EXISTS over it, tied as given, with all conditions of life but one."""
        kept = [c for n, c in enumerate(self.conditions) if n != missing]
        where = " and ".join([tie, f"o.{self.account} = (select auth.uid())", *kept])
        return f"exists (select from {self.table} o where {where})"


@dataclass(frozen=True, slots=True)
class Case:
    """One schema: how it is built, who acts in it, and what its words mean to operators and probes.

    `build` makes the database that tools judge (schema and rows); `world` adds what only the oracle needs.
    `anchors` are tables whose rows are records, `accounts` those whose keys are people.
    `interesting` are record ids, the much shared one first. `weaker` maps a helper call to one that lets
    more people in, `lower` an argument of a helper likewise. `trusted` are tables whose rows open something,
    `openings` those as policies would test them; `column` is what a row calls its record; `reach` are
    relations that show whether a record is reached. `ignored` helpers change nothing that a person could do.
    """

    name: str
    key: str
    build: Callable[[str], object]
    world: Callable[[Connection], None]
    actors: Callable[[Connection], dict[str, Actor]]
    anchors: tuple[str, ...]
    accounts: tuple[str, ...]
    interesting: tuple[str, ...]
    chains: Mapping[str, tuple[Step, ...]]
    texts: Mapping[str, tuple[str, ...]]
    weaker: tuple[tuple[str, str], ...]
    reference: frozenset[str]
    trusted: tuple[str, ...]
    column: str
    openings: tuple[Opening, ...]
    reach: tuple[str, ...]
    lower: Mapping[str, str]
    ignored: frozenset[str]
    topics: tuple[str, ...]
    paths: tuple[str, ...] = ()
