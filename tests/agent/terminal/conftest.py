"""A person at a terminal: the real `sergei chat` in a pty, in front of a scripted model."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pexpect
import pytest

from agent.settings import Settings, load
from tests.model_server import ModelServer, Script, model_server

PROGRAM = "import sys; from agent.cli import main; sys.exit(main())"
WHERE = "\x1b[6n"
"""How a program asks a terminal where its cursor is."""

_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]")


@dataclass
class Terminal:
    """A pty with a program in it. `screen` is all that it wrote so far, without cursor movements."""

    program: pexpect.spawn[str]
    raw: str = ""

    def sees(self, *texts: str) -> None:
        """Wait until the texts have appeared, one after the other."""
        for text in texts:
            self._wait(text)
            self.raw += text

    def types(self, text: str) -> None:
        """Type a line and press Enter."""
        self.program.send(text + "\r")

    def presses(self, key: str) -> None:
        """Press Ctrl and a key."""
        self.program.sendcontrol(key)

    def leaves(self) -> int:
        """Press Ctrl-D and wait for the end. The exit code."""
        self.presses("d")
        return self.ended()

    def ended(self) -> int:
        """Wait for the end. The exit code."""
        self._wait(pexpect.EOF)
        self.program.close()
        return self.program.exitstatus if self.program.exitstatus is not None else -1

    def _wait(self, what: object) -> None:
        """Wait for it, and answer as a terminal does when it is asked where the cursor is."""
        program: Any = self.program
        while program.expect_exact([what, WHERE]):
            self.raw += program.before
            program.send("\x1b[1;1R")
        self.raw += program.before

    @property
    def screen(self) -> str:
        """What was written, as lines."""
        return _CODES.sub("", self.raw).replace("\r", "")


@dataclass(frozen=True)
class Place:
    """A workspace, and where the state of its conversations lies."""

    workspace: Path
    state: Path

    def environment(self, server: ModelServer | None) -> dict[str, str]:
        """The environment of a user; with a key where there is a server."""
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.state),
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "NO_COLOR": "1",
            "SERGEI_STATE_DIR": str(self.state),
            "SERGEI_CACHE_DIR": str(self.state / "cache"),
        }
        if server is not None:
            env |= {"ANTHROPIC_API_KEY": "test", "ANTHROPIC_BASE_URL": server.base_url}
        return env

    def settings(self, server: ModelServer | None) -> Settings:
        """The settings of the same user."""
        return load(self.workspace, self.environment(server))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A workspace with one file in it."""
    workspace = tmp_path / "work"
    workspace.mkdir()
    (workspace / "schema.sql").write_text("create table pets (id int);\n")
    return Place(workspace, tmp_path / "state")


@pytest.fixture
def serve() -> Iterator[Callable[[Script], ModelServer]]:
    """`serve(script)`: a model server, checked at the end of the test."""
    with ExitStack() as stack:
        yield lambda script: stack.enter_context(model_server(script))


Open = Callable[..., Terminal]


@pytest.fixture
def chat(place: Place) -> Iterator[Open]:
    """`chat(server, *arguments, **environment)`: a conversation. An empty variable is unset."""
    opened: list[Terminal] = []

    def begin(server: ModelServer | None, *arguments: str, **environment: str) -> Terminal:
        command: Sequence[str] = ["-c", PROGRAM, "chat", *arguments]
        env = place.environment(server) | environment
        spawn: Any = pexpect.spawn
        program = spawn(
            sys.executable,
            [*command],
            cwd=str(place.workspace),
            env={name: value for name, value in env.items() if value},
            encoding="utf-8",
            dimensions=(40, 100),
            timeout=30,
        )
        terminal = Terminal(program)
        opened.append(terminal)
        terminal.sees("PHI strict")  # the status line: the prompt is drawn
        return terminal

    yield begin
    for terminal in opened:
        terminal.program.close(force=True)
