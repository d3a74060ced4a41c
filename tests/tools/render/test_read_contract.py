"""Every request of the tools that read is one that the vendors' documents allow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.contracts import Contract, document
from tests.simulated import simulated_gate, simulated_resources
from tools.sandbox.platform import Platform, guardian

pytestmark = pytest.mark.anyio
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("list_services", {}),
    *(("describe_service", {"name": "guardian-web", "section": section}) for section in
      ("overview", "deploys", "events", "environment", "jobs", "network", "blueprint")),
    ("describe_service", {"name": "guardian-ocr", "section": "disk"}),
    ("describe_service", {"name": "guardian-reminders", "section": "jobs"}),
    *(("describe_service", {"name": f"guardian-{name}"}) for name in ("jobs", "queue", "shared")),
    ("read_logs", {"level": "all", "text": "job", "window": "30m"}),
    ("read_logs", {"services": ["guardian-web"], "status": "5xx", "path": "/api/*", "instance": "x"}),
    ("read_metrics", {}),
    ("read_metrics", {"services": ["guardian-web"], "path": "/api/share", "window": "3h"}),
    ("read_metrics", {"services": ["guardian-jobs", "guardian-queue"], "window": "20m"}),
    *(("describe_project", {"section": section}) for section in
      ("overview", "functions", "secrets", "auth", "backups", "network", "advisors", "branches")),
    ("read_project_logs", {"window": "30m"}),
    ("read_project_logs", {"function": "document-processor", "status": "5xx", "text": "it's \\ *"}),
]  # fmt: skip


class Judged(httpx.AsyncBaseTransport):
    """Passes on what the documents allow; raises for the rest."""

    def __init__(self, platform: Platform) -> None:
        self._inner = platform.transport()
        self.render = Contract(document("render-openapi.merged.json"))
        self.supabase = Contract(document("supabase-openapi.json"))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Judge, then ask the platform."""
        await request.aread()
        (self.render if "render" in request.url.host else self.supabase).answer(request)
        return await self._inner.handle_async_request(request)


async def test_every_reading_asks_only_what_the_documents_allow(tmp_path: Path):
    platform = guardian()
    judged = Judged(platform)
    resources = simulated_resources(platform, transport=judged)
    gate = simulated_gate(platform, tmp_path / "audit.jsonl", resources=resources)
    for name, arguments in CALLS:
        outcome = await gate.call(name, arguments)
        assert outcome.failure is None, (name, arguments, outcome.failure)
        assert outcome.result is not None and "Not read" not in outcome.result.markdown(), (name, arguments)
    asked = {path for _, path in judged.render.called}
    assert {"/services", "/logs", "/metrics/cpu", "/metrics/active-connections", "/env-groups"} <= asked
    assert len({path for _, path in judged.supabase.called}) >= 15
    assert {method for method, _ in judged.render.called} == {"GET"}
