"""All that one report is made of: review, proof, baseline, access matrix, when and by what."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from agent.baseline import Standing
from agent.cli import VERSION
from tools.findings import Finding
from tools.review import Review
from tools.rls.proof.verdict import Leak, Proof
from tools.rls.wording import shown

if TYPE_CHECKING:
    from tools.rls.access_matrix import Matrix

QUESTION: Final = "Can anyone reach, or write into, a record that was not opened to them?"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a run looked for: two reports of different scope are not compared finding by finding."""

    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    schemas: tuple[str, ...] = ()
    proved: bool = False
    domains: tuple[str, ...] = ("rls",)


@dataclass(frozen=True, slots=True)
class Dossier:
    """One report. `at` is in UTC."""

    review: Review
    at: datetime
    proof: Proof | None = None
    standing: Standing | None = None
    matrix: Matrix | None = None
    scope: Scope = Scope()
    version: str = VERSION

    @property
    def shown(self) -> tuple[Finding, ...]:
        """The findings to show in full: with a baseline only those that it does not know."""
        if self.standing is None:
            return tuple(self.review.findings)
        failing = {finding.cache_key for finding in self.standing.failing}
        return tuple(f for f in self.review.findings if f.cache_key in failing)

    @property
    def leaks(self) -> dict[tuple[str, str], list[Leak]]:
        """What was executed, by the rule and the object that its finding has."""
        found: dict[tuple[str, str], list[Leak]] = {}
        for leak in (*self.proof.leaks, *self.proof.denied, *self.proof.notes) if self.proof else ():
            found.setdefault((f"proven_{leak.kind}", shown(leak.object)), []).append(leak)
        return found

    @property
    def digest(self) -> str:
        """SHA-256 over the findings, the coverage and the proof, not over the time."""
        proof = self.proof.model_dump_json(exclude={"seconds"}) if self.proof else ""
        return sha256(f"{self.review.model_dump_json(by_alias=True)}\0{proof}".encode()).hexdigest()

    def verdict(self) -> str:
        """The proof in one sentence: what was found, and on how much it stands."""
        proof = self.proof
        if proof is None:
            return "Not proven: the catalog was read and nothing was executed."
        parts = [counted(len(proof.leaks), "leak executed", "leaks executed")]
        if proof.denied:
            parts.append(counted(len(proof.denied), "rightful access refused", "rightful accesses refused"))
        if proof.gaps:
            parts.append(f"{counted(len(proof.gaps), 'thing', 'things')} not examined")
        actors = counted(len(proof.actors), "actor", "actors")
        spent = f"seed {proof.seed}, {proof.seconds:.1f} s"
        ended = "" if proof.world == "complete" else "; it ran out of time"
        return f"{', '.join(parts).capitalize()}; {proof.probes:,} probes by {actors}, {spent}{ended}."


def dossier_json(dossier: Dossier) -> str:
    """The review as it always was, then the proof, the baseline and the run where there are such."""
    document: dict[str, Any] = dossier.review.model_dump(mode="json", by_alias=True)
    if dossier.proof:
        document["proof"] = dossier.proof.model_dump(mode="json")
    standing = dossier.standing
    if standing:
        document["baseline"] = {
            "file": standing.file,
            "new": [finding.cache_key for finding in standing.new],
            "worse": [finding.cache_key for finding in standing.worse],
            "known": [finding.cache_key for finding in standing.known],
            "fixed": [one.model_dump(mode="json", by_alias=True) for one in standing.fixed],
            "out_of_scope": standing.out_of_scope,
        }
    document["run"] = {
        "at": dossier.at.isoformat(),
        "version": dossier.version,
        "digest": dossier.digest,
        "scope": asdict(dossier.scope),
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def listing(statements: Sequence[str]) -> str:
    """Statements one below the other, each with its semicolon."""
    return "\n".join(f"{statement.strip().rstrip(';')};" for statement in statements)


def counted(number: int, one: str, many: str) -> str:
    """`1 leak`, `2 leaks`, `no leak`."""
    return f"{number if number else 'no'} {one if number < 2 else many}"


def now() -> datetime:
    """This moment, to the second."""
    return datetime.now(UTC).replace(microsecond=0)
