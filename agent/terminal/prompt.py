"""The prompt: where a person types questions and commands, and where a change is approved."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.application.current import get_app_or_none
from prompt_toolkit.completion import Completer
from prompt_toolkit.filters import Condition, has_focus, is_searching
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.input.typeahead import clear_typeahead
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.styles import Style

from agent.approvals import Answer, Asker, Decision, Request
from agent.terminal.ask import QUESTION, question, read_answer
from agent.terminal.conversation import Conversation
from agent.terminal.interrupts import Interrupts, forget_typed
from agent.terminal.markdown import code
from agent.terminal.screen import Screen
from agent.terminal.status import status
from tools.redaction import Redactor

_STYLE = Style.from_dict({"bottom-toolbar": "noreverse", "bottom-toolbar.text": "ansibrightblack"})


class _History(FileHistory):
    """Questions of earlier conversations, private to the person and without what looks like a secret."""

    def __init__(self, file: Path, redactor: Redactor) -> None:
        super().__init__(file)
        self._redactor = redactor

    def store_string(self, string: str) -> None:
        """Append to the file; a full disk costs the history, not the question."""
        try:
            super().store_string(self._redactor.text(string))
        except OSError:
            return


def open_history(folder: Path, redactor: Redactor) -> History:
    """The history file, mode 0600; one that lasts for this run where no file can be written."""
    file = folder / "history"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    except OSError:
        return InMemoryHistory()
    return _History(file, redactor)


def open_prompt(talk: Conversation, completer: Completer) -> PromptSession[str]:
    """The prompt for questions: history, completion, several lines, the status line."""
    color = talk.screen.color

    def toolbar() -> FormattedText:
        return FormattedText([("", status(talk, get_app().output.get_size().columns))])

    return PromptSession(
        FormattedText([("bold", "› ")]),
        multiline=True,
        prompt_continuation="  ",
        history=open_history(talk.settings.state_dir, talk.house.executor.redactor),
        completer=completer,
        complete_while_typing=Condition(_writes_a_command),
        key_bindings=_keys(),
        bottom_toolbar=toolbar,
        enable_open_in_editor=True,
        tempfile_suffix=".md",
        style=_STYLE,
        color_depth=None if color else ColorDepth.DEPTH_1_BIT,
    )


def _writes_a_command() -> bool:
    app = get_app_or_none()
    return app is not None and app.current_buffer.text.startswith("/")


def _keys() -> KeyBindings:
    """Enter sends; Ctrl-J and Alt-Enter begin a new line."""
    keys = KeyBindings()

    @keys.add("enter", filter=has_focus("DEFAULT_BUFFER") & ~is_searching)
    def send(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.complete_state and buffer.complete_state.current_completion:
            buffer.complete_state = None
        else:
            buffer.validate_and_handle()

    @keys.add("c-j", filter=has_focus("DEFAULT_BUFFER") & ~is_searching)
    @keys.add("escape", "enter", filter=has_focus("DEFAULT_BUFFER") & ~is_searching)
    def new_line(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    return keys


def person(screen: Screen, interrupts: Interrupts) -> Asker:
    """Asks whoever sits at the prompt. Ctrl-C says no and stops the turn; Ctrl-D says no."""

    async def ask(request: Request) -> Decision:
        with screen.paused():
            screen.raw(_question(request, screen))
            try:
                return await _answer(request, screen)
            except KeyboardInterrupt:
                interrupts.stop()
                return Decision(Answer.DENY, by="person", reason="the turn was stopped")
            except EOFError:
                return Decision(Answer.DENY, by="person")
            finally:
                screen.touched()

    return ask


def _question(request: Request, screen: Screen, *, whole: bool = False) -> str:
    """The question, its SQL or diff coloured."""
    language = "sql" if request.tool.endswith("_sql") else "diff"

    def coloured(action: str) -> str:
        with screen.console.capture() as caught:
            screen.console.print(code(action, language).highlight(action), soft_wrap=True, end="")
        return caught.get()

    return question(request, color=screen.color, whole=whole, highlight=coloured)


async def _answer(request: Request, screen: Screen) -> Decision:
    depth = None if screen.color else ColorDepth.DEPTH_1_BIT
    session = PromptSession[str](color_depth=depth)
    clear_typeahead(session.app.input)
    forget_typed(sys.stdin.fileno())
    while True:
        word = (await session.prompt_async(QUESTION, handle_sigint=False)).strip()
        decision = read_answer(word or "?")
        if word.lower() == "v":
            screen.raw(_question(request, screen, whole=True))
        elif decision is not None and decision.answer is Answer.DENY and not decision.reason:
            why = await session.prompt_async(
                "Why, or what instead? (Enter: nothing to add) ", handle_sigint=False
            )
            return Decision(Answer.DENY, by="person", reason=why.strip())
        elif decision is not None:
            return decision
