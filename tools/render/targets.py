"""What logs and metrics are asked about: resources by name, asked together by workspace and region."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.errors import ConfigurationError, InvalidInput
from tools.render.models import EnvGroup, Service
from tools.render.naming import Resource, find_resource, list_scoped_services, owner_of

if TYPE_CHECKING:
    from tools.render.client import RenderClient


@dataclass(frozen=True, slots=True)
class Target:
    """Something that writes logs and is measured. `kind` is a service's type, `postgres` or `key_value`."""

    id: str
    name: str
    kind: str
    owner: str
    region: str
    disk: bool = False


async def find_targets(render: RenderClient, words: Sequence[str]) -> list[Target]:
    """What is meant, each once; without a word every service that runs. Raises InvalidInput, NotFound."""
    if not words:
        services = [each for each in await list_scoped_services(render) if each.type != "static_site"]
        if not services:
            raise InvalidInput("No running service is to be seen here.", hint="See list_services.")
        return [target_of(Resource("service", each), render.owner) for each in services]
    found = await asyncio.gather(*(find_resource(render, word) for word in dict.fromkeys(words)))
    targets = [target_of(each, render.owner) for each in found]
    return list({target.id: target for target in targets}.values())


def target_of(found: Resource, owner: str) -> Target:
    """A resource as a target. Raises InvalidInput for an environment group, which does nothing by itself."""
    thing = found.thing
    if isinstance(thing, EnvGroup):
        raise InvalidInput(f"{found.name} is an environment group: it has no logs and no metrics.")
    owner = owner_of(thing) or owner
    if isinstance(thing, Service):
        details = thing.service_details
        return Target(found.id, found.name, thing.type, owner, details.region, details.disk is not None)
    return Target(found.id, found.name, found.kind, owner, thing.region, found.kind == "postgres")


def by_region(targets: Sequence[Target]) -> list[list[Target]]:
    """Render answers for the resources of one workspace and one region at a time."""
    groups: dict[tuple[str, str], list[Target]] = {}
    for target in targets:
        if not target.owner:
            raise ConfigurationError(
                f"Render does not say which workspace {target.name} is in.",
                hint="Set [render] owner in sergei.toml.",
            )
        groups.setdefault((target.owner, target.region), []).append(target)
    return list(groups.values())
