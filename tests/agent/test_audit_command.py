"""`sergei audit` and `sergei approvals`, as a person types them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.audit import AuditLog
from agent.cli import main

Said = Callable[..., tuple[int, str]]


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Said:
    """`said("audit", "verify")`: the exit code and everything that was printed."""
    monkeypatch.setenv("SERGEI_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)

    def say(*words: str) -> tuple[int, str]:
        code = main(words)
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return say


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    """Three records of a client with a hostile name."""
    log = AuditLog(tmp_path / "state" / "audit.jsonl", "=HYPERLINK(1) \x1b[2J via mcp")
    log.write("intent", {"call": "c1", "tool": "change_sql", "effect": "write", "decision": "once"})
    log.write("outcome", {"call": "c1", "tool": "change_sql", "result": "ok", "rows": 3, "ms": 5})
    phi = ["public.people.born", "public.people.name"]
    log.write("outcome", {"call": "c2", "tool": "execute_sql", "result": "ok", "rows": 1, "phi_columns": phi})
    return log


def test_records_are_shown_in_a_line_each_without_control_characters(said: Said, log: AuditLog):
    code, text = said("audit")
    assert code == 0 and len(text.splitlines()) == 3 and "\x1b" not in text
    assert "PHI in public.people.born public.people.name" in text and "3 rows" in text
    assert len(said("audit", "--last", "1")[1].splitlines()) == 1


def test_an_export_is_a_table_that_computes_nothing(said: Said, log: AuditLog):
    code, text = said("audit", "export", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert code == 0 and [row["n"] for row in rows] == ["1", "2", "3"]
    assert (
        rows[0]["who"].startswith("'=HYPERLINK") and rows[2]["phi_columns"].split()[1] == "public.people.name"
    )
    assert not any(line.startswith(("=", "+", "-", "@")) for row in rows for line in row.values())


def test_json_lines_carry_whole_records(said: Said, log: AuditLog):
    lines = said("audit", "export", "--format", "jsonl")[1].splitlines()
    assert [json.loads(line) for line in lines] == list(log.records())


def test_records_are_chosen_by_time_and_tool(said: Said, log: AuditLog):
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    for words, count in (
        (("--tool", "change-sql"), 2),
        (("--since", tomorrow), 0),
        (("--until", tomorrow), 3),
        (("--since", "2020-01-01", "--tool", "execute_sql"), 1),
    ):
        assert len(said("audit", "export", "--format", "jsonl", *words)[1].splitlines()) == count
    code, text = said("audit", "show", "--since", "yesterday")
    assert code == 2 and "--since is no date" in text


def test_verify_says_whole_unfinished_and_broken(said: Said, log: AuditLog):
    code, text = said("audit", "verify")
    assert code == 0 and "3 records, the chain is whole" in text and "ends at record 3" in text
    log.write("intent", {"call": "c3", "tool": "change_sql"})
    code, text = said("audit", "verify")
    assert code == 0 and "no outcome was recorded for" in text and "change_sql (call c3)" in text
    lines = log.path.read_bytes().splitlines(keepends=True)
    log.path.write_bytes(b"".join(lines[:-1]))
    code, text = said("audit", "verify")
    assert code == 1 and "1 record is missing at the end" in text


def test_nothing_is_pruned_before_its_time(said: Said, log: AuditLog):
    code, text = said("audit", "prune")
    assert code == 0 and "older than 6 years" in text and log.path.exists()


def test_retention_and_size_are_settings(said: Said, log: AuditLog, tmp_path: Path):
    (tmp_path / "sergei.toml").write_text("[audit]\nretention_years = 10\nrotate_megabytes = 1\n")
    assert "older than 10 years" in said("audit", "prune")[1]
    (tmp_path / "sergei.toml").write_text("[audit]\nretention_years = 0\n")
    code, text = said("audit", "prune")
    assert code == 2 and "audit.retention_years" in text


def test_what_is_approved_beforehand_is_listed_with_the_place_to_remove_it(said: Said, tmp_path: Path):
    assert "every change asks" in said("approvals")[1]
    today = datetime.now(UTC).date()
    page = (
        '[[approve]]\nname = "{}"\ntool = "edit_file"\ntarget = "/w/docs/*"\nreason = "notes"\nexpires = {}\n'
    )
    file = tmp_path / "sergei.toml"
    file.write_text(page.format("now", today) + page.format("past", today - timedelta(days=2)))
    code, text = said("approvals")
    assert code == 0 and "now (active): edit_file" in text and "past (expired): edit_file" in text
    assert str(file) in text
    listed = json.loads(said("approvals", "--format", "json")[1])
    assert [(one["name"], one["state"]) for one in listed] == [("now", "active"), ("past", "expired")]
    assert "NOT in force" in text and not any(one["accepted"] for one in listed)
    code, text = said("approvals", "accept")
    assert code == 4 and "nobody is here" in text, "a program cannot accept them"
    file.write_text(page.format("typo", today).replace("edit_file", "edit_fiel"))
    code, text = said("approvals")
    assert code == 2 and "typo: there is no tool called edit_fiel" in text
