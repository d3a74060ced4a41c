"""Environment variables that the new code needs and the service lacks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from tools.errors import SergeiError
from tools.render.blueprint.file import read_blueprint
from tools.render.client import RenderClient
from tools.render.deploying.checks import Check, ok, stop, unseen, warning
from tools.render.deploying.memory_fit import READ
from tools.render.deploying.repository import AddedLine, Repository
from tools.render.models import Service

_NAME: Final = r"([A-Z][A-Z0-9_]{2,60})"
_READS: Final = re.compile(
    rf"process\.env\.{_NAME}|process\.env\[[\"']{_NAME}[\"']\]|import\.meta\.env\.{_NAME}"
    rf"|os\.environ\[[\"']{_NAME}[\"']\]|os\.environ\.get\([\"']{_NAME}[\"']|os\.getenv\([\"']{_NAME}[\"']"
    rf"|Deno\.env\.get\([\"']{_NAME}[\"']|ENV(?:\.fetch)?[\[(][\"']{_NAME}[\"']|os\.Getenv\(\"{_NAME}\"\)"
)
_DEFAULTED: Final = re.compile(r"\?\?|\|\||getenv\([^)]*,|environ\.get\([^)]*,|\.fetch\([^)]*,")
_EXAMPLE: Final = re.compile(rf"^\s*(?:export\s+)?{_NAME}\s*=")
_EXAMPLES: Final = (".env.example", ".env.sample", ".env.template")
_CODE: Final = frozenset(
    {".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".py", ".rb", ".go", ".java", ".kt", ".ex", ".exs"}
)
_OURS: Final = re.compile(
    r"PORT|CI|HOME|PATH|TZ|NODE_ENV|NODE_VERSION|PYTHON_VERSION|RENDER(?:_\w+)?|IS_PULL_REQUEST"
    r"|NODE_OPTIONS|LOG_LEVEL|DEBUG|NODE_MODULES_CACHE|WEB_CONCURRENCY|PYTHONUNBUFFERED|HOSTNAME"
)
"""Set by Render or by a runtime, or of no account when absent."""


@dataclass(frozen=True, slots=True)
class Present:
    """The variables of a service: names, and the values of those that set up a runtime's memory."""

    names: frozenset[str]
    settings: dict[str, str]
    groups: tuple[str, ...]
    problem: str = ""


async def present(render: RenderClient, service: Service) -> Present:
    """Its own variables and those of its environment groups. No other value is looked at."""
    names: set[str] = set()
    settings: dict[str, str] = {}
    linked: list[str] = []
    try:
        variables = list(await render.list_env_vars(service.id))
        for group in await render.list_env_groups(owner=service.owner_id or None):
            if any(link.id == service.id for link in group.service_links):
                linked.append(group.name or group.id)
                variables += (await render.get_env_group(group.id)).env_vars
    except SergeiError as error:
        return Present(frozenset(), {}, (), error.message)
    for variable in variables:
        names.add(variable.key)
        if variable.key in READ:
            settings.setdefault(variable.key, variable.value.reveal())
    return Present(frozenset(names), settings, tuple(linked))


async def check_variables(
    service: Service, had: Present, repository: Repository | None, commit: str, serving: str, *, managed: bool
) -> Check:
    """What the commit asks for against what the service has. `managed`: a blueprint is in force for it."""
    if had.problem:
        return warning("environment", "its variables could not be read", had.problem)
    if repository is None or not commit or not await repository.full(commit):
        return unseen("environment", "this commit is not in a checkout here")
    if declared := _lacking(await _declared(repository, commit, service), had):
        return (stop if managed else warning)(
            "environment",
            f"render.yaml declares {_list(declared)} for it and the service has no such variable",
            f"render.yaml at {commit[:12]}",
        )
    found: dict[str, str] = {}
    lines = await _new_lines(service, repository, commit, serving)
    for line in lines:
        if not _DEFAULTED.search(line.text):
            for name in _read_names(line.text):
                found.setdefault(name, f"{line.path}:{line.number}")
    if lacking := _lacking(found, had):
        where = ", ".join(f"{name} ({found[name]})" for name in lacking[:6])
        said = f"new code reads {_list(lacking)}, which the service lacks"
        return warning("environment", said, where)
    examples = await _examples(repository, commit, service)
    if lacking := _lacking(examples, had):
        where = f"{examples[lacking[0]]} at {commit[:12]}"
        return warning("environment", f"the example names {_list(lacking)}, which the service lacks", where)
    compared = "the new lines" if serving else "no earlier commit to compare with; the example"
    return ok("environment", f"nothing is lacking ({compared}, .env.example, render.yaml)")


def _lacking(wanted: Iterable[str], had: Present) -> list[str]:
    return sorted(name for name in set(wanted) - had.names if not _OURS.fullmatch(name))


async def _new_lines(service: Service, repository: Repository, commit: str, serving: str) -> list[AddedLine]:
    """Lines of code that are new since the serving release, in what this service is built from."""
    if not serving or not await repository.full(serving):
        return []
    found = await repository.added_lines(serving, commit, *folders(service))
    return [line for line in found if PurePosixPath(line.path).suffix in _CODE and not _is_test(line.path)]


def folders(service: Service) -> list[str]:
    """The folders that a service is built from: its build filter and its root, all for none."""
    filtered: list[str] = []
    for pattern in (service.build_filter or {}).get("paths") or ():
        fixed = re.split(r"[*?\[{]", str(pattern))[0].rpartition("/")[0]
        if not fixed:
            return [service.root_dir] if service.root_dir else []
        filtered.append(fixed)
    return filtered or ([service.root_dir] if service.root_dir else [])


def _is_test(path: str) -> bool:
    return re.search(r"(?:^|/)(?:tests?|__tests__|spec)/|[._](?:test|spec)\.|(?:^|/)test_", path) is not None


def _read_names(text: str) -> list[str]:
    return [next(filter(None, found.groups())) for found in _READS.finditer(text)]


async def _examples(repository: Repository, commit: str, service: Service) -> dict[str, str]:
    """Names in the example files beside the code, with the file."""
    found: dict[str, str] = {}
    for folder in dict.fromkeys((service.root_dir, *folders(service))) or ("",):
        for name in _EXAMPLES:
            path = str(PurePosixPath(folder) / name)
            for line in (await repository.text(commit, path)).splitlines():
                if entry := _EXAMPLE.match(line):
                    found.setdefault(entry[1], path)
    return found


async def _declared(repository: Repository, commit: str, service: Service) -> list[str]:
    """The variables that render.yaml gives this service, its groups' among them."""
    file = read_blueprint(await repository.text(commit, "render.yaml"))
    declared = file.service(service.name)
    if declared is None:
        return []
    groups = [file.group(name) for name, _ in declared.groups]
    shared = [variable for group in groups if group is not None for variable in group.variables]
    return [variable.key for variable in (*declared.variables, *shared) if variable.key]


def _list(names: list[str]) -> str:
    shown = ", ".join(names[:6])
    return shown if len(names) <= 6 else f"{shown} and {len(names) - 6} more"
