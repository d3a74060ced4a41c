"""/approvals add: a pattern as a person types it."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from typing import Any

import pexpect
import pytest

from agent.patterns import Glob
from agent.terminal.allowed import read_pattern
from agent.trust import in_force
from tests.agent.terminal.conftest import PROGRAM, Open, Place
from tools.errors import InvalidInput
from tools.registry import Effect

TODAY = "2030-01-15"


def test_a_typed_pattern_has_what_was_typed():
    typed = (
        "nightly restart-service --target 'Render service srv-1' --arg service=srv-1 --arg wait=true "
        "--between 02:00-04:00 --timezone Europe/Berlin --reason 'the nightly restart'"
    )
    one = read_pattern(typed, expires=TODAY)
    assert (one.name, one.tool, one.target) == ("nightly", "restart_service", "Render service srv-1")
    assert one.arguments == {"service": "srv-1", "wait": True}
    assert (one.expires, one.effect, one.other_arguments) == (date(2030, 1, 15), Effect.WRITE, "default")
    assert one.between == "02:00-04:00" and "Europe/Berlin" in one.words()


def test_wildcards_touches_and_danger_are_said():
    one = read_pattern(
        "docs edit_file --target '/w/docs/*' --glob path=docs/* --any-argument --reason notes", expires=TODAY
    )
    assert one.arguments == {"path": Glob(glob="docs/*")} and one.other_arguments == "any"
    sql = read_pattern(
        "ix change_sql --target x --environment staging --touches 'CREATE INDEX on public.*' --reason tuning "
        "--expires 2030-02-01",
        expires=TODAY,
    )
    assert sql.touches == ("CREATE INDEX on public.*",) and sql.expires == date(2030, 2, 1)
    gone = read_pattern("x drop_it --target t --arg a=1 --destructive --reason why", expires=TODAY)
    assert gone.effect is Effect.DESTRUCTIVE


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "required"),
        ("a t --reason why", "target or the environment"),
        ("a t --target x", "reason"),
        ("a t --target x --reason 'why", "quotes"),
        ("a t --target x --reason why --arg b", "name=value"),
        ("a t --target x --reason why --expires soon", "expires"),
        ("a t --target x --reason why --glob sql=*", "wildcard"),
        ("a t --target x --reason why --always", "always"),
    ],
)
def test_a_wrong_line_is_one_sentence_and_adds_nothing(typed: str, why: str):
    with pytest.raises(InvalidInput, match=why):
        read_pattern(typed, expires=TODAY)


def test_a_person_adds_lists_and_withdraws_at_the_prompt(chat: Open):
    terminal = chat(None)
    terminal.types("/approvals add notes edit_file --target '*/notes.md' --any-argument --reason notes")
    terminal.sees("Runs without asking from now on", "edit_file")
    terminal.types("/edit-file --path notes.md --new hello")
    terminal.sees("Created notes.md")
    terminal.types("/approvals")
    terminal.sees("1  notes (active, this session only)")
    terminal.types("/approvals withdraw 1")
    terminal.sees("notes is withdrawn")
    terminal.types("/approvals")
    terminal.sees("every change asks")
    assert terminal.leaves() == 0


def test_a_person_accepts_what_the_settings_allow(place: Place):
    (place.workspace / "sergei.toml").write_text(
        f'[[approve]]\nname = "notes"\ntool = "edit_file"\ntarget = "{place.workspace}/*"\n'
        f'other_arguments = "any"\nreason = "notes"\nexpires = {datetime.now(UTC).date()}\n'
    )
    spawn: Any = pexpect.spawn
    said: list[str] = []
    for answer in ("no", "yes"):
        program = spawn(
            sys.executable,
            ["-c", PROGRAM, "approvals", "accept"],
            cwd=str(place.workspace),
            env=place.environment(None),
            encoding="utf-8",
            timeout=30,
        )
        program.expect_exact("Type yes: ")
        program.sendline(answer)
        program.expect(pexpect.EOF)
        program.close()
        said.append(f"{program.exitstatus} {program.before}")
    assert said[0].startswith("4") and "Nothing was accepted" in said[0]
    assert said[1].startswith("0") and "Accepted." in said[1] and "NOT in force" not in said[1]
    assert [one.name for one in in_force(place.settings(None))] == ["notes"]
