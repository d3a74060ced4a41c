"""Where render.yaml refers to something by name, and whether that exists in the file or in the workspace."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from tools.render.blueprint.file import KINDS, BlueprintFile
from tools.render.inventory import KIND_WORDS, Inventory

_STORES: Final = ("keyvalue", "redis")


@dataclass(frozen=True, slots=True)
class Reference:
    """One name in the file that stands for something else."""

    kind: Literal["group", "database", "service"]
    name: str
    type: str
    path: str
    line: int

    @property
    def said(self) -> str:
        """`database jobs`."""
        noun = {"group": "Environment group", "database": "Database", "service": "Service"}[self.kind]
        return f"{noun} {self.name}"


def references(file: BlueprintFile) -> Iterator[Reference]:
    """Every reference of the file."""
    for entry in file.services:
        for name, tree in entry.groups:
            yield Reference("group", name, "", tree.path, tree.line)
        for one in entry.variables:
            if one.source in ("database", "service") and one.refers:
                yield Reference(one.source, one.refers, one.refers_type, one.path, one.line)


def missing(inventory: Inventory, reference: Reference) -> str:
    """Why a reference leads nowhere; empty where it leads somewhere, or nobody can know."""
    if wrong := _wrong_type(inventory, reference):
        return wrong
    if _defined(inventory, reference) or undecided(inventory, reference):
        return ""
    return "neither the file nor the workspace has it"


def undecided(inventory: Inventory, reference: Reference) -> bool:
    """Whether it is not in the file and may be in a part of the workspace that was not read."""
    if _defined(inventory, reference):
        return False
    lists = {
        "group": "environment groups",
        "database": "Postgres databases",
        "service": "Key Value instances",
    }
    return not inventory.live or not inventory.whole or inventory.unread(lists[reference.kind])


def _defined(inventory: Inventory, reference: Reference) -> bool:
    file, name = inventory.file, reference.name
    if reference.kind == "group":
        return any(one.name == name for one in inventory.groups) or bool(file and file.group(name))
    if reference.kind == "database":
        return any(one.name == name and one.kind == "postgres" for one in inventory.stores) or bool(
            file and (store := file.store(name)) and store.kind == "postgres"
        )
    if reference.type in _STORES:
        return any(one.name == name and one.kind == "key_value" for one in inventory.stores)
    return any(one.name == name for one in inventory.units)


def _wrong_type(inventory: Inventory, reference: Reference) -> str:
    if reference.kind != "service" or reference.type in _STORES:
        return ""
    kinds = {one.kind for one in (*inventory.units, *inventory.stores) if one.name == reference.name}
    wanted: set[str] = {KINDS.get(reference.type, reference.type)}
    if reference.type == "web":
        wanted.add("static_site")
    if kinds and not kinds & wanted:
        return f"it is a {KIND_WORDS.get(min(kinds), min(kinds))}, not of type {reference.type}"
    return ""
