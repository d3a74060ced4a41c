"""The nightly sweep no longer ends within the twelve hours that a run may take."""

from __future__ import annotations

from tools.sandbox.platform import failures
from tools.sandbox.platform.effects import Effect, Line
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import SWEEP, Incident, Scene


def story(scene: Scene) -> None:
    """Runs are ended by Render; the log shows slow progress."""
    effect = Effect(
        crash_every=86_400,
        crash=failures.timed_out(43_200, "cron job run timed out"),
        lines=(Line("info 1.2 % of {big}00 objects examined", 1.0, "info"),),
    )
    scene.lasting(SWEEP, effect, scene.some(2, 4) * 1440)


INCIDENT = Incident("cron-timeout", Cause.CRON_TIMEOUT, SWEEP, story)
