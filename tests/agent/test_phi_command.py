"""`sergei phi inventory` as a person reads it and as a program does."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

from agent.commands.phi import as_csv, as_text
from tools.database.phi_inventory import ColumnLine, Inventory

PROGRAM = "import sys; from agent.cli import main; sys.exit(main())"
FOUND = Inventory(
    target="clinic@sandbox",
    columns=(
        ColumnLine(table="public.people", column="name", type="text", verdict="phi", why="a, b"),
        ColumnLine(
            table="public.people", column="ward", type="text", verdict="unsure", why="c",
            profile="7 different in 900 sampled", advice='"public.people.ward" = "safe"',
        ),
        ColumnLine(table="public.wards", column="code", type="text", verdict="safe", why="reference data"),
    ),
    phi=1, unsure=1, safe=1,
)  # fmt: skip


def test_the_text_groups_columns_by_table_and_ends_with_what_to_do():
    lines = as_text(FOUND, 80).splitlines()
    assert [line for line in lines if line.startswith("public.")] == ["public.people", "public.wards"]
    assert all(len(line) <= 80 for line in lines[:-2])
    assert '"public.people.ward" = "safe"' in lines[-1]


def test_the_csv_can_be_read_back():
    rows = list(csv.DictReader(io.StringIO(as_csv(FOUND))))
    assert [row["verdict"] for row in rows] == ["phi", "unsure", "safe"] and rows[0]["why"] == "a, b"


def test_a_correction_of_a_column_that_does_not_exist_is_said(plain_database: str, tmp_path: Path):
    (tmp_path / "sergei.toml").write_text('[phi]\ncolumns."public.nowhere.x" = "safe"\n')
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            PROGRAM,
            "phi",
            "inventory",
            "--database-url",
            plain_database,
            "--format",
            "json",
        ],
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "SERGEI_STATE_DIR": str(tmp_path / "state")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "public.nowhere.x, which does not exist" in done.stderr
    assert json.loads(done.stdout)["unknown_corrections"] == ["public.nowhere.x"]
