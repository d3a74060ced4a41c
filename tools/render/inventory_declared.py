"""Services and databases as render.yaml declares them, with the defaults that Render gives to new ones."""

from __future__ import annotations

from dataclasses import replace

from tools.render.blueprint.file import BlueprintFile, Declared, DeclaredStore, Variable
from tools.render.blueprint.tree import EMPTY, Tree
from tools.render.inventory import Inventory, Store, Unit, first, is_production
from tools.render.inventory_values import Link, Value, look

REGION = "oregon"
_PLANS = {"postgres": "basic-256mb", "key_value": "starter"}


def declared_unit(file: BlueprintFile, entry: Declared) -> Unit:
    """One service as a sync of this file would create it."""
    tree, site = entry.tree, entry.kind == "static_site"
    scaling = tree.get("scaling")
    path = first(tree.word("image", "url"))
    return Unit(
        name=entry.name,
        kind=entry.kind,
        declared=entry,
        environment=entry.environment,
        production=is_production(entry.environment, entry.name),
        plan="" if site else first(tree.word("plan"), "starter"),
        region="" if site else first(tree.word("region"), REGION),
        runtime=first(tree.word("runtime"), tree.word("env")),
        repo=tree.word("repo"),
        branch=tree.word("branch"),
        root_dir=tree.word("rootDir"),
        image=path,
        build_command=tree.word("buildCommand"),
        start_command=first(tree.word("startCommand"), tree.word("dockerCommand")),
        pre_deploy_command=tree.word("preDeployCommand"),
        health_check_path=tree.word("healthCheckPath"),
        instances=None if scaling else _or(tree.number("numInstances"), 1),
        scaling=(_or(scaling.number("minInstances"), 1), _or(scaling.number("maxInstances"), 1))
        if scaling
        else None,
        disk=first(tree.word("disk", "name"), "disk" if tree.get("disk") else ""),
        trigger="" if path else trigger_of(tree, "commit"),
        build_filter=filter_of(tree),
        shutdown_delay=_or(tree.number("maxShutdownDelaySeconds"), 30),
        schedule=tree.word("schedule"),
        previews=previews_of(tree),
        maintenance=tree.flag("maintenanceMode", "enabled") is True,
        variables=variables_of(file, entry),
    )


def declared_store(entry: DeclaredStore) -> Store:
    """One database or Key Value instance as a sync of this file would create it."""
    tree, ranges = entry.tree, entry.ranges
    if ranges is None and entry.kind == "postgres":
        ranges = ("0.0.0.0/0",)
    return Store(
        name=entry.name,
        kind=entry.kind,
        declared=entry,
        environment=entry.environment,
        production=is_production(entry.environment, entry.name),
        plan=first(tree.word("plan"), _PLANS[entry.kind]),
        region=first(tree.word("region"), REGION),
        version=tree.word("postgresMajorVersion"),
        ranges=ranges,
        eviction=first(tree.word("maxmemoryPolicy"), "allkeys-lru") if entry.kind == "key_value" else "",
    )


def trigger_of(tree: Tree, otherwise: str = "") -> str:
    """What deploys a service by itself, from the new field or the old one."""
    if word := tree.word("autoDeployTrigger"):
        return word
    old = tree.flag("autoDeploy")
    return otherwise if old is None else ("commit" if old else "off")


def previews_of(tree: Tree) -> str:
    """How previews of this one service come about."""
    if tree.flag("pullRequestPreviewsEnabled"):
        return "automatic"
    return tree.word("previews", "generation") or "off"


def filter_of(tree: Tree) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """The build filter; None where there is none, which is what a sync then sets."""
    paths, ignored = tree.words("buildFilter", "paths"), tree.words("buildFilter", "ignoredPaths")
    return (paths, ignored) if paths or ignored else None


def variables_of(file: BlueprintFile, entry: Declared) -> dict[str, Value]:
    """The variables of a service with those of its groups, as far as the file has them."""
    found: dict[str, Value] = {}
    for name, _ in entry.groups:
        group = file.group(name)
        found |= {one.key: _value(file, one) for one in group.variables} if group else {}
    return found | {one.key: _value(file, one) for one in entry.variables}


def _value(file: BlueprintFile, variable: Variable) -> Value:
    if variable.source == "value":
        return look(variable.key, variable.value)
    if variable.source == "database":
        return Value(links=(Link("postgres", variable.refers, internal=True),))
    if variable.source == "service" and variable.refers_type in ("keyvalue", "redis"):
        return Value(links=(Link("key_value", variable.refers, internal=True),))
    return Value()


def _or(number: int | None, otherwise: int) -> int:
    return otherwise if number is None else number


def with_file(inventory: Inventory, file: BlueprintFile) -> Inventory:
    """The workspace with a render.yaml beside it: what runs keeps its facts, the rest is added."""
    if file.root is EMPTY:
        return replace(inventory, file=file)
    declared = {(one.kind, one.name): one for one in file.services}
    stores = {(one.kind, one.name): one for one in file.stores}
    units = [replace(one, declared=declared.pop((one.kind, one.name), None)) for one in inventory.units]
    kept = [_beside(one, stores.pop((one.kind, one.name), None)) for one in inventory.stores]
    units += [declared_unit(file, one) for one in declared.values()]
    kept += [declared_store(one) for one in stores.values()]
    return replace(inventory, file=file, units=tuple(units), stores=tuple(kept))


def _beside(store: Store, declared: DeclaredStore | None) -> Store:
    """A running database with its entry. Where the API answers null, the file says who may connect."""
    if declared is None:
        return store
    ranges = declared_store(declared).ranges if store.ranges is None else store.ranges
    return replace(store, declared=declared, ranges=ranges)
