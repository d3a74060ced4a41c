"""The verdict on a change: what the head side brings that the base side did not have, on one page.

The base side is the baseline: a finding that was there before does not fail the change, a new one does, and
so does access that became wider, until a person says that it is meant.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.baseline import VERSION as BASELINE_VERSION
from agent.baseline import Baseline, Known, Standing, compare
from agent.cli import VERSION
from agent.reports.dossier import QUESTION, Dossier, dossier_json
from agent.reports.markdown import folded, plain, section, summary, table
from agent.reports.text import Paper, block
from tools.findings import Finding, Level
from tools.review import Gap, Review
from tools.rls.diffing.change import Direction
from tools.rls.diffing.difference import Difference
from tools.rls.proof.findings import INCOMPLETE

MARK: Final = "<!-- sergei rls pr -->"
"""By which a later run finds its own comment."""
_TOLD: Final = (Direction.WIDENS, Direction.CHANGES)
_FULL: Final = 20


@dataclass(frozen=True, slots=True)
class Pull:
    """A judged change. `dossier` is of the head side, its baseline the base side."""

    dossier: Dossier
    difference: Difference
    fail_on: str = "error"
    allow_wider: bool = False

    @property
    def standing(self) -> Standing:
        """The head side's findings against the base side's."""
        assert self.dossier.standing is not None  # `judged` gives it
        return self.dossier.standing

    @property
    def failing(self) -> list[Finding]:
        """New or graver findings that fail the change."""
        if self.fail_on == "never":
            return []
        at = Level[self.fail_on.upper()].rank
        return [f for f in self.dossier.shown if f.level.rank <= at or f.rule == INCOMPLETE]

    @property
    def wider(self) -> bool:
        """Whether access became wider, or may have, and nobody said that it is meant."""
        return self.fail_on != "never" and not self.allow_wider and self.difference.fails("widens")

    @property
    def fails(self) -> bool:
        """Exit code 1."""
        return bool(self.failing) or self.wider

    @property
    def gaps(self) -> list[Gap]:
        """What was not examined: by the proof, by the rules, by the comparison."""
        proof = self.dossier.proof
        read = self.dossier.review.coverage.not_examined
        return [*(proof.gaps if proof else ()), *read, *self.difference.not_examined]

    def verdict(self) -> str:
        """One line: FAIL or PASS, and why."""
        reasons: list[str] = []
        if self.failing:
            reasons.append(_counted(len(self.failing), "new finding"))
        if self.difference.fails("widens"):
            meant = ", which a person said is meant" if self.allow_wider else ""
            sure = self.difference.verdict is Direction.WIDENS
            reasons.append(("access becomes wider" if sure else "access may become wider") + meant)
        if not reasons:
            reasons.append("nothing new was found and nobody can do more than before")
        return f"{'FAIL' if self.fails else 'PASS'}: {'; '.join(reasons)}."


def judged(dossier: Dossier, base: Review, difference: Difference, **options: Any) -> Pull:
    """The head side's report against the base side's findings."""
    known = tuple(
        Known(cache_key=f.cache_key, rule=f.rule, level=f.level, object=f.object, schema=f.schema_)
        for f in base.findings
    )
    before = Baseline(
        sergei_baseline=BASELINE_VERSION, target=base.target, written=dossier.at.date(), findings=known
    )
    standing = compare(dossier.review, before, difference.base, lambda _: True)
    whole = Dossier(
        review=dossier.review,
        at=dossier.at,
        proof=dossier.proof,
        standing=standing,
        scope=dossier.scope,
        version=dossier.version,
    )
    return Pull(whole, difference, **options)


def text(pull: Pull, paper: Paper) -> str:
    """For a terminal and a build's log."""
    colour = "31;1" if pull.fails else "32;1"
    blocks = [
        f"{paper.paint(pull.verdict(), colour)}\n{pull.difference.base} -> {pull.difference.head}",
        *(block(finding, paper) for finding in pull.dossier.shown),
        _access_text(pull.difference, paper),
        pull.standing.sentence(),
    ]
    if pull.dossier.proof:
        blocks.append(f"{QUESTION} {pull.dossier.proof.answer}\n{pull.dossier.verdict()}")
    gaps = pull.gaps
    blocks += [paper.wrap(f"Not examined: {gap.what} ({gap.why})", "") for gap in gaps]
    return "\n\n".join(part for part in blocks if part)


def _access_text(found: Difference, paper: Paper) -> str:
    lines = [found.sentence()]
    for change in found.changes:
        lines.append(paper.wrap(f"{change.direction:<8} {change.sentence}", "  "))
        if change.direction in _TOLD:
            lines += [paper.wrap(reached, " " * 11) for reached in change.reaches]
    return "\n".join(lines)


def comment(pull: Pull) -> str:
    """Markdown for the pull request: verdict, new findings in full, access, the rest folded."""
    sign = "❌" if pull.fails else "✅"
    lines = [MARK, f"## {sign} Row level security: {plain(pull.verdict())}", ""]
    proof = pull.dossier.proof
    if proof:
        lines += [f"**{QUESTION} {proof.answer}.** {plain(pull.dossier.verdict())}", ""]
    shown = pull.dossier.shown
    if shown:
        lines += ["### New findings", "", *table(shown)]
        leaks = pull.dossier.leaks
        for finding in shown[:_FULL]:
            lines += [summary(f"{finding.level}: {finding.object}"), ""]
            lines += section(finding)[2:]
            for leak in leaks.get((finding.rule, finding.object), []):
                lines += folded(f"Replay as {leak.actor}", leak.replay)
            lines += ["</details>", ""]
    lines += _access_comment(pull.difference)
    if pull.standing.fixed:
        lines += ["### Fixed by this change", ""]
        lines += [f"- {one.level} {plain(one.object)} `{one.rule}`" for one in pull.standing.fixed]
        lines.append("")
    gaps = pull.gaps
    foot = [
        plain(pull.standing.sentence()),
        *(f"Not examined: {plain(f'{g.what} ({g.why})')}." for g in gaps),
    ]
    lines += [
        "<sub>" + "<br>".join([*foot, f"Sergei {VERSION}, digest {pull.dossier.digest[:16]}"]) + "</sub>"
    ]
    return "\n".join(lines)


def _access_comment(found: Difference) -> list[str]:
    """Who can do what now: what widens in the open, the rest behind a click."""
    lines = ["### Who can do what", "", plain(found.sentence()), ""]
    told = [change for change in found.changes if change.direction in _TOLD]
    for change in told[:_FULL]:
        why = f" {plain(change.reason[:1].upper() + change.reason[1:])}." if change.reason else ""
        lines.append(f"- **{change.direction}** {plain(change.sentence)}{why}")
        lines += [f"  - {plain(reached)}" for reached in change.reaches]
    rest = [*told[_FULL:], *(change for change in found.changes if change.direction not in _TOLD)]
    if rest:
        lines += ["", summary(_counted(len(rest), "other change")), ""]
        lines += [f"- {change.direction}: {plain(change.sentence)}" for change in rest]
        lines += ["", "</details>"]
    return [*lines, ""]


def document(pull: Pull) -> str:
    """For a program: the report of the head side with the verdict and the difference."""
    fields: dict[str, Any] = json.loads(dossier_json(pull.dossier))
    fields["verdict"] = {"fails": pull.fails, "sentence": pull.verdict(), "wider": pull.wider}
    fields["difference"] = pull.difference.model_dump(mode="json")
    return json.dumps(fields, indent=2, ensure_ascii=False)


def workflow() -> str:
    """A workflow file for GitHub, ready to copy."""
    file = Path(__file__).with_name("pull_request.yml")
    return file.read_text(encoding="utf-8").replace("@VERSION@", VERSION)


def _counted(number: int, one: str) -> str:
    return f"{number} {one}{'' if number == 1 else 's'}"
