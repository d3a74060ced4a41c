"""A review as Markdown, for a pull request or a wiki."""

from __future__ import annotations

import re
from typing import Final

from tools.findings import Finding
from tools.review import Review

_EMPHASIS: Final = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
"""An underscore that is not inside a word; the others mean nothing in Markdown and read better bare."""


def markdown(review: Review) -> str:
    """A table of contents first, then each finding with its fix."""
    lines = [f"# Review of {_plain(review.target)}", "", review.summary.sentence(), ""]
    if review.findings:
        lines += ["| level | object | rule |", "|---|---|---|"]
        lines += [f"| {f.level} | {_plain(f.object)} | `{f.rule}` |" for f in review.findings]
        lines.append("")
    for finding in review.findings:
        lines += _section(finding)
    lines += ["## Coverage", "", f"Examined: {_plain(', '.join(review.coverage.examined))}.", ""]
    lines += [
        f"- Not examined: {_plain(gap.what)} ({_plain(gap.why)})" for gap in review.coverage.not_examined
    ]
    return "\n".join(lines).rstrip()


def _section(finding: Finding) -> list[str]:
    lines = [f"## {finding.level}: {_plain(finding.object)}", "", _plain(finding.message), ""]
    if finding.evidence:
        lines += [f"Seen: {_plain(finding.evidence)}", ""]
    if finding.fix:
        fence = "`" * max(3, _longest_run(finding.fix) + 1)
        lines += [f"{fence}sql", finding.fix.strip(), fence, ""]
    lines += [f"Rule `{finding.rule}`, key `{finding.cache_key}`.", ""]
    return lines


def _plain(text: str) -> str:
    """Names and comments come from the database: they must not turn into markup."""
    for char in "\\`*[]<>|":
        text = text.replace(char, "\\" + char)
    text = _EMPHASIS.sub(r"\_", text)
    return " ".join(text.split())


def _longest_run(text: str) -> int:
    longest = run = 0
    for char in text:
        run = run + 1 if char == "`" else 0
        longest = max(longest, run)
    return longest
