"""A report as one HTML page without any outside reference: it can be mailed, archived and printed.

The answer comes first, then what it rests on: leaks with their replays, the rules' findings, who reaches
what, what was covered, what was not, and the model and inputs that all of it was judged by.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Final

from agent.reports.dossier import QUESTION, Dossier
from agent.reports.html_proof import answer, conditions, inputs, model, replays
from tools.findings import Finding, Level
from tools.rls.proof.findings import INCOMPLETE

_HERE: Final = Path(__file__).parent
_STYLE: Final = (_HERE / "page.css").read_text(encoding="utf-8")
_MATRIX_STYLE: Final = (_HERE / "matrix.css").read_text(encoding="utf-8")
_COUNTED: Final = ((Level.ERROR, "error"), (Level.WARN, "warning"), (Level.INFO, "note"))


def html(dossier: Dossier) -> str:
    """The page."""
    review, proof = dossier.review, dossier.proof
    proven = [f for f in dossier.shown if f.rule.startswith("proven_")]
    refused = [f for f in proven if f.rule == "proven_denied"]
    leaked = [f for f in proven if f not in refused]
    read = [f for f in dossier.shown if f.rule != INCOMPLETE and f not in proven]
    parts = [
        _head(dossier),
        answer(dossier) if proof else _unproven(dossier),
        _counts(dossier),
        _index(dossier.shown),
        _section("Leaks, as they were executed", (_article(f, dossier) for f in leaked)) if proof else "",
        _section("Rightful access that is refused", (_article(f, dossier) for f in refused))
        if refused
        else "",
        _section("Findings of the rules, gravest first", (_article(f, dossier) for f in read)),
        _standing(dossier),
        _not_examined(dossier),
        _matrix(dossier),
        conditions(proof) if proof else "",
        f"<h2>Examined</h2><p>{escape(', '.join(review.coverage.examined))}.</p>",
        model(proof) if proof else "",
        inputs(dossier),
    ]
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>Sergei: review of {escape(review.target)}</title>
<style>{_STYLE}{_MATRIX_STYLE}</style></head><body><main>
{"".join(parts)}
</main></body></html>
"""


_TITLES: Final = {"rls": "row level security", "render": "Render"}


def _head(dossier: Dossier) -> str:
    moment = dossier.at.strftime("%Y-%m-%d %H:%M UTC")
    title = " and ".join(_TITLES[domain] for domain in dossier.scope.domains)
    return (
        f"<h1>Review of {title}</h1><p class=dim>{escape(dossier.review.target)} · {moment} · "
        f"Sergei {escape(dossier.version)}</p>"
    )


def _unproven(dossier: Dossier) -> str:
    if "rls" not in dossier.scope.domains:
        return ""
    return (
        f'<div class="answer OPEN"><p>{QUESTION}</p><b>NOT PROVEN</b><p>The catalog was read and judged by'
        " rules; nothing was executed. <code>sergei review rls --prove</code> answers the question.</p></div>"
    )


def _counts(dossier: Dossier) -> str:
    summary = dossier.review.summary
    numbers = {Level.ERROR: summary.error, Level.WARN: summary.warn, Level.INFO: summary.info}
    cards = [
        f'<div class="count {level}"><b>{numbers[level]}</b>{word}{"" if numbers[level] == 1 else "s"}</div>'
        for level, word in _COUNTED
    ]
    if summary.suppressed:
        cards.append(f'<div class="count"><b>{summary.suppressed}</b>suppressed</div>')
    if dossier.standing:
        cards.append(f'<div class="count"><b>{len(dossier.standing.known)}</b>known</div>')
    return f'<div class="counts">{"".join(cards)}</div>'


def _index(findings: Iterable[Finding]) -> str:
    """Every finding on one line, linked: what a reader in a hurry takes away."""
    rows = "".join(
        f'<tr class="{f.level}"><td class="tag">{f.level}</td>'
        f'<td><a href="#{_id(f)}">{escape(f.object)}</a></td><td>{escape(_gist(f))}</td></tr>'
        for f in findings
        if f.rule != INCOMPLETE
    )
    return f'<div class="scroll"><table class="index">{rows}</table></div>' if rows else ""


def _gist(finding: Finding) -> str:
    """What was executed in its own words; what was read by its rule."""
    return finding.message if finding.rule.startswith("proven_") else finding.rule


def _id(finding: Finding) -> str:
    return finding.cache_key.replace(":", "-")


def _section(title: str, articles: Iterable[str]) -> str:
    return f"<h2>{title}</h2>{''.join(articles) or '<p>None.</p>'}"


def _article(finding: Finding, dossier: Dossier) -> str:
    executed = dossier.leaks.get((finding.rule, finding.object), [])
    seen = escape(finding.evidence).replace("\n", "<br>")
    evidence = f"<p class=dim>Seen: {seen}</p>" if seen and not executed else ""
    return (
        f'<article class="{finding.level}" id="{_id(finding)}">'
        f'<h3><span class="tag">{finding.level}</span>'
        f'{escape(finding.object)} <span class="dim">{escape(finding.rule)}</span></h3>'
        f"<p>{escape(finding.message)}</p>{evidence}"
        f"{replays(executed)}{_fix(finding)}</article>"
    )


def _fix(finding: Finding) -> str:
    if not finding.fix or finding.rule.startswith("proven_"):
        return ""
    return f"<p class=dim>Fix</p><pre><code>{escape(finding.fix.strip())}</code></pre>"


def _standing(dossier: Dossier) -> str:
    standing = dossier.standing
    if standing is None:
        return ""
    known = "".join(f"<li>{f.level} {escape(f.object)} ({escape(f.rule)})</li>" for f in standing.known)
    fixed = "".join(f"<li>{k.level} {escape(k.object)} ({escape(k.rule)})</li>" for k in standing.fixed)
    lists = f"<p>Known and accepted:</p><ul>{known}</ul>" if known else ""
    lists += f"<p>Fixed since:</p><ul>{fixed}</ul>" if fixed else ""
    return f"<h2>Against the baseline</h2><p>{escape(standing.sentence())}</p>{lists}"


def _not_examined(dossier: Dossier) -> str:
    review, proof = dossier.review, dossier.proof
    gaps = [*(proof.gaps if proof else ()), *review.coverage.not_examined]
    told = "".join(f"<dt>{escape(gap.what)}</dt><dd>{escape(gap.why)}</dd>" for gap in gaps)
    return (
        f"<h2>Not examined</h2>{f'<dl>{told}</dl>' if told else '<p>Everything in scope was examined.</p>'}"
    )


def _matrix(dossier: Dossier) -> str:
    if dossier.matrix is None:
        return ""
    from agent.reports.matrix import section

    return f"<h2>Who reaches what</h2>{section(dossier.matrix, 'h3')}"
