"""A variable was deleted; only the share dialog needs it, at run time."""

from __future__ import annotations

from tools.sandbox.platform.effects import Effect, Line
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import WEB, Incident, Scene


def story(scene: Scene) -> None:
    """One path fails with 500 since the redeploy after the change, and its log says what is undefined."""
    start = scene.some(30, 120)
    scene.hosted(WEB).env.pop("SESSION_SECRET")
    scene.audit("DeleteEnvVarsEvent", {"serviceId": scene.hosted(WEB).spec.id}, start + 4)
    scene.redeploy(WEB, "service_updated", start + 3)
    lines = (
        Line("error POST /api/share Error: SESSION_SECRET is not defined", 5.0),
        Line("    at requireEnv (/opt/render/project/src/dist/env.js:12:9)", 5.0),
    )
    scene.lasting(WEB, Effect(error_rate=0.95, path="/api/share", lines=lines), start)


INCIDENT = Incident("missing-env-var-live", Cause.MISSING_ENV_VAR, WEB, story)
