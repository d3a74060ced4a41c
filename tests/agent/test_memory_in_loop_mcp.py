"""The memory bank at an MCP client: pages, warnings, and the memory tool where it was asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import mcp_types as wire
import pytest
from mcp import Client
from mcp.client.session import ElicitationFnT

import prompts
from agent.approvals import Mode
from agent.mcp_server import build_server
from memory import Bank, Banks, Draft
from tests.agent.mcp_fakes import World
from tools.recall import TOOLS
from tools.recall.memory import memory

pytestmark = pytest.mark.anyio

ERAS = pytest.mark.parametrize("era", ["legacy", "auto"])
NOW = datetime(2026, 5, 1, tzinfo=UTC)
FAILED = Draft(
    title="Long comments on notes break the nightly export",
    category="problem-solutions",
    action="comment on table notes is '...'",
    result="the export stopped at 64 kB",
    outcome="failed",
    applies_to={"table": ["public.notes"]},
)


class Person:
    """Says yes once to everything, and keeps what was shown."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    async def __call__(self, _: Any, params: wire.ElicitRequestParams) -> wire.ElicitResult:
        assert isinstance(params, wire.ElicitRequestFormParams)
        self.shown.append(params.message)
        return wire.ElicitResult(action="accept", content={"answer": "once"})


Connect = Callable[..., Client]


@pytest.fixture
def bank(tmp_path: Path) -> Banks:
    """A bank with one failure."""
    bank = Banks(Bank(tmp_path / "bank"))
    bank.add(FAILED, source="a test", now=NOW)
    return bank


@pytest.fixture
def world() -> World:
    """What the toy tools change."""
    return World()


@pytest.fixture
def connect(world: World, bank: Banks, tmp_path: Path) -> Connect:
    """A client of a server over the toys, the memory's tools and, as files, the bank."""

    def make(era: str, person: ElicitationFnT | None = None) -> Client:
        executor = world.executor(tmp_path / "audit.jsonl", Mode.ACT)
        executor.catalogue = {**executor.catalogue, **{one.name: one for one in (*TOOLS, memory)}}
        executor.resources = replace(executor.resources, bank_or_none=bank)
        server = build_server(executor, bank=bank, requests=prompts.requests())
        info = wire.Implementation(name="probe", version="7")
        return Client(server, mode=era, elicitation_callback=person, client_info=info)

    return make


def text(result: wire.CallToolResult) -> str:
    return "".join(block.text for block in result.content if isinstance(block, wire.TextContent))


@ERAS
async def test_pages_and_recall_say_what_failed(era: str, connect: Connect):
    async with connect(era) as client:
        listed = (await client.list_resources()).resources
        (template,) = (await client.list_resource_templates()).resource_templates
        index, page = [(await client.read_resource(one.uri)).contents[0] for one in listed]
        found = await client.call_tool("recall", {"query": "comment on notes", "table": ["notes"]})
    assert template.uri_template == "memory://entries/{id}"
    assert listed[1].uri.startswith("memory://entries/")
    assert isinstance(index, wire.TextResourceContents) and isinstance(page, wire.TextResourceContents)
    assert "failed before" in index.text
    assert "Warning: Failed on 2026-05-01" in page.text and page.text.startswith(f"# {FAILED.title}")
    assert found.structured_content is not None
    assert "64 kB" in found.structured_content["entries"][0]["warning"] and "64 kB" in text(found)


@ERAS
async def test_a_change_on_the_same_object_is_warned_of(era: str, connect: Connect, world: World):
    person = Person()
    async with connect(era, person) as client:
        done = await client.call_tool("set_comment", {"table": "notes", "comment": "shared"})
        other = await client.call_tool("set_comment", {"table": "letters", "comment": "shared"})
    assert "Memory warns:" in person.shown[0] and "64 kB" in person.shown[0]
    assert "past failures" in text(done) and not done.is_error and len(world.done) == 2
    assert "Memory warns:" not in person.shown[1] and "past failures" not in text(other)


@ERAS
async def test_the_memory_tool_asks_before_each_change_and_never_to_look(
    era: str, connect: Connect, bank: Banks
):
    person = Person()
    note = "/memories/progress.md"
    async with connect(era, person) as client:
        tool = next(one for one in (await client.list_tools()).tools if one.name == "memory")
        made = await client.call_tool("memory", {"command": "create", "path": note, "file_text": "one\n"})
        seen = await client.call_tool("memory", {"command": "view", "path": "/memories"})
        gone = await client.call_tool("memory", {"command": "view", "path": "/memories/none.md"})
        bad = await client.call_tool(
            "memory", {"command": "create", "path": note, "file_text": "MRN: 00482913"}
        )
    assert tool.annotations is not None and tool.annotations.read_only_hint is False
    assert made.structured_content == {"text": f"File created successfully at: {note}"}
    assert seen.structured_content is not None and note in seen.structured_content["text"]
    assert "/memories/problem-solutions/" in seen.structured_content["text"]
    assert gone.is_error and "The path /memories/none.md does not exist." in text(gone)
    assert bad.is_error and "00482913" not in text(bad)
    assert len(person.shown) == 1 and f"new file {note}:" in person.shown[0]
    assert bank.writable is not None and (bank.writable.root / "progress.md").read_text() == "one\n"


@ERAS
async def test_a_lesson_cites_the_calls_of_its_own_session(era: str, connect: Connect, bank: Banks):
    person = Person()
    lesson = {
        "title": "notes: count the rows before commenting",
        "category": "problem-solutions",
        "action": "count_rows on notes, then set_comment",
        "result": "three rows, no error",
        "outcome": "worked",
    }
    async with connect(era, person) as client:
        await client.call_tool("count_rows", {"table": "notes"})
        saved = await client.call_tool("remember", lesson)
    assert not saved.is_error, text(saved)
    assert "tool: count_rows (audited calls" in person.shown[0]
    (entry,) = [one for one in bank.entries() if one.title == lesson["title"]]
    assert "count_rows" in entry.source.ref and entry.source.digest.startswith("sha256:")


@pytest.mark.parametrize(("flag", "offered"), [((), False), (("--memory-tool",), True)])
async def test_sergei_mcp_offers_the_memory_tool_when_asked(
    tmp_path: Path, flag: tuple[str, ...], offered: bool
):
    from mcp import StdioServerParameters, stdio_client

    root = Path(__file__).parents[2]
    code = "import sys; from agent.cli import main; sys.exit(main(sys.argv[1:]))"
    server = StdioServerParameters(
        command=sys.executable,
        args=["-c", code, "mcp", *flag],
        cwd=str(tmp_path),
        env={"PYTHONPATH": str(root), "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")},
    )
    async with Client(stdio_client(server)) as client:
        names = [one.name for one in (await client.list_tools()).tools]
    assert ("memory" in names) is offered and "recall" in names
