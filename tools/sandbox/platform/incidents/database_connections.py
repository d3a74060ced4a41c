"""A release opens a pool per request handler; the database runs out of connection slots."""

from __future__ import annotations

from tools.sandbox.platform.effects import Behaviour, Effect, Line
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import WEB, Incident, Scene


def story(scene: Scene) -> None:
    """Errors begin some minutes after the deploy, as connections add up."""
    start = scene.some(30, 90)
    text = "remaining connection slots are reserved for roles with the SUPERUSER attribute"
    lines = (
        Line(f"error FATAL: {text} (SQLSTATE 53300)", 7.0),
        Line("warn timeout acquiring a client from pool", 4.0),
    )
    effect = Effect(error_rate=0.3, error_status=500, latency=5, lines=lines, fades_in=600)
    scene.release(WEB, "Each route module sets up its own database client", Behaviour(effect=effect), start)
    scene.trouble(
        "postgres_logs", text, 6, start - 8, parsed__error_severity="FATAL", parsed__sql_state_code="53300"
    )


INCIDENT = Incident("database-connections", Cause.DATABASE_CONNECTIONS_EXHAUSTED, WEB, story)
