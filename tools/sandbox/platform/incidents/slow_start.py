"""The new release warms a cache before it listens, and takes longer than the health check waits."""

from __future__ import annotations

from tools.sandbox.platform import failures
from tools.sandbox.platform.effects import Behaviour
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import WEB, Incident, Scene


def story(scene: Scene) -> None:
    """Progress is logged until Render gives up."""
    steps = tuple(f"info warming code tables: {part} %" for part in (4, 11, 19, 28, 36, 45, 53, 61))
    reason = failures.unhealthy("HTTP health check failed (timed out after 5 seconds)")
    behaviour = Behaviour(update="fails", update_seconds=900, update_lines=steps, update_reason=reason)
    scene.release(WEB, "Load medical code tables before the first request", behaviour, scene.some(25, 80))


INCIDENT = Incident("slow-start", Cause.SLOW_START, WEB, story)
