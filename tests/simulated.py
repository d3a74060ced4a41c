"""A real gate in front of the simulated platform, in this process and without waiting."""

from __future__ import annotations

from pathlib import Path

import httpx

from agent.approvals import Approvals, Asker, Mode
from agent.audit import AuditLog
from agent.executor import Executor
from tools import catalogue
from tools.http.secret import Secret
from tools.redaction import Redactor
from tools.render.client import RenderClient
from tools.resources import Resources
from tools.sandbox.platform import OWNER, RENDER_ADMIN, SUPABASE_ADMIN, Platform
from tools.supabase.client import SupabaseClient


def simulated_resources(
    platform: Platform,
    *,
    owner: str = OWNER,
    project: str = "",
    services: tuple[str, ...] = (),
    transport: httpx.AsyncBaseTransport | None = None,
) -> Resources:
    """Both clients with administrators' keys; `owner`, `project` and `services` as in sergei.toml."""
    transport = transport or platform.transport()

    def clock() -> float:
        return platform.clock.now().timestamp()

    return Resources(
        render_or_none=RenderClient(
            Secret(RENDER_ADMIN.text),
            owner=owner,
            project=project,
            services=services,
            transport=transport,
            pause=platform.clock.sleep,
            clock=clock,
        ),
        supabase_or_none=SupabaseClient(
            Secret(SUPABASE_ADMIN.text),
            project_ref=platform.project.ref if platform.project else "",
            transport=transport,
            pause=platform.clock.sleep,
            clock=clock,
        ),
        now=platform.clock.now,
        pause=platform.clock.sleep,
    )


def simulated_gate(
    platform: Platform,
    audit: Path,
    *,
    mode: Mode = Mode.ACT,
    asker: Asker | None = None,
    strict: bool = True,
    resources: Resources | None = None,
) -> Executor:
    """The gate as a session has it; `audit` is a file."""
    return Executor(
        catalogue(),
        resources or simulated_resources(platform),
        approvals=Approvals(mode, asker),
        redactor=Redactor(strict=strict),
        audit=AuditLog.open(audit, face="test"),
    )
