"""What the rules share: findings on a service, a database or a place in render.yaml, and words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_network
from textwrap import fill
from typing import Final

from tools.findings import Finding, Level
from tools.render.blueprint.file import BlueprintFile, Declared
from tools.render.blueprint.tree import Tree
from tools.render.inventory import Store, Unit

DOMAIN: Final = "render"
_WIDE: Final = 88
_STEP: Final = re.compile(r"([A-Za-z]+)(?:\[(\d+)\])?")


def on(
    rule: str,
    level: Level,
    thing: Unit | Store,
    message: str,
    *,
    evidence: str,
    fix: str,
    rank: int = 50,
    line: int = 0,
    field: str = "",
    file: BlueprintFile | None = None,
) -> Finding:
    """A finding on one service or database. It is placed in render.yaml where only that shows it."""
    place = line_of(thing, field) if not thing.live else line
    return Finding(
        rule=rule,
        level=level,
        domain=DOMAIN,
        object=thing.object,
        message=message,
        evidence=evidence,
        fix=folded(fix),
        rank=rank,
        file=file.path if file and place else "",
        line=place if file else 0,
    )


def in_file(
    rule: str,
    level: Level,
    file: BlueprintFile,
    where: str,
    line: int,
    message: str,
    *,
    evidence: str = "",
    fix: str,
    rank: int = 50,
) -> Finding:
    """A finding on one place of render.yaml; `where` is a path such as `services[0].envVars[2]`."""
    spot = named_path(file.root, where)
    return Finding(
        rule=rule,
        level=level,
        domain=DOMAIN,
        object=f"{file.path} {spot}".strip(),
        message=message,
        evidence="; ".join(filter(None, (f"{file.path} line {line}", evidence))),
        fix=folded(fix),
        rank=rank,
        file=file.path,
        line=line,
    )


def at_workspace(
    rule: str, level: Level, what: str, message: str, *, evidence: str, fix: str, rank: int = 50
) -> Finding:
    """A finding on the workspace: a member, an environment, a blueprint."""
    return Finding(
        rule=rule, level=level, domain=DOMAIN, object=what, message=message, evidence=evidence,
        fix=folded(fix), rank=rank,
    )  # fmt: skip


def named_path(root: Tree, path: str) -> str:
    """The path with names for numbers, so that it stays the same when entries move."""
    here: Tree | None = root
    words: list[str] = []
    for name, number in _STEP.findall(path):
        here = here.fields.get(name) if here else None
        word = name
        if number:
            items = here.items if here else ()
            here = items[int(number)] if int(number) < len(items) else None
            called = (here.word("name") or here.word("key")) if here else ""
            word = f"{name}[{called or number}]"
        words.append(word)
    return ".".join(words)


def open_range(ranges: Iterable[str]) -> str:
    """The range among these that lets (nearly) everybody in; empty where there is none."""
    for text in ranges:
        try:
            if ip_network(text.strip(), strict=False).prefixlen < 8:
                return text.strip()
        except ValueError:
            continue
    return ""


def listed(words: Iterable[str], most: int = 6) -> str:
    """`a, b and c`; the rest as a number."""
    several = list(dict.fromkeys(words))
    if len(several) > most:
        several = [*several[:most], f"{len(several) - most} more"]
    return " and ".join([", ".join(several[:-1]), several[-1]]) if len(several) > 1 else "".join(several)


def told(unit: Unit | Store, file: BlueprintFile | None, said: str, field: str = "") -> str:
    """Evidence with its source: the API, or the line of render.yaml that has the field."""
    if unit.live or not (file and unit.declared):
        return f"Render's API: {said}"
    return f"{file.path} line {line_of(unit, field)}: {said}"


def line_of(thing: Unit | Store, field: str = "") -> int:
    """The line of a field (or of a variable) in render.yaml, or of the whole entry; 0 where it has none."""
    entry = thing.declared
    if entry is None:
        return 0
    if found := entry.tree.get(*field.split(".")) if field else None:
        return found.line
    variables = entry.variables if isinstance(entry, Declared) else ()
    return next((one.line for one in variables if one.key == field), entry.line)


def folded(text: str) -> str:
    """Long lines of prose broken, as a fix is shown word for word."""
    return "\n".join(
        fill(line, _WIDE, break_long_words=False, break_on_hyphens=False) if len(line) > _WIDE else line
        for line in text.splitlines()
    )
