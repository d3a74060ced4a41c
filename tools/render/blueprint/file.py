"""What a render.yaml declares, as facts that rules compare with the workspace. Values that are literal are
secrets until somebody knows better: they can be looked at and are never shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from tools.http.secret import Secret
from tools.render.blueprint.checker import check, kind_of
from tools.render.blueprint.tree import Fault, Tree, parse

Source = Literal["value", "generated", "prompted", "database", "service", "unknown"]
KINDS: Final[Mapping[str, str]] = {
    "web": "web_service", "static": "static_site", "pserv": "private_service", "worker": "background_worker",
    "cron": "cron_job", "workflow": "workflow",
}  # fmt: skip
"""Render's API calls the types otherwise than its file does."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable. `refers` is the name that fromDatabase or fromService gives, `property` what of it."""

    key: str
    source: Source
    path: str
    line: int
    value: Secret = field(default_factory=lambda: Secret(""))
    refers: str = ""
    refers_type: str = ""
    property: str = ""
    preview: bool = False
    """Whether previews get a value of their own."""


@dataclass(frozen=True, slots=True)
class Declared:
    """One entry of `services` that is no Key Value instance."""

    tree: Tree
    kind: str
    name: str
    environment: str
    variables: tuple[Variable, ...]
    groups: tuple[tuple[str, Tree], ...]
    """The environment groups that it takes, with where."""

    @property
    def line(self) -> int:
        """Where it begins."""
        return self.tree.line


@dataclass(frozen=True, slots=True)
class DeclaredStore:
    """One database or Key Value instance. `ranges` is None where the file says nothing."""

    tree: Tree
    kind: Literal["postgres", "key_value"]
    name: str
    environment: str
    ranges: tuple[str, ...] | None

    @property
    def line(self) -> int:
        """Where it begins."""
        return self.tree.line


@dataclass(frozen=True, slots=True)
class Group:
    """One environment group."""

    name: str
    line: int
    environment: str
    variables: tuple[Variable, ...]


@dataclass(frozen=True, slots=True)
class BlueprintFile:
    """One render.yaml."""

    path: str
    root: Tree
    faults: tuple[Fault, ...]
    services: tuple[Declared, ...] = ()
    stores: tuple[DeclaredStore, ...] = ()
    groups: tuple[Group, ...] = ()

    @property
    def previews(self) -> str:
        """How preview environments come about: automatic, manual, off."""
        if self.root.flag("previewsEnabled"):
            return "automatic"
        return self.root.word("previews", "generation") or "off"

    @property
    def variables(self) -> Iterator[Variable]:
        """Every variable of a service or a group."""
        for owner in (*self.services, *self.groups):
            yield from owner.variables

    def service(self, name: str) -> Declared | None:
        """The service of this name."""
        return next((one for one in self.services if one.name == name), None)

    def group(self, name: str) -> Group | None:
        """The group of this name."""
        return next((one for one in self.groups if one.name == name), None)

    def store(self, name: str) -> DeclaredStore | None:
        """The database or Key Value instance of this name, read replicas included."""
        for one in self.stores:
            replicas = (replica.word("name") for replica in one.tree.each("readReplicas"))
            if name == one.name or name in replicas:
                return one
        return None


def read_blueprint(text: str, path: str = "render.yaml") -> BlueprintFile:
    """The file as facts. It never raises: what cannot be read is a fault."""
    root, faults = parse(text)
    if faults and not root.fields:
        return BlueprintFile(path, root, tuple(faults))
    services: list[Declared] = []
    stores: list[DeclaredStore] = []
    groups: list[Group] = []
    for scope, environment in _scopes(root):
        for entry in scope.each("services"):
            if kind_of(entry) == "keyvalue":
                stores.append(_store(entry, "key_value", environment))
            else:
                services.append(_service(entry, environment))
        stores += [_store(entry, "postgres", environment) for entry in scope.each("databases")]
        groups += [
            Group(entry.word("name"), entry.line, environment, tuple(_variables(entry)))
            for entry in scope.each("envVarGroups")
        ]
    known = (*faults, *check(root))
    return BlueprintFile(path, root, known, tuple(services), tuple(stores), tuple(groups))


def _scopes(root: Tree) -> Iterator[tuple[Tree, str]]:
    """Each place with lists of resources, and the name of its environment."""
    yield root, ""
    for project in root.each("projects"):
        yield project, ""
        for environment in project.each("environments"):
            yield environment, environment.word("name")
    if ungrouped := root.get("ungrouped"):
        yield ungrouped, ""


def _service(entry: Tree, environment: str) -> Declared:
    groups = tuple((v.word("fromGroup"), v) for v in entry.each("envVars") if v.word("fromGroup"))
    kind = KINDS.get(kind_of(entry), entry.word("type"))
    return Declared(entry, kind, entry.word("name"), environment, tuple(_variables(entry)), groups)


def _store(entry: Tree, kind: Literal["postgres", "key_value"], environment: str) -> DeclaredStore:
    ranges = None
    if entry.get("ipAllowList") is not None:
        ranges = tuple(one.word("source") for one in entry.each("ipAllowList"))
    return DeclaredStore(entry, kind, entry.word("name"), environment, ranges)


def _variables(entry: Tree) -> Iterator[Variable]:
    for item in entry.each("envVars"):
        key = item.word("key")
        if not key:
            continue
        preview = "previewValue" in item.fields
        if "value" in item.fields:
            yield Variable(key, "value", item.path, item.line, Secret(item.word("value")), preview=preview)
        elif database := item.get("fromDatabase"):
            named = database.word("name"), "", database.word("property")
            yield Variable(key, "database", item.path, item.line, Secret(""), *named, preview)
        elif service := item.get("fromService"):
            of = service.word("property") or service.word("envVarKey")
            named = service.word("name"), service.word("type"), of
            yield Variable(key, "service", item.path, item.line, Secret(""), *named, preview)
        elif item.flag("generateValue"):
            yield Variable(key, "generated", item.path, item.line)
        elif item.flag("sync") is False:
            yield Variable(key, "prompted", item.path, item.line, preview=preview)
        else:
            yield Variable(key, "unknown", item.path, item.line)
