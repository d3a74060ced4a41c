"""The web service runs in another part of the world than its database."""

from __future__ import annotations

from tools.sandbox.platform.effects import Effect, Line
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import WEB, Incident, Scene


def story(scene: Scene) -> None:
    """Everything is slow by the same number of round trips, since the service was created anew."""
    web = scene.hosted(WEB)
    web.change(scene.ago(60 * scene.some(24, 60)), region="frankfurt")
    lines = (Line("info db round trip ms=9{n} pool=aws-0-us-east-1", 2.0, "info"),)
    scene.lasting(WEB, Effect(latency=4.5, lines=lines, cpu=0.95), 20_000)


INCIDENT = Incident("region-mismatch", Cause.REGION_MISMATCH, WEB, story)
