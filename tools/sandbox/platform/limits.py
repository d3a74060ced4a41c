"""Rate limits as Render's and Supabase's responses show them, counted in fixed windows of the clock."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Limit:
    """So many requests in so many seconds, counted under a name."""

    name: str
    most: int
    seconds: int = 60


@dataclass(frozen=True, slots=True)
class Count:
    """Where a key stands: `remaining` is negative when the request is one too many."""

    limit: Limit
    remaining: int
    reset: int
    """Seconds until the window ends."""


def render_limit(method: str, path: str) -> Limit:
    """The limit that counts a request to Render."""
    if path.startswith("/v1/notification-settings"):
        return Limit("notifications", 500)
    if path.startswith("/v1/logs/streams/owner"):
        return Limit("log-streams", 30)
    if method == "GET":
        return Limit("get", 400)
    if method == "POST" and path in ("/v1/services", "/v1/postgres", "/v1/key-value", "/v1/redis"):
        return Limit(path, 20, 3600)
    service = re.match(r"/v1/services/([^/]+)(/deploys|/scale|/suspend|/resume)?$", path)
    if service and (method == "PATCH" or service[2]):
        return Limit(f"{method} {path}", 10)
    if method == "POST" and path.endswith("/custom-domains"):
        return Limit("domains", 50)
    return Limit("write", 100)


def supabase_limit(path: str) -> Limit:
    """The limit that counts a request to Supabase: per user and project or organization."""
    scope = "/".join(path.split("/")[2:4])
    if "/analytics/endpoints/logs" in path:
        return Limit(f"logs {scope}", 30)
    return Limit(f"supabase {scope}", 120)


@dataclass
class Limits:
    """Counts per key and window."""

    counts: dict[tuple[str, str, int], int] = field(default_factory=dict[tuple[str, str, int], int])
    factor: float = 1.0
    """Makes all limits smaller where a test wants to run into one."""

    def count(self, key: str, limit: Limit, now: datetime) -> Count:
        """Count one request."""
        second = int(now.timestamp())
        window = second // limit.seconds
        used = self.counts.get((key, limit.name, window), 0) + 1
        self.counts[key, limit.name, window] = used
        most = max(1, int(limit.most * self.factor))
        return Count(
            Limit(limit.name, most, limit.seconds), most - used, (window + 1) * limit.seconds - second
        )
