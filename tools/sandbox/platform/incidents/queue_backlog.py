"""Documents arrive faster than the one job at a time that the worker may take."""

from __future__ import annotations

from tools.sandbox.platform.effects import Effect
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import WORKER, Incident, Scene


def story(scene: Scene) -> None:
    """The queue grows while the worker is healthy and has CPU and memory to spare."""
    start = scene.some(150, 400)
    scene.hosted(WORKER).env["WORKER_CONCURRENCY"] = "1"
    scene.audit("UpdateEnvVarsEvent", {"serviceId": scene.hosted(WORKER).spec.id}, start + 4)
    scene.redeploy(WORKER, "service_updated", start + 3)
    scene.lasting(WORKER, Effect(traffic=0.3, cpu=0.5), start)
    for step in range(1, 30):
        minutes = start * (1 - step / 30)
        depth, oldest = step * scene.some(48, 60), int(start * step / 30)
        scene.wrote(WORKER, minutes, f"warn heartbeat jobs=1 queue={depth} oldest={oldest}m", "warning")


INCIDENT = Incident("queue-backlog", Cause.QUEUE_BACKLOG, WORKER, story)
