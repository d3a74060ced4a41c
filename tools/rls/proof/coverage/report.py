"""The measurement as conditions for a verdict, in figures, and as rows that a world still lacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tools.rls.proof.actors import Actor
from tools.rls.proof.coverage.measuring import Measurement
from tools.rls.proof.coverage.plans import plans
from tools.rls.proof.coverage.texts import readable
from tools.rls.proof.coverage.variants import Variant, suggested
from tools.rls.proof.verdict import Condition
from tools.rls.reach import reach
from tools.rls.snapshot import Snapshot
from tools.sandbox.scratch.session import ScratchSession


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was decided, and the values that would help to decide more."""

    conditions: tuple[Condition, ...]
    variants: tuple[Variant, ...]


def measure(
    session: ScratchSession, snapshot: Snapshot, actors: Sequence[Actor], *, budget_seconds: float
) -> tuple[Condition, ...]:
    """Every atomic condition of policies, of the helpers that they reach and of the views that these read.

    The session is a superuser's on a scratch copy that holds the world; nothing that is done here stays.
    """
    return examine(session, snapshot, actors, budget_seconds=budget_seconds).conditions


def examine(
    session: ScratchSession, snapshot: Snapshot, actors: Sequence[Actor], *, budget_seconds: float
) -> Coverage:
    """As measure(), with the column values that the world lacks for atoms that were seen one way only."""
    measurement = Measurement(session, snapshot, actors)
    measurement.run(tuple(plans(snapshot, reach(snapshot))), budget_seconds)
    return Coverage(tuple(_conditions(measurement)), suggested(session, snapshot, measurement.atoms))


def summary(conditions: Sequence[Condition]) -> str:
    """`212 of 230 conditions decided both ways; 3 not measured`."""
    measured = [condition for condition in conditions if not condition.unmeasured]
    both = sum(condition.decided_true and condition.decided_false for condition in measured)
    left = len(conditions) - len(measured)
    said = f"{both} of {len(measured)} conditions decided both ways"
    return said + (f"; {left} not measured" if left else "")


def _conditions(measurement: Measurement) -> list[Condition]:
    found: dict[tuple[str, str], Condition] = {}
    for atom in measurement.atoms:
        text = readable(atom.block.split.atoms[atom.number], atom.block.aliases)
        key = (atom.block.where, text)
        earlier = found.get(key)
        true, false = True in atom.seen, False in atom.seen
        reason = "" if true and false else atom.reason or atom.hindered
        if earlier is not None:
            true, false = true or earlier.decided_true, false or earlier.decided_false
            reason = reason and earlier.unmeasured
        found[key] = Condition(
            where=atom.block.where, text=text, decided_true=true, decided_false=false, unmeasured=reason
        )
    return list(found.values())
