"""The machine under an instance failed."""

from __future__ import annotations

from tools.sandbox.platform import failures
from tools.sandbox.platform.effects import Effect
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import WEB, Incident, Scene


def story(scene: Scene) -> None:
    """One instance left and came back elsewhere; nothing was deployed and nothing in the log explains it."""
    start = scene.some(20, 60)
    web = scene.hosted(WEB).spec.id
    scene.note(WEB, "server_hardware_failure", {}, start)
    scene.note(
        WEB, "server_failed", {"instanceID": f"{web}-k2x9q", "reason": failures.evicted()}, start - 0.2
    )
    scene.note(WEB, "server_available", {}, start - 3)
    scene.lasting(WEB, Effect(error_rate=0.22, error_status=502, latency=1.8), start, start - 3)


INCIDENT = Incident("hardware-failure", Cause.HARDWARE_FAILURE, WEB, story)
