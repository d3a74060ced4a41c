"""Writes that one actor tries in one go, and how they are carried out over a session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tools.rls.proof.actors import Actor
from tools.rls.proof.probing import Attempt, Outcome, Probing
from tools.rls.proof.writing import Write

DEADLOCK: Final = "40P01"
DEADLOCKS: Final = 5


@dataclass(frozen=True, slots=True)
class Plan:
    """Writes of one actor, each after `opener` where there is one, and what is read again afterwards."""

    actor: Actor
    writes: tuple[Write, ...]
    opener: str
    texts: tuple[str, ...]
    base: tuple[str | None, ...]


def carried_out(lane: Probing, plan: Plan) -> list[Outcome]:
    """A plan carried out over one session; what a deadlock with another session ended is tried again."""
    attempts = [Attempt(write.sql, trace=write.witness, opener=plan.opener) for write in plan.writes]
    found = lane.attempts(plan.actor, attempts, plan.texts, plan.base) if attempts else []
    for _ in range(DEADLOCKS):
        again = [number for number, outcome in enumerate(found) if outcome.state == DEADLOCK]
        if not again:
            break
        for number in again:
            found[number] = lane.attempts(plan.actor, [attempts[number]], plan.texts, plan.base)[0]
    return found
