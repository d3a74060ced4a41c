"""The demo's Render and Supabase: clients that reach the simulated platform and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace

from tools.http.secret import Secret
from tools.render.client import RenderClient
from tools.resources import Resources
from tools.sandbox.platform.demo import DemoPlatform
from tools.sandbox.platform.keys import OWNER, REF, RENDER_ADMIN, SUPABASE_ADMIN
from tools.supabase.client import SupabaseClient


def on_demo_platform(
    resources: Resources, stack: AsyncExitStack, progress: Callable[[str], None]
) -> Resources:
    """The resources with the demo's platform, its time and its way of waiting. `stack` ends it.

    A key of the person's own is never used beside the demo.
    """
    demo = DemoPlatform()
    stack.callback(demo.close)

    def clock() -> float:
        return demo.now().timestamp()

    render = RenderClient(
        Secret(RENDER_ADMIN.text),
        api_url=demo.render_url,
        owner=OWNER,
        transport=demo.transport(),
        pause=demo.pause,
        clock=clock,
        progress=progress,
    )
    supabase = SupabaseClient(
        Secret(SUPABASE_ADMIN.text),
        api_url=demo.supabase_url,
        project_ref=REF,
        transport=demo.transport(),
        pause=demo.pause,
        clock=clock,
        progress=progress,
    )
    stack.push_async_callback(render.close)
    stack.push_async_callback(supabase.close)
    return replace(
        resources, render_or_none=render, supabase_or_none=supabase, now=demo.now, pause=demo.pause
    )
