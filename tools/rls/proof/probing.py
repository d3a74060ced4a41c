"""Runs probes in the scratch copy, many in one round trip, as one caller."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from tools.rls.proof.actors import Actor
from tools.sandbox.scratch.session import ScratchSession, SqlFailure

DRIVER: Final = Path(__file__).with_name("driver.sql")
BATCH: Final = 400
SECONDS: Final = 20


@dataclass(frozen=True, slots=True)
class Seen:
    """What one reading query gave: ids, or the SQLSTATE it failed with."""

    ids: frozenset[str]
    state: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One statement to try. `opener` runs before it in the same attempt; `trace` shows what it left."""

    statement: str
    trace: str = ""
    opener: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attempt. `state` is empty when it went through; `opened` is the opener's SQLSTATE."""

    attempt: Attempt
    state: str
    message: str
    affected: int
    answer: str | None
    trace: Any
    seen: Mapping[int, frozenset[str]] = field(default_factory=dict[int, frozenset[str]])
    opened: str = ""

    @property
    def worked(self) -> bool:
        """Whether it changed or returned something."""
        return not self.state and self.affected > 0

    @property
    def constrained(self) -> bool:
        """Whether a constraint refused it: those come after policies and triggers, which had let it pass."""
        return self.state.startswith("23") and "violates" in self.message


class Probing:
    """Probes over one session. Counts them; a batch that runs out of time is halved."""

    def __init__(self, session: ScratchSession) -> None:
        self.session = session
        self.count = 0
        self.gaps: list[tuple[str, str]] = []

    def install(self) -> None:
        """Create the driver's functions. The caller commits."""
        self.session.script(DRIVER.read_text(encoding="utf-8"))
        self.limit()

    def limit(self) -> None:
        """Let no batch run for ever."""
        self.session.script(f"set statement_timeout = '{SECONDS}s'")
        self.session.commit()

    def reads(self, actor: Actor, queries: Sequence[str]) -> list[Seen]:
        """What the actor reads with each query (each gives one array of ids)."""
        if not queries:
            return []
        self.count += len(queries)
        try:
            rows = self._run(
                "select ids, state, message from sergei_proof.reads(%s, %s::jsonb, %s::text[])",
                [actor.role, settings_of(actor), list(queries)],
            )
        except SqlFailure as failure:
            if len(queries) == 1:
                return [Seen(frozenset(), failure.sqlstate, failure.message)]
            half = len(queries) // 2
            return [*self.reads(actor, queries[:half]), *self.reads(actor, queries[half:])]
        return [Seen(frozenset(ids or ()), state, message) for ids, state, message in rows]

    def attempts(
        self,
        actor: Actor,
        attempts: Sequence[Attempt],
        queries: Sequence[str] = (),
        base: Sequence[str | None] = (),
    ) -> list[Outcome]:
        """Try each statement, rolled back; with `queries`, what is read afterwards where not as in `base`."""
        found: list[Outcome] = []
        for start in range(0, len(attempts), BATCH):
            found += self._batch(actor, attempts[start : start + BATCH], queries, base)
        return found

    def _batch(
        self, actor: Actor, attempts: Sequence[Attempt], queries: Sequence[str], base: Sequence[str | None]
    ) -> list[Outcome]:
        self.count += len(attempts)
        try:
            rows = self._run(
                "select state, message, affected, answer, trace, seen, opened from sergei_proof.attempts("
                "%s, %s::jsonb, %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])",
                [
                    actor.role,
                    settings_of(actor),
                    [one.opener or None for one in attempts],
                    [one.statement for one in attempts],
                    [one.trace or None for one in attempts],
                    list(queries),
                    list(base),
                ],
            )
        except SqlFailure as failure:
            if len(attempts) == 1:
                return [Outcome(attempts[0], failure.sqlstate, failure.message, 0, None, None)]
            half = len(attempts) // 2
            return [
                *self._batch(actor, attempts[:half], queries, base),
                *self._batch(actor, attempts[half:], queries, base),
            ]
        return [
            Outcome(
                attempt,
                state,
                message,
                affected,
                answer,
                trace,
                {
                    int(number) - 1: _array(ids)
                    for number, ids in cast("dict[str, str | None]", seen or {}).items()
                },
                opened,
            )
            for attempt, (state, message, affected, answer, trace, seen, opened) in zip(
                attempts, rows, strict=True
            )
        ]

    def answers(self, actor: Actor, queries: Sequence[str]) -> list[str | None]:
        """The single text value of each query (it begins with `select `), None where it fails or is null."""
        return [outcome.answer for outcome in self.attempts(actor, [Attempt(query) for query in queries])]

    def _run(self, statement: str, params: list[Any]) -> list[tuple[Any, ...]]:
        """One round trip that leaves no trace, role or setting."""
        with self.session.savepoint(keep=False):
            return self.session.rows(statement, params)


def settings_of(actor: Actor) -> str:
    """The settings of an actor's session, as JSON text."""
    settings = dict(actor.settings)
    if actor.claims:
        settings["request.jwt.claims"] = actor.claims_text
        settings["request.jwt.claim.sub"] = actor.account
        settings["request.jwt.claim.role"] = actor.role
        settings["request.jwt.claim.email"] = str(actor.claims.get("email", ""))
    return json.dumps(settings)


def _array(text: str | None) -> frozenset[str]:
    """The members of an array of ids as PostgreSQL prints it; ids hold nothing that it would quote."""
    return frozenset(filter(None, (text or "").strip("{}").split(",")))


def array_text(ids: frozenset[str]) -> str | None:
    """The same the other way, sorted as the reading queries sort."""
    return "{" + ",".join(sorted(ids)) + "}" if ids else None
