from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import memory


def test_importing_memory_loads_neither_sqlite_nor_anything_of_the_product() -> None:
    code = (
        "import sys, memory; memory.Bank; loaded = set(sys.modules);"
        "print(sorted(loaded & {'sqlite3', 'pydantic', 'tools', 'agent', 'prompts', 'asyncio'}))"
    )
    command = [sys.executable, "-c", code]
    cwd = Path(__file__).parents[2]
    assert subprocess.run(command, capture_output=True, text=True, check=True, cwd=cwd).stdout == "[]\n"


def test_every_public_name_can_be_loaded() -> None:
    assert all(hasattr(memory, name) for name in memory.__all__)
    assert not hasattr(memory, "no_such_name")
