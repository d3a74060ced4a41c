"""What was worked out of the state of a resource, kept for as long as that state stays the same.

Signals and log lines are functions of the world; each metric and each filter asks for the same ones again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

from tools.sandbox.platform.effects import Active
from tools.sandbox.platform.world import LogLine, World

if TYPE_CHECKING:
    from tools.sandbox.platform.signals import Signals

SIGNALS_AT_MOST: Final = 50_000
MINUTES_AT_MOST: Final = 2_000


@dataclass
class Memo:
    """The results for one resource, each under the moment that it is of."""

    state: tuple[object, ...]
    own: list[Active] = field(default_factory=list[Active])
    """The effects that were put on the resource itself."""
    releases: list[tuple[datetime, Active | None]] = field(
        default_factory=list[tuple[datetime, Active | None]]
    )
    """From when on which release serves, and its effect where it has one; oldest first."""
    signals: dict[datetime, Signals] = field(default_factory=dict[datetime, "Signals"])
    needed: dict[tuple[datetime, datetime], int] = field(default_factory=dict[tuple[datetime, datetime], int])
    """How many instances autoscaling wants at a moment, by the sizing since a moment."""
    lines: dict[datetime, list[LogLine]] = field(default_factory=dict[datetime, list[LogLine]])
    """What the normal day and the effects write in a minute, oldest first."""


def memo(world: World, resource: str) -> Memo:
    """The results that still hold; none when anything that they follow from has changed."""
    state = _state(world, resource)
    kept = world.memos.get(resource)
    if (
        not isinstance(kept, Memo)
        or kept.state != state  # mostly the same objects: quick
        or len(kept.signals) > SIGNALS_AT_MOST
        or len(kept.lines) > MINUTES_AT_MOST
    ):
        kept = world.memos[resource] = Memo(state)
        _note_effects(world, resource, kept)
    return kept


def _state(world: World, resource: str) -> tuple[object, ...]:
    hosted = world.services.get(resource)
    shared = (world.seed, tuple(world.effects), tuple(world.behaviours), tuple(world.behaviours.values()))
    if hosted:
        lists = (tuple(hosted.deploys), tuple(hosted.sizing), tuple(hosted.restarts))
        return (*shared, hosted.spec, hosted.profile, *lists)
    records = (world.kind(kind).get(resource) for kind in ("postgres", "key-value"))
    return (*shared, world.profiles.get(resource), *(record and record["plan"] for record in records))


def _note_effects(world: World, resource: str, found: Memo) -> None:
    found.own.extend(each for each in world.effects if each.resource == resource)
    hosted = world.services.get(resource)
    for start, release in hosted.lives if hosted else ():
        effect = world.behaviour(release).effect
        found.releases.append((start, Active(resource, effect, start) if effect.changes else None))
