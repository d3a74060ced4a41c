"""A review as text: worst first, one block a finding, what was not examined at the end."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from tools.findings import Finding, Level, gathered
from tools.review import Review

_COLOURS = {Level.ERROR: "31;1", Level.WARN: "33;1", Level.INFO: "36"}


@dataclass(frozen=True, slots=True)
class Paper:
    """Where text goes: its width in columns and whether it takes ANSI colours."""

    width: int = 100
    colour: bool = False

    def paint(self, text: str, code: str) -> str:
        """The text in a colour, on paper that takes it."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text

    def dim(self, text: str) -> str:
        """Text of less weight."""
        return self.paint(text, "2")

    def bold(self, text: str) -> str:
        """Text of more weight."""
        return self.paint(text, "1")

    def wrap(self, text: str, indent: str) -> str:
        """Each line of the text folded to the width, indented."""
        lines = text.splitlines() or [""]
        folded = (
            textwrap.fill(
                line, self.width, initial_indent=indent, subsequent_indent=indent, break_long_words=False
            )
            for line in lines
        )
        return "\n".join(folded)


def text(review: Review, paper: Paper) -> str:
    """The whole report, ending without a newline."""
    blocks = [f"Reviewed {paper.bold(review.target)}"]
    blocks += [block(finding, paper) for finding in gathered(review.findings)]
    blocks.append(paper.bold(review.summary.sentence()))
    blocks.append(coverage(review, paper))
    return "\n\n".join(blocks)


def block(finding: Finding, paper: Paper) -> str:
    """One finding: level, object, rule; then what is wrong, what shows it, what mends it."""
    level = paper.paint(f"{finding.level:<6}", _COLOURS[finding.level])
    lines = [f"{level} {paper.bold(finding.object)}  {paper.dim(finding.rule)}"]
    lines.append(paper.wrap(finding.message, " " * 7))
    if finding.evidence:
        lines.append(field("seen", finding.evidence, paper))
    if finding.fix:
        lines.append(field("fix", finding.fix, paper))
    return "\n".join(lines)


def field(name: str, value: str, paper: Paper) -> str:
    """A named field. SQL keeps its own lines, so that it can be copied."""
    indent, value = " " * 13, value.strip()
    copied = name in ("fix", "did")
    body = textwrap.indent(value, indent) if copied else paper.wrap(value, indent)
    return f"       {paper.dim(f'{name:<5}')} {body.lstrip()}"


def coverage(review: Review, paper: Paper) -> str:
    """What was looked at and what was not."""
    lines = [paper.dim(paper.wrap("Examined: " + ", ".join(review.coverage.examined), ""))]
    lines += [paper.wrap(f"Not examined: {g.what} ({g.why})", "") for g in review.coverage.not_examined]
    return "\n".join(lines)
