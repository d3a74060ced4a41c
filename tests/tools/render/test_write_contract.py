"""Every request of the tools that change is one that the vendors' documents allow."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from tests.contracts import Contract, document
from tests.tools.render.write_world import CACHE, CRON, DATABASE, WEB, WORKER, WriteWorld
from tools.render.change_env_var import change_env_var
from tools.render.change_service import change_service
from tools.render.run_job import run_job
from tools.sandbox.platform import push
from tools.sandbox.platform.clock import stamp
from tools.supabase.deploy_function import deploy_function

pytestmark = pytest.mark.anyio


class Judged(httpx.AsyncBaseTransport):
    """Passes on what the documents allow; raises for the rest."""

    def __init__(self, world: WriteWorld) -> None:
        self._inner = world.platform.transport()
        self.render = Contract(document("render-openapi.json"))
        self.supabase = Contract(document("supabase-openapi.json"))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Judge, then ask the platform."""
        await request.aread()
        (self.render if "render" in request.url.host else self.supabase).answer(request)
        return await self._inner.handle_async_request(request)


@pytest.fixture
def world(tmp_path: Path) -> WriteWorld:
    """Guardian's services behind the documents."""
    made = WriteWorld(tmp_path, environment={"NEW_KEY": "Zk3vQ9tLw7Xp2RbN"})
    made.transport = Judged(made)
    return made


async def test_render(world: WriteWorld):
    now = world.platform.clock.now()
    run = {
        "id": "mrn-d1ma1ntenance0000abc",
        "resourceId": world.record("postgres", DATABASE)["id"],
        "type": "postgres_upgrade",
        "state": "scheduled",
        "scheduledAt": stamp(now + timedelta(days=2), 0),
        "pendingMaintenanceBy": None,
    }
    world.platform.world.kind("maintenance")["mrn-d1ma1ntenance0000abc"] = run
    steps: list[dict[str, object]] = [
        {"service": WORKER, "action": "scale", "instances": 2},
        {"service": WEB, "action": "autoscaling", "highest": 6, "memory": 80},
        {"service": WEB, "action": "restart"},
        {"service": WEB, "action": "autodeploy", "enabled": False},
        {"service": WEB, "action": "purge_cache"},
        {"service": WORKER, "action": "change_plan", "plan": "pro_plus"},
        {"service": CACHE, "action": "change_plan", "plan": "standard"},
        {"service": DATABASE, "action": "restart"},
        {"service": DATABASE, "action": "maintenance", "at": stamp(now + timedelta(days=3), 0)},
        {"service": DATABASE, "action": "maintenance"},
        *({"service": name, "action": "suspend"} for name in (WEB, DATABASE, CACHE)),
        *({"service": name, "action": "resume"} for name in (WEB, DATABASE, CACHE)),
    ]
    for step in steps:
        await world.done(change_service, **step)
    await world.platform.clock.sleep(900)
    world.hosted(WORKER).change(world.platform.clock.now(), auto_deploy=True)
    push(world.platform, WORKER, "New")
    await world.done(change_service, service=WORKER, action="cancel_deploy")
    await world.done(change_env_var, service=WEB, key="NEW_KEY", value_from="env:NEW_KEY")
    await world.done(change_env_var, service=WEB, key="NEW_KEY", action="delete")
    await world.done(change_env_var, service="guardian-shared", key="LOG_LEVEL", value="debug")
    await world.done(change_env_var, service="guardian-shared", key="LOG_LEVEL", action="delete")
    await world.done(run_job, service=WORKER, command="node x.js", wait_seconds=0)
    (job,) = world.hosted(WORKER).jobs
    await world.done(run_job, service=WORKER, action="cancel", job=job)
    await world.done(run_job, service=CRON, wait_seconds=0)
    await world.done(run_job, service=CRON, action="cancel")
    assert isinstance(world.transport, Judged)
    changing = {each for each in world.transport.render.called if each[0] != "GET"}
    assert len(changing) == 24
    assert not {
        path for method, path in changing if method == "PUT" and path.endswith("s")
    }  # none replaces all


async def test_supabase(world: WriteWorld):
    source = world.root / "supabase" / "functions" / "hello" / "index.ts"
    source.parent.mkdir(parents=True)
    source.write_text("Deno.serve(() => new Response('x'));\n")
    await world.done(deploy_function, function="hello", watch_minutes=1)
    source.write_text("Deno.serve(() => new Response(Deno.env.get('Y')));\n")
    await world.done(deploy_function, function="hello", watch_minutes=1)
    assert isinstance(world.transport, Judged)
    assert ("POST", "/v1/projects/{ref}/functions/deploy") in world.transport.supabase.called
    assert ("GET", "/v1/projects/{ref}/analytics/endpoints/logs") in world.transport.supabase.called
