"""Passes need all of the CPU of the only instance."""

from __future__ import annotations

from tools.sandbox.platform.effects import Effect, Line
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import WORKER, Incident, Scene


def story(scene: Scene) -> None:
    """The CPU stands at its limit, jobs take long, memory is fine."""
    start = scene.some(60, 180)
    lines = (
        Line("warn heartbeat late ms={slow}", 3.0, "warning"),
        Line("warn event loop delay ms={big}", 3.0, "warning"),
    )
    scene.lasting(WORKER, Effect(cpu=scene.dice.uniform(4.6, 5.5), latency=2.5, lines=lines), start)


INCIDENT = Incident("cpu-saturation", Cause.CPU_SATURATION, WORKER, story)
