"""The worker was scaled out and its pools together exceed what the pooler allows."""

from __future__ import annotations

from tools.sandbox.platform.effects import Effect, Line
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import WORKER, Incident, Scene


def story(scene: Scene) -> None:
    """Since more instances run, jobs fail to get a connection."""
    start = scene.some(30, 90)
    scene.hosted(WORKER).change(scene.ago(start), num_instances=8)
    scene.note(WORKER, "instance_count_changed", {"fromInstances": 1, "toInstances": 8}, start)
    lines = (Line("error job {job} MaxClientsInSessionMode: max clients reached", 8.0),)
    scene.lasting(WORKER, Effect(error_rate=0.5, lines=lines, cpu=0.5), start - 2)
    text = (
        "MaxClientsInSessionMode: max clients reached - in Session mode max clients are limited to pool_size"
    )
    scene.trouble("supavisor_logs", text, 5, start - 2)


INCIDENT = Incident("worker-connections", Cause.DATABASE_CONNECTIONS_EXHAUSTED, WORKER, story)
