"""The service role key was rotated in Supabase, and the worker still has the old one."""

from __future__ import annotations

from tools.sandbox.platform.effects import Effect, Line
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import WORKER, Incident, Scene


def story(scene: Scene) -> None:
    """Every call to the project is refused since the rotation; nothing was deployed."""
    start = scene.some(20, 90)
    lines = (Line("error job {job} update failed: 401 Invalid API key", 8.0),)
    scene.lasting(WORKER, Effect(error_rate=0.95, lines=lines), start)
    scene.trouble("edge_logs", "PATCH | 401 | /rest/v1/jobs", 8, start, response__status_code="401")


INCIDENT = Incident("rotated-secret", Cause.EXPIRED_SECRET, WORKER, story)
