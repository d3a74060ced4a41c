"""Field by field: what render.yaml sets against what runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from tools.render.inventory import Store, Unit
from tools.render.inventory_declared import filter_of, previews_of, trigger_of
from tools.render.plans import plan_id

_COMMANDS: Final[tuple[tuple[str, Callable[[Unit], str | None]], ...]] = (
    ("buildCommand", lambda unit: unit.build_command),
    ("startCommand", lambda unit: unit.start_command),
    ("dockerCommand", lambda unit: unit.start_command),
    ("preDeployCommand", lambda unit: unit.pre_deploy_command),
    ("healthCheckPath", lambda unit: unit.health_check_path),
    ("branch", lambda unit: unit.branch),
    ("rootDir", lambda unit: unit.root_dir),
    ("schedule", lambda unit: unit.schedule),
    ("region", lambda unit: unit.region),
)
_ALWAYS: Final = ("branch", "region")
"""What every service has that can have it: a static site has no region, an image no branch."""
_QUIET: Final = ("buildCommand", "startCommand", "dockerCommand", "preDeployCommand")
"""Commands may hold secrets: that they differ is said, not how."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One field. `said` tells both sides."""

    field: str
    said: str


def differences(thing: Unit | Store) -> list[Difference]:
    """Where something that runs differs from its entry; fields that the entry omits are left out."""
    return list(_of_unit(thing) if isinstance(thing, Unit) else _of_store(thing))


def _of_unit(unit: Unit) -> Iterator[Difference]:
    if unit.declared is None:
        return
    tree = unit.declared.tree
    for name, read in _COMMANDS:
        wanted, found = tree.word(name), read(unit)
        if name in _ALWAYS and not found:
            continue
        if wanted and found is not None and _plain(wanted) != _plain(found):
            yield _commands(name) if name in _QUIET else _two(name, wanted, found)
    plan = tree.word("plan")
    if plan and unit.plan and plan_id(plan) != plan_id(unit.plan):
        yield _two("plan", plan, unit.plan)
    image = tree.word("image", "url")
    if image and unit.image and _image(image) != _image(unit.image):
        yield _two("image", image, unit.image)
    trigger = trigger_of(tree)
    if trigger and unit.trigger and trigger != unit.trigger:
        yield _two("autoDeployTrigger", trigger, unit.trigger)
    delay = tree.number("maxShutdownDelaySeconds")
    if delay is not None and unit.shutdown_delay is not None and delay != unit.shutdown_delay:
        yield _two("maxShutdownDelaySeconds", delay, unit.shutdown_delay)
    previews = previews_of(tree)
    if (tree.get("previews") or tree.get("pullRequestPreviewsEnabled")) and previews != unit.previews:
        yield _two("previews.generation", previews, unit.previews)
    yield from _scale(unit)
    wanted_filter = filter_of(tree)
    if unit.build_filter and wanted_filter != unit.build_filter and not unit.image:
        yield Difference(
            "buildFilter",
            "buildFilter: another one in the file" if wanted_filter else "buildFilter: a sync empties it",
        )


def _scale(unit: Unit) -> Iterator[Difference]:
    tree = unit.declared.tree if unit.declared else None
    scaling = tree.get("scaling") if tree else None
    if tree and scaling:
        wanted = (scaling.number("minInstances"), scaling.number("maxInstances"))
        if wanted != unit.scaling:
            found = "-".join(map(str, unit.scaling)) if unit.scaling else f"{unit.instances}, not scaled"
            yield _two("scaling", "-".join(map(str, wanted)), found)
    elif tree and unit.scaling is None:
        count = tree.number("numInstances")
        if count is not None and unit.instances is not None and count != unit.instances:
            yield _two("numInstances", count, unit.instances)


def _of_store(store: Store) -> Iterator[Difference]:
    if store.declared is None:
        return
    tree = store.declared.tree
    plan = tree.word("plan")
    if plan and store.plan and plan_id(plan, store.kind) != plan_id(store.plan, store.kind):
        yield _two("plan", plan, store.plan)
    version = tree.word("postgresMajorVersion")
    if version and store.version and version != store.version.partition(".")[0]:
        yield _two("postgresMajorVersion", version, store.version)
    region = tree.word("region")
    if region and store.region and region != store.region:
        yield _two("region", region, store.region)
    policy = tree.word("maxmemoryPolicy")
    if policy and store.eviction and policy != store.eviction:
        yield _two("maxmemoryPolicy", policy, store.eviction)
    ranges = store.declared.ranges
    if ranges is not None and store.ranges is not None and set(ranges) != set(store.ranges):
        yield _two("ipAllowList", ", ".join(ranges) or "nobody", ", ".join(store.ranges) or "nobody")


def _two(name: str, wanted: object, found: object) -> Difference:
    return Difference(name, f"{name}: {wanted} in the file, {found if found != '' else 'none'} in Render")


def _commands(name: str) -> Difference:
    return Difference(name, f"{name}: two commands")


def _plain(text: str) -> str:
    return " ".join(text.split()).removeprefix("./").rstrip("/") or text


def _image(text: str) -> str:
    """An image's address without the registry that is meant when none is named."""
    return text.removeprefix("docker.io/").removeprefix("library/")
