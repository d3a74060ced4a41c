"""A step of the build waits for input that never comes."""

from __future__ import annotations

from tools.sandbox.platform import failures
from tools.sandbox.platform.effects import Behaviour
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import WORKER, Incident, Scene


def story(scene: Scene) -> None:
    """Nothing is written for two hours, then the build is ended."""
    lines = (
        "added 640 packages in 19s",
        "> build",
        "? Share anonymous usage with the makers of this tool? (Y/n)",
    )
    reason = failures.timed_out(7200, "build timed out")
    behaviour = Behaviour(build="fails", build_seconds=7200, build_lines=lines, build_reason=reason)
    scene.release(WORKER, "New bundler for the worker", behaviour, scene.some(135, 200))


INCIDENT = Incident("build-timeout", Cause.BUILD_TIMEOUT, WORKER, story)
