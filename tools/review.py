"""What a review returns, whatever its domain: ranked findings, a summary, what was and was not examined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from pydantic import BaseModel, ConfigDict

from tools.findings import Finding, Level, gathered, ranked
from tools.redaction import Redactor
from tools.registry import Result


class Gap(BaseModel):
    """Something in scope that was not examined, and why."""

    model_config = ConfigDict(frozen=True)

    what: str
    why: str


class Coverage(BaseModel):
    """What a review looked at. An empty `not_examined` means that everything in scope was."""

    model_config = ConfigDict(frozen=True)

    examined: list[str]
    not_examined: list[Gap]


class Summary(BaseModel):
    """How many findings there are of each level; suppressed ones are counted apart."""

    model_config = ConfigDict(frozen=True)

    error: int = 0
    warn: int = 0
    info: int = 0
    suppressed: int = 0

    @classmethod
    def of(cls, findings: list[Finding], suppressed: int = 0) -> Summary:
        """Counted from findings."""
        count = {level: sum(f.level is level for f in findings) for level in Level}
        return cls(
            error=count[Level.ERROR], warn=count[Level.WARN], info=count[Level.INFO], suppressed=suppressed
        )

    def sentence(self) -> str:
        """`2 errors, 1 warning, 0 notes (3 suppressed).`"""
        words = [
            f"{n} {word}{'' if n == 1 else 's'}"
            for n, word in ((self.error, "error"), (self.warn, "warning"), (self.info, "note"))
        ]
        return ", ".join(words) + (f" ({self.suppressed} suppressed)" if self.suppressed else "") + "."


class Review(Result):
    """`{"target", "findings", "summary", "coverage"}`, findings gravest first."""

    target: str
    findings: list[Finding]
    summary: Summary
    coverage: Coverage

    @classmethod
    def together(cls, reviews: Sequence[Review]) -> Review:
        """Several domains' reviews of one target as one."""
        findings = ranked(finding for review in reviews for finding in review.findings)
        return cls(
            target=" and ".join(dict.fromkeys(review.target for review in reviews)),
            findings=findings,
            summary=Summary.of(findings, sum(review.summary.suppressed for review in reviews)),
            coverage=Coverage(
                examined=[item for review in reviews for item in review.coverage.examined],
                not_examined=[gap for review in reviews for gap in review.coverage.not_examined],
            ),
        )

    def redacted(self, redactor: Redactor) -> Self:
        """Cleaned, with each finding's rank and place, which are not part of what is serialised."""
        cleaned = redactor.walk(self.model_dump(by_alias=True))
        for fields, finding in zip(cleaned["findings"], self.findings, strict=True):
            fields |= {"rank": finding.rank, "file": finding.file, "line": finding.line}
        return type(self).model_validate(cleaned)

    def markdown(self) -> str:
        """Compact, for a conversation: the worst in full, the rest by one line each."""
        lines = [f"{self.target}: {self.summary.sentence()}"]
        findings = gathered(self.findings)
        for finding in findings[:8]:
            lines.append(f"\n**{finding.level}** `{finding.rule}` {finding.object}\n\n{finding.message}")
            if finding.evidence:
                lines.append(f"\nSeen: `{' '.join(finding.evidence.split())}`")
            if finding.fix:
                lines.append(f"\n```{finding.language}\n{finding.fix.strip()}\n```")
        rest = findings[8:]
        if rest:
            lines.append("\nAlso (`only` with a rule's name shows its findings in full):\n")
            lines += [f"- {f.level} `{f.rule}` {f.object}" for f in rest]
        lines += [f"Not examined: {gap.what} ({gap.why})" for gap in self.coverage.not_examined]
        return "\n".join(lines)
