"""Puts the parts together for one run: settings, target, memory, workspace, gate."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from agent.approvals import Approvals, Asker, Mode
from agent.audit import AuditLog
from agent.executor import Executor
from agent.keys import find_key
from agent.patterns import Pattern
from agent.settings import FILE, Settings
from agent.trust import in_force, is_accepted
from tools import catalogue
from tools.errors import ConfigurationError
from tools.probing import LIMIT, Probes
from tools.redaction import Redactor
from tools.registry import Tool
from tools.resources import Resources

if TYPE_CHECKING:
    from memory import Banks
    from tools.database.connection import Database
    from tools.render.client import RenderClient
    from tools.sandbox.cluster import Cluster, SandboxSettings
    from tools.supabase.client import SupabaseClient
    from tools.workspace.jail import Workspace


@dataclass(frozen=True, slots=True)
class Choice:
    """Which target a command line named: a URL, the demo, or neither (then the settings decide)."""

    database_url: str | None = None
    demo: bool = False


@dataclass(frozen=True, slots=True)
class House:
    """One composed run: the gate, and what a face may want to know beside it."""

    executor: Executor
    settings: Settings
    bank: Banks | None
    guardian: bool
    """Whether the target is Guardian, so that its context is loaded."""

    @property
    def target(self) -> str:
        """The target in one line, or an empty string."""
        database = self.executor.resources.database_or_none
        return database.target.label if database else ""


def strict_phi(settings: Settings, choice: Choice) -> bool:
    """Whether persons' values are masked: `phi = "off"` is about the target of sergei.toml, no other URL."""
    elsewhere = choice.database_url is not None and choice.database_url != settings.database_url
    return settings.phi_strict or elsewhere


def sandbox_settings(settings: Settings) -> SandboxSettings:
    """Where the sandbox lives for these settings."""
    from tools.sandbox.cluster import SandboxSettings

    return SandboxSettings(
        cache_dir=settings.cache_dir / "sandbox",
        url=settings.sandbox_url,
        server=settings.sandbox.server,
        extensions=settings.sandbox.extensions,
    )


@asynccontextmanager
async def open_house(
    settings: Settings,
    choice: Choice,
    *,
    face: str,
    mode: Mode | None = None,
    asker: Asker | None = None,
    tools: Mapping[str, Tool] | None = None,
    redactor: Redactor | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> AsyncGenerator[House]:
    """Everything for one run, closed at its end. A database is connected when a tool first needs it."""
    async with AsyncExitStack() as stack:
        database = await _database(settings, choice, stack)
        bank = open_bank(settings)
        resources = Resources(
            database_or_none=database,
            bank_or_none=bank,
            workspace_or_none=_workspace(settings),
            render_or_none=None if choice.demo else _render(settings, stack, progress),
            supabase_or_none=None if choice.demo else _supabase(settings, stack, progress),
            suppressions=settings.suppressions,
            exposed_schemas=settings.exposed_schemas,
            phi_columns=settings.phi_columns,
            allowed_functions=settings.allowed_functions,
            sandbox_or_none=partial(open_cluster, settings),
            rls_model=settings.rls_model,
            progress=progress,
            state_dir=settings.state_dir,
            find_variable=settings.find_variable,
            probes=Probes(LIMIT if strict_phi(settings, choice) else None),
            recalled=partial(_count_recalled, settings),
        )
        if choice.demo:
            from agent.demo_target import on_demo_platform

            resources = on_demo_platform(resources, stack, progress)
        known = catalogue() if tools is None else tools
        if settings.patterns:  # about any tool: a command that offers a few of its own is no reason to object
            check_patterns(settings.patterns, {**catalogue(), **known}, settings.workspace / FILE)
        executor = Executor(
            known,
            resources,
            approvals=Approvals(
                settings.mode if mode is None else mode,
                asker,
                patterns=in_force(settings),
                unaccepted=0 if is_accepted(settings) else len(settings.patterns),
            ),
            redactor=redactor or Redactor(strict=strict_phi(settings, choice)),
            audit=AuditLog.open(settings.audit_file, face=face, keeping=settings.audit_keeping),
        )
        yield House(executor, settings, bank, guardian=choice.demo or settings.project.lower() == "guardian")


def _render(
    settings: Settings, stack: AsyncExitStack, progress: Callable[[str], None]
) -> RenderClient | None:
    key = find_key(settings, "render")
    if not key:
        return None
    from tools.render.client import RenderClient

    section = settings.render
    client = RenderClient(
        key,
        api_url=section.api_url,
        owner=section.owner,
        project=section.project,
        services=section.services,
        progress=progress,
    )
    stack.push_async_callback(client.close)
    return client


def _supabase(
    settings: Settings, stack: AsyncExitStack, progress: Callable[[str], None]
) -> SupabaseClient | None:
    key = find_key(settings, "supabase")
    if not key:
        return None
    from tools.supabase.client import SupabaseClient

    section = settings.supabase
    client = SupabaseClient(key, api_url=section.api_url, project_ref=section.project_ref, progress=progress)
    stack.push_async_callback(client.close)
    return client


def check_patterns(patterns: Iterable[Pattern], tools: Mapping[str, Tool], file: Path) -> None:
    """Raises ConfigurationError for an `[[approve]]` that could never apply, or holds for too long."""
    today = datetime.now(UTC).date()
    for pattern in patterns:
        objection = pattern.objection(tools, today)
        if objection:
            raise ConfigurationError(f"{file}: [[approve]] {pattern.name}: {objection}.")


async def _database(settings: Settings, choice: Choice, stack: AsyncExitStack) -> Database | None:
    from tools.database.connection import Database

    if choice.demo:
        from tools.sandbox import demo

        cluster = await asyncio.to_thread(open_cluster, settings)
        stack.callback(cluster.close)
        dsn = await asyncio.to_thread(demo.ensure, cluster)
        database = Database(dsn, environment="sandbox")
    else:
        url = choice.database_url or settings.database_url
        if not url:
            return _unset(settings)
        database = Database(url, environment=settings.environment)
    stack.push_async_callback(database.close)
    return database


def _unset(settings: Settings) -> None:
    """No target is fine until a tool wants one, unless sergei.toml meant to name one."""
    if settings.missing_variable:
        raise ConfigurationError(
            f"sergei.toml takes the database from {settings.missing_variable}, which is not set.",
            hint="Set it, or pass --database-url or --demo.",
        )


def open_cluster(settings: Settings) -> Cluster:
    """The sandbox's server, started if need be."""
    from tools.sandbox.cluster import Cluster

    return Cluster.open(sandbox_settings(settings))


def open_bank(settings: Settings, who: str = "sergei") -> Banks | None:
    """The workspace's memory bank over the team's, the user's and the starter bank; None when it is off.

    `who` is what the history of the banks says about the writer.
    """
    if not settings.memory:
        return None
    from memory import Bank, Banks, starter_bank

    refuse = Redactor(strict=True).objection
    places = {"workspace": Bank(settings.bank_folder, refuse=refuse, who=who)}
    if settings.team_bank_folder:
        places["team"] = Bank(settings.team_bank_folder, refuse=refuse, who=who, expected=True)
    places["user"] = Bank(settings.user_bank_folder, refuse=refuse, who=who)
    own, *others = places.values()
    return Banks(own, also=(*others, starter_bank()), places=places)


def _count_recalled(settings: Settings, ids: Sequence[str]) -> None:
    from memory import usage

    usage.note(settings.recalls_file, settings.bank_folder, ids, now=datetime.now(UTC))


def _workspace(settings: Settings) -> Workspace:
    from tools.workspace.jail import Workspace

    return Workspace(settings.workspace, settings.subprocess_environment)
