"""The JavaScript heap is capped far below what the plan offers."""

from __future__ import annotations

from tools.sandbox.platform import failures
from tools.sandbox.platform.effects import Effect
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import WORKER, Incident, Scene


def story(scene: Scene) -> None:
    """The process aborts by itself, with code 134, while a good part of the instance is free."""
    start = scene.some(50, 140)
    scene.hosted(WORKER).env["NODE_OPTIONS"] = "--max-old-space-size=1024"
    scene.audit("UpdateEnvVarsEvent", {"serviceId": scene.hosted(WORKER).spec.id}, start + 8)
    scene.redeploy(WORKER, "service_updated", start + 7)
    words = (
        "<--- Last few GCs --->",
        "[71:0x6f2d]   481922 ms: Mark-Compact (reduce) 1021.8 (1027.4) -> 1021.5 (1027.4) MB",
        "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
    )
    effect = Effect(crash_every=scene.some(11, 19) * 60, crash=failures.exited(134), last_words=words)
    scene.lasting(WORKER, effect, start)


INCIDENT = Incident("heap-too-small", Cause.HEAP_TOO_SMALL, WORKER, story)
