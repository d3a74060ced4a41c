"""The scripted server would notice: each rule that it holds Sergei to can fail."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest

from tests.messages_api_rules import Json, breaches, drift, holds
from tests.model_server import ModelServer, model_server, reply

HI: Json = {"role": "user", "content": [{"type": "text", "text": "Hi."}]}
HO: Json = {"role": "assistant", "content": [{"type": "text", "text": "Ho."}]}
CALL: Json = {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "look", "input": {}}]}
BLANK: Json = {"role": "assistant", "content": [{"type": "text", "text": " "}]}
EMPTY: Json = {"role": "assistant", "content": list[Json]()}
ANSWER: Json = {"type": "tool_result", "tool_use_id": "a", "content": "ok"}


@pytest.mark.parametrize(
    ("messages", "breach"),
    [
        (list[Json](), "first message"),
        ([HO], "first message"),
        ([HI, HI], "both by user"),
        ([HI, BLANK, HI], "blank text"),
        ([HI, CALL], "not answered"),
        ([HI, CALL, HI], "answers []"),
        ([HI, HO, {"role": "user", "content": [ANSWER]}], "the calls before it are []"),
        ([HI, CALL, {"role": "user", "content": [*HI["content"], ANSWER]}], "text before its tool results"),
        ([HI, EMPTY, HI], "is empty"),
    ],
)
def test_a_breach_is_named(messages: list[Json], breach: str):
    assert any(breach in found for found in breaches({"messages": messages}))


def test_a_whole_conversation_breaches_nothing():
    assert list(breaches({"messages": [HI, CALL, {"role": "user", "content": [ANSWER]}]})) == []


@pytest.mark.parametrize(
    ("later", "what"),
    [
        ({"system": "b", "messages": [HI, HO, HI]}, "system changed"),
        ({"system": "a", "tools": [], "messages": [HI, HO, HI]}, "tools changed"),
        ({"system": "a", "messages": [HI, CALL, HI]}, "block 1 of the earlier messages changed"),
        ({"system": "a", "messages": [HO, HO, HI]}, "its first message is new"),
    ],
)
def test_a_changed_prefix_is_named(later: Json, what: str):
    assert any(what in found for found in drift(later, [{"system": "a", "messages": [HI, HO]}]))


def test_a_new_conversation_is_no_drift():
    assert list(drift({"messages": [HO]}, [{"messages": [HI, HO]}])) == []


def test_a_forbidden_value_is_found_as_json_writes_it():
    assert holds(json.dumps({"text": 'Zoë "Z" Ruiz'}), 'Zoë "Z" Ruiz')


def ask(server: ModelServer, body: Json) -> int:
    request = urllib.request.Request(f"{server.base_url}/v1/messages", json.dumps(body).encode())  # noqa: S310  loopback
    try:
        with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310  loopback
            return response.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_the_server_answers_a_breach_with_400_and_raises_it_at_the_end():
    with (
        pytest.raises(AssertionError, match=r"forbidden value 'secret'[\s\S]*never asked for"),
        model_server([reply("Ho.")], forbidden=("secret",)) as server,
    ):
        assert ask(server, {"messages": [{"role": "user", "content": "my secret"}]}) == 400


def test_the_server_raises_a_request_beyond_its_script():
    with pytest.raises(AssertionError, match="after the end"), model_server([]) as server:
        assert ask(server, {"messages": [HI]}) == 400
