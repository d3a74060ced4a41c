"""The MCP face as a process: over stdin and stdout, and over HTTP on loopback."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import mcp_types as wire
import pytest
from mcp import Client, StdioServerParameters

from agent import mcp_clients
from agent.approvals import Mode
from agent.mcp_clients import Clients, Questions
from agent.mcp_transport import host_names, open_door, url_of
from tests.agent.mcp_fakes import COMMAND, ROOT, World
from tools.errors import ConfigurationError, Conflict

TOKEN = "a-token-for-tests-only"
ANYWHERE = "0.0.0.0"  # noqa: S104  to show that it needs a token
ARGUMENTS = {"table": "notes", "comment": "shared"}
HELLO: dict[str, Any] = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "pipe", "version": "1"},
    },
}
READY: dict[str, Any] = {"jsonrpc": "2.0", "method": "notifications/initialized"}
COUNT: dict[str, Any] = {
    "jsonrpc": "2.0",
    "id": 2,
    "method": "tools/call",
    "params": {"name": "count_rows", "arguments": {"table": "notes"}},
}


class Server:
    """One of the served processes, and what it prints on stderr."""

    def __init__(self, process: subprocess.Popen[str], url: str = "") -> None:
        self.process = process
        self.url = url

    def end(self, sent: signal.Signals) -> int:
        """The exit code after a signal. stdin stays open meanwhile, as a client leaves it."""
        self.process.send_signal(sent)
        return self.process.wait(timeout=20)


@contextmanager
def process(*arguments: str) -> Generator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as started:
        try:
            yield started
        finally:
            started.kill()


@contextmanager
def http(folder: Path, *, mode: str = "act", token: str = "") -> Generator[Server]:
    with process(str(folder), "http", mode, "0", token) as started:
        assert started.stderr is not None
        announced = started.stderr.readline()
        assert f"({mode} mode)" in announced
        yield Server(started, announced.split()[3])


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server in act mode with a token, for tests that leave no trace on it."""
    with http(tmp_path_factory.mktemp("http"), token=TOKEN) as server:
        yield server


def post(url: str, message: dict[str, Any], **headers: str) -> httpx.Response:
    accept = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
    return httpx.post(url, content=json.dumps(message), headers={**accept, **headers}, trust_env=False)


# stdin and stdout


@pytest.mark.anyio
@pytest.mark.parametrize("era", ["legacy", "auto"])
async def test_a_client_starts_the_server_and_uses_it(era: str, tmp_path: Path) -> None:
    parameters = StdioServerParameters(
        command=COMMAND[0], args=[*COMMAND[1:], str(tmp_path), "stdio", "act"], cwd=ROOT
    )

    async def agree(context: Any, params: wire.ElicitRequestParams) -> wire.ElicitResult:
        return wire.ElicitResult(action="accept", content={"answer": "once"})

    async with Client(parameters, mode=era, elicitation_callback=agree) as client:
        assert len((await client.list_tools()).tools) == 5
        read = await client.call_tool("count_rows", {"table": "notes"})
        changed = await client.call_tool("set_comment", ARGUMENTS)
    assert read.structured_content["rows"] == 3
    assert changed.structured_content == {"done": ["shared"]}


def test_a_pipe_gets_an_answer_to_each_request_and_nothing_else(tmp_path: Path) -> None:
    listing = {"jsonrpc": "2.0", "id": 3, "method": "tools/list"}
    lines = ["not json", "\x00", "[]", *map(json.dumps, (HELLO, READY, COUNT, listing))]
    with process(str(tmp_path), "stdio", "investigate") as server:
        out, err = server.communicate("\n".join(lines) + "\n", timeout=30)
    answers = [json.loads(line) for line in out.splitlines()]
    assert sorted(answer["id"] for answer in answers if "result" in answer) == [1, 2, 3]
    assert len(answers) == 3
    assert "a tool that prints" in err
    assert "loaded: []" in err, "the model's client and the database driver are not needed to serve"
    assert server.returncode == 0


def test_a_call_that_never_ends_does_not_keep_the_server_once_its_client_is_gone(tmp_path: Path) -> None:
    endless: dict[str, Any] = {**COUNT, "params": {"name": "watch_forever", "arguments": {}}}
    with process(str(tmp_path), "stdio", "investigate") as server:
        lines = "\n".join(map(json.dumps, (HELLO, READY, endless))) + "\n"
        out, _ = server.communicate(lines, timeout=30)
    assert sum("result" in json.loads(line) for line in out.splitlines()) == 1
    assert server.returncode == 0
    assert '"result":"interrupted"' in (tmp_path / "audit.jsonl").read_text()


def test_a_client_that_stops_reading_ends_the_server_without_a_traceback(tmp_path: Path) -> None:
    with process(str(tmp_path), "stdio", "investigate") as server:
        assert server.stdin is not None
        assert server.stdout is not None
        assert server.stderr is not None
        server.stdin.write(json.dumps(HELLO) + "\n")
        server.stdin.flush()
        server.stdout.readline()
        server.stdout.close()
        server.stdin.write("\n".join(map(json.dumps, (READY, COUNT))) + "\n")
        server.stdin.flush()
        assert server.wait(timeout=20) == 0
        assert "Traceback" not in server.stderr.read()


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_the_server_while_its_client_is_still_connected(
    sent: signal.Signals, code: int, tmp_path: Path
) -> None:
    with process(str(tmp_path), "stdio", "act") as started:
        assert started.stdin is not None
        assert started.stdout is not None
        assert started.stderr is not None
        started.stdin.write(json.dumps(HELLO) + "\n")
        started.stdin.flush()
        started.stdout.readline()
        assert Server(started).end(sent) == code
        assert "Traceback" not in started.stderr.read()


# HTTP


@pytest.mark.anyio
async def test_http_serves_both_eras_and_a_yes_for_the_session_stays_with_its_client(tmp_path: Path) -> None:
    asked: list[str] = []

    async def agree(context: Any, params: wire.ElicitRequestParams) -> wire.ElicitResult:
        assert isinstance(params, wire.ElicitRequestFormParams)
        offered = params.requested_schema["properties"]["answer"]["enum"]
        asked.append(offered[-2])
        return wire.ElicitResult(action="accept", content={"answer": offered[-2]})

    with http(tmp_path) as server:
        async with Client(server.url, mode="legacy", elicitation_callback=agree) as first:
            await first.call_tool("set_comment", ARGUMENTS)
            await first.call_tool("set_comment", ARGUMENTS)
            assert asked == ["session"]
            async with Client(server.url, mode="legacy", elicitation_callback=agree) as second:
                await second.call_tool("set_comment", ARGUMENTS)
            assert asked == ["session", "session"]
            async with Client(server.url, mode="auto", elicitation_callback=agree) as third:
                await third.call_tool("set_comment", ARGUMENTS)
                done = await third.call_tool("set_comment", ARGUMENTS)
            assert asked == ["session", "session", "once", "once"]
            assert done.structured_content == {"done": ["shared"] * 5}
            assert server.end(signal.SIGTERM) == 0


def test_ctrl_c_ends_http_with_130(tmp_path: Path) -> None:
    with http(tmp_path) as server:
        assert post(server.url, HELLO).status_code == 200
        assert server.end(signal.SIGINT) == 130
        assert server.process.stderr is not None
        assert "Traceback" not in server.process.stderr.read()


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x", "Bearer \u00e4"],
)
def test_without_the_token_nothing_is_answered(header: str | None, shared: Server) -> None:
    raw = [] if header is None else [(b"Authorization", header.encode("latin-1"))]
    with httpx.Client(trust_env=False) as client:
        answer = client.post(shared.url, json=HELLO, headers=raw)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert "serverInfo" not in answer.text


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_the_token_lets_in(scheme: str, shared: Server) -> None:
    answer = post(shared.url, HELLO, Authorization=f"{scheme} {TOKEN}")
    assert answer.status_code == 200
    assert '"serverInfo"' in answer.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": "127.0.0.1.evil.example:80"}, 421),
        ({"Origin": "https://evil.example"}, 403),
        ({"Mcp-Session-Id": "somebody-elses"}, 404),
    ],
)
def test_requests_from_elsewhere_are_turned_away(
    headers: dict[str, str], status: int, shared: Server
) -> None:
    assert post(shared.url, HELLO, Authorization=f"Bearer {TOKEN}", **headers).status_code == status


def test_a_request_larger_than_the_limit_is_refused_unread(shared: Server) -> None:
    large = {**HELLO, "id": "x" * (4 * 1024 * 1024)}
    assert post(shared.url, large, Authorization=f"Bearer {TOKEN}").status_code == 413


# The door


@pytest.mark.parametrize("host", [ANYWHERE, "::", "192.0.2.1"])
def test_an_address_for_other_machines_needs_a_token(host: str) -> None:
    with pytest.raises(ConfigurationError, match="SERGEI_TOKEN"):
        open_door(host, 0, None)


def test_a_short_token_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="shorter than 16 characters"):
        open_door("127.0.0.1", 0, "hunter2")


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 65536), ("a" * 64, 0)])
def test_an_impossible_address_is_one_sentence(host: str, port: int) -> None:
    with pytest.raises(ConfigurationError):
        open_door(host, port, None)


def test_a_port_in_use_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            Conflict, match=f"Port {port} on 127.0.0.1 is already in use. Choose another port."
        ):
            open_door("127.0.0.1", port, None)


def test_only_known_names_of_an_address_are_answered() -> None:
    with open_door("127.0.0.1", 0, None) as door:
        names = host_names("127.0.0.1", door)
        assert names is not None
        assert {"127.0.0.1:*", "localhost:*", "localhost"} <= set(names)
        assert url_of(door) == f"http://127.0.0.1:{door.getsockname()[1]}/mcp"
    with open_door(ANYWHERE, 0, TOKEN) as door:
        assert host_names(ANYWHERE, door) is None


# Clients without a process


def test_a_question_is_open_for_ten_minutes() -> None:
    now = 0.0
    questions = Questions(clock=lambda: now)
    late, early = questions.ask("this"), questions.ask("this")
    now = mcp_clients.ANSWER_SECONDS - 1
    assert questions.take(early, "this")
    now += 1
    assert not questions.take(late, "this")


def test_a_question_is_closed_by_a_wrong_answer_too() -> None:
    questions = Questions()
    token = questions.ask("this")
    assert not questions.take(token, "that")
    assert not questions.take(token, "this")


def test_the_oldest_of_too_many_questions_is_forgotten() -> None:
    questions = Questions()
    tokens = [questions.ask("this") for _ in range(mcp_clients.MAX_QUESTIONS + 1)]
    assert not questions.take(tokens[0], "this")
    assert questions.take(tokens[1], "this")


def test_each_session_keeps_its_own_gate_and_the_least_used_one_is_forgotten(tmp_path: Path) -> None:
    clients = Clients(World().executor(tmp_path / "audit.jsonl", Mode.ACT))
    first = clients.executor("0", "probe 1")
    assert clients.executor("0", "probe 1") is first
    assert clients.executor("1", "probe 1").approvals is not first.approvals
    assert clients.executor(None, "probe 1") is not clients.executor(None, "probe 1")
    for number in range(1, mcp_clients.MAX_SESSIONS):
        clients.executor(str(number), "probe 1")
    assert clients.executor("0", "probe 1") is first
    clients.executor("one more", "probe 1")
    assert clients.executor("0", "probe 1") is first, "used a moment ago"
    assert first.audit.who == "tester via mcp for probe 1"
