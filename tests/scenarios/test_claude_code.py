"""Claude Code itself, headless, with this repository's .mcp.json and agent file. The model is scripted.

Skipped where there is no `claude` on PATH; SERGEI_TEST_CLAUDE names one elsewhere. It runs in a network
namespace that has nothing but loopback, so this file is also the program inside: model server and claude.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

import prompts
from tests.messages_api_rules import Json, blocks_of, plain
from tests.model_script import Call, Failed, Scripted, reply, use
from tests.model_server import ModelServer
from tools import catalogue

ROOT = Path(__file__).parents[2]
AGENT = ROOT / ".claude" / "agents" / f"{prompts.AGENT_NAME}.md"
PREFIX = f"mcp__{prompts.MCP_SERVER}__"
LIST = use(PREFIX + "list_tables", {"schemas": ["storage"]}, call_id="toolu_list")
CHANGE = use(PREFIX + "change_sql", {"sql": "comment on table profiles is 'changed'"}, call_id="toolu_change")
DELEGATE = use(
    "Agent",
    {
        "description": "storage",
        "prompt": "Which tables hold files?",
        "subagent_type": prompts.AGENT_NAME,
        "run_in_background": False,
    },
    call_id="toolu_agent",
)
Run = Callable[..., tuple[list[Json], list[Json]]]


def reads(call: Call) -> Scripted:
    return reply("END") if results(call.body) else reply(LIST)


def changes(call: Call) -> Scripted:
    return reply("END") if results(call.body) else reply(CHANGE)


def delegates(call: Call) -> Scripted:
    if "You are Sergei" in json.dumps(call.body["system"]):
        return reply("Two tables hold files.") if results(call.body) else reply(LIST)
    return reply("END") if results(call.body) else reply(DELEGATE)


def results(body: Json) -> dict[str, str]:
    """Every tool result in a request, by the id of its call."""
    blocks = [block for message in body["messages"] for block in blocks_of(message)]
    return {
        block["tool_use_id"]: plain(block["content"]) for block in blocks if block["type"] == "tool_result"
    }


class _Server(ModelServer):
    """Without the promises that Sergei's own loop keeps: Claude Code edits what it has sent."""

    def __init__(self, script: Callable[[Call], Scripted]) -> None:
        self.script = script
        super().__init__(script)

    def take(self, raw: str, headers: dict[str, str]) -> Scripted | Failed:
        call = Call(len(self.calls), json.loads(raw), headers)
        self.calls.append(call)
        return self.script(call)


def inside(script: str, claude: str, allowed: str) -> None:
    """Run claude in the present folder; print what it said and what it asked the model."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    server = _Server({"reads": reads, "changes": changes, "delegates": delegates}[script])
    options = [
        "--output-format",
        "stream-json",
        "--verbose",
        "--strict-mcp-config",
        "--mcp-config",
        ".mcp.json",
    ]
    done = subprocess.run(
        [claude, "-p", "Go.", *options, "--allowedTools", allowed],
        env={**os.environ, "ANTHROPIC_BASE_URL": server.base_url},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
    )
    events = [json.loads(line) for line in done.stdout.splitlines()]
    json.dump({"events": events, "bodies": [call.body for call in server.calls]}, sys.stdout)
    sys.stderr.write(done.stderr)


@pytest.fixture
def claude() -> tuple[list[str], str]:
    """The command that leaves the network behind, and the binary."""
    binary = os.environ.get("SERGEI_TEST_CLAUDE") or shutil.which("claude")
    unshare = ["unshare", "--net", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    if not binary:
        pytest.skip("there is no claude on PATH and SERGEI_TEST_CLAUDE names none")
    if not shutil.which("ip") or subprocess.run([*unshare, "true"], capture_output=True).returncode:
        pytest.skip("this system lets us make no network namespace to run claude in")
    return unshare, binary


@pytest.fixture
def run(claude: tuple[list[str], str], guardian: str, tmp_path: Path) -> Run:
    """`run(script, *allowed, mode=...)`: the events of the session and the request bodies, main and sub."""
    unshare, binary = claude
    project = tmp_path / "project"
    shutil.copytree(AGENT.parent, project / ".claude" / "agents")
    servers: Json = json.loads((ROOT / ".mcp.json").read_text())
    environment = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin:/usr/sbin:/sbin",
        "PYTHONPATH": str(ROOT),
        "HOME": str(tmp_path),
        "ANTHROPIC_API_KEY": "test",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
        "ENABLE_TOOL_SEARCH": "false",  # the script calls a tool without looking it up first
        "SERGEI_DATABASE_URL": guardian,
    }

    def start(script: str, *allowed: str, mode: str = "investigate") -> tuple[list[Json], list[Json]]:
        servers["mcpServers"][prompts.MCP_SERVER]["args"] += ["--mode", mode]
        (project / ".mcp.json").write_text(json.dumps(servers))
        program = [sys.executable, "-m", __name__, script, binary, ",".join(allowed)]
        done = subprocess.run(
            [*unshare, *program], cwd=project, env=environment, capture_output=True, text=True, timeout=110
        )
        assert done.returncode == 0, done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        return told["events"], told["bodies"]

    return start


def test_the_server_connects_and_its_text_reaches_the_model_inside_the_fence(run: Run) -> None:
    events, bodies = run("reads", PREFIX + "list_tables")
    assert {"name": prompts.MCP_SERVER, "status": "connected"}.items() <= events[0]["mcp_servers"][0].items()
    assert {PREFIX + name for name in catalogue()} <= set(events[0]["tools"])
    told = results(bodies[-1])["toolu_list"]
    assert told.startswith("<result id=") and "storage.objects" in told
    assert events[-1]["result"] == "END"


def test_the_agent_is_found_and_works_with_exactly_the_tools_of_its_file(run: Run) -> None:
    events, bodies = run("delegates", PREFIX + "list_tables", "Agent")
    assert prompts.AGENT_NAME in events[0]["agents"]
    sub = [body for body in bodies if "You are Sergei" in json.dumps(body["system"])]
    granted = next(line for line in AGENT.read_text().splitlines() if line.startswith("tools: "))
    connected = {name for name in granted[7:].split(", ") if "_plugin_" not in name}
    offered = {tool["name"] for tool in sub[0]["tools"]}
    assert {name for name in connected if name.startswith(PREFIX)} == {
        name for name in offered if name.startswith("mcp__")
    }
    assert {"Read", "Edit", "Bash"} <= offered and "Write" not in offered
    assert "storage.objects" in results(sub[-1])["toolu_list"]
    assert "Two tables hold files." in results(bodies[-1])["toolu_agent"]


def test_without_a_person_a_change_is_refused_although_the_tool_is_allowed(run: Run, guardian: str) -> None:
    question = "select obj_description('profiles'::regclass)"
    with psycopg.connect(guardian) as connection:
        before = connection.execute(question).fetchone()
    _, bodies = run("changes", PREFIX + "change_sql", mode="act")
    assert "Nobody approved change_sql" in results(bodies[-1])["toolu_change"]
    with psycopg.connect(guardian) as connection:
        assert connection.execute(question).fetchone() == before


if __name__ == "__main__":
    inside(*sys.argv[1:])
