"""The whole terminal, as a person meets it: keys in, characters out."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable

from agent.session import Session
from tests.agent.terminal.conftest import Open, Place
from tests.model_server import Call, Failed, ModelServer, Script, Scripted, failure, reply, text, use

Serve = Callable[[Script], ModelServer]


def test_a_question_is_answered_with_its_tool_calls_and_can_be_resumed(
    serve: Serve, chat: Open, place: Place
):
    server = serve(
        [
            reply(text("I look ", "first.\n"), use("read_file", {"path": "schema.sql"})),
            reply(text("## Found\n\nOne ", "table, `pets`.\n\nNothing", " more.")),
            reply("It has one column."),
        ]
    )
    terminal = chat(server)
    terminal.types("What is in the schema?")
    terminal.sees(
        "I look first.", "● read_file path=schema.sql", "/show 1", "Found", "One table, pets.", "more."
    )
    terminal.types("/show 1")
    terminal.sees("create table pets")
    terminal.types("/cost")
    terminal.sees("received 10 tokens")
    assert terminal.leaves() == 0
    name = Session.list(place.state / "sessions")[0].id
    assert f"--resume {name}" in terminal.screen
    assert not re.search(r"\x1b\[[0-9;]*[34][0-7]m", terminal.raw)  # NO_COLOR
    again = chat(server, "--continue")
    assert "Resumed" in again.screen and "Nothing more." in again.screen
    again.types("How many columns?")
    again.sees("It has one column.")
    assert again.leaves() == 0
    assert [message["role"] for message in server.calls[-1].messages] == ["user", "assistant"] * 2 + ["user"]


def test_a_change_waits_for_a_yes_that_was_given_after_it_was_seen(serve: Serve, chat: Open, place: Place):
    write = use("edit_file", {"path": "notes.md", "old": "", "new": "hello\n"})

    def hasty(call: Call) -> Scripted | Failed:
        terminal.program.send("y\ry\r")  # before anybody has seen what it is about
        return reply(write, pause=0.1)

    def refused(call: Call) -> Scripted | Failed:
        assert call.results[0]["is_error"] and "use a migration" in call.text
        return reply("Then a migration.")

    terminal = chat(serve([hasty, refused, reply(write), reply("Written, as you said.")]))
    terminal.types("Write it down.")
    terminal.sees("edit_file: change", "+hello", "undo", "digest", "Run it?")
    terminal.types("n")
    terminal.sees("Why")
    terminal.types("use a migration")
    terminal.sees("✗ edit_file", "use a migration", "Then a migration.")
    assert not (place.workspace / "notes.md").exists()
    terminal.types("Write it after all.")
    terminal.sees("Run it?")
    terminal.types("perhaps")
    terminal.sees("Run it?")
    terminal.types("s")
    terminal.sees("● edit_file", "Written, as you said.")
    assert (place.workspace / "notes.md").read_text() == "hello\n"
    terminal.types("/approvals")
    terminal.sees("1  edit_file", "digest")
    terminal.types("/approvals withdraw 1")
    terminal.sees("asks again")
    assert terminal.leaves() == 0


def test_ctrl_c_stops_a_turn_and_the_next_question_follows_a_valid_history(
    serve: Serve, chat: Open, place: Place
):
    endless = text("It begins.\n\n", *(f"word{index} " for index in range(500)))
    server = serve(
        [
            reply(endless, pause=0.05),
            reply(use("edit_file", {"path": "notes.md", "old": "", "new": "x"})),
            reply("All is well again."),
        ]
    )
    terminal = chat(server)
    terminal.types("Talk.")
    terminal.sees("It begins.", "word3")
    terminal.presses("c")
    terminal.sees("Stopped.", "PHI strict")
    terminal.types("Now write.")
    terminal.sees("Run it?")
    terminal.presses("c")
    terminal.sees("Stopped.", "PHI strict")
    terminal.types("And now?")
    terminal.sees("All is well again.", "PHI strict")
    assert not (place.workspace / "notes.md").exists()
    terminal.presses("c")
    terminal.sees("leaves.", "PHI strict")
    terminal.presses("c")
    assert terminal.ended() == 0
    assert "interrupted by the user" in str(server.calls[1].messages)
    assert "A person said no" in str(server.calls[2].messages)


def test_an_error_ends_the_turn_and_enter_takes_it_up(serve: Serve, chat: Open):
    hostile = "**Look**: \x1b]52;c;ZXZpbA==\x07 \x1b[2J\x9b31m \u202eabc <name:3f2a> \x1b[31mred\x1b[0m."
    terminal = chat(serve([failure(400, "too much of it"), reply(hostile)]), NO_COLOR="")
    terminal.types("Say it.")
    terminal.sees("too much of it", "Press Enter")
    assert "\x1b[31m" in terminal.raw  # the error, in red
    before = len(terminal.raw)
    terminal.types("")
    terminal.sees("red.")
    written = terminal.raw[before:]
    assert "\x1b[1mLook" in written
    assert not [code for code in ("\x1b]52", "\x1b[2J", "\x1b[31m", "\x9b", "\u202e") if code in written]
    assert "\\u{1b}]52" in terminal.screen and "<name:3f2a>" in terminal.screen
    assert terminal.leaves() == 0


def test_without_a_key_the_commands_and_the_tools_still_work(chat: Open, place: Place):
    terminal = chat(None)
    assert "No ANTHROPIC_API_KEY is set" in terminal.screen and "sergei demo" in terminal.screen
    terminal.types("Who are you?")
    terminal.sees("No ANTHROPIC_API_KEY is set")
    terminal.types("/glob --pattern '*.sql'")
    terminal.sees("● glob", "schema.sql")
    terminal.types("/toools")
    terminal.sees("Did you mean /tools?")
    terminal.types("/read-file")
    terminal.sees("✗ read_file", "`path`")
    terminal.types("/mode investigate")
    terminal.sees("nothing can change", "investigate")
    terminal.types("/edit_file --path a --old '' --new b")
    terminal.sees("investigate mode")
    terminal.program.send("/hel\t")
    terminal.sees("/help")
    terminal.presses("u")
    assert terminal.leaves() == 0
    history = place.state / "history"
    assert stat.S_IMODE(history.stat().st_mode) == 0o600 and "Who are you?" in history.read_text()
