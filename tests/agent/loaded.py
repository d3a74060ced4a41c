"""`sergei` out of a process that has loaded it: each call is a fork of that one, not a new start.

The fork is a process with words, environment, folder and streams of its own, and ends as the script does.
What a start loads, and the script itself, are tried in test_house.py and by `started` in test_cli.py.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

from agent.cli import main
from tools import catalogue

COMMANDS = ("audit", "demo", "doctor", "review", "rls", "rls_diff", "rls_pr", "rules", "run", "tools")
SECONDS = 100


class Loaded:
    """The process that has loaded it, and calls one after the other."""

    def __init__(self) -> None:
        root = Path(__file__).parents[2]
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=root,
            env={"PATH": "/usr/bin:/bin"},
        )

    def run(
        self, words: Sequence[str], environment: Mapping[str, str], folder: Path
    ) -> subprocess.CompletedProcess[str]:
        """One call to its end, with nothing to read. After SECONDS it is killed."""
        assert self._process.stdin and self._process.stdout
        with TemporaryDirectory() as place:
            streams = [Path(place, name) for name in ("out", "err")]
            asked = [list(words), dict(environment), str(folder), [str(path) for path in streams]]
            print(json.dumps(asked), file=self._process.stdin, flush=True)
            code = int(self._process.stdout.readline())
            out, err = (path.read_text() for path in streams)
        return subprocess.CompletedProcess(list(words), code, out, err)

    def close(self) -> None:
        """End it."""
        self._process.communicate()


@cache
def loaded() -> Loaded:
    """The one of this process."""
    one = Loaded()
    atexit.register(one.close)
    return one


def _become(words: list[str], environment: dict[str, str], folder: str, streams: list[str]) -> NoReturn:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, path in enumerate((os.devnull, *streams)):
        opened = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace", closefd=False)
    sys.argv = words
    signal.alarm(SECONDS)
    sys.exit(main())


def _serve() -> None:
    catalogue()
    for name in COMMANDS:
        import_module(f"agent.commands.{name}")
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _become(*json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    _serve()
