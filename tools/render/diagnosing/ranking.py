"""From the causes that were found to an order: what brings another about stands above it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from tools.render.diagnosing.cause import Cause, Kind, clock, often
from tools.render.diagnosing.causes import CAUSES
from tools.render.diagnosing.evidence import Snapshot
from tools.render.diagnosing.symptoms import Symptom, symptoms
from tools.render.models import Deploy

Confidence = Literal["confirmed", "likely", "possible", "hint"]
FOUND: Final = 55
"""The least score of a cause that is named as the cause; below it is a hint."""
ALONE: Final = 65
NEAR: Final = timedelta(minutes=20)


@dataclass(frozen=True, slots=True)
class Ranked:
    """A cause in its place. `follows` names the cause above that brings it about."""

    cause: Cause
    title: str
    confidence: Confidence
    follows: str = ""


@dataclass(frozen=True, slots=True)
class Release:
    """The deploy that the trouble began with, and the one before it."""

    deploy: Deploy
    live: datetime
    before: Deploy | None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is wrong, and why, the likeliest first."""

    symptoms: tuple[Symptom, ...]
    ranked: tuple[Ranked, ...]
    release: Release | None

    @property
    def top(self) -> Ranked | None:
        """The cause, where one is found; without a symptom it must speak for itself."""
        first = self.ranked[0] if self.ranked else None
        return first if first and first.cause.score >= (FOUND if self.symptoms else ALONE) else None


def confidence(score: float) -> Confidence:
    """A word for a score."""
    if score >= 93:
        return "confirmed"
    if score >= 75:
        return "likely"
    return "possible" if score >= FOUND else "hint"


def diagnose(snapshot: Snapshot, kinds: Sequence[Kind] = CAUSES) -> Diagnosis:
    """Every cause asked once, and what was found put in order."""
    found = [(kind, cause) for kind in kinds if (cause := kind.check(snapshot)) is not None]
    placed: dict[str, tuple[Cause, Kind, str]] = {cause.name: (cause, kind, "") for kind, cause in found}
    for kind, above in sorted(found, key=lambda pair: -pair[1].score):
        if placed[kind.name][2] or above.score < FOUND:
            continue
        for name in kind.brings:
            if name in placed and not placed[name][2]:
                below, its, _ = placed[name]
                placed[name] = (replace(below, score=min(below.score, above.score - 1)), its, kind.name)
    order = sorted(placed.values(), key=lambda each: (-each[0].score, bool(each[2])))
    ranked = tuple(Ranked(c, k.title, confidence(c.score), follows) for c, k, follows in order)
    return Diagnosis(symptoms(snapshot), ranked, _release(snapshot, ranked))


def _release(snapshot: Snapshot, ranked: Sequence[Ranked]) -> Release | None:
    """The deploy with which the first cause began, unless the cause is a deploy that never went live."""
    first = ranked[0].cause if ranked else None
    if first is None or first.since is None or snapshot.trial is not None:
        return None
    found = snapshot.released_before(first.since, NEAR)
    if found is None:
        return None
    at, deploy = found
    earlier = [d for when, d in snapshot.live if when < at]
    return Release(deploy, at, earlier[0] if earlier else None)


def timeline(snapshot: Snapshot, found: Diagnosis, most: int = 9) -> list[str]:
    """What matters in order of time: deploys and events of the window, and when each symptom began."""
    entries: list[tuple[datetime, str]] = []
    groups = {g.id for g in snapshot.groups}
    for note in snapshot.audit:
        about = {str(value) for value in note.metadata.values()}
        if note.timestamp and about & {snapshot.service.id, *groups}:
            entries.append((note.timestamp, f"audit log: {note.event}"))
    for at, deploy in snapshot.live:
        entries.append((at, f"deploy {deploy.id} live ({deploy.trigger})"))
    if snapshot.trial and (at := snapshot.trial.deploy.finished_at):
        entries.append((at, f"deploy {snapshot.trial.deploy.id} {snapshot.trial.deploy.status}"))
    counts: dict[str, list[datetime]] = {}
    for event in snapshot.of_type(*_TELLING):
        if event.timestamp:
            counts.setdefault(event.type, []).append(event.timestamp)
    for kind, times in counts.items():
        more = f", {often(len(times))} until {clock(max(times))}" if len(times) > 1 else ""
        entries.append((min(times), f"{kind}{more}"))
    entries += [(s.since, f"begins: {s.text}") for s in found.symptoms if s.since and s.kind != "deploy"]
    recent = [e for e in entries if e[0] >= snapshot.since - timedelta(hours=1)]
    before = sorted(e for e in entries if e[0] < snapshot.since and " live " in e[1])[-1:]
    kept = sorted({*before, *recent})[-most:]
    return [f"{clock(at)} {text}" for at, text in kept]


_TELLING: Final = (
    "server_failed", "server_hardware_failure", "server_restarted", "plan_changed", "instance_count_changed",
    "service_suspended", "service_resumed", "maintenance_mode_enabled", "image_pull_failed",
    "cron_job_run_ended", "pipeline_minutes_exhausted", "zero_downtime_redeploy_started",
    "autoscaling_started",
)  # fmt: skip
