"""The routes of the platform: /render/v1, /supabase/v1 and /site/{slug}."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route

from tools.sandbox.platform import (
    render_configuration,
    render_deploys,
    render_resources,
    render_rest,
    render_services,
    render_telemetry,
    supabase_api,
)
from tools.sandbox.platform.dice import unit
from tools.sandbox.platform.signals import signals

if TYPE_CHECKING:
    from tools.sandbox.platform.platform import Platform


def application(platform: Platform) -> Starlette:
    """The app behind the gate."""
    render = [
        *render_services.ROUTES,
        *render_deploys.ROUTES,
        *render_configuration.ROUTES,
        *render_telemetry.ROUTES,
        *render_resources.ROUTES,
        *render_rest.ROUTES,
    ]
    app = Starlette(
        routes=[
            Mount("/render/v1", routes=render),
            Mount("/supabase/v1", routes=supabase_api.ROUTES),
            Route("/site/{slug}", _site, methods=["GET", "HEAD"]),
            Route("/site/{slug}/{path:path}", _site, methods=["GET", "HEAD", "POST"]),
        ],
        exception_handlers={404: _absent, 405: _absent},
    )
    app.state.platform = platform
    return app


async def _absent(request: Request, error: Exception) -> Response:
    return JSONResponse({"message": f"not found: {request.url.path}"}, 404)


async def _site(request: Request) -> Response:
    """A service as the internet sees it: its health check, its errors, 502 while it is down."""
    platform: Platform = request.app.state.platform
    slug = request.path_params["slug"]
    for hosted in platform.world.services.values():
        if hosted.spec.slug != slug or hosted.spec.kind not in ("web_service", "static_site"):
            continue
        now = platform.clock.now()
        if hosted.spec.suspenders:
            return PlainTextResponse("This service has been suspended.", 503)
        if hosted.spec.maintenance:
            return PlainTextResponse("Down for maintenance.", 503)
        state = signals(platform.world, hosted.spec.id, now)
        if state.down:
            return PlainTextResponse("Bad Gateway", 502)
        path = f"/{request.path_params.get('path', '')}"
        if path in hosted.profile.healthy_paths:
            return JSONResponse({"status": "ok"})
        if unit(platform.world.seed, slug, path, now) < state.error_rate:
            return PlainTextResponse("Internal Server Error", state.error_status)
        found = path in dict(hosted.profile.paths) or path == "/"
        return JSONResponse({"ok": found}, 200 if found else 404)
    return PlainTextResponse("Not Found", 404, {"x-render-routing": "no-server"})
