"""A value in the shared environment group was changed to a host that does not exist."""

from __future__ import annotations

from tools.sandbox.platform.effects import Effect, Line
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import WEB, WORKER, Incident, Scene


def story(scene: Scene) -> None:
    """Services that share the group were redeployed together, and fail alike since then."""
    start = scene.some(15, 60)
    group = next(iter(scene.world.kind("env-groups").values()))
    group["envVars"]["QUEUE_URL"] = "redis://red-d0staging0queue00000:6379"
    scene.audit("UpdateEnvVarsEvent", {"envGroupId": group["id"], "name": group["name"]}, start + 4)
    lines = (Line("error connect ENOTFOUND red-d0staging0queue00000:6379 (QUEUE_URL)", 6.0),)
    for name in (WEB, WORKER):
        scene.redeploy(name, "service_updated", start + 3)
    scene.lasting(
        WEB, Effect(error_rate=0.7, path="/api/documents", error_status=503, lines=lines), start + 1
    )
    scene.lasting(WORKER, Effect(traffic=0.02, lines=lines), start + 1)


INCIDENT = Incident("env-group-change", Cause.ENV_GROUP_CHANGE, WEB, story)
