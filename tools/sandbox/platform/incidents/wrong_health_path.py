"""The health check asks for a path that the application does not have."""

from __future__ import annotations

from tools.sandbox.platform.effects import Behaviour
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import WEB, Incident, Scene


def story(scene: Scene) -> None:
    """The update fails after fifteen minutes of 404; the old release serves."""
    start = scene.some(30, 100)
    scene.hosted(WEB).change(scene.ago(start + 3), health_check_path="/healthz")
    scene.release(WEB, "Settings page: language", Behaviour(), start)


INCIDENT = Incident("wrong-health-path", Cause.WRONG_HEALTH_PATH, WEB, story)
