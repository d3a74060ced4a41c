"""The heap may grow beyond the memory of a plan that was made smaller."""

from __future__ import annotations

from tools.sandbox.platform import failures
from tools.sandbox.platform.effects import Effect
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import WORKER, Incident, Scene


def story(scene: Scene) -> None:
    """After a smaller plan the kernel kills the instance; the heap flag still speaks of the old size."""
    start = scene.some(180, 400)
    worker = scene.hosted(WORKER)
    worker.change(scene.ago(start), plan="1c-2g")
    worker.env["NODE_OPTIONS"] = "--max-old-space-size=3072"
    scene.note(WORKER, "plan_changed", {"from": "2c-4g", "to": "1c-2g"}, start)
    scene.redeploy(WORKER, "service_updated", start - 1)
    words = ("info heap used=1910MB limit=3072MB",)
    effect = Effect(
        crash_every=scene.some(16, 25) * 60, crash=failures.out_of_memory("2Gi"), last_words=words
    )
    scene.lasting(WORKER, effect, start - 4)


INCIDENT = Incident("heap-too-large", Cause.HEAP_TOO_LARGE, WORKER, story)
