"""More people came than the upper bound of autoscaling allows instances for."""

from __future__ import annotations

from tools.sandbox.platform.effects import Effect, Line
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import WEB, Incident, Scene


def story(scene: Scene) -> None:
    """Requests more than double, all instances that are allowed run, and all are busy."""
    start = scene.some(40, 90)
    effect = Effect(traffic=scene.dice.uniform(5.6, 6.4), fades_in=900)
    scene.lasting(WEB, effect, start)
    scene.lasting(WEB, Effect(lines=(Line("warn event loop delay ms={big}", 2.0, "warning"),)), start - 15)


INCIDENT = Incident("autoscaling-at-max", Cause.AUTOSCALING_AT_MAX, WEB, story)
