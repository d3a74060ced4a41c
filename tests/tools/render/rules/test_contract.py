"""Every request of a review is one that Render's OpenAPI document allows."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from tests.contracts import Contract, document
from tests.simulated import simulated_resources
from tools.http.secret import Secret
from tools.render.client import RenderClient
from tools.render.review_render import take_inventory
from tools.sandbox.platform import OWNER, RENDER_ADMIN, Platform, guardian

pytestmark = pytest.mark.anyio


class Judged(httpx.AsyncBaseTransport):
    """Passes on what the document allows; raises for the rest."""

    def __init__(self, platform: Platform, contract: Contract) -> None:
        self._inner, self._contract = platform.transport(), contract

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self._contract.answer(request)
        return await self._inner.handle_async_request(request)


async def test_a_review_asks_only_what_the_document_allows() -> None:
    contract, platform = Contract(document("render-openapi.json")), guardian()
    render = RenderClient(
        Secret(RENDER_ADMIN.text),
        owner=OWNER,
        transport=Judged(platform, contract),
        pause=platform.clock.sleep,
        clock=lambda: platform.clock.now().timestamp(),
    )
    resources = replace(simulated_resources(platform), render_or_none=render)
    inventory = await take_inventory(resources, None)
    assert inventory.gaps == () and len(inventory.units) == 7
    assert {("GET", "/services"), ("GET", "/services/{serviceId}/events")} <= set(contract.called)
    assert {method for method, _ in contract.called} == {"GET"}
