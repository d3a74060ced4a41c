"""The small parts of the terminal, each alone."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from agent.session import Session
from agent.terminal.ask import read_answer
from agent.terminal.calls import duration, fit, summary
from agent.terminal.complete import flags
from agent.terminal.export import transcript, write
from agent.terminal.markdown import Page
from agent.terminal.orders import COMMANDS
from agent.terminal.safe import harmless, one_line
from agent.terminal.slash import named, tool_call, unknown
from tests.agent.toys import say
from tools import catalogue
from tools.errors import Conflict, InvalidInput


@given(st.text())
def test_harmless_text_has_no_control_but_newline_and_tab(text: str):
    shown = harmless(text)
    assert all(char.isprintable() or char in "\n\t \u200c\u200d" or char.isspace() for char in shown)
    controls = {*range(32), *range(127, 160)} - {ord("\n"), ord("\t")}
    assert controls.isdisjoint(map(ord, shown))


def test_colours_go_and_everything_else_is_spelled_out():
    assert harmless("\x1b[1;31mred\x1b[0m\r\n10%\r20%") == "red\n10%\n20%"
    assert harmless("a\x1b[2Jb\u202e") == "a\\u{1b}[2Jb\\u{202e}"
    assert one_line(" a\n b\x07") == "a b\\u{7}"


def test_arguments_become_one_short_line():
    arguments = {"schemas": ["public", "auth"], "sql": "select  1\nfrom x", "deep": {"a": 1}, "yes": True}
    assert summary(arguments) == 'schemas=public,auth sql="select 1 from x" deep={…} yes=yes'
    assert len(summary({"sql": "x" * 5000})) < 80
    assert (fit("äöü", 2), duration(0.04), duration(65)) == ("ä…", "0.0 s", "1 min 5 s")


def test_pseudonyms_and_tags_are_shown_as_they_are():
    out = io.StringIO()
    Console(file=out, width=80).print(Page("See <name:3f2a>, <b>bold</b> and [docs](https://example.org)."))
    assert out.getvalue().strip() == "See <name:3f2a>, <b>bold</b> and docs (https://example.org)."


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("/list-tables --schemas public", ("list_tables", "--schemas public")),
        ("/MODE  act ", ("mode", "act")),
        ("/", ("", "")),
    ],
)
def test_a_command_is_a_name_and_a_rest(line: str, parts: tuple[str, str]):
    assert named(line) == parts


def test_a_tool_takes_the_flags_of_sergei_run():
    call = tool_call(say, "--word 'good day'")
    assert (call.tool, dict(call.arguments), call.words) == ("say", {"word": "good day"}, "")
    assert tool_call(say, '--json \'{"word": "x"}\'').arguments == {"word": "x"}
    assert tool_call(say, "--format json").as_json


def test_help_of_a_tool_is_a_text():
    assert tool_call(say, "--help").words.startswith("usage: /say")


@pytest.mark.parametrize(
    ("rest", "says"),
    [
        ("--word 'open", "Close the quotes"),
        ("--sword x", "unrecognized arguments: --sword x"),
        ("--word -", "no standard input"),
        ("--demo", "keeps its database"),
    ],
)
def test_a_wrong_line_is_one_sentence(rest: str, says: str):
    with pytest.raises(InvalidInput, match=says):
        tool_call(say, rest)


def test_an_unknown_command_names_the_nearest():
    assert unknown("shwo", ["show", "tools"]).hint == "Did you mean /show?"
    assert "/help" in unknown("xyzzy", ["show"]).hint


def test_no_command_hides_a_tool():
    assert not {command.name for command in COMMANDS} & set(catalogue())


def test_flags_are_completed_until_they_are_used():
    assert [flag for flag, _ in flags(say, "--w")] == ["--word"]
    assert flags(say, "--word x ") == []


@pytest.mark.parametrize(
    ("word", "answer"),
    [("y", "once"), ("YES\n", "once"), ("s", "session"), ("n because no\n", "deny"), ("", "deny")],
)
def test_an_answer_is_read_from_its_first_word(word: str, answer: str):
    decision = read_answer(word)
    assert decision is not None and decision.answer == answer


@pytest.mark.parametrize("word", ["\n", "yep", "1", "v", "yn"])
def test_anything_else_is_no_answer(word: str):
    assert read_answer(word) is None


def test_a_transcript_has_the_calls_and_never_replaces_a_file(tmp_path: Path):
    session = Session.create(tmp_path / "sessions", target="somewhere", model="m")
    session.append(
        "user", [{"type": "text", "text": "<session>\n</session>"}, {"type": "text", "text": "Well?"}]
    )
    call = {"type": "tool_use", "id": "1", "name": "say", "input": {"word": "x"}}
    session.append("assistant", [{"type": "text", "text": "I look."}, call])
    session.append("user", [{"type": "tool_result", "tool_use_id": "1", "content": "a ``` fence"}])
    session.append("assistant", [{"type": "text", "text": "Well.\x1b[2J"}])
    page = transcript(session)
    assert page.startswith("# Well?\n") and "<session>" not in page and "\x1b" not in page
    assert "````text\na ``` fence\n````" in page
    assert page.index("## You") < page.index("`say`") < page.index("Well.")
    file = write(session, str(tmp_path / "out.md"))
    assert file.read_text() == page and file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(Conflict):
        write(session, str(file))
    session.close()
