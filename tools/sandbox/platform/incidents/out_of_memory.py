"""The worker takes more documents at once than its plan has memory for."""

from __future__ import annotations

from tools.sandbox.platform import failures
from tools.sandbox.platform.effects import Effect, Line
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import WORKER, Incident, Scene


def story(scene: Scene) -> None:
    """Concurrency was raised, then the kernel kills the instance again and again under load."""
    start = scene.some(70, 160)
    scene.hosted(WORKER).env["WORKER_CONCURRENCY"] = "14"
    scene.hosted(WORKER).env["NODE_OPTIONS"] = "--max-old-space-size=3072"
    scene.audit("UpdateEnvVarsEvent", {"serviceId": scene.hosted(WORKER).spec.id}, start + 6)
    scene.redeploy(WORKER, "service_updated", start + 5)
    lines = (Line("info heartbeat jobs=14 queue={n} rss=3800MB", 2.0, "info"),)
    oom = failures.out_of_memory("4Gi")
    scene.lasting(WORKER, Effect(crash_every=scene.some(9, 14) * 60, crash=oom, lines=lines, cpu=1.6), start)


INCIDENT = Incident("out-of-memory", Cause.OUT_OF_MEMORY, WORKER, story)
