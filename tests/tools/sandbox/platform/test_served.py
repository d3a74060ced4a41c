"""The platform served on loopback: the same answers over real connections, and the websocket."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

import httpx
import pytest
from websockets.asyncio.client import connect

from tools.sandbox.platform import OWNER, RENDER_ADMIN, SUPABASE_ADMIN, guardian
from tools.sandbox.platform.demo import DemoPlatform
from tools.sandbox.platform.keys import REF

HEADERS = {"Authorization": f"Bearer {RENDER_ADMIN.text}"}


def test_the_demo_is_served_when_it_is_first_asked():
    demo = DemoPlatform()
    try:
        asyncio.run(_asked(demo))
    finally:
        demo.close()


async def _asked(demo: DemoPlatform) -> None:
    async with httpx.AsyncClient(transport=demo.transport(), headers=HEADERS) as client:
        services = (await client.get(f"{demo.render_url}/services")).json()
        web = next(each["service"] for each in services if each["service"]["name"] == "guardian-web")
        page = await client.get(f"{web['serviceDetails']['url']}/health")
        assert page.json() == {"status": "ok"}
        key = {"Authorization": f"Bearer {SUPABASE_ADMIN.text}"}
        projects = (await client.get(f"{demo.supabase_url}/projects", headers=key)).json()
        assert projects[0]["ref"] == REF
        assert (await client.get(f"{demo.supabase_url}/projects")).status_code == 401
    before = demo.now()
    await demo.pause(0.2)
    assert (demo.now() - before).total_seconds() >= 0.2
    assert abs((before - datetime.now(UTC)).total_seconds()) < 60


def test_a_lost_answer_closes_the_connection():
    platform = guardian()
    worker = platform.world.named("guardian-document-worker")
    platform.faults.add("dropped_after", "POST", "/deploys")
    before = len(worker.deploys)
    with platform.serve() as at, httpx.Client(headers=HEADERS) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            client.post(f"{at.render}/services/{worker.spec.id}/deploys", json={})
        assert len(worker.deploys) == before + 1
        platform.faults.add("timeout", "GET", "/services")
        with pytest.raises(httpx.ReadTimeout):
            client.get(f"{at.render}/services", timeout=0.3)


def test_new_lines_come_over_the_websocket():
    platform = guardian()
    web = platform.world.named("guardian-web").spec.id

    async def follow(root: str, key: str) -> list[str]:
        headers = {"Authorization": f"Bearer {key}"}
        address = f"{root.replace('http', 'ws')}/logs/subscribe?ownerId={OWNER}&resource={web}&text=timeline*"
        async with connect(address, additional_headers=headers) as socket:
            platform.clock.advance(600)
            lines = [json.loads(await socket.recv()) for _ in range(3)]
        return [line["message"] for line in lines]

    with platform.serve() as at:
        lines = asyncio.run(follow(at.render, RENDER_ADMIN.text))
        assert all("timeline" in each for each in lines)
        with pytest.raises(Exception, match="401"):
            asyncio.run(follow(at.render, SUPABASE_ADMIN.text))
