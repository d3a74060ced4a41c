"""The timeline query lost its index and reads a whole table."""

from __future__ import annotations

from tools.sandbox.platform.effects import Effect, Line
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import WEB, Incident, Scene


def story(scene: Scene) -> None:
    """One path is slow and times out, the service itself is idle, the database log names the statement."""
    start = scene.some(60, 240)
    statement = "select * from clinical_events where profile_id = $1 order by occurred_at desc limit 50"
    lines = (
        Line("error GET /api/timeline canceling statement due to statement timeout (SQLSTATE 57014)", 3.0),
        Line("warn slow query ms={slow} select * from clinical_events where profile_id", 6.0, "warning"),
    )
    scene.lasting(WEB, Effect(latency=14, error_rate=0.08, path="/api/timeline", lines=lines, cpu=0.8), start)
    text = f"duration: {{slow}}.204 ms  execute <unnamed>: {statement}"
    scene.trouble("postgres_logs", text, 6, start, "info", parsed__error_severity="LOG")
    scene.trouble(
        "postgres_logs",
        "canceling statement due to statement timeout",
        2,
        start,
        parsed__error_severity="ERROR",
    )


INCIDENT = Incident("slow-queries", Cause.SLOW_QUERIES, WEB, story)
