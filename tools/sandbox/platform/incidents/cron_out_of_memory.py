"""The nightly sweep reads all candidates into memory and its small plan kills it."""

from __future__ import annotations

from tools.sandbox.platform import failures
from tools.sandbox.platform.effects import Effect, Line
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import SWEEP, Incident, Scene


def story(scene: Scene) -> None:
    """For some nights every run ends at the memory limit, after counting more rows than before."""
    nights = scene.some(2, 4)
    lines = (
        Line("info candidates loaded: {big}120", 1.0, "info"),
        Line("info removing batch 1", 1.0, "info"),
    )
    effect = Effect(crash_every=86_400, crash=failures.out_of_memory("512Mi"), lines=lines, memory=2.7)
    scene.lasting(SWEEP, effect, nights * 1440)


INCIDENT = Incident("cron-out-of-memory", Cause.OUT_OF_MEMORY, SWEEP, story)
