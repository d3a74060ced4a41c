"""What the gate costs: one call of a tool that does nothing, beside the tool's own body."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from agent.approvals import Approvals, Mode
from agent.audit import AuditLog
from agent.executor import Executor
from benchmarks.table import Row, show
from tools.redaction import Redactor
from tools.registry import Effect, Params, Result, tool
from tools.resources import Resources

CALLS = 300


class Nothing(Params):
    pass


class Lines(Result):
    lines: list[str]


ANSWER = Lines(lines=[f"line {n}: nothing to see in public.table_{n}" for n in range(200)])


@tool(Effect.READ)
async def do_nothing(params: Nothing, resources: Resources) -> Lines:
    """Return 200 lines."""
    return ANSWER


def main() -> None:
    """Seconds per call, audit line flushed to disk included."""
    asyncio.run(_measure())


async def _measure() -> None:
    with tempfile.TemporaryDirectory() as folder:
        executor = Executor(
            {do_nothing.name: do_nothing},
            Resources(),
            approvals=Approvals(Mode.INVESTIGATE),
            redactor=Redactor(),
            audit=AuditLog.open(Path(folder) / "audit.jsonl", face="bench"),
        )
        body = await _per_call(lambda: do_nothing.body(Nothing(), Resources()))
        gated = await _per_call(lambda: executor.call("do_nothing", {}))
    rows = [Row("the tool's body", body), Row("through the gate", gated)]
    show("gate, seconds per call (median)", [row.beside(body) for row in rows], "x body")


async def _per_call(call: Callable[[], Awaitable[object]]) -> float:
    times: list[float] = []
    for _ in range(CALLS):
        started = time.perf_counter()
        await call()
        times.append(time.perf_counter() - started)
    return statistics.median(times)
