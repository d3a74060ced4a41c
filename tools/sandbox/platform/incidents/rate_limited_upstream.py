"""The vision provider counts our requests and refuses the surplus."""

from __future__ import annotations

from tools.sandbox.platform.effects import Effect, Line
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import WORKER, Incident, Scene


def story(scene: Scene) -> None:
    """Passes fail with 429 while the night of documents is being worked off."""
    start = scene.some(20, 90)
    lines = (
        Line("error job {job} pass=vision: 429 Too Many Requests (retry-after 30)", 7.0),
        Line("warn job {job} backing off 30 s", 5.0, "warning"),
    )
    scene.lasting(WORKER, Effect(error_rate=0.45, traffic=2.2, latency=3, lines=lines), start)


INCIDENT = Incident("rate-limited-upstream", Cause.RATE_LIMITED_UPSTREAM, WORKER, story)
