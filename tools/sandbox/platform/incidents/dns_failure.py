"""The host name of the notification gateway no longer resolves."""

from __future__ import annotations

from tools.sandbox.platform.effects import Effect, Line
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import WEB, Incident, Scene


def story(scene: Scene) -> None:
    """Calls to one host fail before they connect."""
    start = scene.some(20, 120)
    lines = (Line("error push not sent: getaddrinfo ENOTFOUND gateway.pushpartner.example", 6.0),)
    scene.lasting(WEB, Effect(error_rate=0.12, path="/api/events", error_status=502, lines=lines), start)


INCIDENT = Incident("dns-failure", Cause.DNS_FAILURE, WEB, story)
