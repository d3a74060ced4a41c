"""What the keys for Render and Supabase may read, tried with reads only; for `sergei doctor`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from tools.errors import ConfigurationError, NotFound, Refused, SergeiError

if TYPE_CHECKING:
    from datetime import datetime

    from tools.render.client import RenderClient
    from tools.resources import Resources
    from tools.supabase.client import SupabaseClient

Line = tuple[str, str, str]
"""State (ok, warn or fail), what was looked at, and what was seen."""


_SAMPLED: Final = frozenset({"deploys", "events", "audit logs", "logs"})
"""Of these only one is read: their number says nothing."""


async def vendor_lines(resources: Resources) -> list[Line]:
    """A line or more for each vendor."""
    lines: list[Line] = []
    for vendor, client, missing in (
        ("render", resources.render_or_none, "RENDER_API_KEY is not set: Render's tools do not work"),
        ("supabase", resources.supabase_or_none, "SUPABASE_ACCESS_TOKEN is not set: its tools do not work"),
    ):
        if client is None:
            lines.append(("warn", vendor, missing))
            continue
        seen = _render(resources.render) if vendor == "render" else _supabase(resources)
        try:
            lines += [line async for line in seen]
        except SergeiError as error:
            lines.append(("fail", vendor, str(error)))
    return lines


async def _render(render: RenderClient) -> AsyncIterator[Line]:
    user = await render.get_user()
    owners = {owner.id: owner for owner in await render.list_owners()}
    names = ", ".join(f"{owner.name} ({owner.id})" for owner in owners.values())
    yield (
        "ok" if owners else "fail",
        "render",
        f"{render.http.base_url}: reaches {len(owners)} workspaces: {names or 'none'}",
    )
    if render.owner and render.owner not in owners:
        yield ("fail", "render", f"the workspace {render.owner} of sergei.toml is not among them")
        return
    owner = render.owner or next(iter(owners), "")
    if not render.owner and len(owners) > 1:
        yield ("warn", "render", "set [render] owner in sergei.toml: the key reaches several workspaces")
    services = await render.list_services(owner=owner or None)
    known = {name for service in services for name in (service.id, service.name)}
    for name in render.services:
        if name not in known:
            yield ("fail", "render", f"the service {name} of sergei.toml does not exist in this workspace")
    reads: dict[str, Awaitable[Any]] = {
        "postgres": render.list_postgres(owner=owner or None),
        "key value": render.list_key_values(owner=owner or None),
        "env groups": render.list_env_groups(owner=owner or None),
        "projects": render.list_projects(owner=owner or None),
        "blueprints": render.list_blueprints(owner=owner or None),
    }
    if owner:
        reads["members"] = render.list_members(owner)
        reads["audit logs"] = render.list_audit_logs(owner, most=1)
    if services:
        first = services[0].id
        reads["deploys"] = render.list_deploys(first, most=1)
        reads["events"] = render.list_events(first, most=1)
        reads["environment"] = render.list_env_vars(first)
    answers = await _tried(reads)
    yield _summary("render", {"services": services, **answers})
    for member in answers.get("members") or ():
        if not isinstance(answers["members"], str) and member.email == user.email and member.role:
            yield ("warn", "render", f"the key can do all that its member may: role {member.role}")


async def _supabase(resources: Resources) -> AsyncIterator[Line]:
    supabase: SupabaseClient = resources.supabase
    projects = await supabase.list_projects()
    refs = {project.ref or project.id: project.name for project in projects}
    names = ", ".join(f"{name} ({ref})" for ref, name in refs.items())
    yield (
        "ok" if refs else "fail",
        "supabase",
        f"{supabase.http.base_url}: reaches {len(refs)} projects: {names or 'none'}",
    )
    ref = supabase.project_ref
    if not ref:
        yield ("warn", "supabase", "set [supabase] project_ref in sergei.toml")
        return
    if ref not in refs:
        yield ("fail", "supabase", f"the project {ref} of sergei.toml is not among them")
        return
    yield _summary("supabase", await _tried(_supabase_reads(supabase, resources.now())))
    yield ("warn", "supabase", "a personal token can do all that its member may, in each of these projects")


def _supabase_reads(supabase: SupabaseClient, now: datetime) -> dict[str, Awaitable[Any]]:
    return {
        "health": supabase.get_health(),
        "functions": supabase.list_functions(),
        "secrets": supabase.list_secrets(),
        "api keys": supabase.list_api_keys(),
        "auth config": supabase.get_auth_config(),
        "network": supabase.get_network_restrictions(),
        "backups": supabase.list_backups(),
        "migrations": supabase.list_migrations(),
        "advisors": supabase.list_advice("security"),
        "add-ons": supabase.get_addons(),
        "logs": supabase.query_logs(
            "select timestamp from logs where source = 'edge_logs' limit 1",
            start=now - timedelta(minutes=5),
            end=now,
        ),
    }


async def _tried(reads: Mapping[str, Awaitable[Any]]) -> dict[str, Any]:
    """What each read answered; a text where it was not allowed or does not exist."""
    answers: dict[str, Any] = {}
    for name, read in reads.items():
        try:
            answers[name] = await read
        except Refused:
            answers[name] = "forbidden"
        except ConfigurationError:
            answers[name] = "not accepted"
        except NotFound:
            answers[name] = "absent"
        except SergeiError as error:
            answers[name] = f"failed ({error.code or error.kind})"
    return answers


def _summary(vendor: str, answers: Mapping[str, Any]) -> Line:
    """What may be read, with counts, and what may not."""
    good = [
        f"{name} {len(found)}" if isinstance(found, list) and name not in _SAMPLED else name  # pyright: ignore[reportUnknownArgumentType]
        for name, found in answers.items()
        if not isinstance(found, str)
    ]
    bad = [f"{name} {found}" for name, found in answers.items() if isinstance(found, str)]
    detail = f"may read: {', '.join(good)}" + (f"; but {', '.join(bad)}" if bad else "")
    return ("warn" if bad else "ok", vendor, detail)
