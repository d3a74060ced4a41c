"""A whole report as text: the answer first, then what was found, what a baseline knew, what is not known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from agent.reports.dossier import QUESTION, Dossier, listing
from agent.reports.text import Paper, block, coverage, field
from agent.terminal.safe import harmless, one_line
from tools.findings import Finding
from tools.rls.proof.findings import INCOMPLETE
from tools.rls.proof.verdict import Answer, Leak

_ANSWERS = {Answer.YES: "31;1", Answer.NO: "32;1", Answer.NOT_EXAMINED: "33;1"}
_SHOWN = 8
"""Conditions that never decided and are named one by one."""


def dossier_text(dossier: Dossier, paper: Paper) -> str:
    """The report, ending without a newline."""
    review = dossier.review
    blocks = [f"Reviewed {paper.bold(review.target)}"]
    if dossier.proof:
        answer = paper.paint(dossier.proof.answer, _ANSWERS[dossier.proof.answer])
        blocks.append(f"{paper.bold(QUESTION)} {answer}\n{paper.wrap(dossier.verdict(), '')}")
    leaks = dossier.leaks
    for finding in dossier.shown:
        if finding.rule != INCOMPLETE:
            executed = leaks.get((finding.rule, finding.object), [])
            if executed:  # the way to a fix is the same for all of them: said once, at the end
                finding = finding.model_copy(update={"fix": ""})
            steps = [field(name, said, paper) for leak in executed for name, said in _steps(leak)]
            blocks.append("\n".join([block(finding, paper), *steps]))
    blocks += [paper.wrap(said, "") for said in unproven(dossier.shown)]
    blocks += list(_baseline(dossier, paper))
    blocks.append(paper.bold(review.summary.sentence()))
    blocks.append("\n".join([*_grounds(dossier, paper), coverage(review, paper)]))
    return "\n\n".join(blocks)


def unproven(findings: Iterable[Finding]) -> Iterator[str]:
    """What no probe reached, objects with the same reason together."""
    reasons: dict[str, list[str]] = {}
    for finding in findings:
        if finding.rule == INCOMPLETE:
            reasons.setdefault(finding.message.rpartition(f"{finding.object}: ")[2], []).append(
                finding.object
            )
    for reason, objects in reasons.items():
        yield f"NOT EXAMINED by the proof: {', '.join(objects)} ({reason.rstrip('.')})."


def _steps(leak: Leak) -> Iterator[tuple[str, str]]:
    """Who and what, without the rows of the world: the whole script is in the other formats."""
    if leak.attack:
        yield "as", one_line(listing(leak.acting))
        yield "did", harmless(listing(leak.attack))
    elif leak.replay:
        yield "did", harmless(leak.replay)


def _baseline(dossier: Dossier, paper: Paper) -> Iterator[str]:
    standing = dossier.standing
    if standing is None:
        return
    lines = [paper.bold(standing.sentence())]
    lines += [paper.dim(f"known  {f.level:<5}  {f.object}  {f.rule}") for f in standing.known]
    lines += [f"fixed  {one.level:<5}  {one.object}  {one.rule}" for one in standing.fixed]
    if standing.fixed:
        lines.append(f"Drop what is fixed: sergei review ... --write-baseline {standing.file}")
    yield "\n".join(lines)


def _grounds(dossier: Dossier, paper: Paper) -> Iterator[str]:
    """What the proof believed, and which conditions never decided."""
    proof = dossier.proof
    if proof is None:
        return
    if proof.leaks or proof.denied:
        yield (
            "Whole scripts: --format html or json. As regression tests: --emit pgtap or pytest. "
            "Fixes that keep rightful access: sergei rls fix."
        )
    yield "Judged by who is meant to see what: sergei rls model shows it, [rls] in sergei.toml corrects it."
    yield from (paper.wrap(harmless(f"Unsure: {doubt}"), "  ") for doubt in proof.doubts)
    idle = [c for c in proof.conditions if not (c.decided_true and c.decided_false)]
    both = f"{len(proof.conditions) - len(idle)} of {len(proof.conditions)}"
    yield f"Conditions that decided an outcome both ways: {both}."
    for one in idle[:_SHOWN]:
        never = undecided(one.decided_true, one.decided_false)
        yield paper.wrap(one_line(f"never decided {never}: {one.text} ({one.where})"), "  ")
    if len(idle) > _SHOWN:
        yield f"  and {len(idle) - _SHOWN} more (--format html or json lists them)"


def undecided(decided_true: bool, decided_false: bool) -> str:
    """Which outcome a condition never decided."""
    if not decided_true and not decided_false:
        return "anything"
    return "by being false" if decided_true else "by being true"
