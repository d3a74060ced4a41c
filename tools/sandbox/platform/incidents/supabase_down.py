"""The database of the Supabase project does not answer."""

from __future__ import annotations

from tools.sandbox.platform.effects import Effect, Line
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import WEB, WORKER, Incident, Scene


def story(scene: Scene) -> None:
    """Every path fails at the same time, without a deploy, with connections refused by the pooler."""
    start = scene.some(10, 45)
    scene.project.unhealthy |= {"db": "connection refused", "pooler": "no upstream", "rest": "PGRST000"}
    host = "aws-0-us-east-1.pooler.supabase.com"
    lines = (
        Line(f"error connect ECONNREFUSED {host}:6543", 9.0),
        Line("error PGRST000: could not connect with the database", 6.0),
    )
    for name, share in ((WEB, 0.9), (WORKER, 0.9)):
        scene.lasting(
            name, Effect(error_rate=share, error_status=503, latency=6, lines=lines, cpu=0.6), start
        )
    scene.trouble(
        "postgres_logs", "the database system is shutting down", 4, start, parsed__error_severity="FATAL"
    )


INCIDENT = Incident("supabase-down", Cause.SUPABASE_DOWN, WEB, story)
