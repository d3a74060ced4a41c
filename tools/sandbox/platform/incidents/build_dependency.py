"""A package cannot be resolved."""

from __future__ import annotations

from tools.sandbox.platform import failures
from tools.sandbox.platform.effects import Behaviour
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import WEB, Incident, Scene


def story(scene: Scene) -> None:
    """The build fails at the installation."""
    lines = (
        "npm error code ERESOLVE",
        "npm error ERESOLVE unable to resolve dependency tree",
        "npm error Found: react@19.2.0",
        'npm error Could not resolve dependency: peer react@"^18.0.0" from calendar-grid@4.1.0',
    )
    behaviour = Behaviour(build="fails", build_seconds=38, build_lines=lines, build_reason=failures.exited(1))
    scene.release(WEB, "Calendar for appointments", behaviour, scene.some(10, 90))


INCIDENT = Incident("build-dependency", Cause.BUILD_DEPENDENCY, WEB, story)
