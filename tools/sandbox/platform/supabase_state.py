"""The state of a simulated Supabase project."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from tools.sandbox.platform.effects import Line
from tools.sandbox.platform.shapes import Json


@dataclass(frozen=True, slots=True)
class EdgeFunction:
    """One deployed edge function; `version` counts its deploys."""

    id: str
    slug: str
    version: int
    created_at: datetime
    updated_at: datetime
    source: bytes
    verify_jwt: bool = True
    per_minute: float = 6.0
    """Invocations a minute."""
    execution_ms: float = 420.0


@dataclass(frozen=True, slots=True)
class Trouble:
    """Log rows of one source beyond the normal day, from a time on."""

    source: str
    line: Line
    start: datetime
    end: datetime | None = None
    attributes: tuple[tuple[str, str], ...] = ()
    function: str | None = None


@dataclass
class SupabaseProject:
    """A project: what the management API reads and changes."""

    ref: str
    name: str
    region: str
    created_at: datetime
    organization: Json
    functions: dict[str, EdgeFunction] = field(default_factory=dict[str, EdgeFunction])
    secrets: dict[str, tuple[str, datetime]] = field(default_factory=dict[str, tuple[str, datetime]])
    unhealthy: dict[str, str] = field(default_factory=dict[str, str])
    """The components that are down, with the error that the health check shows."""
    status: str = "ACTIVE_HEALTHY"
    records: Json = field(default_factory=dict[str, object])
    """Configurations and lists that are given back as they are, by path below the project."""
    troubles: list[Trouble] = field(default_factory=list[Trouble])
    buckets: list[Json] = field(default_factory=list[Json])
    migrations: list[Json] = field(default_factory=list[Json])
    branches: list[Json] = field(default_factory=list[Json])
    backups: list[Json] = field(default_factory=list[Json])
