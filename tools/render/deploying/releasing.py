"""A deploy from the request to the verdict. What changes something is on disk before it is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tools.errors import Conflict, SergeiError
from tools.render.deploying.baking import Baked, bake
from tools.render.deploying.diagnosis import diagnose
from tools.render.deploying.figures import Figures, measure, window
from tools.render.deploying.following import follow, request, superseded_by
from tools.render.deploying.journal import Journal, folder, read
from tools.render.deploying.lock import exclusive
from tools.render.deploying.outcome import Deployed, Verdict, figures_in_words
from tools.render.deploying.plan import Plan, serving_since
from tools.render.deploying.preflight import examine
from tools.render.deploying.record import record
from tools.render.deploying.session import Session
from tools.render.deploying.target import find_target, revision_of
from tools.render.deploying.undoing import PASSES, VERIFY_MINUTES, Undone, confirm, not_undone, undo
from tools.render.models import LIVE, Deploy
from tools.resources import Resources

_FAILED: Final[dict[str, Verdict]] = {
    "build_failed": "failed_build",
    "pre_deploy_failed": "failed_pre_deploy",
    "update_failed": "failed_update",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person approved beside the revision."""

    passes: int
    minutes: float
    roll_back: bool
    clear_cache: bool
    despite: tuple[str, ...]


async def release(resources: Resources, plan: Plan, wanted: Wanted) -> Deployed:
    """Carry out a plan under the service's lock."""
    service, place, now = plan.target.service, folder(resources), resources.now()
    with exclusive(place, service.id, f"deploy_service {service.name}", now):
        if read(place, service.id) != plan.seen:
            raise Conflict(
                f"{service.name} was at work on meanwhile.", hint="Call again: it looks at what is so now."
            )
        if plan.resumed is not None and plan.deploy is not None:
            session = Session(resources, plan.target, place, plan.resumed)
            session.step(f"going on with {plan.deploy.id}, which was not watched to its end")
            return await _rest(session, plan, wanted, plan.deploy)
        session = await _begin(resources, plan, wanted)
        deploy = plan.deploy or await request(session, clear_cache=wanted.clear_cache)
        if deploy is None:
            said = "Render's answer was lost, and no such deploy can be seen"
            return await _end(session, plan, "unknown", (said,))
        return await _rest(session, plan, wanted, deploy)


async def _begin(resources: Resources, plan: Plan, wanted: Wanted) -> Session:
    """Look once more, measure what is so before, and note what is about to be sent."""
    target = await find_target(resources.render, plan.target.service.id)
    preflight = await examine(resources, target, plan.revision, plan.repository)
    preflight.enforce(target.service.name, wanted.despite)
    now, serving = resources.now(), target.serving
    resources.progress(f"{target.service.name}: reading the figures of the last 15 minutes")
    until = now if plan.deploy is None else plan.deploy.created_at or now
    baseline = await measure(resources.render, target.service, *window(until, serving_since(target)))
    try:
        instances = tuple(one.id for one in await resources.render.list_instances(target.service.id))
    except SergeiError:
        instances = ()
    journal = Journal(
        service=target.service.id,
        started=now,
        sent_at=now,
        revision=plan.revision,
        known=tuple(deploy.id for deploy in target.deploys),
        previous=serving.id if serving else "",
        previous_revision=revision_of(serving),
        instances=instances,
        baseline=baseline,
    )
    session = Session(resources, target, folder(resources), journal)
    if (prober := session.prober()) is not None and serving is not None:
        session.journal.healthy_before = await prober.ask()
    session.step(f"baseline of {baseline.minutes:.0f} min taken")
    session.keep(sent_at=resources.now())
    return session


async def _rest(session: Session, plan: Plan, wanted: Wanted, deploy: Deploy) -> Deployed:
    """Everything after the deploy is known, also for one that was begun by an earlier call."""
    state = session.journal.state
    if state in {"undoing", "returning"}:
        return await _undone(session, plan, wanted, session.journal.reasons, None)
    revision = session.journal.revision
    commit = deploy.commit.id if deploy.commit else ""
    if commit and not revision.commit:
        session.journal.revision = revision.model_copy(update={"commit": commit})
    if state in {"begun", "following"}:
        session.keep(state="following", deploy=deploy.id)
        ended = await follow(session, deploy.id)
        if ended is None:
            return await _end(session, plan, "unknown", ("it could not be followed to its end",))
        if ended.status != LIVE:
            return await _failed(session, plan, ended)
        commit = ended.commit.id if ended.commit else ""
        if commit and not session.journal.revision.is_of(commit, ""):
            session.step(f"Render took commit {commit[:12]}, a newer one than was shown")
            session.journal.revision = revision.model_copy(update={"commit": commit, "subject": ""})
        session.keep(state="live", live_at=ended.finished_at or session.now())
    live_at = session.journal.live_at or session.now()
    baked = await bake(session, deploy.id, live_at, passes=wanted.passes, minutes=wanted.minutes)
    return await _judged(session, plan, wanted, baked)


async def _failed(session: Session, plan: Plan, ended: Deploy) -> Deployed:
    """It did not come to serve: the release before still does, so there is nothing to roll back."""
    if ended.status == "deactivated":
        other = await superseded_by(session, ended.id)
        said = f"{other.id if other else 'another deploy'} took its place before it could be watched"
        return await _end(session, plan, "live_inconclusive", (said,))
    if ended.status == "canceled":
        other = await superseded_by(session, ended.id)
        by = f"it gave way to {other.id} ({other.trigger})" if other else "somebody canceled it"
        return await _end(session, plan, "canceled", (by,))
    told = await diagnose(session, ended)
    still = await _still_serves(session)
    reasons = (f"Render: {told.reason}", f"likely cause: {told.cause}", still)
    verdict = _FAILED.get(ended.status, "unknown")
    return await _end(session, plan, verdict, reasons, evidence=told.lines, next_steps=(told.next_step,))


async def _still_serves(session: Session) -> str:
    target = await find_target(session.render, session.service.id)
    serving = target.serving
    if serving is None:
        return "no release of it serves"
    prober = session.prober()
    healthy = ""
    if prober is not None:
        passed = await prober.ask()
        healthy = (
            f", its health check {'passes' if passed else 'FAILS'} ({prober.last_status or 'no answer'})"
        )
    return f"{serving.id} ({revision_of(serving)}) still serves{healthy}: no rollback is needed"


async def _judged(session: Session, plan: Plan, wanted: Wanted, baked: Baked) -> Deployed:
    judged = baked.judgement
    if judged.word == "good":
        return await _end(session, plan, "live_verified", (), after=baked.figures, cautions=judged.cautions)
    if judged.word == "inconclusive":
        return await _end(
            session, plan, "live_inconclusive", judged.doubts, after=baked.figures, cautions=judged.cautions
        )
    session.step(f"regressed: {judged.regressions[0]}")
    session.journal.reasons = judged.regressions
    return await _undone(session, plan, wanted, judged.regressions, baked.figures)


async def _undone(
    session: Session, plan: Plan, wanted: Wanted, reasons: tuple[str, ...], after: Figures | None
) -> Deployed:
    """The one rollback, if a person approved it in this call; else it is proposed."""
    to = session.journal.previous
    began = session.journal.rollback_sent_at is not None
    if not (wanted.roll_back or began) or not to:
        why = () if to else ("there is no earlier release to go back to",)
        return await _end(session, plan, "regressed_waiting", (*reasons, *why), after=after)
    if session.service.type == "cron_job":
        why = "Render does not roll back cron jobs; deploy the earlier commit"
        return await _end(session, plan, "regressed_waiting", (*reasons, why), after=after)
    undone = await _go_back(session, to)
    told = (*reasons, f"rollback to {to}: {undone.said}")
    back = undone.came in {"back", "unconfirmed"}
    figures = undone.baked.figures if undone.baked is not None else None
    verdict: Verdict = "regressed_rolled_back" if back else "regressed_waiting"
    if undone.came == "unknown":
        return await _end(session, plan, "unknown", told, bad=after, after=figures, undone=undone)
    return await _end(session, plan, verdict, told, bad=after, after=figures, undone=undone)


async def _go_back(session: Session, to: str) -> Undone:
    if session.journal.state == "returning" and session.journal.rollback:
        return await confirm(session, to, minutes=VERIFY_MINUTES, passes=PASSES)
    return await undo(session, to)


async def _end(
    session: Session,
    plan: Plan,
    verdict: Verdict,
    reasons: tuple[str, ...],
    *,
    evidence: tuple[str, ...] = (),
    bad: Figures | None = None,
    after: Figures | None = None,
    cautions: tuple[str, ...] = (),
    next_steps: tuple[str, ...] = (),
    undone: Undone | None = None,
) -> Deployed:
    """Close the journal (not when it is unknown: the next call goes on) and say what came of it."""
    journal = session.journal
    if verdict == "unknown":
        session.keep(verdict=verdict)
    else:
        session.keep(state="closed", verdict=verdict)
    figures = figures_in_words(journal.baseline, bad or after)
    kept = await record(session, "deploy_service", verdict, "; ".join(reasons[:2]), figures)
    await session.refresh()
    return Deployed(
        verdict=verdict,
        service=session.service.name,
        deploy=journal.deploy,
        revision=_short(session),
        previous=f"{journal.previous} ({journal.previous_revision})"
        if journal.previous
        else "nothing served",
        reasons=reasons,
        evidence=evidence,
        cautions=cautions,
        before=journal.baseline,
        regressed=bad,
        after=after,
        checks=plan.checks,
        steps=tuple(session.journal.steps),
        not_undone=tuple(not_undone(session.service))
        if undone is not None and undone.came != "not_begun"
        else (),
        next_steps=next_steps or tuple(_next(session, verdict, undone)),
        record=kept,
    )


def _short(session: Session) -> str:
    revision = session.journal.revision
    return f"commit {revision.commit[:12]}" if revision.commit else revision.image or "the newest commit"


def _next(session: Session, verdict: Verdict, undone: Undone | None) -> list[str]:
    journal, name = session.journal, session.service.name
    again = f"deploy_service on {name}"
    again += f" with commit {journal.revision.commit}" if journal.revision.commit else ""
    back = f"rollback_service on {name} to {journal.previous}"
    can_go_back = bool(journal.previous) and session.service.type != "cron_job"
    if verdict == "live_inconclusive" and session.service.type == "cron_job":
        return [f"wait for its next run or trigger one (run_job), then read_logs on {name}"]
    if verdict == "live_inconclusive":
        longer = f"call {again} and a longer bake_minutes: it deploys nothing and watches on"
        return [f"{longer}; or send it traffic", *((f"if people complain: {back}",) * can_go_back)]
    if verdict == "regressed_waiting":
        propose = can_go_back and undone is None
        said = [f"propose {back}: autodeploy off first, then verified"] if propose else []
        return [*said, f"diagnose_service on {name}: a person decides, no second rollback follows by itself"]
    if verdict == "regressed_rolled_back":
        return [
            f"autodeploy of {name} stays off until a person turns it on (change_service autodeploy)",
            "diagnose_service for the cause; mend it in the code before the next deploy",
        ]
    if verdict == "unknown":
        return [f"call {again} again: it looks at Render first and goes on, it does not deploy twice"]
    return []
