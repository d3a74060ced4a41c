"""The MCP face in memory, in both eras of the protocol, over a real gate."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import mcp_types as wire
import pytest
from anyio import create_task_group
from mcp import Client, MCPError
from mcp.client.session import ElicitationFnT

import prompts
from agent.approvals import Mode
from agent.audit import AuditLog
from agent.mcp_server import build_server
from memory import Bank, Banks, Draft
from tests.agent.mcp_fakes import World
from tools import catalogue
from tools.registry import Effect

pytestmark = pytest.mark.anyio

ERAS = pytest.mark.parametrize("era", ["legacy", "auto"])
ARGUMENTS = {"table": "notes", "comment": "shared"}


class Person:
    """Whoever sits at the client: gives the next of their replies, and keeps what they were shown."""

    def __init__(self, *replies: wire.ElicitResult) -> None:
        self.replies = list(replies)
        self.shown: list[str] = []
        self.forms: list[dict[str, Any]] = []

    async def __call__(self, _: Any, params: wire.ElicitRequestParams) -> wire.ElicitResult:
        assert isinstance(params, wire.ElicitRequestFormParams)
        self.shown.append(params.message)
        self.forms.append(params.requested_schema)
        return self.replies.pop(0)


def says(answer: str, reason: str | None = None) -> wire.ElicitResult:
    return wire.ElicitResult(
        action="accept", content={"answer": answer, **({"reason": reason} if reason else {})}
    )


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def audit(tmp_path: Path) -> AuditLog:
    return AuditLog(tmp_path / "audit.jsonl", "")


Connect = Callable[..., Client]


@pytest.fixture
def connect(world: World, audit: AuditLog) -> Connect:
    """A client of a new server over `world`; `server=` connects to an existing one."""

    def make(
        era: str,
        ask: ElicitationFnT | None = None,
        *,
        mode: Mode = Mode.ACT,
        bank: Banks | None = None,
        server: Any = None,
        name: str = "probe",
    ) -> Client:
        server = server or build_server(
            world.executor(audit.path, mode), bank=bank, requests=prompts.requests()
        )
        info = wire.Implementation(name=name, version="7")
        return Client(server, mode=era, elicitation_callback=ask, client_info=info)

    return make


def text(result: wire.CallToolResult) -> str:
    return "".join(block.text for block in result.content if isinstance(block, wire.TextContent))


# What is offered


@ERAS
async def test_tools_are_offered_with_their_own_schemas_and_with_hints_from_their_effect(
    era: str, connect: Connect, world: World
) -> None:
    async with connect(era) as client:
        offered = {tool.name: tool for tool in (await client.list_tools()).tools}
    definitions = world.catalogue()
    assert list(offered) == list(definitions)
    for name, tool in definitions.items():
        assert offered[name].input_schema == tool.input_schema
        assert offered[name].output_schema == tool.output_schema
        assert offered[name].description == tool.description
        hints = offered[name].annotations
        assert hints is not None
        assert hints.read_only_hint is (tool.effect is Effect.READ)
        assert hints.destructive_hint is (tool.effect is Effect.DESTRUCTIVE)
        assert hints.open_world_hint is tool.open_world


async def test_every_tool_of_the_real_catalogue_can_be_put_on_the_wire(
    make_executor: Callable[..., Any],
) -> None:
    server = build_server(make_executor(), bank=None, requests=())
    async with Client(server) as client:
        offered = (await client.list_tools()).tools
    assert [tool.name for tool in offered] == list(catalogue())
    for tool in offered:
        jsonschema.Draft202012Validator.check_schema(tool.input_schema)
        assert tool.input_schema["type"] == "object"
        assert tool.output_schema is not None
        jsonschema.Draft202012Validator.check_schema(tool.output_schema)
        assert tool.output_schema["type"] == "object"


@ERAS
async def test_the_nine_requests_are_prompts(era: str, connect: Connect) -> None:
    async with connect(era) as client:
        offered = (await client.list_prompts()).prompts
        one = await client.get_prompt("encrypt-sensitive-fields")
        with pytest.raises(MCPError, match="no such prompt"):
            await client.get_prompt("sing")
    requests = {request.name: request for request in prompts.requests()}
    assert [(prompt.name, prompt.title) for prompt in offered] == [
        (request.name, request.title) for request in requests.values()
    ]
    assert len(offered) == 9
    assert isinstance(one.messages[0].content, wire.TextContent)
    assert one.messages[0].content.text == requests["encrypt-sensitive-fields"].text


@pytest.mark.parametrize(
    ("mode", "sentence"), [(Mode.INVESTIGATE, "are refused"), (Mode.ACT, "ask the person first")]
)
async def test_the_instructions_say_whether_changes_are_possible(
    mode: Mode, sentence: str, connect: Connect
) -> None:
    async with connect("legacy", mode=mode) as client:
        assert client.instructions is not None
        assert sentence in client.instructions


# Reading


@ERAS
async def test_a_read_answers_with_data_that_fits_its_schema_and_with_fenced_text(
    era: str, connect: Connect, world: World
) -> None:
    async with connect(era, mode=Mode.INVESTIGATE) as client:
        result = await client.call_tool("count_rows", {"table": "notes"})
    assert not result.is_error
    schema = world.catalogue()["count_rows"].output_schema
    jsonschema.Draft202012Validator(schema).validate(result.structured_content)  # pyright: ignore[reportUnknownMemberType]  jsonschema is not fully typed
    assert result.structured_content["rows"] == 3
    assert text(result).startswith("<result id=")
    assert "ana@example.org" not in text(result) + str(result.structured_content)


@ERAS
async def test_a_client_that_would_show_its_model_the_bare_structure_gets_fenced_text_alone(
    era: str, connect: Connect
) -> None:
    async with connect(era, name="claude-code") as client:
        offered = (await client.list_tools()).tools
        result = await client.call_tool("count_rows", {"table": "notes"})
    assert result.structured_content is None
    assert text(result).startswith("<result id=")
    assert not any(tool.output_schema for tool in offered), "a schema promises structured content"


@ERAS
@pytest.mark.parametrize(
    ("tool", "arguments", "sentence"),
    [
        ("fetch_status", {}, "The platform did not answer. [504] Try again in a minute."),
        ("count_rows", {"tabel": "notes"}, "`table` is missing; `tabel` is not one of its arguments"),
        ("count_stars", {}, "There is no tool called 'count_stars'."),
    ],
)
async def test_a_failure_is_a_result_that_says_what_to_do(
    era: str, tool: str, arguments: dict[str, Any], sentence: str, connect: Connect
) -> None:
    async with connect(era) as client:
        result = await client.call_tool(tool, arguments)
    assert result.is_error
    assert sentence in text(result)
    assert result.structured_content is None, "it would have to fit the output schema"
    assert result.meta is not None
    assert result.meta["sergei/error"]["kind"] in {"unavailable", "invalid_input", "not_found"}


async def test_a_cancelled_call_is_stopped_and_recorded(
    connect: Connect, world: World, audit: AuditLog
) -> None:
    async with connect("legacy") as client, create_task_group() as tasks:
        tasks.start_soon(lambda: client.call_tool("watch_forever", {}))
        await world.entered.wait()
        tasks.cancel_scope.cancel()
    await world.left.wait()
    assert [record["result"] for record in audit.records()] == ["interrupted"]


# Changing


@ERAS
async def test_in_investigate_mode_a_change_is_refused_and_nobody_is_asked(
    era: str, connect: Connect, world: World
) -> None:
    person = Person()
    async with connect(era, person, mode=Mode.INVESTIGATE) as client:
        result = await client.call_tool("set_comment", ARGUMENTS)
    assert result.is_error
    assert "investigate mode" in text(result)
    assert (person.shown, world.done) == ([], [])


@ERAS
@pytest.mark.parametrize("tool", ["set_comment", "drop_comment"])
async def test_a_yes_runs_the_change_that_was_shown(
    era: str, tool: str, connect: Connect, world: World, audit: AuditLog
) -> None:
    person = Person(says("once"))
    async with connect(era, person) as client:
        result = await client.call_tool(tool, ARGUMENTS)
    assert not result.is_error
    assert len(world.done) == 1
    (shown,) = person.shown
    for part in (
        f"{tool} ({'write' if tool == 'set_comment' else 'destructive'})",
        "COMMENT ON TABLE notes IS 'shared'",
        "guardian@sandbox",
        "public.notes",
        "Readers of the catalog see it.",
        "Set the old comment again.",
        "1 table is named so.",
    ):
        assert part in shown
    intent = next(record for record in audit.records() if record["event"] == "intent")
    assert (intent["decision"], intent["by"]) == ("once", "a person at probe 7")
    assert intent["who"] == "tester via mcp for probe 7"
    assert audit.verify().problem == ""


@ERAS
@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (wire.ElicitResult(action="decline"), "A person said no to set_comment: the question was declined"),
        (wire.ElicitResult(action="cancel"), "the question was closed without an answer"),
        (says("deny", "not on a Friday"), "A person said no to set_comment: not on a Friday."),
        (says("yes"), "the reply was none of once"),
        (wire.ElicitResult(action="accept"), "the reply was none of once"),
        (wire.ElicitResult(action="accept", content={"answer": ["once"]}), "the reply was none of once"),
    ],
)
async def test_anything_but_a_yes_runs_nothing(
    era: str, reply: wire.ElicitResult, sentence: str, connect: Connect, world: World
) -> None:
    async with connect(era, Person(reply)) as client:
        result = await client.call_tool("set_comment", ARGUMENTS)
    assert result.is_error
    assert sentence in text(result)
    assert world.done == []


@ERAS
async def test_without_elicitation_a_change_is_refused(era: str, connect: Connect, world: World) -> None:
    async with connect(era) as client:
        result = await client.call_tool("set_comment", ARGUMENTS)
    assert result.is_error
    assert "probe 7 cannot ask for it" in text(result)
    assert world.done == []


async def test_a_client_that_fails_to_ask_counts_as_nobody(connect: Connect, world: World) -> None:
    async def broken(_: Any, __: wire.ElicitRequestParams) -> wire.ErrorData:
        return wire.ErrorData(code=-32603, message="no window")

    async with connect("legacy", broken) as client:
        result = await client.call_tool("set_comment", ARGUMENTS)
    assert "could not ask a person" in text(result)
    assert world.done == []


async def test_a_yes_for_the_session_holds_for_these_arguments_and_this_client_only(
    connect: Connect, world: World
) -> None:
    person = Person(says("session"), says("deny"), says("deny"))
    first = connect("legacy", person)
    async with first as client:
        await client.call_tool("set_comment", ARGUMENTS)
        await client.call_tool("set_comment", ARGUMENTS)
        assert (len(world.done), len(person.shown)) == (2, 1)
        await client.call_tool("set_comment", {**ARGUMENTS, "comment": "other"})
        assert (len(world.done), len(person.shown)) == (2, 2)
        async with connect("legacy", person, server=first.server) as second:
            await second.call_tool("set_comment", ARGUMENTS)
    assert (len(world.done), len(person.shown)) == (2, 3)


async def test_text_in_a_preview_cannot_pass_for_a_line_of_ours(connect: Connect) -> None:
    person = Person(says("deny"))
    async with connect("legacy", person) as client:
        await client.call_tool(
            "set_comment", {"table": "t", "comment": "x'\nUndo:\n    easy\n\nNothing has run yet.\u202e"}
        )
    assert person.shown[0].count("\nUndo:") == 1
    assert "\n    Undo:" in person.shown[0]
    assert "\u202e" not in person.shown[0]


# Changing, without a session


async def test_without_a_session_only_this_one_call_can_be_approved(connect: Connect, world: World) -> None:
    person = Person(says("once"), says("session"))
    async with connect("auto", person) as client:
        await client.call_tool("set_comment", ARGUMENTS)
        result = await client.call_tool("set_comment", ARGUMENTS)
    assert person.forms[0]["properties"]["answer"]["enum"] == ["once", "deny"]
    assert "the reply was none of once, deny" in text(result)
    assert len(world.done) == 1


async def asked(client: Client, arguments: dict[str, Any]) -> wire.InputRequiredResult:
    question = await client.session.call_tool("set_comment", arguments, allow_input_required=True)
    assert isinstance(question, wire.InputRequiredResult)
    return question


async def answered(
    client: Client, arguments: dict[str, Any], state: str | None
) -> wire.CallToolResult | wire.InputRequiredResult:
    return await client.session.call_tool(
        "set_comment",
        arguments,
        input_responses={"approval": says("once")},
        request_state=state,
        allow_input_required=True,
    )


async def test_an_answer_counts_once(connect: Connect, world: World) -> None:
    async with connect("auto", Person()) as client:
        state = (await asked(client, ARGUMENTS)).request_state
        assert isinstance(await answered(client, ARGUMENTS, state), wire.CallToolResult)
        assert isinstance(await answered(client, ARGUMENTS, state), wire.InputRequiredResult)
    assert len(world.done) == 1


@pytest.mark.parametrize("state", [None, "", "made-up"])
async def test_an_answer_to_nothing_that_was_asked_is_asked_for(
    state: str | None, connect: Connect, world: World
) -> None:
    async with connect("auto", Person()) as client:
        assert isinstance(await answered(client, ARGUMENTS, state), wire.InputRequiredResult)
    assert world.done == []


async def test_an_answer_counts_for_what_was_shown_only(connect: Connect, world: World) -> None:
    async with connect("auto", Person()) as client:
        state = (await asked(client, ARGUMENTS)).request_state
        other = {**ARGUMENTS, "comment": "other"}
        assert isinstance(await answered(client, other, state), wire.InputRequiredResult)
        state = (await asked(client, ARGUMENTS)).request_state
        world.affected = 40_000
        assert isinstance(await answered(client, ARGUMENTS, state), wire.InputRequiredResult)
    assert world.done == []


async def test_a_question_still_open_is_recorded_as_asked(connect: Connect, audit: AuditLog) -> None:
    async with connect("auto", Person()) as client:
        await asked(client, ARGUMENTS)
    assert [record["result"] for record in audit.records()] == ["asked"]


# The memory bank


@pytest.fixture
def bank(tmp_path: Path) -> Banks:
    return Banks(Bank(tmp_path / "bank"))


def remember(bank: Banks) -> str:
    draft = Draft(
        title="Index the policy column first",
        category="database-optimizations",
        action="Created an index on family_id concurrently.",
        result="The timeline went from 900 ms to 12 ms; ask ana@example.org.",
        why="The policy filters on that column for every row.",
    )
    return bank.add(draft, source="test", now=datetime(2026, 11, 1, tzinfo=UTC)).entry.id


@ERAS
async def test_the_memory_bank_is_an_index_and_its_entries(era: str, connect: Connect, bank: Banks) -> None:
    entry = remember(bank)
    async with connect(era, bank=bank) as client:
        listed = (await client.list_resources()).resources
        index, page = [(await client.read_resource(one.uri)).contents[0] for one in listed]
        with pytest.raises(MCPError, match="has no entry"):
            await client.read_resource("memory://entries/01ARZ3NDEKTSV4RRFFQ69G5FAV")
        with pytest.raises(MCPError, match="There is no resource"):
            await client.read_resource("file:///etc/passwd")
    assert [one.uri for one in listed] == ["memory://index", f"memory://entries/{entry}"]
    assert isinstance(index, wire.TextResourceContents)
    assert f"[Index the policy column first](memory://entries/{entry})" in index.text
    assert isinstance(page, wire.TextResourceContents)
    assert "12 ms" in page.text
    assert "ana@example.org" not in page.text


async def test_an_empty_memory_bank_says_so(connect: Connect, bank: Banks) -> None:
    async with connect("legacy", bank=bank) as client:
        page = (await client.read_resource("memory://index")).contents[0]
    assert isinstance(page, wire.TextResourceContents)
    assert "Nothing is remembered yet." in page.text


@ERAS
async def test_without_a_memory_bank_there_are_no_resources(era: str, connect: Connect) -> None:
    async with connect(era) as client:
        assert client.server_capabilities.resources is None
