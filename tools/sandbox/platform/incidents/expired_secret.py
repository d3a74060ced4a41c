"""The key of the SMS provider ran out."""

from __future__ import annotations

from tools.sandbox.platform import failures
from tools.sandbox.platform.effects import Effect, Line
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import REMINDERS, Incident, Scene


def story(scene: Scene) -> None:
    """Since last night every run fails to sign in at the provider."""
    lines = (
        Line("error sms provider answered 401: api key expired", 1.0),
        Line("error 0 of {n} reminders sent", 1.0),
    )
    scene.lasting(
        REMINDERS, Effect(crash_every=900, crash=failures.exited(1), lines=lines), scene.some(300, 700)
    )


INCIDENT = Incident("expired-secret", Cause.EXPIRED_SECRET, REMINDERS, story)
