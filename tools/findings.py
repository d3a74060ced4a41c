"""A finding: one thing that a rule saw, with the evidence and the fix."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, computed_field


class Level(StrEnum):
    """What is at stake: ERROR can be exploited or blocks people, WARN will hurt, INFO is worth knowing."""

    ERROR = "ERROR"
    WARN = "WARN"
    INFO = "INFO"

    @property
    def rank(self) -> int:
        """0 for the gravest."""
        return list(Level).index(self)


class Finding(BaseModel):
    """One thing a rule saw. Names are catalog names, unquoted; a field that does not apply is None."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    rule: str
    level: Level
    domain: str
    schema_: str | None = Field(default=None, alias="schema")
    table: str | None = None
    policy: str | None = None
    function: str | None = None
    object: str = Field(
        description="The object in one word, e.g. public.events or policy x on public.events."
    )
    message: str = Field(description="One sentence: what is wrong and who can do what because of it.")
    evidence: str = Field(default="", description="What was read that shows it.")
    fix: str = Field(default="", description="SQL or steps that mend it.")
    rank: int = Field(default=50, exclude=True, description="Order inside a level: smaller is graver.")
    file: str = Field(default="", exclude=True, description="The file that shows it, where one does.")
    line: int = Field(default=0, exclude=True, description="The line in that file.")

    @property
    def language(self) -> str:
        """What `fix` is written in, as Markdown names it."""
        return "text" if self.domain == "render" else "sql"

    @computed_field
    @property
    def cache_key(self) -> str:
        """Stable across runs and wording: rule and object only. Used for suppression in sergei.toml."""
        digest = sha256(f"{self.rule}\0{self.object}".encode()).hexdigest()[:12]
        return f"{self.rule}:{digest}"


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """Gravest first, then by the rule's own rank, then by name so that two runs print the same."""
    return sorted(findings, key=lambda f: (f.level.rank, f.rank, f.rule, f.object))


def gathered(findings: Iterable[Finding], least: int = 4) -> list[Finding]:
    """For reading: warnings and notes of one rule on `least` objects or more become one, with one script.

    Errors stay apart, and so do findings in data (JSON, SARIF, baselines), where each keeps its cache key.
    """
    several = list(findings)
    groups: dict[tuple[str, Level], list[Finding]] = {}
    for finding in several:
        groups.setdefault((finding.rule, finding.level), []).append(finding)
    found: list[Finding] = []
    for group in groups.values():
        apart = len(group) < least or group[0].level is Level.ERROR
        found += group if apart else [_together(group)]
    place = {(finding.rule, finding.level): number for number, finding in reversed(list(enumerate(several)))}
    return sorted(found, key=lambda finding: place[finding.rule, finding.level])


def _together(group: list[Finding]) -> Finding:
    first, *rest = group
    names = [finding.object for finding in group]
    return first.model_copy(
        update={
            "object": f"{len(names)} objects",
            "message": f"{first.message} The same on {', '.join(names[1:])}.",
            "evidence": first.evidence,
            "fix": "\n".join(dict.fromkeys(finding.fix.strip() for finding in (first, *rest) if finding.fix)),
        }
    )


SnapshotT = TypeVar("SnapshotT")


@dataclass(frozen=True, slots=True)
class Rule(Generic[SnapshotT]):
    """One rule: its name, the level it reports at, and a pure check over a snapshot.

    `doc` is the rule module's docstring (What it finds / Why it matters / Fix / When to ignore); it is the
    documentation that `sergei rules show NAME` prints.
    """

    name: str
    title: str
    level: Level
    domain: str
    check: Callable[[SnapshotT], Iterable[Finding]]
    doc: str
