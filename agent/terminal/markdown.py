"""Markdown for a terminal: quiet headings, code that can be copied, nothing that a terminal acts on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import CodeBlock, Heading, Markdown, MarkdownElement
from rich.padding import Padding
from rich.syntax import Syntax

from agent.terminal.blocks import parser
from agent.terminal.safe import harmless


class _Heading(Heading):
    """Bold at the left; the two highest levels are underlined."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        text = self.text.copy()
        text.stylize("bold underline" if self.tag in ("h1", "h2") else "bold")
        yield text


class _Code(CodeBlock):
    """Highlighted in the terminal's own colours, without a background that a selection would carry along."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Padding(code(str(self.text), self.lexer_name), (0, 0, 0, 2))


class Page(Markdown):
    """One or more blocks. Links show their address instead of hiding it behind words."""

    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **Markdown.elements,
        "heading_open": _Heading,
        "fence": _Code,
        "code_block": _Code,
    }

    def __init__(self, markup: str) -> None:
        super().__init__("", hyperlinks=False)
        self.markup = harmless(markup)
        self.parsed = parser().parse(self.markup)


def as_json(value: Mapping[str, Any]) -> Syntax:
    """A JSON object, indented."""
    return code(harmless(json.dumps(value, indent=1, ensure_ascii=False)), "json")


def code(text: str, language: str) -> Syntax:
    """Source text, highlighted; an unknown language is plain."""
    return Syntax(text.rstrip("\n"), language, theme="ansi_dark", word_wrap=True, background_color="default")
