"""What a release, or a mishap, does to a service: its load, speed, memory, log and restarts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from tools.sandbox.platform.shapes import Json

Level = Literal["info", "warning", "error", "debug"]
Outcome = Literal["succeeds", "fails"]


@dataclass(frozen=True, slots=True)
class Line:
    """A log line that comes so many times a minute; {placeholders} are filled with made-up values."""

    text: str
    per_minute: float = 1.0
    level: Level = "error"


@dataclass(frozen=True, slots=True)
class Effect:
    """Changes against the normal behaviour while it lasts. Factors multiply, rates add."""

    error_rate: float = 0.0
    """The added share of requests that are answered with `error_status`, 0 to 1."""
    error_status: int = 500
    latency: float = 1.0
    cpu: float = 1.0
    memory: float = 1.0
    traffic: float = 1.0
    memory_mb_per_hour: float = 0.0
    """Growth since the last start; a restart gives it back."""
    connections: float = 1.0
    disk_mb_per_hour: float = 0.0
    path: str | None = None
    """The one path whose errors and latency are meant; None for all."""
    crash_every: float | None = None
    """Seconds from one failure of an instance to the next."""
    crash: Json | None = None
    """The reason that `server_failed` gives."""
    back_after: float = 25.0
    """Seconds until a failed instance serves again."""
    lines: tuple[Line, ...] = ()
    last_words: tuple[str, ...] = ()
    """What the process writes right before each failure."""
    down: bool = False
    """No request is served: the proxy answers 502 and the health check fails."""
    fades_in: float = 0.0
    """Seconds until the whole effect is there."""

    @property
    def changes(self) -> bool:
        """Whether it is anything at all."""
        return self is not NOTHING and self != NOTHING


NOTHING = Effect()


@dataclass(frozen=True, slots=True)
class Active:
    """An effect on one resource from a time on, or for as long as a deploy serves."""

    resource: str
    effect: Effect
    start: datetime
    end: datetime | None = None

    def covers(self, moment: datetime) -> bool:
        """Whether it is on at this moment."""
        return self.start <= moment and (self.end is None or moment < self.end)

    def strength(self, moment: datetime) -> float:
        """How much of it is there, 0 to 1."""
        if not self.effect.fades_in:
            return 1.0
        return min(1.0, (moment - self.start).total_seconds() / self.effect.fades_in)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What becomes of a deploy of one commit or image, step by step, and what its release does once live."""

    build: Outcome = "succeeds"
    build_seconds: float = 95.0
    build_lines: tuple[str, ...] = ()
    build_reason: Json | None = None
    pre_deploy: Outcome = "succeeds"
    pre_deploy_seconds: float = 22.0
    pre_deploy_lines: tuple[str, ...] = ()
    pre_deploy_reason: Json | None = None
    update: Outcome = "succeeds"
    update_seconds: float = 42.0
    update_lines: tuple[str, ...] = ()
    update_reason: Json | None = None
    pull_message: str | None = None
    """Why the image could not be pulled, None where it could."""
    needs: tuple[str, ...] = ()
    """Environment variables without which the process ends at its start."""
    effect: Effect = NOTHING


NORMAL = Behaviour()
