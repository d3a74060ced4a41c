"""A review as one HTML page without any outside reference: it can be mailed, archived and printed."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Final

from tools.findings import Finding, Level
from tools.review import Review

_STYLE: Final = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")


def html(review: Review, now: datetime) -> str:
    """The page. The digest at its foot is over the findings and the coverage, not over the time."""
    counts = {level: sum(f.level is level for f in review.findings) for level in Level}
    digest = sha256(review.model_dump_json(by_alias=True).encode()).hexdigest()
    cards = "".join(
        f'<div class="count {level}"><b>{counts[level]}</b>{label}</div>'
        for level, label in ((Level.ERROR, "errors"), (Level.WARN, "warnings"), (Level.INFO, "notes"))
    )
    findings = "".join(_article(finding) for finding in review.findings) or "<p>Nothing was found.</p>"
    gaps = "".join(
        f"<dt>{escape(gap.what)}</dt><dd>{escape(gap.why)}</dd>" for gap in review.coverage.not_examined
    )
    not_examined = f"<dl>{gaps}</dl>" if gaps else "<p>Everything in scope was examined.</p>"
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>Sergei: review of {escape(review.target)}</title><style>{_STYLE}</style></head><body><main>
<h1>Review of {escape(review.target)}</h1>
<p class="dim">{escape(now.strftime("%Y-%m-%d %H:%M UTC"))}. {escape(review.summary.sentence())}</p>
<div class="counts">{cards}</div>
<h2>Findings, gravest first</h2>{findings}
<h2>Examined</h2><p>{escape(", ".join(review.coverage.examined))}</p>
<h2>Not examined</h2>{not_examined}
<p class="dim">Digest of this review: <code>{digest}</code></p>
</main></body></html>
"""


def _article(finding: Finding) -> str:
    evidence = f"<p class=dim>Seen: {escape(finding.evidence)}</p>" if finding.evidence else ""
    fix = f"<pre><code>{escape(finding.fix.strip())}</code></pre>" if finding.fix else ""
    return (
        f'<article class="{finding.level}"><h3><span class="tag">{finding.level}</span>'
        f'{escape(finding.object)} <span class="dim">{escape(finding.rule)}</span></h3>'
        f"<p>{escape(finding.message)}</p>{evidence}{fix}</article>"
    )
