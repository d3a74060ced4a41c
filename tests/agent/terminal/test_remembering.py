"""Memory as a person at the terminal meets it: what comes to mind, what is warned of, what is offered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from memory import Bank, Draft
from tests.agent.terminal.conftest import Open, Place
from tests.model_server import ModelServer, Script, reply, use

Serve = Callable[[Script], ModelServer]

CHECK = use("run_command", {"command": "test -f pets.lock"})
FAILED = Draft(
    title="A pets.lock of the wrong version breaks the nightly import",
    category="problem-solutions",
    action="wrote pets.lock by hand",
    result="the import stopped at its first line",
    outcome="failed",
    applies_to={"file": ["pets.lock"]},
)


def test_a_lesson_comes_to_mind_is_warned_of_and_a_new_one_is_offered(serve: Serve, chat: Open, place: Place):
    bank = Bank(place.workspace / ".sergei" / "memory")
    bank.add(FAILED, source="a test", now=datetime(2026, 5, 1, tzinfo=UTC))
    write = use("edit_file", {"path": "pets.lock", "old": "", "new": "2\n"})
    check = reply(use("run_command", {"command": "test -f pets.lock"}))
    terminal = chat(serve([reply(CHECK), reply(write), check, reply("The check passes now.")]))
    terminal.types("Why does the check of pets.lock fail?")
    terminal.sees("remembers: A pets.lock of the wrong version")
    terminal.sees("test -f pets.lock", "Run it?")
    terminal.types("y")
    terminal.sees("edit_file: change", "memory", "the import stopped at its first line", "Run it?")
    terminal.types("y")
    terminal.sees("● edit_file", "run_command", "Run it?")
    terminal.types("y")
    terminal.sees("The check passes now.", "measured before and after", "remember: change")
    terminal.sees("ended with exit code 1", "edit_file", "worked", "Run it?")
    terminal.types("y")
    terminal.sees("● remember")
    assert terminal.leaves() == 0
    (lesson,) = [entry for entry in bank.entries() if entry.title != FAILED.title]
    assert lesson.outcomes[0].result == "worked" and "run_command, edit_file" in lesson.source.ref


def test_memory_that_is_switched_off_neither_recalls_nor_offers(serve: Serve, chat: Open, place: Place):
    bank = Bank(place.workspace / ".sergei" / "memory")
    bank.add(FAILED, source="a test", now=datetime(2026, 5, 1, tzinfo=UTC))
    (place.workspace / "sergei.toml").write_text("[agent]\nmemory = false\n")
    terminal = chat(serve([reply("I look."), reply("Bye.")]))
    terminal.types("Why does the check of pets.lock fail?")
    terminal.sees("I look.")
    terminal.types("Bye.")
    terminal.sees("Bye.")
    assert terminal.leaves() == 0 and "remembers" not in terminal.screen
