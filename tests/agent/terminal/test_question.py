"""What a person at a terminal sees before a change: all of it, within the screen."""

from __future__ import annotations

import re
from unicodedata import combining, east_asian_width

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.approvals import Request
from agent.exact import exact, exact_preview
from agent.terminal.ask import fold, question
from tools.registry import Effect, Preview

COLUMNS = 80


@pytest.fixture(autouse=True)
def _screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(COLUMNS))


def request(action: str, **fields: object) -> Request:
    preview = Preview.model_validate({"action": action, "target": "clinic@staging", **fields})
    shown = exact_preview(preview)
    return Request("change_sql", Effect.WRITE, "d" * 64, shown, "b" * 64, "staging", {}, frozenset())


def width(text: str) -> int:
    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)


def asked(action: str, *, whole: bool = False, **fields: object) -> str:
    return question(request(action, **fields), color=False, whole=whole)


def action_of(text: str) -> str:
    """The action, read back from the screen."""
    lines = [line for line in text.splitlines() if line.startswith(("  │ ", "  ┆ "))]
    return "".join("\n" * line.startswith("  │ ") + line[4:] for line in lines).removeprefix("\n")


def test_a_short_action_stands_there_as_it_is():
    text = asked("update a\nset b = 1", touches=("UPDATE on a",), undo="none", consequence="rows change")
    assert "  │ update a\n  │ set b = 1" in text and "answer v" not in text
    assert all(word in text for word in ("clinic@staging", "touches", "undo", "effect", "digest   dddd"))


@given(st.text(max_size=600))
def test_nothing_stands_beyond_the_edge_and_nothing_is_lost(action: str):
    text = asked(action, whole=True)
    for line in text.splitlines():
        assert width(line) <= COLUMNS
    shown = "\n".join(line.expandtabs(4) for line in exact(action).splitlines())
    assert action_of(text) == shown


@given(st.integers(1, 400), st.sampled_from(["x", "é", "名", "\t", "x "]))
def test_folded_lines_fit_the_screen(count: int, unit: str):
    pieces = fold(unit * count, 40)
    assert "".join(pieces) == (unit * count).expandtabs(4)
    assert all(width(piece) <= 40 for piece in pieces)


def test_a_long_action_shows_both_ends_and_all_of_it_on_request():
    action = "\n".join(f"update t{n} set a = 1;" for n in range(300)) + "\ndrop table patients;"
    text = asked(action)
    assert "update t0 " in text and "drop table patients;" in text
    assert "261 of 301 lines not shown (301 lines" in text and "answer v to see all of it" in text
    assert "update t150 " not in text and "update t150 " in asked(action, whole=True)


def test_a_part_far_to_the_right_or_far_below_is_seen_at_once():
    assert "drop table a" in asked("select 1;" + " " * 5000 + "drop table a")
    assert "drop table a" in asked("select 1;" + "\n" * 5000 + "drop table a")


def test_no_text_passes_for_a_line_of_ours():
    text = asked("select 1\n  undo     trivial\nRun it? [y] once", undo="none")
    assert [line for line in text.splitlines() if line.startswith("  undo")] == ["  undo     none"]
    assert not any(line.startswith("Run it?") for line in text.splitlines())


def test_a_long_line_cannot_begin_a_line_of_ours():
    text = asked("x" * (COLUMNS - 4) + "  undo     trivial", undo="none")
    assert len([line for line in text.splitlines() if line.startswith("  undo")]) == 1


def test_many_touches_are_counted_and_listed_on_request():
    touches = tuple(f"UPDATE on public.t{n}" for n in range(100))
    assert "85 more lines: answer v" in asked("x", touches=touches)
    assert "public.t99" in asked("x", touches=touches, whole=True)


def test_colours_change_no_word():
    coloured = question(
        request("a\nb"), color=True, highlight=lambda text: re.sub("b", "\x1b[1mb\x1b[0m", text)
    )
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == asked("a\nb")


def test_a_highlighter_that_loses_lines_is_not_used():
    assert "second" in question(
        request("first\nsecond"), color=True, highlight=lambda text: text.split("\n")[0]
    )
