"""What else goes on in a workspace while something is wrong: true, and beside the point."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Final

from tools.sandbox.platform.effects import Active, Effect, Line
from tools.sandbox.platform.platform import Platform

WARNINGS: Final = (
    Line("warn (node:71) [DEP0040] DeprecationWarning: The `punycode` module is deprecated", 0.05, "warning"),
    Line("warn retry 1 of 5: push gateway answered slowly ms={slow}", 0.15, "warning"),
    Line("error validation failed: dosage of {drug} is out of range for {patient}", 0.12, "error"),
    Line("warn cache miss rate above 40 % for feature flags", 0.1, "warning"),
    Line("error upload aborted by client file={doc}", 0.08, "error"),
)
CLIENT_NOISE: Final = "warn refused token of a signed-out session ip={ip}"


def distract(platform: Platform, dice: random.Random, service: str) -> None:
    """Harmless warnings everywhere, an old restart, a commit ignored elsewhere, a slow half hour."""
    world, now = platform.world, platform.clock.now()
    for hosted in world.services.values():
        spec = hosted.spec
        if spec.kind in ("cron_job", "static_site"):
            continue
        lines = tuple(dice.sample(WARNINGS, 2))
        start = now - timedelta(days=14)
        world.effects.append(
            Active(spec.id, Effect(lines=(*lines, Line(CLIENT_NOISE, 0.1, "warning"))), start)
        )
        if dice.random() < 0.5:
            at = now - timedelta(days=dice.uniform(2, 9))
            hosted.restarts.append(at)
            world.happened(spec.id, at, "server_restarted", {"triggeredByUser": "usr-d1person1"})
    others = [each for each in world.services.values() if each.spec.name != service]
    other = dice.choice(others).spec
    at = now - timedelta(hours=dice.uniform(3, 40))
    world.happened(
        other.id, at, "commit_ignored", {"id": f"{dice.getrandbits(160):040x}", "url": other.repo or ""}
    )
    if dice.random() < 0.5:
        end = now - timedelta(days=dice.uniform(1.5, 6))
        wobble = Effect(latency=dice.uniform(1.3, 1.8))
        web = world.named("guardian-web").spec.id
        world.effects.append(Active(web, wobble, end - timedelta(minutes=25), end))
