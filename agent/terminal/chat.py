"""A conversation at a terminal: read a line, answer it, again."""

from __future__ import annotations

import asyncio
import signal

from agent import model
from agent.compose import Choice, House, open_house, strict_phi
from agent.settings import Settings
from agent.terminal.complete import SlashCompleter
from agent.terminal.conversation import Conversation
from agent.terminal.interrupts import Interrupts
from agent.terminal.opening import KEYLESS, Opening, open_model, open_session
from agent.terminal.orders import COMMANDS, welcome_back
from agent.terminal.prompt import open_prompt, person
from agent.terminal.safe import one_line
from agent.terminal.screen import Screen
from agent.terminal.slash import named, tool_call, unknown
from agent.terminal.turn import run_tool, take_turn
from tools.errors import SergeiError
from tools.redaction import Redactor

_WARM_AFTER = 0.3
"""Seconds until the SDK is loaded in the background: the prompt is drawn first."""


async def chat(settings: Settings, choice: Choice, opening: Opening) -> int:
    """Open everything, talk until the person leaves, close everything. The exit code."""
    interrupts = Interrupts()
    screen = Screen(color=settings.color)
    for ending in (signal.SIGTERM, signal.SIGHUP):  # the terminal gets its modes back, the sandbox its lease
        asyncio.get_running_loop().add_signal_handler(ending, _end, asyncio.current_task())
    if choice.demo:
        screen.note("Opening the Guardian demo in the sandbox; the first time takes some seconds.")
    asker = person(screen, interrupts)
    redactor = Redactor(strict=strict_phi(settings, choice), remember=True)  # for /reveal
    async with open_house(
        settings,
        choice,
        face="terminal",
        mode=opening.mode,
        asker=asker,
        redactor=redactor,
        progress=screen.doing,
    ) as house:
        talk = _begin(house, screen, interrupts, opening)
        try:
            await _converse(talk)
        finally:
            await talk.close()
        if talk.session.messages:
            screen.note(
                f"Go on with this conversation: sergei chat{opening.flags} --resume {talk.session.meta.id}"
            )
    return 0


def _end(task: asyncio.Task[object] | None) -> None:
    if task is not None:
        task.cancel()


def _begin(house: House, screen: Screen, interrupts: Interrupts, opening: Opening) -> Conversation:
    settings = house.settings
    chosen = open_model(settings, opening.model) if settings.api_key else None
    session = open_session(house, opening, chosen.name if chosen else settings.model)
    talk = Conversation(house, screen, interrupts, chosen, session, opening.max_turns)
    target = one_line(house.target) or "no database connected (--demo or --database-url URL)"
    screen.line(f"Sergei · {target}", "bold")
    for line in KEYLESS if chosen is None else ("Ask, or /help. Ctrl-C stops a turn, Ctrl-D leaves.",):
        screen.note(line)
    if session.messages:
        welcome_back(talk)
    return talk


async def _converse(talk: Conversation) -> None:
    prompt = open_prompt(talk, SlashCompleter(talk))
    if talk.model is not None:
        asyncio.get_running_loop().call_later(_WARM_AFTER, model.warm)
    leaving = False
    while True:
        talk.screen.gap()
        try:
            line = await prompt.prompt_async()
        except KeyboardInterrupt:
            if leaving:
                return
            leaving = not prompt.default_buffer.text
            if leaving:
                talk.screen.note("Ctrl-C again, or Ctrl-D, leaves.")
            continue
        except EOFError:
            return
        leaving = False
        talk.screen.touched()
        try:
            if await answer(talk, line):
                return
        except SergeiError as error:
            talk.screen.error(str(error))


async def answer(talk: Conversation, line: str) -> bool:
    """Do what a typed line asks for; True when the person wants to leave."""
    if line.startswith("/"):
        return await _obey(talk, line)
    if not line.strip() and not talk.failed:
        return False
    if talk.loop is None:
        for words in KEYLESS:
            talk.screen.note(words)
        return False
    await take_turn(talk, talk.loop, line)
    return False


async def _obey(talk: Conversation, line: str) -> bool:
    name, rest = named(line)
    name = {"exit": "quit", "?": "help", "": "help"}.get(name, name)
    for command in COMMANDS:
        if command.name == name:
            return bool(await command.run(talk, rest))
    tools = talk.house.executor.catalogue
    if name not in tools:
        raise unknown(name, [*(command.name for command in COMMANDS), *tools])
    call = tool_call(tools[name], rest)
    if call.words:
        talk.screen.line(call.words)
    else:
        await run_tool(talk, call)
    return False
