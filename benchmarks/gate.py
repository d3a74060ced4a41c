"""What the gate costs: one call of a tool that does nothing, and the parts of it."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path

from agent.approvals import Answer, Approvals, Decision, Mode, Request
from agent.audit import AuditLog
from agent.executor import Executor
from benchmarks.table import Row, show
from tools.redaction import Redactor
from tools.registry import Effect, Params, Preview, Result, tool
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


async def _preview(params: Nothing, resources: Resources) -> Preview:
    return Preview(action="nothing", target="nowhere")


@tool(Effect.WRITE, preview=_preview)
async def change_nothing(params: Nothing, resources: Resources) -> Lines:
    """Return 200 lines, after a yes."""
    return ANSWER


async def _yes(request: Request) -> Decision:
    return Decision(Answer.ONCE, by="bench")


def main() -> None:
    """Seconds per call; the record of a change is on disk when it returns."""
    asyncio.run(_measure())


async def _measure() -> None:
    with tempfile.TemporaryDirectory() as folder:
        executor = Executor(
            {one.name: one for one in (do_nothing, change_nothing)},
            Resources(),
            approvals=Approvals(Mode.ACT, _yes),
            redactor=Redactor(),
            audit=AuditLog.open(Path(folder) / "audit.jsonl", face="bench"),
        )
        record = {"call": "0" * 12, "tool": "do_nothing", "effect": "read", "digest": "0" * 64, "ms": 1}
        redactor, audit = Redactor(), executor.audit
        rows = [
            Row("the tool's body", await _per_call(lambda: do_nothing.body(Nothing(), Resources()))),
            Row("redaction of 200 lines", await _per_call(lambda: _later(lambda: ANSWER.redacted(redactor)))),
            Row(
                "a record of a read", await _per_call(lambda: _later(partial(_record, audit, record, False)))
            ),
            Row(
                "a record of a change", await _per_call(lambda: _later(partial(_record, audit, record, True)))
            ),
            Row("a read through the gate", await _per_call(lambda: executor.call("do_nothing", {}))),
            Row("a change through the gate", await _per_call(lambda: executor.call("change_nothing", {}))),
        ]
        verified = time.perf_counter()
        whole, count = audit.verify().whole, sum(1 for _ in audit.records())
        verified = time.perf_counter() - verified
    show("gate, seconds per call (median)", [row.beside(rows[4].seconds) for row in rows], "x a read")
    print(f"  {count} records, {'whole' if whole else 'BROKEN'}, read twice and verified in {verified:.3f} s")


async def _later(work: Callable[[], object]) -> object:
    return work()


def _record(audit: AuditLog, record: Mapping[str, object], durable: bool) -> None:
    audit.write("outcome", record, durable=durable)


async def _per_call(call: Callable[[], Awaitable[object]]) -> float:
    times: list[float] = []
    for _ in range(CALLS):
        started = time.perf_counter()
        await call()
        times.append(time.perf_counter() - started)
    return statistics.median(times)
