"""Cuts Markdown that is still arriving into finished blocks, so that each is drawn once and never again.

A block is finished when no further line can change it: a paragraph or table after a blank line, a fence when
it is closed, a list when something else follows. The Markdown parser decides, not a guess about lines.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_MAY_END: Final = re.compile(r"^\s*(?:$|#|```|~~~|---|\*\*\*|___)", re.MULTILINE)
"""Lines after which a look is worth it; between them nothing is parsed, so long blocks stay cheap."""


@cache
def parser() -> MarkdownIt:
    """CommonMark with tables. `<name:3f2a>` is a pseudonym here, neither a link nor HTML."""
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("autolink")


class Blocks:
    """Markdown as it arrives: `feed` gives the blocks a chunk finished, `rest` what is left at the end."""

    def __init__(self) -> None:
        self._text = ""

    def feed(self, chunk: str) -> list[str]:
        """The blocks that are finished now, in order, each without blank lines around it."""
        begun = self._text.rfind("\n") + 1
        self._text += chunk
        end = self._text.rfind("\n") + 1
        if end <= begun or not _MAY_END.search(self._text[begun : end - 1]):
            return []
        blocks, unfinished = split(self._text[:end])
        self._text = unfinished + self._text[end:]
        return blocks

    def rest(self) -> str:
        """What no end was seen of; the next reply starts afresh."""
        text, self._text = self._text.strip("\n"), ""
        return text

    @property
    def tail(self) -> str:
        """The last line with words of what is unfinished: a sign of life."""
        return self._text.rstrip()[-400:].rpartition("\n")[2]


def split(source: str) -> tuple[list[str], str]:
    """Finished blocks of whole lines, and the lines that more may be added to."""
    opening = [(token, token.map) for token in parser().parse(source) if token.level == 0 and token.map]
    if not opening:
        return [], source if source.strip() else ""
    lines = source.split("\n")
    starts = [0, *(where[0] for _, where in opening[1:])]
    texts = [
        "\n".join(lines[first:last]).strip("\n")
        for first, last in zip(starts, [*starts[1:], len(lines)], strict=True)
    ]
    last, (_, after) = opening[-1][0], opening[-1][1]
    if _finished(last, lines[starts[-1] : after], blank_follows=after < len(lines) - 1):
        return texts, ""
    return texts[:-1], "\n".join(lines[starts[-1] :])


def _finished(token: Token, lines: list[str], *, blank_follows: bool) -> bool:
    """Whether the last block of a text is beyond change. What follows it, if anything, is a blank line."""
    match token.type:
        case "fence":
            closing = lines[-1].strip()
            return len(lines) > 1 and closing.startswith(token.markup) and not closing.strip(token.markup[0])
        case "hr":
            return True
        case "heading_open":
            return token.markup.startswith("#") or blank_follows
        case "paragraph_open" | "table_open":
            return blank_follows
        case _:
            return False
