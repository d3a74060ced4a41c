"""`sergei memory review`: a list with an exit code for a scheduled run, a walk for a person."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pexpect
import pytest

from memory import starter_bank
from memory.ulid import tail
from tests.agent.memory_person import NOW, Person

PROGRAM = "import sys; from agent.cli import main; sys.exit(main(['memory', *sys.argv[1:]]))"
ASKS = "(q)uit [s]:"


def test_nothing_to_decide_ends_with_0(person: Person):
    person.remembers("Raise work_mem for the report")
    assert person.memory("review") == 0
    assert person.says == "No entry needs a decision.\n"
    assert person.read("review") == []


def test_a_scheduled_run_lists_and_ends_with_1(person: Person):
    late = person.remembers("Raise work_mem for the report", valid_until=date(2020, 1, 1))
    old = person.remembers("Restart the worker", action="By cron at night.", days_ago=400)
    assert person.memory("review") == 1
    assert person.says.splitlines() == [
        "expired",
        f"  {tail(late.id)}  {late.title}",
        "            It was to be valid until 2020-01-01.",
        "unconfirmed",
        f"  {tail(old.id)}  {old.title}",
        "            Nothing has confirmed it for 400 days.",
    ]
    assert person.memory("review", "--only", "unused") == 0
    assert [(one["kind"], one["id"]) for one in person.read("review", "--only", "expired")] == [
        ("expired", late.id)
    ]
    assert person.memory("review", "--json") == 1


def test_what_ships_with_the_product_is_nobody_elses_to_mend(person: Person):
    assert starter_bank().entries()
    assert person.memory("review") == 0


Walk = Callable[..., Any]


@pytest.fixture
def walk(person: Person) -> Iterator[Walk]:
    """`walk(*words, **environment)`: the review on a terminal, or another action."""
    programs: list[Any] = []

    def begin(*words: str, **environment: str) -> Any:
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(person.state),
            "TERM": "xterm",
            "NO_COLOR": "1",
            "SERGEI_STATE_DIR": str(person.state),
        }
        spawn: Any = pexpect.spawn
        program = spawn(
            sys.executable,
            ["-c", PROGRAM, *(words or ("review",))],
            cwd=str(person.workspace),
            env=env | environment,
            encoding="utf-8",
            dimensions=(40, 80),
            timeout=30,
        )
        programs.append(program)
        return program

    yield begin
    for program in programs:
        program.close(force=True)


def test_a_person_decides_one_by_one(person: Person, walk: Walk):
    kept = person.remembers("Keep this one", valid_until=date(2020, 1, 1), days_ago=9)
    gone = person.remembers("Retire that", action="By cron.", valid_until=date(2020, 1, 1), days_ago=8)
    edited = person.remembers("Edit the other", action="Twice.", days_ago=400)
    later = person.remembers("Skip the last", action="Thrice.", days_ago=399)
    script = person.state / "editor.sh"
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text("""sed -i 's/14 ms/15 ms/' "$1"\n""")
    program = walk(EDITOR=f"sh {script}")
    for sees, types in (
        ("1 of 4", ""),
        (ASKS, "what?"),
        (ASKS, "v"),
        ("Changed the setting", ""),
        (ASKS, "k"),
        ("none for no end", "soon"),
        ("such as 2030-12-31", ""),
        (ASKS, "keep"),
        ("none for no end", "\r"),
        ("2 of 4", ""),
        (ASKS, "r"),
        ("Why", "\r"),
        (ASKS, "r"),
        ("Why", "The worker is gone."),
        ("3 of 4", ""),
        (ASKS, "e"),
        ("Saved", ""),
        ("4 of 4", ""),
        (ASKS, "\r"),
        ("1 kept, 1 retired, 1 edited, 1 left for another time.", ""),
    ):
        program.expect_exact(sees)
        if types:
            program.send(types.rstrip("\r") + "\r")
    program.expect(pexpect.EOF)
    program.close()
    assert program.exitstatus == 0
    after = person.bank.get(kept.id)
    assert after.confirmed == NOW.date() and after.valid_until == NOW.date() + timedelta(days=365)
    assert person.bank.get(gone.id).retired_because == "The worker is gone."
    assert "15 ms" in person.bank.get(edited.id).result
    assert person.bank.get(later.id) == later


def test_deciding_one_settles_its_opposite(person: Person, walk: Walk):
    action = "{} the transaction pooler on port 6543 for the api service."
    for word in ("Enabled", "Disabled"):
        person.remembers(f"{word} the transaction pooler for the api", action=action.format(word))
    program = walk()
    program.expect_exact("1 of 2")
    program.expect_exact(ASKS)
    program.send("r\r")
    program.expect_exact("Why")
    program.send("The pooler stays.\r")
    program.expect_exact("1 retired.")
    program.expect(pexpect.EOF)


def test_quitting_leaves_everything(person: Person, walk: Walk):
    old = person.remembers("Restart the worker", days_ago=400)
    program = walk()
    program.expect_exact(ASKS)
    program.send("q\r")
    program.expect_exact("1 left for another time.")
    program.expect(pexpect.EOF)
    assert person.bank.get(old.id) == old


def test_an_interrupt_belongs_to_the_editor(person: Person, walk: Walk):
    entry = person.remembers("Restart the worker", days_ago=400)
    script = person.state / "editor.sh"
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(
        """trap 'sed -i "s/14 ms/15 ms/" "$1"; exit 0' INT\necho ready\nwhile :; do sleep 0.1; done\n"""
    )
    program = walk(EDITOR=f"sh {script}")
    program.expect_exact(ASKS)
    program.send("e\r")
    program.expect_exact("ready")
    program.sendintr()
    program.expect_exact("1 edited.")
    program.expect(pexpect.EOF)
    assert "15 ms" in person.bank.get(entry.id).result


def test_a_person_may_decide_against_what_is_known_already(person: Person, walk: Walk):
    entry = person.remembers("Raise work_mem for the report")
    words = ["add", "--title", entry.title, "--category", entry.category, "--action", entry.action]
    for said, kept in (("n", 1), ("y", 2)):
        program = walk(*words, "--result", "It failed at night.", "--outcome", "failed")
        program.expect_exact("Save it? [YES/no]")
        program.send(f"{said}\r")
        program.expect_exact("Not saved." if said == "n" else "Already known")
        program.expect(pexpect.EOF)
        assert len(person.bank.get(entry.id).outcomes) == kept


def test_a_mistake_in_the_editor_opens_it_again(person: Person, walk: Walk):
    entry = person.remembers("Raise work_mem for the report")
    script = person.state / "editor.sh"
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(
        """if grep -q quite "$1"; then sed -i 's/quite/low/' "$1"; else sed -i 's/medium/quite/' "$1"; fi\n"""
    )
    program = walk("edit", entry.id, EDITOR=f"sh {script}")
    program.expect_exact("must be one of low, medium, high")
    program.expect_exact("Open it again? [YES/no]")
    program.send("\r")
    program.expect_exact("Saved")
    program.expect(pexpect.EOF)
    assert person.bank.get(entry.id).confidence == "low" and person.drafts() == []
