"""The new release listens on the loopback interface only."""

from __future__ import annotations

from tools.sandbox.platform import failures
from tools.sandbox.platform.effects import Behaviour
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import WEB, Incident, Scene


def story(scene: Scene) -> None:
    """The update is given up after the port scan, while the process says it is ready."""
    lines = (
        "ready on http://127.0.0.1:3000",
        "==> No open ports detected, continuing to scan...",
        "==> Docs on specifying a port: https://render.com/docs/web-services#port-binding",
        "==> Port scan timeout reached, no open ports detected. Bind your service to at least one port.",
    )
    reason = failures.timed_out(900, "no open ports detected")
    behaviour = Behaviour(update="fails", update_seconds=900, update_lines=lines, update_reason=reason)
    scene.release(WEB, "Server: move to the new http adapter", behaviour, scene.some(25, 90))


INCIDENT = Incident("port-binding", Cause.PORT_BINDING, WEB, story)
