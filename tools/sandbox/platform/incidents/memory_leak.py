"""A release keeps every rendered timeline: memory climbs whatever the load is, a restart gives it back."""

from __future__ import annotations

from tools.sandbox.platform import failures
from tools.sandbox.platform.effects import Behaviour, Effect, Line
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import WEB, Incident, Scene


def story(scene: Scene) -> None:
    """Memory grows in a straight line since the deploy and ends at the limit every few hours."""
    hours = scene.some(9, 14)
    effect = Effect(
        crash_every=hours / 2.6 * 3600,
        crash=failures.out_of_memory("4Gi"),
        memory_mb_per_hour=3150 / (hours / 2.6),
        lines=(Line("warn gc pause ms={big}", 0.6, "warning"),),
    )
    scene.release(
        WEB, "Timeline: keep rendered pages for the next visit", Behaviour(effect=effect), hours * 60
    )


INCIDENT = Incident("memory-leak", Cause.MEMORY_LEAK, WEB, story)
