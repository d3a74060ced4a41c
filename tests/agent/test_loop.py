"""The loop against a scripted model; the model server itself checks every request for validity."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from agent.approvals import Answer, Decision, Request
from agent.events import (
    Notice,
    TextChunk,
    ThinkingChunk,
    ToolFinished,
    ToolStarted,
    TurnFinished,
    TurnStarted,
    UsageReport,
)
from agent.messages import INTERRUPTED
from agent.session import Session
from tests.agent.conftest import Talk
from tests.model_server import Call, Failed, Scripted, failure, reply, text, thinking, use
from tools.errors import InvalidInput, Unavailable

pytestmark = pytest.mark.anyio
Begin = Callable[..., Talk]


async def allow(request: Request) -> Decision:
    return Decision(Answer.ONCE, by="test")


async def test_a_reply_streams_and_the_turn_ends_with_its_usage(talk: Begin):
    counts = {"input_tokens": 7, "output_tokens": 3, "cache_read_input_tokens": 100}
    conversation = talk([reply(text("All ", "is well."), usage=counts)])
    events = await conversation.say("How is it?")
    usage = UsageReport(7, 3, 100, 0)
    expected = [TurnStarted("How is it?"), TextChunk("All "), TextChunk("is well."), usage]
    assert events == [*expected, TurnFinished("end_turn", usage)]
    assert usage.context == 110


async def test_thinking_is_shown_and_goes_back_unchanged(talk: Begin):
    conversation = talk([reply(thinking("Look first.", "c2ln"), use("echo", {"word": "a"})), reply("Done.")])
    events = await conversation.say("Go.")
    assert ThinkingChunk("Look first.") in events
    thought = conversation.sent[1]["content"][0]
    assert thought == {"type": "thinking", "thinking": "Look first.", "signature": "c2ln"}


async def test_reads_of_one_reply_run_together_and_answer_in_order_in_one_message(talk: Begin):
    pair = reply(use("meet", {"word": "a"}, call_id="first"), use("meet", {"word": "b"}, call_id="second"))
    conversation = talk([pair, reply("Both met.")])
    events = await conversation.say("Meet.")  # one after the other would wait for ever
    assert [event.name for event in events if isinstance(event, ToolStarted)] == ["meet", "meet"]
    assert all(event.outcome.ok for event in events if isinstance(event, ToolFinished))
    assert [block["tool_use_id"] for block in conversation.sent[-1]["content"]] == ["first", "second"]


async def test_changes_run_one_by_one_between_the_reads_around_them(talk: Begin):
    words = [("echo", "a"), ("carve", "b"), ("carve", "c"), ("echo", "d")]
    conversation = talk(
        [reply(*(use(name, {"word": word}) for name, word in words)), reply("Ok.")], asker=allow
    )
    await conversation.say("Work.")
    carved = ["carve b begins", "carve b ends", "carve c begins", "carve c ends"]
    assert conversation.stage.log == ["echo a", *carved, "echo d"]


async def test_a_result_reaches_the_model_inside_a_fence(talk: Begin):
    def second(call: Call) -> Scripted | Failed:
        assert '"word": "moss"' in call.text and "<result id=" in call.text
        assert "is_error" not in call.results[0]
        return reply("Seen.")

    await talk([reply(use("echo", {"word": "moss"})), second]).say("Look.")


async def test_failed_refused_and_unknown_calls_are_answered_as_errors(talk: Begin):
    calls = (use("echo", {"wrong": 1}), use("carve", {"word": "x"}), use("no_such_tool", {}))
    conversation = talk([reply(*calls), reply("I see.")])
    events = await conversation.say("Go.")
    failures = [event.outcome.failure for event in events if isinstance(event, ToolFinished)]
    assert [failure and failure.kind for failure in failures] == ["invalid_input", "refused", "not_found"]
    assert all(block["is_error"] for block in conversation.sent[-1]["content"])
    assert conversation.stage.log == []


@pytest.mark.parametrize(
    "raw", ['{"word": ', '{"word": "a"', "[1]", '{"word": NaN}', '{"word": "\\ud800"}', "]" * 9]
)
async def test_arguments_that_are_no_json_object_never_run(talk: Begin, raw: str):
    conversation = talk([reply(use("echo", raw=raw)), reply("Again, then.")])
    events = await conversation.say("Go.")
    outcome = next(event.outcome for event in events if isinstance(event, ToolFinished))
    assert outcome.failure is not None and outcome.failure.retry
    assert conversation.stage.log == []
    assert conversation.sent[1]["content"][0]["input"] == {}


@pytest.mark.parametrize("reason", ["max_tokens", "model_context_window_exceeded", "end_turn"])
async def test_a_call_in_a_reply_that_was_cut_off_does_not_run(talk: Begin, reason: str):
    cut = reply("I will carve.", use("carve", {"word": "x"}), stop_reason=reason)
    conversation = talk([cut, reply("Right.")], asker=allow)
    events = await conversation.say("Go.")
    assert isinstance(events[-1], TurnFinished) and events[-1].stop_reason == reason
    assert any(isinstance(event, Notice) for event in events) == (reason != "end_turn")
    await conversation.say("Continue.")
    assert conversation.stage.log == []
    assert "Not run" in conversation.sent[-1]["content"][0]["content"]


async def test_a_refused_reply_leaves_nothing_of_itself(talk: Begin):
    refused = reply("Some of it", use("carve", {"word": "x"}), stop_reason="refusal", detail="Not this.")
    conversation = talk([refused, reply("Gladly.")], asker=allow)
    events = await conversation.say("Do harm.")
    assert any(isinstance(event, Notice) and "Not this." in event.text for event in events)
    await conversation.say("Do good.")
    assert conversation.stage.log == []
    assert "Some of it" not in str(conversation.sent)


async def test_a_paused_turn_goes_on_by_itself(talk: Begin):
    conversation = talk([reply("First half,", stop_reason="pause_turn"), reply(" second half.")])
    events = await conversation.say("Tell.")
    assert [event.text for event in events if isinstance(event, TextChunk)] == [
        "First half,",
        " second half.",
    ]
    assert len(conversation.session.history()) == 2


async def test_a_reply_of_nothing_is_left_out(talk: Begin):
    conversation = talk([reply(text("  \n")), reply("Yes.")])
    await conversation.say("Hm?")
    await conversation.say("Well?")
    assert [message["role"] for message in conversation.sent] == ["user"]


async def test_the_step_limit_ends_the_turn_and_the_next_turn_goes_on(talk: Begin):
    steps = [reply(use("echo", {"word": str(step)})) for step in range(2)]
    conversation = talk([*steps, reply("Finished.")], max_steps=2)
    events = await conversation.say("Go.")
    assert events[-1] == TurnFinished("max_steps", UsageReport(20, 10))
    events = await conversation.say("Continue.")
    assert isinstance(events[-1], TurnFinished) and events[-1].stop_reason == "end_turn"
    assert conversation.stage.log == ["echo 0", "echo 1"]


async def test_context_goes_with_the_first_message_and_again_only_when_it_changes(talk: Begin):
    conversation = talk([reply("Hello."), reply("Yes."), reply("Noted.")])
    await conversation.say("Hi.")
    await conversation.say("Still there?")
    blocks = [block["text"] for message in conversation.sent[::2] for block in message["content"]]
    assert blocks[0].startswith("<session>") and blocks[1:] == ["Hi.", "Still there?"]
    conversation.loop.executor.approvals.mode = type(conversation.loop.executor.approvals.mode)("investigate")
    await conversation.say("And now?")
    assert "mode: investigate" in conversation.sent[-1]["content"][0]["text"]


async def test_the_tools_are_sent_sorted_and_the_system_prompt_alone(talk: Begin):
    conversation = talk([reply("Hello.")])
    await conversation.say("Hi.")
    body = conversation.server.calls[0].body
    assert [tool["name"] for tool in body["tools"]] == ["carve", "echo", "hang", "meet"]
    assert [block["text"] for block in body["system"]] == ["You are Sergei."]


async def test_what_a_person_pastes_is_redacted_before_it_is_sent_or_stored(talk: Begin):
    dsn, address = "postgres://admin:hunter2-secret@db.example/app", "mary.poppins@example.org"
    conversation = talk([reply("Connected.")], forbidden=("hunter2-secret", address))
    events = await conversation.say(f"Use {dsn} for {address}. \udcff")
    assert any(isinstance(event, Notice) and "replaced" in event.text for event in events)
    saved = conversation.session.path.read_text()
    assert "hunter2-secret" not in saved and address not in saved


async def test_nothing_to_say_is_refused_unless_a_failed_turn_can_be_taken_up(talk: Begin):
    conversation = talk([failure(401), reply("Here I am.")])
    with pytest.raises(InvalidInput):
        await conversation.say("  ")
    with pytest.raises(Exception, match="does not accept the API key"):
        await conversation.say("Hello?")
    events = await conversation.say("")
    assert TextChunk("Here I am.") in events
    assert [block["text"] for block in conversation.sent[0]["content"]][1:] == ["Hello?"]


async def test_a_broken_stream_leaves_nothing_half_said(talk: Begin):
    broken = reply(text("Half a ", "sentence"), use("carve", {"word": "x"}), stop_after=2, ending="cut")
    conversation = talk([broken, reply("Once more.")], asker=allow)
    with pytest.raises(Unavailable):
        await conversation.say("Go.")
    await conversation.say("Again.")
    assert conversation.stage.log == []
    assert "Half a" not in str(conversation.sent)


async def test_a_retry_is_told(talk: Begin):
    conversation = talk([failure(529, retry_after_ms="1"), reply("Sorry.")])
    events = await conversation.say("Hi.")
    assert any(isinstance(event, Notice) and "overloaded" in event.text for event in events)
    assert TextChunk("Sorry.") in events


async def stopped_at(conversation: Talk, said: str, moment: Callable[[object], bool]) -> None:
    """Cancel the turn as Ctrl-C does, once an event like that was seen."""
    seen = asyncio.Event()

    async def read() -> None:
        async for event in conversation.loop.turn(said):
            if moment(event):
                seen.set()

    task = asyncio.create_task(read())
    await seen.wait()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_stopped_while_it_speaks_what_was_said_stays(talk: Begin):
    held = reply(text("So far", " and on"), stop_after=1, ending="hold")
    conversation = talk([held, reply("Fine.")])
    await stopped_at(conversation, "Tell.", lambda event: event == TextChunk("So far"))
    await conversation.say("Enough.")
    said = conversation.sent[1]["content"]
    assert said == [{"type": "text", "text": "So far\n[interrupted by the user]"}]


async def test_stopped_before_it_speaks_the_next_turn_works(talk: Begin):
    conversation = talk([reply("never", stop_after=0, ending="hold"), reply("Fine.")])
    task = asyncio.create_task(conversation.say("Tell."))
    assert await asyncio.to_thread(conversation.server.arrived.acquire, timeout=20)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert TextChunk("Fine.") in await conversation.say("Enough.")


async def test_stopped_while_tools_run_finished_results_stay_and_the_rest_is_answered(talk: Begin):
    three = reply(
        use("echo", {"word": "a"}, call_id="done"),
        use("hang", {"word": "b"}, call_id="running"),
        use("carve", {"word": "c"}, call_id="later"),
    )
    conversation = talk([three, reply("All right.")], asker=allow)
    await stopped_at(
        conversation, "Go.", lambda event: isinstance(event, ToolFinished) and event.call_id == "done"
    )
    await conversation.say("Never mind.")
    done, running, later, words = conversation.sent[-1]["content"]
    assert '"word": "a"' in done["content"] and "is_error" not in done
    assert running["content"] == later["content"] == INTERRUPTED
    assert words["text"] == "Never mind."
    assert conversation.stage.log == ["echo a"]


async def test_stopped_while_a_person_is_asked_the_change_does_not_run(talk: Begin):
    asked = asyncio.Event()

    async def never(request: Request) -> Decision:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    conversation = talk([reply(use("carve", {"word": "x"})), reply("Kept whole.")], asker=never)
    task = asyncio.create_task(conversation.say("Carve."))
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await conversation.say("No.")
    assert conversation.stage.log == []


async def test_a_turn_that_is_abandoned_is_whole_once_it_is_closed(talk: Begin):
    conversation = talk(
        [reply(use("echo", {"word": "a"}), use("hang", {"word": "b"})), reply("Hello again.")]
    )
    turn = conversation.loop.turn("Go.")
    async for event in turn:
        if isinstance(event, ToolFinished):
            break
    await turn.aclose()
    assert TextChunk("Hello again.") in await conversation.say("Hello?")


async def test_a_conversation_is_resumed_where_it_stopped(talk: Begin):
    first = talk([reply(thinking("Hm."), use("echo", {"word": "a"})), reply("It says a.")])
    await first.say("What does it say?")
    first.session.close()
    again = Session.load(first.session.path.parent, first.session.meta.id)
    second = talk([reply("Still a.")], session=again)
    await second.say("And now?")
    assert second.sent[: len(first.sent)] == first.sent
    assert again.meta.title == "What does it say?"
