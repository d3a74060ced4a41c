"""Sessions: what is on disk, and that a conversation is whole wherever it was cut off."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.messages import INTERRUPTED, Block, Message, result, whole
from agent.session import Session
from tests.messages_api_rules import breaches, drift
from tools.errors import Conflict, NotFound, RemoteError, Unavailable


def said(words: str) -> list[Block]:
    return [{"type": "text", "text": words}]


def call(name: str) -> Block:
    return {"type": "tool_use", "id": name, "name": "look", "input": {}}


def begun(folder: Path, question: str = "Why?", target: str = "demo") -> Session:
    session = Session.create(folder, target=target, model="m")
    session.append("user", said(question))
    session.append("assistant", said("Because."))
    return session


def test_a_session_is_loaded_as_it_was_saved(tmp_path: Path):
    session = begun(tmp_path, "Why\n  so slow? " + "x" * 100)
    session.close()
    loaded = Session.load(tmp_path, session.meta.id)
    assert loaded.messages == session.messages
    assert loaded.meta == session.meta
    assert loaded.meta.title.startswith("Why so slow? x") and len(loaded.meta.title) == 80


def test_only_its_owner_can_read_the_file_and_an_unused_session_has_none(tmp_path: Path):
    session = Session.create(tmp_path / "new", target="demo", model="m")
    assert not session.path.exists()
    session.append("user", said("Hi."))
    assert session.path.stat().st_mode & 0o777 == 0o600
    assert session.path.parent.stat().st_mode & 0o777 == 0o700


def test_the_file_only_grows(tmp_path: Path):
    session = begun(tmp_path)
    before = session.path.read_bytes()
    session.close()
    again = Session.load(tmp_path, session.meta.id)
    again.append("user", said("More."))
    assert session.path.read_bytes().startswith(before)


def test_a_torn_last_line_is_skipped_and_does_not_swallow_the_next(tmp_path: Path):
    session = begun(tmp_path)
    session.close()
    with session.path.open("ab") as file:
        file.write(b'{"type": "message", "role": "us')
    again = Session.load(tmp_path, session.meta.id)
    again.append("user", said("Still here?"))
    again.close()
    words = [message["content"][0]["text"] for message in Session.load(tmp_path, session.meta.id).messages]
    assert words == ["Why?", "Because.", "Still here?"]


def test_a_turn_that_a_crash_cut_off_is_healed_on_load(tmp_path: Path):
    session = begun(tmp_path)
    session.append("user", said("Look."))
    session.append("assistant", [call("a"), call("b")])
    session.close()
    again = Session.load(tmp_path, session.meta.id)
    assert [block["content"] for block in again.history()[-1]["content"]] == [INTERRUPTED, INTERRUPTED]
    again.append("user", said("Go on."))
    assert [block["type"] for block in again.history()[-1]["content"]] == ["tool_result"] * 2 + ["text"]


def test_two_terminals_cannot_hold_one_session(tmp_path: Path):
    session = begun(tmp_path)
    with pytest.raises(Conflict):
        Session.load(tmp_path, session.meta.id)
    session.close()
    Session.load(tmp_path, session.meta.id).close()


def test_the_latest_is_the_one_continued_last_with_this_target(tmp_path: Path):
    first, second, other = begun(tmp_path, "1"), begun(tmp_path, "2"), begun(tmp_path, "3", target="other")
    for number, session in enumerate((second, first, other)):
        session.close()
        os.utime(session.path, (number, number))
    (tmp_path / "notes.jsonl").write_text("not a session\n")
    assert [meta.title for meta in Session.list(tmp_path)] == ["3", "1", "2"]
    latest = Session.latest(tmp_path, target="demo")
    assert latest is not None and latest.meta.title == "1"
    assert Session.latest(tmp_path, target="elsewhere") is None
    assert Session.list(tmp_path / "absent") == []


@pytest.mark.parametrize("name", ["", "nope", "../secret", "2*"])
def test_a_session_that_is_not_there_is_not_found(tmp_path: Path, name: str):
    begun(tmp_path, "1").close()
    begun(tmp_path, "2").close()
    with pytest.raises(NotFound):
        Session.load(tmp_path, name)


def test_a_beginning_that_names_one_session_is_enough(tmp_path: Path):
    session = begun(tmp_path)
    session.close()
    assert Session.load(tmp_path, session.meta.id[:-2]).meta == session.meta


def test_a_file_without_its_first_line_is_said_to_be_damaged(tmp_path: Path):
    (tmp_path / "20260101-000000-abcdef.jsonl").write_text(json.dumps({"type": "message"}) + "\n")
    with pytest.raises(RemoteError, match="damaged"):
        Session.load(tmp_path, "20260101-000000-abcdef")


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path):
    (tmp_path / "file").write_text("")
    session = Session.create(tmp_path / "file" / "sessions", target="demo", model="m")
    with pytest.raises(Unavailable, match="cannot be saved"):
        session.append("user", said("Hi."))


def test_answers_to_calls_that_were_never_made_are_left_out():
    history = whole([{"role": "user", "content": [result("ghost", "boo", failed=False), *said("Hi.")]}])
    assert history == [{"role": "user", "content": said("Hi.")}]


def asks(names: list[str]) -> Message:
    return {"role": "assistant", "content": [call(name) for name in names]}


def answers(names: list[str]) -> Message:
    return {"role": "user", "content": [result(name, "ok", failed=False) for name in names]}


names = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, unique=True)
spoken = st.sampled_from(["user", "assistant"]).map(lambda role: {"role": role, "content": said("Hi.")})
messages = st.lists(st.one_of(spoken, names.map(asks), names.map(answers)), max_size=8)


def body(history: list[Message]) -> dict[str, Any]:
    return {"messages": list(whole([{"role": "user", "content": said("First.")}, *history]))}


@given(messages)
def test_any_remains_of_a_conversation_become_one_the_api_takes(history: list[Message]):
    assert list(breaches(body(history))) == []


@given(messages)
def test_what_a_person_says_next_changes_nothing_before_it(history: list[Message]):
    now = body(history)
    later = body([*history, {"role": "user", "content": said("Next.")}])
    assert list(drift(later, [now])) == []
