"""The provider of the vision pass answers 503."""

from __future__ import annotations

from tools.sandbox.platform.effects import Effect, Line
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import WORKER, Incident, Scene


def story(scene: Scene) -> None:
    """Only vision passes fail, everything else goes on."""
    start = scene.some(20, 90)
    lines = (
        Line(
            "error job {job} pass=vision failed: api.visionprovider.example answered 503 Service Unavailable",
            7.0,
        ),
        Line("warn job {job} pass=vision retry in 60 s", 5.0, "warning"),
    )
    scene.lasting(WORKER, Effect(error_rate=0.4, latency=2.5, lines=lines), start)


INCIDENT = Incident("third-party-down", Cause.THIRD_PARTY_DOWN, WORKER, story)
