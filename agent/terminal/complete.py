"""Completion of slash commands, their arguments and the flags of tools."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from agent.commands.run import resolve
from agent.terminal.conversation import Conversation
from agent.terminal.orders import COMMANDS
from agent.terminal.recall import ACTIONS
from agent.terminal.safe import one_line
from agent.terminal.slash import named
from memory import RESULTS
from memory.ulid import tail
from tools.registry import Tool

Choice = tuple[str, str]
"""What is typed, and what it means."""


class SlashCompleter(Completer):
    """Completes a line that begins with a slash; plain questions are left alone."""

    def __init__(self, talk: Conversation) -> None:
        self._talk = talk

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """The choices for the word at the cursor."""
        typed = document.text_before_cursor
        if not typed.startswith("/") or "\n" in typed:
            return
        word = typed.rpartition(" ")[2]
        choices = self._names() if word == typed else self._arguments(typed)
        for text, meaning in choices:
            if text.startswith(word):
                yield Completion(text, -len(word), display_meta=meaning)

    def _names(self) -> Iterator[Choice]:
        yield from ((f"/{command.name}", command.summary) for command in COMMANDS)
        for tool in self._talk.house.executor.catalogue.values():
            yield f"/{tool.name}", tool.summary

    def _arguments(self, typed: str) -> Sequence[Choice]:
        name, rest = named(typed)
        tool = self._talk.house.executor.catalogue.get(name)
        if tool is not None:
            return flags(tool, rest)
        match name:
            case "mode":
                return [("investigate", "nothing can change"), ("act", "changes are asked")]
            case "memory":
                return self._memory(rest, typed.endswith(" "))
            case "approvals":
                return [("withdraw", "take an approval back")]
            case "show":
                return [(str(shown.number), shown.name) for shown in reversed(self._talk.calls)]
            case _:
                return []

    def _memory(self, rest: str, begun: bool) -> Sequence[Choice]:
        """The actions, then the entries for those that take one, then the results of an outcome."""
        before = rest.split() if begun else rest.split()[:-1]
        if not before:
            return list(ACTIONS.items())
        if before[0] not in ("show", "outcome", "retire"):
            return []
        bank = self._talk.house.bank
        if len(before) == 1 and bank is not None:
            return [(tail(entry.id), one_line(entry.title)) for entry in bank.entries()]
        return [(result, "") for result in RESULTS] if before[0] == "outcome" and len(before) == 2 else []


def flags(tool: Tool, typed: str) -> Sequence[Choice]:
    """The tool's flags; after a flag with a fixed set of values, those."""
    schema = tool.input_schema
    specs = {
        "--" + name.replace("_", "-"): resolve(spec, schema)
        for name, spec in schema.get("properties", {}).items()
    }
    before = typed.split()[:-1] if typed and not typed.endswith(" ") else typed.split()
    last: Mapping[str, object] = specs.get(before[-1], {}) if before else {}
    values = last.get("enum")
    if isinstance(values, list):
        return [(str(value), "") for value in values]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  JSON schema
    return [(flag, str(spec.get("description", ""))) for flag, spec in specs.items() if flag not in before]
