"""The simulated platform behind the real gate: what was asked, what a person answered, what was sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from agent.approvals import Answer, Approvals, Decision, Mode, Request
from agent.audit import AuditLog
from agent.executor import Executor
from agent.outcome import Outcome
from tools.http.secret import Secret
from tools.redaction import Redactor
from tools.registry import Tool
from tools.render.client import RenderClient
from tools.resources import Resources
from tools.sandbox.platform import RENDER_ADMIN, SUPABASE_ADMIN, Platform, guardian
from tools.sandbox.platform.world import Hosted
from tools.supabase.client import SupabaseClient
from tools.workspace.jail import Workspace

WEB, WORKER, OCR = "guardian-web", "guardian-document-worker", "guardian-ocr"
CRON, SITE, DATABASE, CACHE = "guardian-reminders", "guardian-help", "guardian-jobs", "guardian-queue"


@dataclass
class WriteWorld:
    """One platform, one person, one session."""

    folder: Path
    platform: Platform = field(default_factory=guardian)
    answer: Answer = Answer.ONCE
    asked: list[Request] = field(default_factory=list[Request])
    told: list[str] = field(default_factory=list[str])
    render_key: str = RENDER_ADMIN.text
    supabase_key: str = SUPABASE_ADMIN.text
    environment: dict[str, str] = field(default_factory=dict[str, str])
    transport: httpx.AsyncBaseTransport | None = None
    """In front of the platform, where a test wants something there."""
    pause: Any = None
    """How a tool waits; None: the platform's clock moves on."""
    while_asked: Any = None
    """Called while the person reads: the world may move."""
    while_waiting: Any = None
    """Called when a wait is told."""
    _tools: dict[str, Tool] = field(default_factory=dict[str, Tool])
    _executor: Executor | None = None

    @property
    def root(self) -> Path:
        """The workspace."""
        (self.folder / "work").mkdir(exist_ok=True)
        return (self.folder / "work").resolve()

    def executor(self) -> Executor:
        """The gate of this session."""
        if self._executor is None:
            clock = self.platform.clock
            common: dict[str, Any] = {
                "transport": self.transport or self.platform.transport(),
                "pause": clock.sleep,
                "clock": lambda: clock.now().timestamp(),
                "progress": self._progress,
            }
            project = self.platform.project
            assert project is not None
            resources = Resources(
                render_or_none=RenderClient(Secret(self.render_key), **common),
                supabase_or_none=SupabaseClient(Secret(self.supabase_key), project_ref=project.ref, **common),
                workspace_or_none=Workspace(self.root),
                state_dir=self.folder / "state",
                find_variable=self.environment.get,
                pause=self.pause or clock.sleep,
                now=clock.now,
                progress=self._progress,
            )
            self._executor = Executor(
                self._tools,
                resources,
                approvals=Approvals(Mode.ACT, self._decide),
                redactor=Redactor(strict=True),
                audit=AuditLog.open(self.folder / "audit.jsonl", face="test"),
            )
        return self._executor

    async def _decide(self, request: Request) -> Decision:
        self.asked.append(request)
        if self.while_asked:
            self.while_asked()
        return Decision(self.answer, by="person", reason="not today" if self.answer is Answer.DENY else "")

    def _progress(self, told: str) -> None:
        self.told.append(told)
        if self.while_waiting:
            self.while_waiting()

    async def call(self, tool: Tool, **arguments: Any) -> Outcome:
        """The tool through the gate."""
        self._tools[tool.name] = tool
        return await self.executor().call(tool.name, arguments)

    async def done(self, tool: Tool, **arguments: Any) -> str:
        """The answer of a call that must succeed."""
        outcome = await self.call(tool, **arguments)
        assert outcome.failure is None, outcome.failure
        assert outcome.result is not None
        return outcome.result.markdown()

    async def failed(self, tool: Tool, **arguments: Any) -> tuple[str, str]:
        """The kind and the words of a call that must fail."""
        outcome = await self.call(tool, **arguments)
        assert outcome.failure is not None, outcome.result
        return outcome.failure.kind, f"{outcome.failure.message} {outcome.failure.hint}"

    @property
    def shown(self) -> str:
        """All that the last question showed."""
        request = self.asked[-1]
        preview = request.preview
        return "\n".join((
            f"[{request.effect}]", preview.action, preview.target, *preview.touches, preview.consequence,
            preview.undo, preview.evidence,
        ))  # fmt: skip

    def hosted(self, name: str) -> Hosted:
        """A service of the platform."""
        return self.platform.world.named(name)

    def record(self, kind: str, name: str) -> dict[str, Any]:
        """A database, cache or environment group of the platform."""
        return next(each for each in self.platform.world.kind(kind).values() if each["name"] == name)

    @property
    def sent(self) -> list[str]:
        """Every request that was not a read, in order."""
        return [
            f"{each.method} {each.path.removeprefix('/v1')}"
            for each in self.platform.requests
            if each.method != "GET"
        ]
