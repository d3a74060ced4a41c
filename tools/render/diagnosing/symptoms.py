"""What is wrong, before asking why. Without a symptom nothing is diagnosed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from tools.render.diagnosing.cause import clock
from tools.render.diagnosing.evidence import Snapshot, reason_of
from tools.render.diagnosing.queues import growth
from tools.render.diagnosing.tracks import Episode
from tools.wording import counted, percent

GAP: Final = timedelta(minutes=15)
OFTEN: Final = 6.0
"""Lines an hour from which new warnings or errors are a symptom of their own."""


@dataclass(frozen=True, slots=True)
class Symptom:
    """One thing that is wrong. `until` is None while it lasts."""

    kind: str
    text: str
    since: datetime | None = None
    until: datetime | None = None


def failing(snapshot: Snapshot) -> Episode | None:
    """Requests are answered with 5xx far more often than usual."""
    usual = snapshot.failing.usual()
    return snapshot.failing.episode(max(usual * 4, 0.02), since=snapshot.since, gap=GAP)


def slow(snapshot: Snapshot) -> Episode | None:
    """The p95 of the latency is far above the usual."""
    track = snapshot.measured.p95
    usual = track.usual()
    return track.episode(max(usual * 2, usual + 150), since=snapshot.since, gap=GAP)


def busy(snapshot: Snapshot) -> Episode | None:
    """The CPU is used up."""
    return snapshot.cpu_use.episode(0.88, since=snapshot.since, gap=GAP)


def full(snapshot: Snapshot) -> Episode | None:
    """Memory is nearly used up."""
    return snapshot.memory_use.episode(0.92, since=snapshot.since, gap=GAP)


def symptoms(snapshot: Snapshot) -> tuple[Symptom, ...]:
    """Everything that is wrong, the heaviest first."""
    found = [*_states(snapshot), *_crashes(snapshot)]
    spans: tuple[tuple[str, Episode | None, Callable[[Episode], str]], ...] = (
        (
            "errors",
            failing(snapshot),
            lambda e: f"5xx: {percent(e.level)} of requests (usual {percent(e.usual)})",
        ),
        ("latency", slow(snapshot), lambda e: f"p95 latency {e.level:.0f} ms (usual {e.usual:.0f} ms)"),
        ("cpu", busy(snapshot), lambda e: f"CPU at {percent(min(1, e.level))} of the limit"),
        ("memory", full(snapshot), lambda e: f"memory at {percent(min(1, e.level))} of the limit"),
    )
    for kind, episode, say in spans:
        if episode is not None:
            where = _where(snapshot) if kind == "errors" else ""
            found.append(Symptom(kind, say(episode) + where, episode.start, episode.end))
    if grown := growth(snapshot.gauges):
        found.append(Symptom("queue", f"{grown[0]} grew from {grown[1]:.0f} to {grown[2]:.0f}", grown[3]))
    new = [s for s in snapshot.said if s.risen and s.per_hour >= OFTEN]
    if new:
        many, first = sum(s.count for s in new), new[0].first
        found.append(Symptom("log", f"{many} new warnings and errors in the log", first))
    return tuple(found)


def _where(snapshot: Snapshot) -> str:
    """The path on which half of the failed requests are, if there is one."""
    path, share = snapshot.failing_paths[0] if snapshot.failing_paths else ("", 0.0)
    return f", most on {path}" if path and share >= 0.5 else ""


def _states(snapshot: Snapshot) -> list[Symptom]:
    found: list[Symptom] = []
    service = snapshot.service
    if service.is_suspended:
        found.append(Symptom("suspended", "the service is suspended"))
    if service.service_details.maintenance_mode.get("enabled"):
        found.append(Symptom("maintenance", "maintenance mode is on"))
    if snapshot.trial:
        deploy = snapshot.trial.deploy
        found.append(
            Symptom(
                "deploy",
                f"deploy {deploy.id} ended as {deploy.status}",
                deploy.finished_at or deploy.created_at,
            )
        )
    room, used = snapshot.measured.disk_capacity.last, snapshot.measured.disk.last
    if room and used and used / room > 0.95:
        found.append(Symptom("disk", f"disk {percent(min(1, used / room))} full"))
    return found


def _crashes(snapshot: Snapshot) -> list[Symptom]:
    found: list[Symptom] = []
    if snapshot.failures:
        times = [e.timestamp for e in snapshot.failures if e.timestamp]
        found.append(
            Symptom("failures", counted(len(times), "failure") + " of instances", min(times), max(times))
        )
    runs = snapshot.of_type("cron_job_run_ended")
    bad = [e for e in runs if reason_of(e) or e.details.get("status") in ("unsuccessful", "failed")]
    if bad:
        first = min(e.timestamp for e in bad if e.timestamp)
        found.append(Symptom("runs", f"{len(bad)} of {len(runs)} runs failed", first))
    return found


def onset(snapshot: Snapshot) -> datetime | None:
    """When it began: the earliest of the symptoms that are not a failed deploy."""
    starts = [s.since for s in symptoms(snapshot) if s.since and s.kind != "deploy"]
    return min(starts, default=None)


__all__ = ["Symptom", "busy", "clock", "failing", "full", "onset", "slow", "symptoms"]
