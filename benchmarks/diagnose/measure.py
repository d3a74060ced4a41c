"""Planting an incident, diagnosing it through the API alone, and counting."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tools.http.secret import Secret
from tools.render.client import RenderClient
from tools.render.diagnosing.evidence import Snapshot
from tools.render.diagnosing.ranking import Diagnosis, diagnose
from tools.render.diagnosing.reading import read
from tools.resources import Resources
from tools.sandbox.platform import OWNER, RENDER_ADMIN, SUPABASE_ADMIN, Platform
from tools.supabase.client import SupabaseClient


class Case(Protocol):
    """An incident that can be planted; `cause` is the name of the right one, empty for none."""

    @property
    def name(self) -> str: ...
    @property
    def service(self) -> str: ...
    @property
    def cause(self) -> str: ...
    def plant(self, platform: Platform, seed: int = 1) -> None: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """One incident of one seed, and what was said of it."""

    name: str
    seed: int
    cause: str
    named: str
    """The cause that was named first, empty where none was."""
    rank: int
    """The place of the right one, from 1; 0 where it was not found."""
    confidence: str
    calls: int

    @property
    def right(self) -> bool:
        """Whether the right cause was named first."""
        return self.named == self.cause


def connected(platform: Platform) -> Resources:
    """The resources of somebody who has both keys to this platform."""
    clock = platform.clock
    more: dict[str, Any] = {
        "transport": platform.transport(),
        "pause": clock.sleep,
        "clock": lambda: clock.now().timestamp(),
    }
    return Resources(
        render_or_none=RenderClient(Secret(RENDER_ADMIN.text), owner=OWNER, **more),
        supabase_or_none=SupabaseClient(
            Secret(SUPABASE_ADMIN.text), project_ref=platform.project.ref if platform.project else "", **more
        ),
        now=clock.now,
        pause=clock.sleep,
    )


async def seen(platform: Platform, service: str, hours: float = 6) -> tuple[Snapshot, Diagnosis]:
    """The snapshot and the diagnosis of a service."""
    resources = connected(platform)
    found = await resources.render.get_service(platform.world.named(service).spec.id)
    snapshot = await read(resources, found, hours)
    await resources.render.close()
    await resources.supabase.close()
    return snapshot, diagnose(snapshot)


def tried(case: Case, world: Callable[[], Platform], seed: int, hours: float = 6) -> Outcome:
    """Plant, diagnose, compare."""
    platform = world()
    case.plant(platform, seed)
    _, found = asyncio.run(seen(platform, case.service, hours))
    names = [each.cause.name for each in found.ranked]
    rank = names.index(case.cause) + 1 if case.cause in names else 0
    top = found.top
    return Outcome(
        case.name,
        seed,
        str(case.cause),
        top.cause.name if top else "",
        rank,
        top.confidence if top else "",
        len(platform.requests),
    )


def measure(cases: Sequence[Case], world: Callable[[], Platform], seeds: Iterable[int]) -> list[Outcome]:
    """Every incident with every seed."""
    return [tried(case, world, seed) for seed in seeds for case in cases]


def report(title: str, outcomes: Sequence[Outcome]) -> str:
    """The share that was right, and every confusion."""
    right = sum(each.right for each in outcomes)
    among = sum(each.right or 1 <= each.rank <= 3 for each in outcomes)
    many = len(outcomes)
    calls = sorted(each.calls for each in outcomes)
    share = f"top 1 right in {right} of {many} ({right / many:.1%}), among the first three {among / many:.1%}"
    lines = [f"{title}: {share}; {calls[many // 2]} requests in the middle, {calls[-1]} at most"]
    wrong = Counter(
        (e.name, e.cause or "nothing", e.named or "nothing", e.rank) for e in outcomes if not e.right
    )
    for (name, cause, named, rank), times in sorted(wrong.items()):
        where = f"right one in place {rank}" if rank else "right one not found"
        lines.append(f"  {name}: {named} instead of {cause}, {times} times ({where})")
    sure = [e for e in outcomes if e.confidence in ("confirmed", "likely")]
    if sure:
        hit = sum(e.right for e in sure)
        lines.append(
            f"  where it said confirmed or likely: {hit} of {len(sure)} right ({hit / len(sure):.1%})"
        )
    return "\n".join(lines)
