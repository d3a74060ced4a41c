"""A sync of the blueprint put back what had been changed by hand: one instance, no autoscaling."""

from __future__ import annotations

from tools.sandbox.platform.effects import Effect, Line
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import WEB, Incident, Scene


def story(scene: Scene) -> None:
    """Since the sync a single instance carries the load of two or three."""
    start = scene.some(20, 80)
    blueprint = next(iter(scene.world.kind("blueprints").values()))
    web = scene.hosted(WEB)
    web.change(scene.ago(start), autoscaling=None, num_instances=1)
    scene.redeploy(WEB, "blueprint_sync", start)
    scene.note(WEB, "instance_count_changed", {"fromInstances": 2, "toInstances": 1}, start)
    scene.audit("ApplyBlueprintEvent", {"blueprintId": blueprint["id"], "name": blueprint["name"]}, start)
    blueprint["lastSync"] = scene.ago(start).strftime("%Y-%m-%dT%H:%M:%SZ")
    scene.lasting(
        WEB, Effect(traffic=1.35, lines=(Line("warn event loop delay ms={big}", 2.0, "warning"),)), start - 2
    )


INCIDENT = Incident("blueprint-drift", Cause.BLUEPRINT_DRIFT, WEB, story)
