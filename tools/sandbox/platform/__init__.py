"""A stateful fake of Render's API and of Supabase's management API, for tests and for the demo.

Everything is a function of the world, its seed and its clock. Nothing leaves this machine.

In a test, within this process:

    platform = guardian()                                   # Guardian's services, two weeks of history
    async with httpx.AsyncClient(transport=platform.transport(),
                                 headers={"Authorization": f"Bearer {RENDER_ADMIN.text}"}) as client:
        await client.get("https://api.render.com/v1/services")   # api.supabase.com too, with a sbp_ key
        await client.get("https://guardian-web.onrender.com/health")   # the service as the internet sees it
    await platform.clock.sleep(90)                          # time passes at once: pass this as a tool's sleep
    platform.clock.advance(90)                              # the same outside of a loop

Served on loopback, for the demo and end-to-end tests (websocket for /logs/subscribe included):

    with platform.serve() as at:                            # at.render, at.supabase: base URLs ending in /v1
        platform.clock.run(30)                              # thirty times as fast as real time

Find and change: `platform.world.named("guardian-web")` is a `Hosted` (spec, env, deploys, commits ...).
A commit with consequences, and what becomes of its deploy:

    push(platform, "guardian-document-worker", "Bigger batches",
         Behaviour(build="fails", build_lines=("npm ERR! ...",)))   # or pre_deploy=, update=, needs=("KEY",)
    push(platform, "guardian-web", "New search",
         Behaviour(effect=Effect(error_rate=0.2, latency=4)))               # goes live, and is bad

Trouble without a deploy: `platform.world.effects.append(Active(service_id, Effect(...), start))`.
A whole incident with symptoms, noise and a known cause: `incidents.ALL`, each with `name`, `cause` and
`plant(platform)`; it plants what happened up to the present time, and the clock goes on from there.

Faults: `platform.faults.add("status", "POST", "/deploys", status=503)`, kinds also html, timeout, dropped,
timeout_after and dropped_after (took effect, answer lost). Limits: `platform.limits.factor = 0.01`.
What was asked: `platform.requests`. Keys with lesser rights: RENDER_VIEWER, RENDER_STRANGER, SUPABASE_VIEWER.

Not recorded from the real API, so chosen here: units of metrics (each series names its unit), the numbers in
`status` of ended events, the exact wording of some error messages.

Names are loaded when they are first used: the demo is at hand without loading a web server.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tools.sandbox.platform.effects import Active, Behaviour, Effect, Line
    from tools.sandbox.platform.guardian_platform import guardian, push
    from tools.sandbox.platform.keys import (
        OWNER,
        RENDER_ADMIN,
        RENDER_STRANGER,
        RENDER_VIEWER,
        SUPABASE_ADMIN,
        SUPABASE_STRANGER,
        SUPABASE_VIEWER,
    )
    from tools.sandbox.platform.platform import Addresses, Platform

_HOMES = {
    "effects": ("Active", "Behaviour", "Effect", "Line"),
    "guardian_platform": ("guardian", "push"),
    "keys": (
        "OWNER", "RENDER_ADMIN", "RENDER_STRANGER", "RENDER_VIEWER", "SUPABASE_ADMIN", "SUPABASE_STRANGER",
        "SUPABASE_VIEWER",
    ),
    "platform": ("Addresses", "Platform"),
}  # fmt: skip
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "OWNER",
    "RENDER_ADMIN",
    "RENDER_STRANGER",
    "RENDER_VIEWER",
    "SUPABASE_ADMIN",
    "SUPABASE_STRANGER",
    "SUPABASE_VIEWER",
    "Active",
    "Addresses",
    "Behaviour",
    "Effect",
    "Line",
    "Platform",
    "guardian",
    "push",
]


def __getattr__(name: str) -> object:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'tools.sandbox.platform' has no attribute '{name}'")
    return getattr(importlib.import_module(f"tools.sandbox.platform.{home}"), name)
