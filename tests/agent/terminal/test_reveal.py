"""A pseudonym is turned back for the person at the terminal only, and that is on record."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.audit import AuditLog
from agent.compose import Choice, strict_phi
from agent.executor import Executor
from agent.settings import load
from agent.terminal.orders import COMMANDS
from agent.terminal.reveal import turned_back
from tests.conftest import MakeExecutor
from tools.errors import InvalidInput, NotFound
from tools.redaction import Redactor

VALUE = b"Jane Roe"


@pytest.fixture
def audit(tmp_path: Path) -> AuditLog:
    return AuditLog.open(tmp_path / "audit.jsonl", face="test")


def test_the_value_is_told_and_the_record_holds_the_pseudonym_only(audit: AuditLog):
    redactor = Redactor(remember=True)
    made = redactor.pseudonym("name", VALUE)
    assert turned_back(redactor, audit, made) == "Jane Roe"
    assert turned_back(redactor, audit, f" {made.strip('<>')} ") == "Jane Roe", "brackets may be left away"
    records = [record for record in audit.records() if record.get("event") == "reveal"]
    assert [(record["pseudonym"], record["result"]) for record in records] == [(made, "told")] * 2
    assert "Jane" not in audit.path.read_text()


def test_what_is_no_pseudonym_of_this_session_is_said_to_be_none(audit: AuditLog):
    redactor = Redactor(remember=True)
    with pytest.raises(InvalidInput):
        turned_back(redactor, audit, "Jane Roe")
    with pytest.raises(NotFound):
        turned_back(redactor, audit, "<name:00000000>")
    with pytest.raises(NotFound):
        turned_back(redactor, audit, Redactor().pseudonym("name", VALUE))
    assert [record["result"] for record in audit.records() if record.get("event") == "reveal"] == [
        "unknown"
    ] * 2


def test_no_tool_turns_a_pseudonym_back(make_executor: MakeExecutor):
    executor: Executor = make_executor()
    assert "reveal" in {command.name for command in COMMANDS}
    assert [name for name in executor.catalogue if "reveal" in name] == []
    assert executor.redactor.reveal(executor.redactor.pseudonym("name", VALUE)) is None, (
        "faces do not remember"
    )


def test_phi_off_is_about_the_target_of_sergei_toml_and_no_other(tmp_path: Path):
    (tmp_path / "sergei.toml").write_text(
        '[target]\ndatabase_url = "postgresql:///dev"\nenvironment = "development"\nphi = "off"\n'
    )
    settings = load(tmp_path, {"HOME": str(tmp_path)})
    assert not strict_phi(settings, Choice())
    assert not strict_phi(settings, Choice("postgresql:///dev"))
    assert strict_phi(settings, Choice("postgresql:///production"))
