"""`sergei chat -p`: what scripts rely on."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from agent.compose import Choice
from agent.terminal.once import once
from agent.terminal.opening import Opening
from tests.agent.terminal.conftest import PROGRAM, Place
from tests.model_server import ModelServer, Script, failure, reply, text, use
from tools.errors import RemoteError

pytestmark = pytest.mark.anyio
Serve = Callable[[Script], ModelServer]


def chat_p(
    place: Place, server: ModelServer | None, *words: str, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, "chat", *words],
        input=stdin,
        capture_output=True,
        text=True,
        cwd=place.workspace,
        env=place.environment(server),
        timeout=60,
    )


def test_the_answer_streams_to_stdout_and_the_calls_to_stderr(place: Place, serve: Serve):
    read = use("read_file", {"path": "schema.sql"})
    server = serve([reply("I look.", read), reply(text("One table", " \x1b[2Jof pets."))])
    done = chat_p(place, server, "-p", "What is this?", stdin="a log line\n")
    assert (done.returncode, done.stdout) == (0, "I look.\n\nOne table \\u{1b}[2Jof pets.\n")
    assert done.stderr.startswith("[read_file ok ")
    assert "What is this?\n\na log line" in server.calls[0].text


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("-p", "Hello?"), "No ANTHROPIC_API_KEY"),
        ((), "needs a terminal"),
        (("--output-format", "json"), "Add -p QUESTION"),
        (("-p", "", "--max-turns", "0"), "at least 1"),
    ],
)
def test_what_cannot_be_asked_is_two_lines_at_the_most_and_exit_2(
    place: Place, words: tuple[str, ...], says: str
):
    done = chat_p(place, None, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr and len(done.stderr.splitlines()) <= 2


async def ask(place: Place, server: ModelServer, form: str, **opening: int) -> int:
    return await once(place.settings(server), Choice(), Opening(**opening), "Well?", form)  # pyright: ignore[reportArgumentType]


async def test_json_is_one_document(place: Place, serve: Serve, capsys: pytest.CaptureFixture[str]):
    write = use("edit_file", {"path": "a", "old": "", "new": "b"})
    server = serve([reply("I try.", write), reply("Nobody is here to ask.")])
    assert await ask(place, server, "json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["text"] == "I try.\n\nNobody is here to ask."
    assert [(call["name"], call["ok"]) for call in document["tools"]] == [("edit_file", False)]
    assert document["usage"] == {"input": 20, "output": 10, "cache_read": 0, "cache_write": 0}
    assert document["stop_reason"] == "end_turn" and "error" not in document
    assert (place.state / "sessions" / f"{document['session']}.jsonl").exists()
    assert not (place.workspace / "a").exists()


async def test_stream_json_is_a_line_for_each_event(
    place: Place, serve: Serve, capsys: pytest.CaptureFixture[str]
):
    server = serve([reply(use("glob", {"pattern": "*"})), reply(text("Yes", ".\x9b"))])
    assert await ask(place, server, "stream-json") == 0
    out = capsys.readouterr().out
    kinds = [json.loads(line)["type"] for line in out.splitlines()]
    tool = ["usage", "tool_started", "tool_finished"]
    assert kinds == ["turn_started", *tool, "text", "text", "usage", "turn_finished"]
    assert out.isascii()


async def test_an_answer_that_is_not_whole_has_its_own_exit_code(
    place: Place, serve: Serve, capsys: pytest.CaptureFixture[str]
):
    look = reply(use("glob", {"pattern": "*"}))
    declined = reply("No.", stop_reason="refusal")
    server = serve([look, reply("Half", stop_reason="max_tokens"), declined])
    assert await ask(place, server, "json", max_turns=1) == 3
    assert await ask(place, server, "json") == 3
    assert await ask(place, server, "json") == 4


async def test_an_error_is_part_of_the_document_and_of_the_exit_code(
    place: Place, serve: Serve, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(RemoteError):
        await ask(place, serve([failure(400, "no such thing")]), "json")
    document = json.loads(capsys.readouterr().out)
    assert document["error"]["kind"] == "remote" and "no such thing" in document["error"]["message"]
