"""How long a person or a client waits for the first answer, beside what Python alone costs."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.table import Row, show

SERGEI = str(Path(sys.executable).parent / "sergei")
RUNS = 7


def main() -> None:
    """Medians of whole processes, warm file cache."""
    bare = _median(lambda: _run(sys.executable, "-c", "pass"))
    rows = [
        Row("python -c pass", bare, 1.0),
        Row("sergei --help", _median(lambda: _run(SERGEI, "--help")), None),
        Row("python -c 'import mcp'", _median(lambda: _run(sys.executable, "-c", "import mcp")), None),
        Row("sergei mcp, tools/list answered", _median(_mcp_ready), None),
        Row(
            "sergei run list-tables --demo",
            _median(lambda: _run(SERGEI, "run", "list-tables", "--demo")),
            None,
        ),
        Row(
            "python -c 'import anthropic'",
            _median(lambda: _run(sys.executable, "-c", "import anthropic")),
            None,
        ),
    ]
    show("start-up, seconds (median of 7)", [row.beside(bare) for row in rows], "x python")


def _median(measure: Callable[[], None]) -> float:
    measure()  # the first run warms the file cache and the sandbox
    return statistics.median(_seconds(measure) for _ in range(RUNS))


def _seconds(measure: Callable[[], None]) -> float:
    started = time.perf_counter()
    measure()
    return time.perf_counter() - started


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _mcp_ready() -> None:
    """Start the stdio server, shake hands, list the tools, close its input."""
    with subprocess.Popen(
        [SERGEI, "mcp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        hello = {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "bench", "version": "1"},
        }
        for message in (
            {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello},
            {"jsonrpc": "2.0", "method": "notifications/initialized"},
            {"jsonrpc": "2.0", "id": 2, "method": "tools/list"},
        ):
            print(json.dumps(message), file=server.stdin, flush=True)
        if server.stdout is None or server.stdin is None:
            raise RuntimeError("the server has no pipes")
        while json.loads(server.stdout.readline()).get("id") != 2:
            continue
        server.stdin.close()
