"""Whether a render.yaml says what Render understands: fields, types, values, forms of variables, wiring."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from ipaddress import ip_network
from typing import Final

from tools.errors import InvalidInput
from tools.render.blueprint.fields import KINDS, Field
from tools.render.blueprint.schedule import Schedule
from tools.render.blueprint.tree import Fault, Tree

_SOURCES: Final = ("value", "generateValue", "sync", "fromDatabase", "fromService", "fromGroup")
_LISTS: Final = ("services", "databases", "envVarGroups")


def check(root: Tree) -> list[Fault]:
    """What is wrong in the file, from the top down."""
    faults = list(_object(root, "root"))
    faults += [fault for scope in scopes(root) for fault in _groups(scope)]
    faults += _twice(root)
    return sorted(faults, key=lambda fault: (fault.line, fault.path))


def scopes(root: Tree) -> Iterator[Tree]:
    """Every place that may list services, databases and groups: the file, its environments, `ungrouped`."""
    yield root
    for project in root.each("projects"):
        yield project
        yield from project.each("environments")
    if ungrouped := root.get("ungrouped"):
        yield ungrouped


def kind_of(service: Tree) -> str:
    """The kind of object that an entry of `services` is; empty where its type is unknown."""
    kind = {"redis": "keyvalue"}.get(service.word("type"), service.word("type"))
    if kind == "web" and "static" in (service.word("runtime"), service.word("env")):
        return "static"
    return kind if kind in KINDS else ""


def _object(tree: Tree, kind: str) -> Iterator[Fault]:
    if kind == "service":
        kind = kind_of(tree)
        if not kind:
            yield from _without_type(tree)
            return
    spec = KINDS[kind]
    missing = [name for name in spec.required if not _given(tree, name)]
    for name in missing:
        yield Fault(_below(tree, name), tree.line, f"{name} is missing: {_noun(kind)} needs it.")
    for name, value in tree.fields.items():
        known = spec.fields.get(name)
        if known is None:
            yield Fault(value.path, value.line, _unknown(name, kind, spec.fields))
        elif value.kind == "null":
            yield Fault(value.path, value.line, f"{name} has no value.", grave=name in spec.required)
        else:
            yield from _value(value, name, known)
    yield from _special(tree, kind)


def _without_type(tree: Tree) -> Iterator[Fault]:
    """An unknown type is said once, by its own field; without one nothing else can be checked."""
    known = KINDS["web"].fields["type"]
    given = tree.get("type")
    if given is None:
        yield Fault(
            _below(tree, "type"), tree.line, "type is missing: it decides which fields a service has."
        )
    else:
        yield from _value(given, "type", known)


def _given(tree: Tree, name: str) -> bool:
    """Whether a required field is there, also under its older name."""
    return tree.get(name) is not None or (name == "runtime" and tree.get("env") is not None)


def _value(value: Tree, name: str, known: Field) -> Iterator[Fault]:
    if known.instead:
        said = f"{name} is deprecated: write {known.instead}."
        yield Fault(value.path, value.line, said, grave=False, deprecated=True)
    problem = _type_problem(value, known)
    if problem:
        yield Fault(value.path, value.line, f"{name} {problem}.")
    elif known.values and value.text not in known.values:
        near = get_close_matches(value.text, known.values, n=1)
        meant = f" Did you mean {near[0]}?" if near else ""
        said = f"{name} is one of {', '.join(known.values)}.{meant}"
        yield Fault(value.path, value.line, said, grave=known.strict)
    elif known.type == "whole" and (number := value.number()) is not None:
        if known.least is not None and number < known.least:
            yield Fault(value.path, value.line, f"{name} is at least {known.least}.")
        if known.most is not None and number > known.most:
            yield Fault(value.path, value.line, f"{name} is at most {known.most}.")
    elif known.type == "object":
        yield from _object(value, known.below)
    elif known.type == "list":
        for item in value.items:
            if item.kind == "mapping":
                yield from _object(item, known.below)
            else:
                yield Fault(item.path, item.line, f"An entry of {name} is a mapping.")


def _type_problem(value: Tree, known: Field) -> str:
    match known.type:
        case "text" if value.kind in ("mapping", "list"):
            return "is one text"
        case "whole" if value.number() is None:
            return "is a whole number"
        case "flag" if value.kind != "boolean":
            return "is true or false"
        case "object" if value.kind != "mapping":
            return "is a mapping"
        case "list" if value.kind != "list":
            return "is a list"
        case "texts" if value.kind != "list" or any(item.kind in ("mapping", "list") for item in value.items):
            return "is a list of texts"
        case _:
            return ""


def _unknown(name: str, kind: str, fields: Iterable[str]) -> str:
    """An unknown field: Render ignores it or refuses the file, and either way it does not do what it says."""
    near = get_close_matches(name, list(fields), n=1, cutoff=0.75)
    if near:
        return f"{_noun(kind)} has no field {name[:60]}. Did you mean {near[0]}?"
    owners = [_noun(other) for other, spec in KINDS.items() if name in spec.fields][:3]
    where = f" It belongs to {' or '.join(owners)}." if owners else ""
    return f"{_noun(kind)} has no field {name[:60]}.{where}"


def _special(tree: Tree, kind: str) -> Iterator[Fault]:
    if kind == "env_var":
        yield from _env_var(tree)
    elif kind == "from_service" and not (tree.get("property") or tree.get("envVarKey")):
        yield Fault(tree.path, tree.line, "fromService needs property or envVarKey.")
    elif kind == "cron":
        yield from _schedule(tree)
    elif kind == "scaling":
        yield from _scaling(tree)
    elif kind == "range" and (source := tree.get("source")) and not _is_range(source.text):
        yield Fault(source.path, source.line, "source is an address or a range in CIDR notation.")
    elif kind == "database" and (size := tree.number("diskSizeGB")) and size != 1 and size % 5:
        yield Fault(_below(tree, "diskSizeGB"), tree.line, "diskSizeGB is 1 or a multiple of 5.")
    elif kind in ("web", "pserv", "worker"):
        yield from _running(tree, kind)


def _env_var(tree: Tree) -> Iterator[Fault]:
    given = [name for name in _SOURCES if name in tree.fields]
    if "fromGroup" in tree.fields:
        if len(tree.fields) > 1:
            yield Fault(tree.path, tree.line, "fromGroup stands alone: it brings all variables of a group.")
        return
    if not tree.word("key"):
        yield Fault(_below(tree, "key"), tree.line, "key is missing: a variable has a name.")
    if not given:
        yield Fault(tree.path, tree.line, f"A variable has one of {', '.join(_SOURCES)}.")
    elif len(given) > 1:
        said = f"A variable has one source, not {' and '.join(given)}."
        yield Fault(tree.path, tree.line, said, grave="sync" not in given)
    if tree.flag("sync") is True:
        yield Fault(_below(tree, "sync"), tree.line, "sync is false, or left out.", grave=False)


def _schedule(tree: Tree) -> Iterator[Fault]:
    given = tree.get("schedule")
    if given is None or given.kind in ("mapping", "list"):
        return
    try:
        Schedule.parse(given.text)
    except InvalidInput as error:
        yield Fault(given.path, given.line, error.message)


def _scaling(tree: Tree) -> Iterator[Fault]:
    least, most = tree.number("minInstances"), tree.number("maxInstances")
    if least is not None and most is not None and least > most:
        yield Fault(tree.path, tree.line, "minInstances is above maxInstances.")
    if not (tree.get("targetCPUPercent") or tree.get("targetMemoryPercent")):
        yield Fault(tree.path, tree.line, "scaling needs targetCPUPercent or targetMemoryPercent.")


def _running(tree: Tree, kind: str) -> Iterator[Fault]:
    runtime = tree.word("runtime") or tree.word("env")
    several = (tree.number("numInstances") or 1) > 1 or tree.get("scaling") is not None
    if (disk := tree.get("disk")) and several:
        yield Fault(disk.path, disk.line, "A service with a disk cannot have several instances.")
    if kind != "web" and tree.word("plan") == "free":
        yield Fault(_below(tree, "plan"), tree.line, f"There is no free plan for {_noun(kind)}.")
    if runtime == "image" and not tree.get("image"):
        yield Fault(_below(tree, "image"), tree.line, "image is missing: runtime image pulls it.")
    if runtime and runtime not in ("docker", "image", "static") and kind != "cron":
        for name in ("buildCommand", "startCommand"):
            if not tree.get(name):
                yield Fault(_below(tree, name), tree.line, f"{name} is missing: runtime {runtime} needs it.")
    path = tree.get("healthCheckPath")
    if path and path.text and not path.text.startswith("/"):
        yield Fault(path.path, path.line, "healthCheckPath begins with /.")


def _groups(scope: Tree) -> Iterator[Fault]:
    """What an environment group cannot have: Render ignores or refuses it."""
    for group in scope.each("envVarGroups"):
        for variable in group.each("envVars"):
            if variable.flag("sync") is False:
                said = "Render ignores sync: false in an environment group: set the value in the dashboard."
                yield Fault(variable.path, variable.line, said)
            for name in ("fromDatabase", "fromService", "fromGroup"):
                if name in variable.fields:
                    yield Fault(variable.path, variable.line, f"An environment group cannot have {name}.")


def _twice(root: Tree) -> Iterator[Fault]:
    """Names are unique in the whole file; of a variable, in its list."""
    for name in _LISTS:
        seen: dict[str, Tree] = {}
        for scope in scopes(root):
            for entry in scope.each(name):
                word = entry.word("name")
                if word and word in seen:
                    said = f"{word} is defined twice; the first is on line {seen[word].line}."
                    yield Fault(_below(entry, "name"), entry.line, said)
                seen.setdefault(word, entry)
                yield from _variables_twice(entry)


def _variables_twice(entry: Tree) -> Iterator[Fault]:
    seen: dict[str, int] = {}
    for variable in entry.each("envVars"):
        key = variable.word("key")
        if key and key in seen:
            said = f"{key} is set twice; the first is on line {seen[key]}."
            yield Fault(variable.path, variable.line, said)
        seen.setdefault(key, variable.line)


def _is_range(text: str) -> bool:
    try:
        ip_network(text.strip(), strict=False)
    except ValueError:
        return False
    return True


def _below(tree: Tree, name: str) -> str:
    return f"{tree.path}.{name}" if tree.path else name


def _noun(kind: str) -> str:
    return _NOUNS.get(kind, kind.replace("_", " "))


_NOUNS: Final = {
    "root": "the file", "web": "a web service", "static": "a static site", "pserv": "a private service",
    "worker": "a background worker", "cron": "a cron job", "keyvalue": "a Key Value instance",
    "workflow": "a workflow", "database": "a database", "env_var": "a variable",
    "env_group": "an environment group", "project": "a project", "environment": "an environment",
    "root_previews": "previews", "service_previews": "previews", "range": "an IP range", "disk": "a disk",
    "scaling": "scaling", "build_filter": "buildFilter", "image": "image", "ungrouped": "ungrouped",
}  # fmt: skip
