"""A review as Markdown, for a pull request or a wiki."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import Final

from agent.reports.dossier import QUESTION, Dossier
from tools.findings import Finding
from tools.review import Review

_EMPHASIS: Final = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
"""An underscore that is not inside a word; the others mean nothing in Markdown and read better bare."""


def markdown(review: Review) -> str:
    """A table of contents first, then each finding with its fix."""
    lines = [f"# Review of {plain(review.target)}", "", review.summary.sentence(), ""]
    lines += table(review.findings)
    for finding in review.findings:
        lines += section(finding)
    lines += coverage(review)
    return "\n".join(lines).rstrip()


def dossier_markdown(dossier: Dossier) -> str:
    """The report for a pull request: the answer first, known findings by one line each, replays folded."""
    review = dossier.review
    lines = [f"# Review of {plain(review.target)}", ""]
    if dossier.proof:
        lines += [f"**{QUESTION} {dossier.proof.answer}.** {dossier.verdict()}", ""]
    lines += [review.summary.sentence(), ""]
    if dossier.standing:
        lines += [plain(dossier.standing.sentence()), ""]
    lines += table(dossier.shown)
    leaks = dossier.leaks
    for finding in dossier.shown:
        lines += section(finding)
        for leak in leaks.get((finding.rule, finding.object), []):
            lines += folded(f"Replay as {leak.actor}", leak.replay)
    if dossier.standing and dossier.standing.known:
        lines += ["## Known", "", *table(dossier.standing.known)]
    if dossier.standing and dossier.standing.fixed:
        lines += ["## Fixed since the baseline", ""]
        lines += [f"- {one.level} {plain(one.object)} `{one.rule}`" for one in dossier.standing.fixed]
        lines.append("")
    lines += coverage(review)
    if dossier.proof:
        lines += ["", "## Judged by this model", ""]
        lines += [f"- Unsure: {plain(doubt)}" for doubt in dossier.proof.doubts]
        lines += ["", *folded("Who is meant to see what", "\n".join(dossier.proof.model), "text")]
        lines += ["", f"Inputs `{dossier.proof.inputs}`, seed {dossier.proof.seed}."]
    return "\n".join(lines).rstrip()


def table(findings: Sequence[Finding]) -> list[str]:
    """One line a finding."""
    if not findings:
        return []
    rows = [f"| {f.level} | {plain(f.object)} | `{f.rule}` |" for f in findings]
    return ["| level | object | rule |", "|---|---|---|", *rows, ""]


def folded(title: str, code: str, language: str = "sql") -> list[str]:
    """Something long that opens on a click, word for word."""
    fence = "`" * max(3, _longest_run(code) + 1)
    lines = [summary(title), "", f"{fence}{language}", code.strip(), fence, ""]
    return [*lines, "</details>", ""]


def summary(title: str) -> str:
    """The line of something folded. It is HTML, where Markdown's backslash would not hold."""
    return f"<details><summary>{escape(' '.join(title.split()))}</summary>"


def coverage(review: Review) -> list[str]:
    """What was looked at and what was not."""
    lines = ["## Coverage", "", f"Examined: {plain(', '.join(review.coverage.examined))}.", ""]
    return lines + [f"- Not examined: {plain(g.what)} ({plain(g.why)})" for g in review.coverage.not_examined]


def section(finding: Finding) -> list[str]:
    """A finding with its fix."""
    lines = [f"## {finding.level}: {plain(finding.object)}", "", plain(finding.message), ""]
    if finding.evidence:
        lines += [f"Seen: {plain(finding.evidence)}", ""]
    if finding.fix:
        fence = "`" * max(3, _longest_run(finding.fix) + 1)
        lines += [f"{fence}{finding.language}", finding.fix.strip(), fence, ""]
    lines += [f"Rule `{finding.rule}`, key `{finding.cache_key}`.", ""]
    return lines


def plain(text: str) -> str:
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
