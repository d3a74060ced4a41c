"""The instances of a service at a moment, named after their release as Render names them."""

from __future__ import annotations

from datetime import datetime

from tools.sandbox.platform import deploys
from tools.sandbox.platform.deploy_logs import first_instance
from tools.sandbox.platform.dice import hexadecimal
from tools.sandbox.platform.signals import instances_at
from tools.sandbox.platform.world import World


def instance_ids(world: World, resource: str, moment: datetime) -> list[str]:
    """The ids of the instances that run at this moment."""
    hosted = world.services.get(resource)
    release = deploys.serving(hosted, moment) if hosted else None
    if hosted is None or release is None:
        return []
    count = instances_at(world, resource, moment)
    first = first_instance(release)
    return [
        first if not index else f"{first[:-5]}{hexadecimal(5, release.id, index)}" for index in range(count)
    ]
