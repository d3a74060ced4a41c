"""Maintenance mode was switched on and not off again."""

from __future__ import annotations

from tools.sandbox.platform.effects import Effect
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import WEB, Incident, Scene


def story(scene: Scene) -> None:
    """Nobody is served, and the application is well."""
    start = scene.some(30, 200)
    scene.hosted(WEB).change(scene.ago(start), maintenance=True)
    scene.note(WEB, "maintenance_mode_enabled", {"enabled": True}, start)
    scene.audit("MaintenanceModeEnabledEvent", {"serviceId": scene.hosted(WEB).spec.id}, start)
    scene.lasting(WEB, Effect(error_rate=1.0, error_status=503, cpu=0.1), start)


INCIDENT = Incident("maintenance-mode", Cause.MAINTENANCE_MODE, WEB, story)
