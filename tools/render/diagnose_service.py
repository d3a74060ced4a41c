"""The tool diagnose_service."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from tools.registry import Effect, Params, Result, tool
from tools.render.diagnosing.evidence import Snapshot
from tools.render.diagnosing.ranking import FOUND, Diagnosis, Ranked, Release, diagnose, timeline
from tools.render.diagnosing.reading import read
from tools.render.diagnosing.tracks import Track
from tools.render.naming import find_service
from tools.resources import Resources
from tools.wording import counted, percent, stamp

SHOWN: Final = 3
"""Causes that are shown without `details`."""
VITAL: Final = ("deploys", "events", "log", "metric")
"""Parts without which nothing can be called well."""


class DiagnoseService(Params):
    """Arguments of diagnose_service."""

    service: str = Field(description="Name, id, or the unique start of a name.")
    hours: float = Field(
        default=6, ge=0.5, le=48, description="How far back trouble is looked for (a cron job: 30 at least)."
    )
    details: bool = Field(default=False, description="Every cause that was found, hints too.")


class FoundCause(BaseModel):
    """One cause. `confirmed`: the platform itself says so; `hint`: a setting or a coincidence."""

    model_config = ConfigDict(frozen=True)

    name: str
    confidence: Literal["confirmed", "likely", "possible", "hint"]
    summary: str
    evidence: tuple[str, ...]
    next_step: str
    since: datetime | None = None
    until: datetime | None = None
    follows: str = Field(default="", description="The cause above that brings this one about.")


class ServiceDiagnosis(Result):
    """What is wrong with a service, and why, the likeliest cause first. Times are in UTC."""

    service: str
    id: str
    type: str
    verdict: Literal["cause found", "nothing is wrong", "not enough evidence"]
    looked: str
    symptoms: tuple[str, ...] = ()
    causes: tuple[FoundCause, ...] = ()
    introduced_by: str = Field(default="", description="The deploy with which it began.")
    way_back: str = ""
    state: str = Field(default="", description="Median of the last half hour; CPU and memory of the limit.")
    timeline: tuple[str, ...] = ()
    not_examined: tuple[str, ...] = ()
    more: int = Field(default=0, description="Causes that were found and are not here.")
    read_at: datetime

    def markdown(self) -> str:
        """The verdict, causes with evidence and next step, and what happened when."""
        parts = [f"**{self.service}** ({self.type}, {self.id}), {self.looked}: {self._verdict()}"]
        if self.symptoms:
            parts.append("Symptoms: " + "; ".join(self.symptoms))
        if self.state:
            parts.append(f"Now: {self.state}")
        if self.symptoms and not self.causes:
            parts.append(
                "Next: read_logs around its beginning (level, status code, path), then read_metrics."
            )
        parts += [self._cause(number, cause) for number, cause in enumerate(self.causes, 1)]
        if self.introduced_by:
            parts.append(f"Began with {self.introduced_by}. {self.way_back}".strip())
        if self.timeline:
            parts.append("Timeline (UTC):\n" + "\n".join(f"- {entry}" for entry in self.timeline))
        if self.more:
            parts.append(f"{counted(self.more, 'weaker cause')} with `details`.")
        if self.not_examined:
            parts.append("Not examined: " + "; ".join(self.not_examined))
        return "\n\n".join(parts)

    def _verdict(self) -> str:
        if self.verdict == "cause found":
            return f"{self.causes[0].name}, {self.causes[0].confidence}"
        if self.verdict == "nothing is wrong":
            return "nothing is wrong (no failed deploy or instance, no rise of errors, latency or load)"
        return "something is wrong, no cause is evident" if self.symptoms else "not enough evidence"

    def _cause(self, number: int, cause: FoundCause) -> str:
        when = ""
        if cause.since:
            over = cause.until and cause.until != cause.since
            end = f" to {stamp(cause.until, self.read_at)}" if over else ""
            when = f", since {stamp(cause.since, self.read_at)}{end}"
        if cause.follows:
            return f"{number}. {cause.name} ({cause.confidence}{when}), brought about by {cause.follows}"
        lines = [f"{number}. **{cause.name}** ({cause.confidence}{when}): {cause.summary}"]
        lines += [f"   - {line}" for line in cause.evidence]
        return "\n".join([*lines, f"   - next: {cause.next_step}"])


@tool(Effect.READ, open_world=True)
async def diagnose_service(params: DiagnoseService, resources: Resources) -> ServiceDiagnosis:
    """Say why a Render service is in trouble: causes in order, each with its evidence and next step.

    Start here when a service fails, restarts, is slow, or a deploy did not go live. It reads events, logs,
    metrics, deploys, settings, databases and Supabase at once, and may answer that nothing is wrong or that
    the evidence does not suffice. Use read_logs or read_metrics afterwards, for a question it leaves open.
    """
    service = await find_service(resources.render, params.service)
    resources.progress(f"reading events, logs and metrics of {service.name}")
    snapshot = await read(resources, service, params.hours)
    return told(snapshot, diagnose(snapshot), details=params.details)


def told(snapshot: Snapshot, found: Diagnosis, *, details: bool) -> ServiceDiagnosis:
    """The diagnosis as an answer."""
    service, top = snapshot.service, found.top
    worth = [r for r in found.ranked if details or (top and r.cause.score >= FOUND)]
    shown = worth if details else worth[:SHOWN]
    release = found.release if top else None
    hours = (snapshot.now - snapshot.since).total_seconds() / 3600
    return ServiceDiagnosis(
        service=service.name,
        id=service.id,
        type=service.type,
        verdict="cause found" if top else _without(snapshot, found),
        looked=f"last {hours:g} h",
        symptoms=tuple(
            f"{s.text}{f' since {stamp(s.since, snapshot.now)}' if s.since else ''}"
            f"{f' until {stamp(s.until, snapshot.now)}' if s.until and s.until != s.since else ''}"
            for s in found.symptoms
        ),
        causes=tuple(_found(each) for each in shown),
        introduced_by=f"deploy {release.deploy.id}, live {stamp(release.live, snapshot.now)}"
        if release
        else "",
        way_back=_way_back(release),
        state=_state(snapshot),
        timeline=tuple(timeline(snapshot, found, 20 if details else 8)) if found.symptoms or top else (),
        not_examined=_not_examined(snapshot),
        more=len(found.ranked) - len(shown),
        read_at=snapshot.now,
    )


def _without(snapshot: Snapshot, found: Diagnosis) -> Literal["nothing is wrong", "not enough evidence"]:
    """The verdict where no cause is named: well only if everything that matters could be read."""
    blind = any(part.startswith(VITAL) for part in snapshot.unread)
    return "not enough evidence" if found.symptoms or blind else "nothing is wrong"


def _way_back(release: Release | None) -> str:
    """How the release before comes back, where that would help."""
    if release is None or release.before is None:
        return ""
    commit, before = release.deploy.commit, release.before.commit
    if commit and before and commit.id == before.id:
        return "It has the same code as the one before: changed settings, which a rollback keeps."
    return f"The release before: {release.before.id} (rollback_service)."


def _state(snapshot: Snapshot) -> str:
    """The figures of the last half hour, as far as there are any."""
    since = snapshot.now - timedelta(minutes=30)

    def lately(track: Track) -> float | None:
        part = track.between(since)
        return part.quantile(0.5) if part else None

    told = (
        ("5xx", percent(lately(snapshot.failing))),
        ("p95", f"{lately(snapshot.measured.p95) or 0:.0f} ms" if snapshot.measured.p95 else ""),
        ("CPU", percent(lately(snapshot.cpu_use))),
        ("memory", percent(lately(snapshot.memory_use))),
    )
    return ", ".join(f"{name} {value}" for name, value in told if value)


def _found(ranked: Ranked) -> FoundCause:
    cause = ranked.cause
    return FoundCause(
        name=cause.name,
        confidence=ranked.confidence,
        summary=cause.summary,
        evidence=cause.evidence,
        next_step=cause.next_step,
        since=cause.since,
        until=cause.until,
        follows=ranked.follows,
    )


def _not_examined(snapshot: Snapshot) -> tuple[str, ...]:
    missing = [*snapshot.unread]
    if snapshot.supabase is None and not any("Supabase" in part for part in missing):
        missing.append("Supabase (not connected)")
    if not snapshot.statements and not any("pg_stat_statements" in part for part in missing):
        missing.append("statements of the database (none connected, none told by Render)")
    return tuple(missing)
