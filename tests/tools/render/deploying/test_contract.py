"""Every request of a whole deploy with its rollback is one that Render's OpenAPI document allows."""

from __future__ import annotations

import httpx
import pytest

from tests.contracts import Contract, document
from tests.tools.render.deploying.world import WEB, World
from tools.http.secret import Secret
from tools.render.client import RenderClient
from tools.sandbox.platform import RENDER_ADMIN, Behaviour, Effect

pytestmark = pytest.mark.anyio


class Judged(httpx.AsyncBaseTransport):
    """Passes on what the document allows; raises for the rest."""

    def __init__(self, world: World, contract: Contract) -> None:
        self._inner, self._contract = world.platform.transport(), contract

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self._contract.answer(request)
        return await self._inner.handle_async_request(request)


async def test_a_deploy_and_its_rollback_ask_only_what_the_document_allows(world: World):
    contract = Contract(document("render-openapi.json"))
    clock = world.platform.clock
    render = RenderClient(
        Secret(RENDER_ADMIN.text),
        transport=Judged(world, contract),
        pause=clock.sleep,
        clock=lambda: clock.now().timestamp(),
    )
    world.push(WEB, Behaviour(effect=Effect(error_rate=0.2)))
    world.hosted(WEB).change(clock.now(), auto_deploy=True)
    resources = world.resources(render_or_none=render)
    told = await world.deploy(WEB, rollback_on_regression=True, bake_minutes=2, resources=resources)
    assert told.verdict == "regressed_rolled_back"
    assert {
        ("POST", "/services/{serviceId}/deploys"),
        ("PATCH", "/services/{serviceId}"),
        ("POST", "/services/{serviceId}/rollback"),
        ("GET", "/metrics/http-requests"),
        ("GET", "/logs"),
    } <= set(contract.called)
