"""One result of the preflight."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Level = Literal["ok", "warning", "stop"]
Name = Literal[
    "suspended", "running", "health", "disk", "blueprint", "autodeploy", "revision", "migrations",
    "environment", "memory",
]  # fmt: skip
UNSEEN = "not examined"
OVERRULED = ("migrations", "environment")
"""What a person may overrule: the rest would not work, or not be a deploy of what was asked for."""


class Check(BaseModel):
    """What was looked at, what was found, and on what that rests. `said` does not change with the time."""

    model_config = ConfigDict(frozen=True)

    name: Name
    level: Level
    said: str
    evidence: str = ""

    @property
    def examined(self) -> bool:
        """Whether it was looked at."""
        return not self.said.startswith(UNSEEN)

    @property
    def line(self) -> str:
        """In one line, with what it rests on."""
        level = f"{self.level}: " if self.examined else ""
        return f"{level}{self.name}: {self.said}" + (f" [{self.evidence}]" if self.evidence else "")


def unseen(name: Name, why: str, evidence: str = "") -> Check:
    """It could not be looked at, which is no reason to stop and is said."""
    return Check(name=name, level="ok", said=f"{UNSEEN}: {why}", evidence=evidence)


def ok(name: Name, said: str, evidence: str = "") -> Check:
    """Nothing speaks against it."""
    return Check(name=name, level="ok", said=said, evidence=evidence)


def warning(name: Name, said: str, evidence: str = "") -> Check:
    """A person should know."""
    return Check(name=name, level="warning", said=said, evidence=evidence)


def stop(name: Name, said: str, evidence: str = "") -> Check:
    """It is not begun like this."""
    return Check(name=name, level="stop", said=said, evidence=evidence)
