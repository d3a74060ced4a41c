"""What other processes do around the audit log, for tests."""

from __future__ import annotations

import asyncio
import resource
from pathlib import Path

from agent.approvals import Answer, Approvals, Decision, Mode, Request
from agent.audit import AuditLog, Keeping
from agent.executor import Executor, Outcome
from tools.redaction import Redactor
from tools.registry import Effect, Params, Preview, Result, tool
from tools.resources import Resources


class File(Params):
    path: str


class Done(Result):
    done: bool = True


async def _preview(params: File, resources: Resources) -> Preview:
    return Preview(action=f"write {params.path}", target="this machine")


@tool(Effect.WRITE, preview=_preview)
async def write_and_hang(params: File, resources: Resources) -> Done:
    """Write a file and never come back."""
    Path(params.path).write_text("half")
    await asyncio.Event().wait()
    return Done()


@tool(Effect.WRITE, preview=_preview)
async def write_file(params: File, resources: Resources) -> Done:
    """Write a file."""
    Path(params.path).write_text("x")
    return Done()


@tool(Effect.READ)
async def look(params: File, resources: Resources) -> Done:
    """Look at nothing."""
    return Done()


async def _yes(request: Request) -> Decision:
    return Decision(Answer.ONCE, by="person")


def call(log: Path, name: str, path: str) -> Outcome:
    """One call through a real gate, whose person says yes."""
    executor = Executor(
        {one.name: one for one in (write_and_hang, write_file, look)},
        Resources(),
        approvals=Approvals(Mode.ACT, _yes),
        redactor=Redactor(),
        audit=AuditLog.open(log, face="test"),
    )
    return asyncio.run(executor.call(name, {"path": path}))


def main(what: str, file: str, *rest: str) -> None:
    """`append LOG N ROTATE ANCHOR`, or `TOOL LOG PATH [LARGEST]`: no file may outgrow LARGEST bytes."""
    log = Path(file)
    if what == "append":
        count, rotate, anchor = map(int, rest)
        audit = AuditLog(log, "tester", Keeping(rotate_bytes=rotate, anchor_every=anchor))
        for number in range(count):
            audit.write("outcome", {"tool": "say", "number": number}, durable=False)
        return
    if rest[1:]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(rest[1]), int(rest[1])))
    print(call(log, what, rest[0]).markdown())
