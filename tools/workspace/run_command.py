"""run_command: a program in the workspace, after a yes, with a scrubbed environment."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import signal
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from typing import Final

from pydantic import Field

from tools.errors import InvalidInput, NotFound, Unavailable
from tools.registry import Effect, Params, Preview, Result, tool
from tools.resources import Resources

MOST_OUTPUT: Final = 200_000


class RunCommand(Params):
    command: str = Field(
        min_length=1, max_length=4000, description="Program and arguments, as typed in a shell."
    )
    timeout: int = Field(default=120, ge=1, le=1800, description="Seconds before it is ended.")


class Ran(Result):
    command: str
    exit_code: int
    output: str
    truncated: bool

    def markdown(self) -> str:
        """The output, then the exit code."""
        left_out = "\n(the middle was left out)" if self.truncated else ""
        return f"$ {self.command}\n```\n{self.output.rstrip()}\n```\nexit code {self.exit_code}{left_out}"


def _words(command: str) -> list[str]:
    """Words of a command. There is no shell, so what a person approves is what runs: no ;, | or $( )."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise InvalidInput(f"`command` cannot be read: {error}.") from None
    if not words:
        raise InvalidInput("`command` is empty.")
    if "\0" in command:
        raise InvalidInput("`command` holds a NUL byte.")
    return words


async def preview_run_command(params: RunCommand, resources: Resources) -> Preview:
    """The words that will run, and where."""
    return Preview(
        action=shlex.join(_words(params.command)),
        target=f"a process in {resources.workspace.root}",
        consequence="A command can change files and reach whatever its program reaches.",
        undo="None known: it depends on the command.",
        destructive=True,
    )


@tool(Effect.DESTRUCTIVE, preview=preview_run_command, open_world=True)
async def run_command(params: RunCommand, resources: Resources) -> Ran:
    """Run one program in the workspace folder, without a shell. A person is asked first.

    For tests, linters, `supabase` and `git`. Pipes and redirections do not work; keys and tokens of this
    process are not passed on. Not for SQL on the connected database: use execute_sql and change_sql.
    """
    words = _words(params.command)
    environment = dict(resources.workspace.environment)
    if shutil.which(words[0], path=environment.get("PATH")) is None:
        raise NotFound(f"There is no program {words[0]} on the PATH.")
    process = await asyncio.create_subprocess_exec(
        *words,
        cwd=resources.workspace.root,
        env=environment,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        start_new_session=True,  # so that a timeout or Ctrl-C ends its children too
    )
    try:
        async with asyncio.timeout(params.timeout):
            output, truncated = await _read(process)
            code = await process.wait()
    except TimeoutError:
        raise Unavailable(
            f"{words[0]} was ended after {params.timeout} s.", hint="Give a longer timeout."
        ) from None
    finally:
        _end(process)
    return Ran(command=shlex.join(words), exit_code=code, output=output, truncated=truncated)


async def _read(process: Process) -> tuple[str, bool]:
    """Output's head and tail, whatever its length: memory stays bounded."""
    head, tail, total = b"", b"", 0
    stream = process.stdout
    while stream is not None and (chunk := await stream.read(65536)):
        total += len(chunk)
        room = MOST_OUTPUT // 2 - len(head)
        head += chunk[:room]
        tail = (tail + chunk[room:])[-MOST_OUTPUT // 2 :] if len(chunk) > room else tail
    truncated = total > len(head) + len(tail)
    between = b"\n...\n" if truncated else b""
    return (head + between + tail).decode("utf-8", "replace").replace("\0", "\ufffd"), truncated


def _end(process: Process) -> None:
    if process.returncode is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
