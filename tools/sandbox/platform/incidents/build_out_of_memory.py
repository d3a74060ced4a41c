"""The build needs more memory than its machine has."""

from __future__ import annotations

from tools.sandbox.platform import failures
from tools.sandbox.platform.effects import Behaviour
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import WEB, Incident, Scene


def story(scene: Scene) -> None:
    """The build is killed in the middle of the bundle."""
    lines = ("added 861 packages in 24s", "> build", "Creating an optimized production build ...", "Killed")
    reason = failures.out_of_memory("8Gi")
    behaviour = Behaviour(build="fails", build_seconds=310, build_lines=lines, build_reason=reason)
    scene.release(WEB, "Bundle the terminology browser", behaviour, scene.some(15, 90))


INCIDENT = Incident("build-out-of-memory", Cause.BUILD_OUT_OF_MEMORY, WEB, story)
