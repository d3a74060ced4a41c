"""After a release is live: health checks from outside, then its figures against those of before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from tools.render.deploying.figures import Figures, measure
from tools.render.deploying.following import listing
from tools.render.deploying.health import Prober
from tools.render.deploying.session import Session
from tools.render.deploying.verdict import Health, Judgement, judge
from tools.render.models import LIVE

WARM_UP: Final = timedelta(seconds=60)
"""The old instances still serve for that long: what is measured sooner is not of the new release alone."""
BETWEEN: Final = 30.0
_SURE: Final = 3
"""Bad judgements in a row before a bake ends early: more than one minute's figures."""
LONGEST: Final = timedelta(minutes=60)
"""How far back the figures of a release go that is watched again."""


@dataclass(frozen=True, slots=True)
class Baked:
    """What was seen. `superseded` is the deploy that went live in between, and ended the watching."""

    judgement: Judgement
    figures: Figures | None
    health: Health
    superseded: str = ""


async def bake(session: Session, deploy: str, live_at: datetime, *, passes: int, minutes: float) -> Baked:
    """Watch a live release. Ends early when it is bad beyond doubt, or when another one takes its place."""
    prober, noted = session.prober(), Judgement("good")
    if prober is not None and not await _passes(session, prober, passes):
        said = f"{prober.last_status}" if prober.last_status else "no answer"
        if session.journal.healthy_before is not False:
            reason = f"the health check from outside did not pass {passes} times in a row (last: {said})"
            return Baked(Judgement("regressed", (reason,)), None, prober.health)
        noted = _unhealthy_anyway(prober, said)
        prober = None
    if prober is not None:
        session.step(f"{passes} health checks from outside passed in a row ({prober.url})")
    if session.service.type in {"static_site", "cron_job"}:
        return _without_a_process(session, prober)
    watched = await _watch(session, deploy, live_at, prober, minutes)
    return replace(watched, judgement=watched.judgement.noting(noted))


def _unhealthy_anyway(prober: Prober, said: str) -> Judgement:
    """A check that did not pass before says nothing of the release; a denied one says nothing."""
    if prober.last_status in {401, 403}:
        return Judgement(
            "good", cautions=(f"it cannot be asked from here ({said}), so its figures decide alone",)
        )
    doubt = f"the health check from outside did not pass ({said}), and did not before the deploy either"
    return Judgement("inconclusive", doubts=(doubt,))


async def _passes(session: Session, prober: Prober, passes: int) -> bool:
    """N passes in a row, within three times as many tries: a first answer may come late."""
    in_a_row = 0
    for _ in range(3 * passes):
        in_a_row = in_a_row + 1 if await prober.ask() else 0
        if in_a_row >= passes:
            return True
        session.tell(f"health check {prober.last_status or 'without an answer'} ({in_a_row} of {passes})")
        await session.pause(5)
    return False


def _without_a_process(session: Session, prober: Prober | None) -> Baked:
    if session.service.type == "static_site" and prober is not None:
        return Baked(Judgement("good"), None, prober.health)
    said = "a cron job proves itself by its next run, which was not waited for"
    return Baked(Judgement("inconclusive", doubts=(said,)), None, Health())


async def _watch(
    session: Session, deploy: str, live_at: datetime, prober: Prober | None, minutes: float
) -> Baked:
    begun = session.now()
    live_at = max(live_at, begun - LONGEST)
    start, bad = live_at + WARM_UP, 0
    until = max(begun, start) + timedelta(minutes=minutes)
    while True:
        await session.pause(BETWEEN)
        if prober is not None:
            await prober.ask()
        now = session.now()
        health = prober.health if prober is not None else Health()
        if health.failed_in_a_row >= 3:
            judged = judge(session.journal.baseline, _empty(now), session.service.type, health)
            return Baked(Judgement("regressed", judged.regressions), None, health)
        if now < start + timedelta(minutes=1) and now < until:
            continue
        figures = await measure(session.render, session.service, min(start, now - timedelta(minutes=1)), now)
        judged = judge(session.journal.baseline, figures, session.service.type, health)
        bad = bad + 1 if judged.word == "regressed" else 0
        session.tell(_told(figures, judged, (until - now).total_seconds()))
        if other := await _superseded(session, deploy):
            doubt = f"{other} went live meanwhile: the figures are not of this release alone"
            return Baked(Judgement("inconclusive", doubts=(doubt,)), figures, health, other)
        if bad >= _SURE or now >= until:
            return Baked(judged, figures, health)


async def _superseded(session: Session, deploy: str) -> str:
    serving = next((each for each in await listing(session) if each.status == LIVE), None)
    return serving.id if serving is not None and serving.id != deploy else ""


def _empty(now: datetime) -> Figures:
    return Figures(start=now, end=now)


def _told(figures: Figures, judged: Judgement, left: float) -> str:
    share = "no requests" if figures.share is None else f"5xx {figures.share:.2%} of {figures.requests}"
    p95 = f", p95 {figures.p95_ms:.0f} ms" if figures.p95_ms is not None else ""
    memory = f", memory {figures.fullness:.0%}" if figures.fullness is not None else ""
    return f"bake: {share}{p95}{memory}: {judged.word}; {max(0, left) / 60:.1f} min left"
