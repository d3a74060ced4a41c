"""The Key Value instance that holds the queue does not answer."""

from __future__ import annotations

from tools.sandbox.platform.effects import Effect, Line
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import WEB, WORKER, Incident, Scene


def story(scene: Scene) -> None:
    """The worker claims nothing and says where it cannot connect; uploads fail to queue."""
    start = scene.some(12, 50)
    key, record = next(iter(scene.world.kind("key-value").items()))
    record["status"] = "unavailable"
    lines = (
        Line(f"error [ioredis] Unhandled error event: connect ECONNREFUSED {key}:6379", 8.0),
        Line("warn no job claimed, queue not reachable", 3.0, "warning"),
    )
    scene.lasting(WORKER, Effect(traffic=0.02, lines=lines, cpu=0.4), start)
    failed = (Line(f"error document not queued: connect ECONNREFUSED {key}:6379", 6.0),)
    scene.lasting(WEB, Effect(error_rate=0.8, path="/api/documents", error_status=503, lines=failed), start)


INCIDENT = Incident("key-value-down", Cause.KEY_VALUE_DOWN, WORKER, story)
