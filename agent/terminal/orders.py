"""The conversation's own slash commands."""

from __future__ import annotations

from typing import Final

from agent.approvals import Mode
from agent.session import Session
from agent.terminal import export
from agent.terminal.allowed import approvals
from agent.terminal.conversation import Conversation
from agent.terminal.recall import memory, review
from agent.terminal.reveal import reveal
from agent.terminal.safe import one_line
from agent.terminal.slash import Command
from agent.terminal.status import WINDOW, tokens
from agent.terminal.turn import show_result, take_turn
from tools.errors import InvalidInput, NotFound
from tools.registry import Effect


async def _help(talk: Conversation, rest: str) -> None:
    lines = [f"  {f'/{command.name} {command.usage}'.rstrip():<30}{command.summary}" for command in COMMANDS]
    lines += [
        f"  {'/TOOL [--help] [FLAGS]':<30}run a tool yourself; its output stays between you and the screen",
        "",
        "  Enter sends, Ctrl-J or Alt-Enter begins a new line, Ctrl-X Ctrl-E opens your editor.",
        "  Ctrl-R searches what you asked before, Tab completes commands.",
        "  Ctrl-C stops a turn; at the prompt, twice leaves, as does Ctrl-D.",
    ]
    talk.screen.hanging(lines[: len(COMMANDS) + 1], 32)
    talk.screen.hanging(lines[len(COMMANDS) + 1 :], 2)


async def _tools(talk: Conversation, rest: str) -> None:
    lines: list[str] = []
    for tool in talk.house.executor.catalogue.values():
        asks = "" if tool.effect is Effect.READ else " (asks)"
        lines.append(f"  /{tool.name:<18} {tool.summary}{asks}")
    talk.screen.hanging(lines, 22)


async def _show(talk: Conversation, rest: str) -> None:
    if not talk.calls:
        raise NotFound("No tool has run yet.")
    if rest and not rest.isdigit():
        raise InvalidInput(
            "/show takes the number of a call.", hint="It stands at the end of the call's line."
        )
    number = int(rest) if rest else talk.calls[-1].number
    found = next((shown for shown in talk.calls if shown.number == number), None)
    if found is None:
        raise NotFound(f"There is no call {number}.", hint=f"The last one is {talk.calls[-1].number}.")
    show_result(talk, found)


async def _mode(talk: Conversation, rest: str) -> None:
    approvals = talk.house.executor.approvals
    if rest and rest not in tuple(Mode):
        raise InvalidInput(f"There is no mode {one_line(rest)!r}.", hint="The modes are investigate and act.")
    approvals.mode = Mode(rest) if rest else approvals.mode
    means = {Mode.INVESTIGATE: "nothing can change", Mode.ACT: "changes are asked, one by one"}
    talk.screen.note(f"Mode {approvals.mode}: {means[approvals.mode]}.")


async def _model(talk: Conversation, rest: str) -> None:
    if rest and talk.model is None:
        raise InvalidInput("Without ANTHROPIC_API_KEY there is no model to choose.")
    if rest:
        await talk.use(rest)
    talk.screen.note(f"Model {talk.model_name}." if talk.model else "No model: ANTHROPIC_API_KEY is not set.")


async def _cost(talk: Conversation, rest: str) -> None:
    total = talk.total
    talk.screen.line(
        f"  sent {tokens(total.input)} tokens, {tokens(total.cache_read)} more from the cache, "
        f"{tokens(total.cache_write)} into it\n"
        f"  received {tokens(total.output)} tokens\n"
        f"  the conversation now holds {tokens(talk.context)} of at least {tokens(WINDOW)} tokens"
    )


async def _export(talk: Conversation, rest: str) -> None:
    if not rest:
        raise InvalidInput("Export to which file?", hint="/export FILE.md")
    talk.screen.note(f"Written to {export.write(talk.session, rest)}.")


async def _clear(talk: Conversation, rest: str) -> None:
    former = talk.session
    talk.hold(talk.new_session())
    kept = f" The one before: /resume {former.meta.id}" if former.messages else ""
    talk.screen.note(f"A new conversation.{kept}")


async def _resume(talk: Conversation, rest: str) -> None:
    metas = Session.list(talk.folder)
    if not rest:
        lines = [
            f"  {index:>2}  {meta.id}  {one_line(meta.title)}" for index, meta in enumerate(metas[:15], 1)
        ]
        talk.screen.hanging(lines or ["  No conversation is saved yet."], 6)
        return
    name = metas[int(rest) - 1].id if rest.isdigit() and 0 < int(rest) <= len(metas) else rest
    if name == talk.session.meta.id:
        raise InvalidInput("This is that conversation.")
    talk.hold(Session.load(talk.folder, name))
    welcome_back(talk)


def welcome_back(talk: Conversation) -> None:
    """Where the resumed conversation had got to."""
    meta, screen = talk.session.meta, talk.screen
    screen.note(f"Resumed {meta.id}: {one_line(meta.title)}")
    if meta.target != talk.house.target:
        then, now = meta.target or "no database", talk.house.target or "no database"
        screen.line(f"It was about {one_line(then)}; you are connected to {one_line(now)} now.", "yellow")
    replies = [
        "\n\n".join(filter(None, map(export.said, message["content"])))
        for message in talk.session.history()
        if message["role"] == "assistant"
    ]
    if replies and replies[-1]:
        screen.block(replies[-1])


async def _retry(talk: Conversation, rest: str) -> None:
    if talk.loop is None or not talk.failed:
        raise InvalidInput("There is no failed turn to take up.")
    await take_turn(talk, talk.loop, "")


async def _quit(talk: Conversation, rest: str) -> bool:
    return True


COMMANDS: Final = (
    Command("help", "", "this list", _help),
    Command("tools", "", "what Sergei can do; each is a slash command too", _tools),
    Command("review", "", "review the database: every rule, every finding", review),
    Command("memory", "[WORDS|show ID|...]", "what Sergei remembers, or what he knows about WORDS", memory),
    Command("show", "[N]", "the whole output of call N, or of the last one", _show),
    Command("reveal", "<name:...>", "the value behind a pseudonym, on this screen only (audited)", reveal),
    Command("approvals", "[add ...|withdraw N]", "what may run without asking, and until when", approvals),
    Command("mode", "[investigate|act]", "whether anything may change", _mode),
    Command("model", "[NAME]", "talk to another model", _model),
    Command("cost", "", "tokens used in this conversation", _cost),
    Command("export", "FILE", "write the conversation to a Markdown file", _export),
    Command("clear", "", "begin a new conversation", _clear),
    Command("resume", "[N|ID]", "list saved conversations, or go on with one", _resume),
    Command("retry", "", "take up a turn that failed", _retry),
    Command("quit", "", "leave (Ctrl-D)", _quit),
)
