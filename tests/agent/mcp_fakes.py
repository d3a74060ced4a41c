"""A small catalogue behind a real gate, in memory or as a process of its own.

`COMMAND` + FOLDER stdio|http MODE [PORT [TOKEN]] serves it as the CLI would, with the CLI's exit codes.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from agent.approvals import Approvals, Mode
from agent.audit import AuditLog
from agent.executor import Executor
from tools.errors import SergeiError, Unavailable
from tools.redaction import Redactor
from tools.registry import Effect, Params, Preview, Result, Tool, tool
from tools.resources import Resources

COMMAND = (
    sys.executable,
    "-c",
    "import sys; from tests.agent.mcp_fakes import main; sys.exit(main(*sys.argv[1:]))",
)
ROOT = Path(__file__).parents[2]
"""Where the processes are started."""


class CountRows(Params):
    table: str
    at_least: int = 0


class Rows(Result):
    table: str
    rows: int
    note: str | None = None


class SetComment(Params):
    table: str
    comment: str


class Done(Result):
    done: list[str]


class Nothing(Params):
    pass


class World:
    """What the tools change, and what the preview reads."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.affected = 1
        self.entered = asyncio.Event()
        self.left = asyncio.Event()

    def catalogue(self) -> dict[str, Tool]:
        """Tools over this world."""

        @tool(Effect.READ)
        async def count_rows(params: CountRows, resources: Resources) -> Rows:
            """Count a table's rows.

            Not for partitions.
            """
            print("a tool that prints")
            return Rows(table=params.table, rows=3, note="ask ana@example.org")

        @tool(Effect.READ, open_world=True)
        async def fetch_status(params: Nothing, resources: Resources) -> Rows:
            """Fetch the platform's status."""
            raise Unavailable("The platform did not answer.", hint="Try again in a minute.", code="504")

        @tool(Effect.READ)
        async def watch_forever(params: Nothing, resources: Resources) -> Rows:
            """Watch until cancelled."""
            self.entered.set()
            try:
                await asyncio.sleep(3600)
            finally:
                self.left.set()
            return Rows(table="", rows=0)

        async def preview(params: SetComment, resources: Resources) -> Preview:
            return Preview(
                action=f"COMMENT ON TABLE {params.table} IS '{params.comment}'",
                target="guardian@sandbox",
                touches=(f"public.{params.table}",),
                consequence="Readers of the catalog see it.",
                undo="Set the old comment again.",
                evidence=f"{self.affected} table is named so.",
            )

        @tool(Effect.WRITE, preview=preview)
        async def set_comment(params: SetComment, resources: Resources) -> Done:
            """Set a table's comment."""
            self.done.append(params.comment)
            return Done(done=list(self.done))

        @tool(Effect.DESTRUCTIVE, preview=preview)
        async def drop_comment(params: SetComment, resources: Resources) -> Done:
            """Drop a table's comment."""
            self.done.append("dropped")
            return Done(done=list(self.done))

        tools = (count_rows, fetch_status, watch_forever, set_comment, drop_comment)
        return {one.name: one for one in tools}

    def executor(self, audit: Path, mode: Mode) -> Executor:
        """A real gate over these tools."""
        return Executor(
            self.catalogue(),
            Resources(),
            approvals=Approvals(mode),
            redactor=Redactor(),
            audit=AuditLog(audit, "tester via mcp"),
        )


def main(folder: str, transport: str, mode: str, port: str = "0", token: str = "") -> int:
    """Serve until a signal or the end of stdin."""
    from agent.mcp_server import serve_http, serve_stdio
    from prompts import requests

    executor = World().executor(Path(folder) / "audit.jsonl", Mode(mode))
    face = (
        serve_stdio(executor, bank=None, requests=requests())
        if transport == "stdio"
        else serve_http(executor, bank=None, requests=requests(), port=int(port), token=token or None)
    )
    try:
        asyncio.run(face)
    except KeyboardInterrupt:
        return 130
    except SergeiError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    unwanted = {"anthropic", "psycopg", "prompt_toolkit", "rich"}
    print(f"loaded: {sorted(unwanted & set(sys.modules))}", file=sys.stderr)
    return 0
